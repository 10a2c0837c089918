"""Bad people: names that mean something else, links and files that somebody planted, copies that were tampered with."""

import re
from collections.abc import Mapping

from pytest_bdd import given, parsers, then, when

from snapproof.driver import DriverError, InvalidRequestError
from snapproof.lab import Lab
from snapproof.steps.scene import Scene, refusal_of
from snapproof.vocabulary import AccountId, LocationType, OperationId, SnapshotRequest, VolumeId, VolumeRequest

FORMS = {
    "the parent's": "../../escaped",
    "an absolute path's": "/escaped",
    "a NUL's": "esc\0aped",
    "a backslash's": "..\\..\\escaped",
    "an encoded slash's": "%2e%2e%2fescaped",
    "a fullwidth slash's": "\uff0e\uff0e\uff0fescaped",
    "a line feed's": "esc\r\naped",
    "a very long name's": "escaped" * 200,
    "a pattern's": "es[cape]d*?",
    "a shell's": "$(touch shell-was-here)`touch shell-was-here`;touch shell-was-here;",
    "a plain name's": "team-blue",
}
"""What names may be made of that mean more than a name."""

REFUSALS: Mapping[str, type[DriverError]] = {
    "refused": DriverError,
    "refused as the caller's mistake": InvalidRequestError,
}
"""Who may be blamed for a hostile name: anybody, or whoever gave it."""

SIBLINGS = ("{path}.bak", "{stem}*.vhd", "{stem}?.vhd", "{folder}/[{name}]", "{folder}/*", "{path}~")
"""Names around a backup that a pattern could match, or be."""

RULE = re.compile(r"(nfs: |s3: \S+?/)?snapshots/[A-Za-z0-9][\w-]{0,127}/[A-Za-z0-9][\w-]{0,127}/[0-9a-f-]{36}\.vhd")
MADE = re.compile(r"array\.(Create|Clone|Copy)")
"""Calls by which an array makes something."""


@when(parsers.parse("an account of {form} form backs up a volume of that name"))
def an_account_backs_up(lab: Lab, scene: Scene, form: str) -> None:
    """Account, volume and operations have the same hostile name; the first refusal is the outcome."""
    name = FORMS[form]
    operation = OperationId(f"1 {name[:100]}")
    making = VolumeRequest(operation=operation, account=AccountId(name), name=name, size_bytes=2**20)
    made = scene.act(lab, lambda driver: driver.create_volume(making))
    if made.value is not None:
        lab.start_guest(made.value).fill(blocks=2)
        _back_up(lab, scene, made.value.id, name)


@when(parsers.parse('a snapshot of {form} form is taken of "{volume}" on SECONDARY'))
def a_snapshot_of_that_form(lab: Lab, scene: Scene, form: str, volume: str) -> None:
    """The snapshot's name and the operation's id are hostile."""
    _back_up(lab, scene, scene.volume(volume).id, FORMS[form])


@then(parsers.parse("it was {refused}, or the backup lies under a path by the rule"))
def it_lies_by_the_rule(lab: Lab, scene: Scene, refused: str) -> None:
    """snapshots/<account>/<volume>/<uuid>.vhd, of plain characters; and nothing lies anywhere else."""
    error = scene.outcome.error
    assert error is None or isinstance(error, REFUSALS[refused]), f"The driver failed: {error!r}"
    changes = scene.before.changes(lab.inventory())
    places = [line.removeprefix("+ ").rpartition(" bytes")[0].rpartition(" ")[0] for line in _files(changes)]
    assert places or error is not None, "Nothing was refused, and nothing lies on secondary storage."
    wrong = [place for place in places if not RULE.fullmatch(place)]
    assert not wrong, f"These do not follow snapshots/<account>/<volume>/<uuid>.vhd: {wrong}"


@given(parsers.parse('somebody has planted a link at "{path}"'))
def somebody_has_planted_a_link(lab: Lab, path: str) -> None:
    """A symbolic link on the export, to a folder beside it."""
    lab.plant_link(path)


@given(parsers.parse('somebody has put a link in the place of the backup of "{name}"'))
def a_link_in_place(lab: Lab, scene: Scene, name: str) -> None:
    """The backup itself is where the link leads to, outside the export."""
    lab.plant_link(_path(scene, name))


