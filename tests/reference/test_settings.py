"""The settings: each is described whole, read strictly, and followed while the server runs."""

import re
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapproof.authoring.broken import planted_for
from snapproof.driver import InvalidRequestError
from snapproof.fixtures.caller import Caller
from snapproof.reference_impl.configuring import FILE, heeded, page, read_settings, type_of, variable_of
from snapproof.reference_impl.doctor import examine
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.settings import Reload, Rule, Scope, SettingError, Settings, table
from snapproof.site import Site
from snapproof.vocabulary import LocationType, OperationId, Secret, SnapshotRequest, SnapshotState

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
NEEDED = {
    "snapshot.location.default": LocationType.PRIMARY,
    "snapshot.backup.timeout": 21_600.0,
    "snapshot.clone.poll.interval": 0.5,
    "snapshot.clone.poll.timeout": 3_600.0,
    "snapshot.reconcile.interval": 3_600.0,
    "snapshot.backup.parallel": 10,
    "snapshot.backup.bandwidth": 0,
}
BOUNDED = [rule for _, rule in table() if rule.least is not None]


def say(caller: Caller, *lines: str) -> None:
    """Let an operator write the settings file; a running server reads it with its next due work."""
    (caller.lab._state_directory / FILE).write_text("\n".join(lines), encoding="utf-8")
    caller.lab.driver.run_due_work()


def incomplete(rules: list[Rule]) -> list[str]:
    """Name what a description lacks."""
    said = [
        rule.name
        for rule in rules
        if not (re.fullmatch(r"(snapshot|security)(\.[a-z]+)+", rule.name) and rule.text.endswith("."))
        or rule.scope not in set(Scope)
        or rule.reload not in set(Reload)
        or (rule.least is None) != (rule.most is None)
    ]
    names = [rule.name for rule in rules]
    return said + [name for name in names if names.count(name) > 1]


@pytest.mark.requirement(id="R-103")
def test_every_setting_has_a_name_a_type_a_default_a_range_a_scope_and_a_rule_of_reloading() -> None:
    assert len(table()) == len(fields(Settings))
    assert incomplete([rule for _, rule in table()]) == []
    for each, rule in table():
        assert type_of(each) in {bool, LocationType, Secret | None} or rule.least is not None, rule.name


@pytest.mark.parametrize(
    "wrong",
    [
        Rule(name="snapshot.a", text="No sentence"),
        Rule(name="Snapshot_A", text="A sentence."),
        Rule(name="snapshot.a", text="A sentence.", least=1),
    ],
)
def test_a_setting_that_is_described_in_part_is_found(wrong: Rule) -> None:
    assert incomplete([wrong]) == [wrong.name]


@pytest.mark.requirement(id="R-103")
def test_the_page_of_settings_is_published_as_it_is() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "Write it again: python -m snapproof.reference_impl.configuring."


@pytest.mark.requirement(id="R-103")
@pytest.mark.parametrize("rule", BOUNDED, ids=lambda rule: rule.name)
def test_a_number_out_of_its_range_is_refused_by_name(rule: Rule) -> None:
    assert rule.least is not None
    assert rule.most is not None
    for edge in (rule.least, rule.most):
        read_settings([f"{rule.name} = {edge:.3f}".removesuffix(".000")])
    for beyond in (rule.least - 1, rule.most + 1):
        with pytest.raises(SettingError, match=re.escape(f"{rule.name} is {beyond:g}"[:20])):
            read_settings([f"{rule.name} = {beyond:.3f}".removesuffix(".000")])


@pytest.mark.requirement(id="R-103")
def test_an_unknown_setting_is_warned_of_and_left_out() -> None:
    found = read_settings(["snapshot.backup.timout = 60", "hello"], {"SNAPPROOF_SNAPSHOT_COLOUR": "red", "HOME": "/"})
    assert found.settings == Settings()
    assert found.warnings == (
        "Line 2 of the settings is no `name = value`; it is left out.",
        "There is no setting 'snapshot.backup.timout'; do you mean snapshot.backup.timeout?",
        "There is no setting 'SNAPPROOF_SNAPSHOT_COLOUR'; it is left out.",
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("snapshot.backup.parallel", "ten"),
        ("snapshot.backup.parallel", "1.5"),
        ("snapshot.backup.parallel", "\u0661\u0660"),
        ("snapshot.backup.timeout", "1,5"),
        ("snapshot.backup.timeout", "inf"),
        ("snapshot.backup.timeout", "1e3"),
        ("snapshot.backup.to.secondary", "yes"),
        ("snapshot.location.default", "tape"),
    ],
)
def test_a_value_that_is_none_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(SettingError, match=re.escape(name)):
        read_settings([f"{name} = {text}"])


@given(st.text())
def test_whatever_a_file_holds_it_is_read_or_refused_in_a_sentence(text: str) -> None:
    try:
        read_settings(text.splitlines())
    except SettingError as error:
        assert str(error).endswith(".")  # noqa: PT017  nothing else may be raised


def test_a_variable_wins_over_a_line_and_a_line_over_what_was_given() -> None:
    name = "snapshot.backup.timeout"
    given_ones = Settings(copy_timeout_s=3, backup_parallel=4)
    found = read_settings([f"{name} = 5", f"{name} = 6"], {variable_of(name): "7"}, base=given_ones)
    assert found.settings == Settings(copy_timeout_s=7, backup_parallel=4)


@pytest.mark.requirement(id="R-104")
def test_the_settings_that_the_feature_needs_are_there_with_their_defaults() -> None:
    found = {rule.name: each.default for each, rule in table()}
    assert {name: found.get(name) for name in NEEDED} == NEEDED


@pytest.mark.requirement(id="R-105")
def test_a_backup_and_a_restore_are_bound_by_a_setting_each(caller: Caller) -> None:
    """Nothing else that is copied, a template for one, reads either of them."""
    volume = caller.used_volume()
    taken = caller.take("first", volume.id, LocationType.SECONDARY).result()
    caller.lab._world.pool._state.chunk_bytes = 1
    say(caller, "snapshot.backup.timeout = 0.5", "snapshot.restore.timeout = 86400")
    assert "did not end within 0.5 s" in str(caller.take("second", volume.id, LocationType.SECONDARY).error)
    assert caller.create("restored", source=taken.id).error is None
    say(caller, "snapshot.backup.timeout = 86400", "snapshot.restore.timeout = 0.25")
    assert caller.take("third", volume.id, LocationType.SECONDARY).error is None
    assert "did not end within 0.25 s" in str(caller.create("again", source=taken.id).error)


def refused_while_switched_off(caller: Caller) -> list[str]:
    """Ask for backups while they are switched off; name what is not as it must be."""
    volume = caller.used_volume()
    kept = caller.take("kept", volume.id).result()
    say(caller, "snapshot.backup.to.secondary = false")
    before = caller.lab.inventory()
    taken = caller.take("taken", volume.id, LocationType.SECONDARY)
    archived = caller.lab.attempt(lambda driver: driver.archive_snapshot(OperationId("archived"), kept.id))
    wrong = [
        f"{name}: {outcome.error}"
        for name, outcome in (("taken", taken), ("archived", archived))
        if not isinstance(outcome.error, InvalidRequestError)
        or "snapshot.backup.to.secondary is false" not in str(outcome.error)
    ]
    if [row.id for row in caller.lab.driver.list_snapshots()] != [kept.id]:
        wrong.append("There are other snapshots now.")
    return wrong if caller.lab.inventory() == before else [*wrong, "The world has changed."]


@pytest.mark.requirement(id="R-106")
def test_a_backup_is_refused_while_backups_are_switched_off(caller: Caller) -> None:
    assert refused_while_switched_off(caller) == []
    assert caller.take("here", caller.lab.driver.list_volumes()[0].id).error is None


def test_a_switch_that_puts_it_elsewhere_in_silence_is_found(caller: Caller) -> None:
    mistake = planted_for("C23")
    caller.lab._factory = mistake.planted()
    caller.lab.restart_driver()
    assert refused_while_switched_off(caller)[0] == mistake.expect