@given(parsers.parse('somebody has put a link in the place of the folder of the backup of "{name}"'))
def a_link_in_place_of_the_folder(lab: Lab, scene: Scene, name: str) -> None:
    """The folder with the backup in it is where the link leads to, outside the export."""
    lab.plant_link(_path(scene, name).rpartition("/")[0])


@given(parsers.parse('somebody else keeps files around the backup of "{name}"'))
def somebody_keeps_files(lab: Lab, scene: Scene, name: str) -> None:
    """With wildcards in their names, and with names that wildcards match."""
    path = _path(scene, name)
    folder, _, last = path.rpartition("/")
    for sibling in SIBLINGS:
        lab.plant_file(sibling.format(path=path, stem=path.removesuffix(".vhd"), folder=folder, name=last))


@then("nothing of anybody else's was touched")
def nothing_of_anybody_elses(lab: Lab) -> None:
    """Neither other people's volumes and snapshots, nor planted files, nor what links lead to."""
    damage = lab.damage_to_others()
    assert not damage, " ".join(damage)


@given(parsers.parse('the backup of "{name}" has {damage}'))
def the_backup_has(lab: Lab, scene: Scene, name: str, damage: str) -> None:
    """Somebody tampered with it; the store goes on to vouch for it."""
    lab.tamper_with(_path(scene, name), damage)


@then("the array was asked to make nothing")
def nothing_was_made(lab: Lab) -> None:
    """No call that creates, clones or copies since calls were counted."""
    made = [call for call in lab.calls() if MADE.match(call)]
    assert not made, f"The driver called {', '.join(made)}."


def _back_up(lab: Lab, scene: Scene, volume: VolumeId, name: str) -> None:
    operation = OperationId(f"2 {name[:100]}")
    request = SnapshotRequest(operation=operation, volume=volume, name=name, location=LocationType.SECONDARY)
    scene.act(lab, lambda driver: driver.take_snapshot(request))


def _files(changes: tuple[str, ...]) -> list[str]:
    return [line for line in changes if line.startswith(("+ nfs:", "+ s3:"))]


def _path(scene: Scene, name: str) -> str:
    (copy,) = [copy for copy in scene.snapshot(name).copies if copy.location is LocationType.SECONDARY]
    return copy.reference


@then(parsers.parse("the driver had answered within {seconds:d} seconds"))
def the_driver_had_answered(scene: Scene, seconds: int) -> None:
    """By the clock on the wall, which runs while the world's stands still; a busy machine is not held against it."""
    took = scene.outcome.took_s
    assert took <= seconds, f"The driver took {took:.1f} s."


@then("nobody was sent elsewhere")
def nobody_was_sent_elsewhere(lab: Lab) -> None:
    """No redirect was followed, and nothing that an answer names was fetched: each service counts who comes there."""
    went = [call for call in lab.calls() if call.partition("#")[0].endswith(".Elsewhere")]
    assert not went, f"The driver went elsewhere: {', '.join(went)}."


@then("the act is refused in the driver's own words")
def the_act_is_refused_in_own_words(scene: Scene) -> None:
    """An error of the port, neither success nor whatever a parser raises."""
    refusal_of(scene.outcome)


@given(parsers.parse("somebody plays the {service} with {mask}"))
def somebody_plays(lab: Lab, service: str, mask: str) -> None:
    """The driver's next life is told the address of an impostor, and begins at once."""
    lab.impersonate(service, mask)


@then("the impostor has heard nothing")
def the_impostor_has_heard_nothing(lab: Lab) -> None:
    """No request arrived, and with it no credential."""
    heard = lab.heard_by_impostors()
    assert not heard, f"The impostor was sent {heard[0]}, and {len(heard) - 1} more."


@then("no shell has read a name")
def no_shell_has_read(lab: Lab) -> None:
    """What a shell would have made is nowhere."""
    traces = lab.shell_traces()
    assert not traces, f"A shell has run what a name said, in {', '.join(traces)}."


@then(parsers.parse("no link gives access to the store for longer than {seconds:d} seconds"))
def no_long_link(lab: Lab, seconds: int) -> None:
    """Of those that were used; and none was written down."""
    lengths = [length for length in lab.links_s() if length > seconds]
    assert not lengths, f"Links give access for {lengths} seconds."
    assert "X-Amz-Signature=" not in lab.captured_text(), "A link that gives access to the store was written down."