@pytest.mark.requirement(id="R-100")
def test_new_requests_follow_a_switch_and_what_is_in_flight_ends_as_it_was_begun(caller: Caller) -> None:
    volume = caller.used_volume()
    assert caller.take("before", volume.id).result().location is LocationType.PRIMARY
    say(caller, "snapshot.location.default = secondary")
    assert caller.take("after", volume.id).result().location is LocationType.SECONDARY
    request = SnapshotRequest(operation=OperationId("late"), volume=volume.id, async_backup=True)
    late = caller.lab.attempt(lambda driver: driver.take_snapshot(request)).result()
    assert late.state is SnapshotState.BACKING_UP
    say(caller, "snapshot.location.default = secondary", "snapshot.backup.to.secondary = false")
    states = {row.id: (row.state, row.location) for row in caller.lab.driver.list_snapshots()}
    assert states[late.id] == (SnapshotState.BACKED_UP, LocationType.SECONDARY)
    assert isinstance(caller.take("refused", volume.id).error, InvalidRequestError)
    say(caller, "snapshot.location.default = secondary")
    assert caller.take("again", volume.id).result().location is LocationType.SECONDARY


def test_a_server_does_not_start_with_what_cannot_be_and_goes_on_without_it(caller: Caller) -> None:
    say(caller, "snapshot.backup.parallel = 0", "snapshot.location.default = SECONDARY")
    assert caller.take("still", caller.used_volume().id).result().location is LocationType.PRIMARY
    assert "The settings are left as they are: snapshot.backup.parallel is 0; it must be" in caller.lab.captured_text()
    with pytest.raises(SettingError, match="it must be from 1 to 1000"):
        ReferenceDriver(caller.lab._site)


def test_what_counts_at_the_next_start_waits_for_it(caller: Caller) -> None:
    say(caller, "snapshot.server.number = 7", "snapshot.location.default = SECONDARY")
    driver = caller.lab._driver
    assert isinstance(driver, ReferenceDriver)
    assert driver.live() == Settings(location_default=LocationType.SECONDARY)
    assert "snapshot.server.number changes at the next start." in caller.lab.captured_text()
    caller.lab.restart_driver()
    next_life = caller.lab._driver
    assert isinstance(next_life, ReferenceDriver)
    assert next_life.live().node == 7


def test_a_bound_on_bandwidth_makes_reading_and_writing_take_its_time(caller: Caller) -> None:
    volume = caller.used_volume()

    def took_s(operation: str) -> float:
        before_s = caller.lab._world.clock.time()
        taken = caller.take(operation, volume.id, LocationType.SECONDARY).result()
        weighed = taken.copies[0].physical_size_bytes
        return (caller.lab._world.clock.time() - before_s) / weighed

    free = took_s("free")
    say(caller, "snapshot.backup.bandwidth = 1000")
    assert took_s("bound") - free >= 1 / 1000


def test_a_running_server_and_the_check_before_use_heed_the_same_variables(caller: Caller) -> None:
    """The environment wins over the file, in both, and what is in it shows in no text."""
    lab, variable = caller.lab, variable_of("snapshot.location.default")
    say(caller, "snapshot.location.default = PRIMARY", "snapshot.backup.parallel = 3")
    variables = {variable: "secondary", "PATH": "/bin", variable_of("snapshot.catalog.url"): "sqlite://:of-no-use@/"}
    assert set(heeded(variables)) == {variable, "SNAPPROOF_SNAPSHOT_CATALOG_URL"}
    assert "of-no-use" not in repr(replace(lab._site, environment=variables))
    lab._site = replace(lab._site, environment={variable: "secondary"})
    lab.restart_driver()
    assert caller.take("there", caller.used_volume().id).result().location is LocationType.SECONDARY
    driver = lab._driver
    assert isinstance(driver, ReferenceDriver)
    assert driver.live().backup_parallel == 3
    say(caller, "snapshot.location.default = PRIMARY", "snapshot.backup.parallel = 4")
    assert (driver.live().location_default, driver.live().backup_parallel) == (LocationType.SECONDARY, 4)


@pytest.mark.parametrize("begin", [lambda site: next(map(str, examine(site))), ReferenceDriver])
def test_a_variable_that_cannot_be_is_refused_by_both(caller: Caller, begin: Callable[[Site], object]) -> None:
    site = replace(caller.lab._site, environment={variable_of("snapshot.backup.parallel"): "none"})
    try:
        said = str(begin(site))
    except SettingError as error:
        said = str(error)
    assert "snapshot.backup.parallel is 'none', which is not a whole number." in said
