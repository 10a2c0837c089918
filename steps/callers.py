"""Callers: accounts in their roles, domains, projects and limits, what they ask for, and what they are told."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from pytest_bdd import given, parsers, then, when

from snapproof.accounts import Account, Limits, Role
from snapproof.driver import DeniedError, DriverUnderTest, InvalidRequestError, LimitExceededError, NotFoundError
from snapproof.lab import Lab
from snapproof.steps.policies import daily
from snapproof.steps.scene import ACCOUNT, Scene
from snapproof.steps.volumes import UNITS
from snapproof.vocabulary import (
    AccountId,
    OperationId,
    PolicyId,
    SnapshotId,
    SnapshotRequest,
    TemplateRequest,
    VolumeId,
    VolumeRequest,
)

Act: TypeAlias = Callable[[DriverUnderTest, OperationId, str, AccountId], object]
"""One verb, for the driver as somebody uses it: under an operation id, with a thing of this id, for his own account."""

UNKNOWN = "5f0c0000-0000-4000-8000-00000000d0e5"
"""The id of nothing at all."""

SIZE_BYTES = 3 * UNITS["MiB"]


def _take(driver: DriverUnderTest, operation: OperationId, thing: str, _account: AccountId) -> object:
    return driver.take_snapshot(SnapshotRequest(operation=operation, volume=VolumeId(thing)))


def _archive(driver: DriverUnderTest, operation: OperationId, thing: str, _account: AccountId) -> object:
    return driver.archive_snapshot(operation, SnapshotId(thing))


def _delete(driver: DriverUnderTest, operation: OperationId, thing: str, _account: AccountId) -> None:
    driver.delete_snapshot(operation, SnapshotId(thing))


def _revert(driver: DriverUnderTest, operation: OperationId, thing: str, _account: AccountId) -> object:
    return driver.revert_volume(operation, SnapshotId(thing))


def _make_volume(driver: DriverUnderTest, operation: OperationId, thing: str, account: AccountId) -> object:
    request = VolumeRequest(
        operation=operation, account=account, name="copy", size_bytes=SIZE_BYTES, from_snapshot=SnapshotId(thing)
    )
    return driver.create_volume(request)


def _make_template(driver: DriverUnderTest, operation: OperationId, thing: str, account: AccountId) -> object:
    request = TemplateRequest(operation=operation, account=account, name="golden", from_snapshot=SnapshotId(thing))
    return driver.create_template(request)


def _delete_volume(driver: DriverUnderTest, operation: OperationId, thing: str, _account: AccountId) -> None:
    driver.delete_volume(operation, VolumeId(thing))


def _make_policy(driver: DriverUnderTest, operation: OperationId, thing: str, _account: AccountId) -> object:
    return driver.create_policy(daily(operation, VolumeId(thing), keep_max=2))


def _delete_policy(driver: DriverUnderTest, operation: OperationId, thing: str, _account: AccountId) -> None:
    driver.delete_policy(operation, PolicyId(thing))


ACTS: Mapping[str, tuple[str, Act]] = {
    "take a snapshot": ("volume", _take),
    "archive the snapshot": ("snapshot", _archive),
    "delete the snapshot": ("snapshot", _delete),
    "revert to the snapshot": ("snapshot", _revert),
    "make a volume of the snapshot": ("snapshot", _make_volume),
    "make a template of the snapshot": ("snapshot", _make_template),
    "delete the volume": ("volume", _delete_volume),
    "put a policy on the volume": ("volume", _make_policy),
    "delete the policy": ("policy", _delete_policy),
}
"""What can be asked for, in the words of a scenario, and with which kind of thing it is done."""


@given(parsers.parse('an account "{name}" in {domain}, a {role}'))
def an_account(lab: Lab, name: str, domain: str, role: str) -> None:
    """Make an account; the role is one of user, domain-admin, root-admin, support, vendor."""
    account = Account(name=AccountId(name), domain=domain, role=Role(role))
    lab.attempt(lambda driver: driver.put_account(account)).raise_if_failed()


@given(parsers.parse("the account is in {domain}"))
def the_account_is_in(lab: Lab, domain: str) -> None:
    """Put the account that the scenario's volumes belong to into a domain."""
    _put(lab, Account(name=ACCOUNT, domain=domain))


@given(parsers.parse('the account is a project in {domain} of "{member}"'))
def the_account_is_a_project(lab: Lab, domain: str, member: str) -> None:
    """Let the scenario's volumes belong to a project with one member."""
    _put(lab, Account(name=ACCOUNT, domain=domain, role=Role.PROJECT, members=(AccountId(member),)))


@given(parsers.parse('the project in {domain} of "{member}" is suspended'))
def the_project_is_suspended(lab: Lab, domain: str, member: str) -> None:
    """Suspend the project that the scenario's volumes belong to."""
    project = Account(name=ACCOUNT, domain=domain, role=Role.PROJECT, members=(AccountId(member),))
    _put(lab, replace(project, enabled=False))


@given(parsers.parse('the account "{name}" is disabled'))
def the_account_is_disabled(lab: Lab, name: str) -> None:
    """Disable an account, the scenario's own by its own name."""
    _put(lab, Account(name=AccountId(name), enabled=False))


@given(parsers.parse("the account may have {number:d} {resource}"))
def the_account_may_have(lab: Lab, number: int, resource: str) -> None:
    """Limit the account's `snapshots`, `MiB on primary storage` or `MiB on secondary storage`."""
    limits = {
        "snapshots": Limits(snapshots=number),
        "MiB on primary storage": Limits(primary_storage_bytes=number * UNITS["MiB"]),
        "MiB on secondary storage": Limits(secondary_storage_bytes=number * UNITS["MiB"]),
    }
    _put(lab, Account(name=ACCOUNT, limits=limits[resource]))


@when(parsers.parse('"{caller}" asks to {act} "{name}"'))
def somebody_asks(lab: Lab, scene: Scene, caller: str, act: str, name: str) -> None:
    """Let an account ask for something with a thing of the scenario, by its id."""
    kind, verb = ACTS[act]
    things: dict[str, Callable[[str], str]] = {
        "volume": lambda label: scene.volume(label).id,
        "snapshot": lambda label: scene.snapshot(label).id,
        "policy": lambda label: scene.policies[label].id,
    }
    _ask(lab, scene, caller, verb, things[kind](name))


@when(parsers.parse('somebody asks to {act} of the id "{written}"'))
def somebody_asks_by_id(lab: Lab, scene: Scene, act: str, written: str) -> None:
    """Ask for something with a thing whose id somebody typed."""
    operation = scene.operation()
    scene.act(lab, lambda driver: ACTS[act][1](driver, operation, written, ACCOUNT))


@when("the account is deleted")
def the_account_is_deleted(lab: Lab, scene: Scene) -> None:
    """Delete the account with all that it has."""
    operation = scene.operation()
    scene.act(lab, lambda driver: driver.delete_account(operation, ACCOUNT))


@when(parsers.parse('a snapshot of "{volume}" is taken with a name of {number:d} letters'))
def a_snapshot_with_a_long_name(lab: Lab, scene: Scene, volume: str, number: int) -> None:
    """Ask for a snapshot on PRIMARY whose name is that long."""
    request = SnapshotRequest(operation=scene.operation(), volume=scene.volume(volume).id, name="n" * number)
    scene.act(lab, lambda driver: driver.take_snapshot(request))


@when(parsers.parse('a policy of "{volume}" that keeps {number:d} snapshots is wanted'))
def a_policy_that_keeps(lab: Lab, scene: Scene, volume: str, number: int) -> None:
    """Ask for a DAILY policy that keeps so many, whether there is sense in it or not."""
    request = daily(scene.operation(), scene.volume(volume).id, keep_max=number)
    scene.act(lab, lambda driver: driver.create_policy(request))


@then(parsers.parse("the driver lists {wanted:d} snapshots with a name of {number:d} letters"))
def lists_long_names(lab: Lab, wanted: int, number: int) -> None:
    """The whole name, not a piece of it."""
    found = [row.name for row in lab.driver.list_snapshots() if row.name == "n" * number]
    assert len(found) == wanted, f"The driver lists {[row.name for row in lab.driver.list_snapshots()]}."


@then(parsers.parse('"{caller}" is told the same of what does not exist'))
def told_the_same(lab: Lab, scene: Scene, caller: str) -> None:
    """Ask again with the id of nothing: the refusals are of one kind, and of one text but for the id."""
    refusal = scene.outcome.error
    assert isinstance(refusal, NotFoundError | DeniedError), f"The driver answered {scene.outcome}."
    verb, thing = scene.asked
    _ask(lab, scene, caller, verb, UNKNOWN)
    unknown = scene.outcome.error
    told = str(refusal).replace(thing, UNKNOWN)
    assert (type(refusal), told) == (type(unknown), str(unknown)), f"What exists is told apart: {refusal} - {unknown}"


@then(parsers.parse("the act is {outcome} for this caller"))
def the_act_is_for_this_caller(lab: Lab, scene: Scene, outcome: str) -> None:
    """`allowed`: it succeeded. `denied`: he may not do that; `unknown`: there is no such thing; and nothing changed."""
    if outcome == "allowed":
        scene.outcome.raise_if_failed()
        return
    wanted = {"denied": DeniedError, "unknown": NotFoundError}[outcome]
    assert type(scene.outcome.error) is wanted, f"{outcome} was wanted; the driver answered {scene.outcome}."
    changed = scene.before.changes(lab.inventory())
    assert not changed, f"It is {outcome}, and has changed: {'; '.join(changed)}."


@then(parsers.parse('"{caller}" is shown {number:d} volumes, {snapshots:d} snapshots and {policies:d} policies'))
def somebody_is_shown(lab: Lab, caller: str, number: int, snapshots: int, policies: int) -> None:
    """Count what the driver lists for an account."""
    view = lab.driver.on_behalf_of(AccountId(caller))
    found = (len(view.list_volumes()), len(view.list_snapshots()), len(view.list_policies()))
    assert found == (number, snapshots, policies), f'"{caller}" is shown {found}.'


@then(parsers.parse('"{caller}" reads no event, no bill and no count of others'))
def somebody_reads_nothing(lab: Lab, caller: str) -> None:
    """Whatever is told about the scenario's account."""
    view = lab.driver.on_behalf_of(AccountId(caller))
    told = [*view.audit_events(), *view.usage_events(), *view.usage_records()]
    assert not told, f'"{caller}" reads {told[:3]}.'
    assert not view.resource_counts(ACCOUNT).snapshots, f'"{caller}" reads what {ACCOUNT} is charged.'
    assert view.list_snapshots(ACCOUNT) == view.list_snapshots(AccountId("nobody")), "A name is told apart."


@then(parsers.parse('the act is refused by the limit "{limit}"'))
def refused_by_the_limit(scene: Scene, limit: str) -> None:
    """The refusal is that of a limit, and names it."""
    error = scene.outcome.error
    assert isinstance(error, LimitExceededError), f"The driver answered {scene.outcome}."
    assert limit in str(error), f"The driver only said: {error}"


@then(parsers.parse('the act is audited as asked for by "{caller}"'))
def audited_as_asked_for(lab: Lab, scene: Scene, caller: str) -> None:
    """Every audit event of the last act names who asked."""
    operation = scene.last_operation()
    found = [event.caller for event in lab.driver.audit_events() if event.operation == operation]
    assert found, "The act was not audited."
    assert set(found) == {caller}, f"The act was audited as asked for by {found}."


@then("the refusal is the caller's mistake, without a trace of the program")
def the_callers_mistake(scene: Scene) -> None:
    """No stack trace, no name of a file stands in it."""
    error = scene.outcome.error
    assert isinstance(error, InvalidRequestError | NotFoundError), f"The driver answered {scene.outcome}."
    assert not any(word in str(error) for word in ("Traceback", ".py", "line ")), f"A trace of the program: {error}"


@then("nothing of the account is left anywhere")
def nothing_is_left(lab: Lab) -> None:
    """No copy on array or stores, nothing in the lists, no line of the bill without an end."""
    listed = [*lab.driver.list_volumes(ACCOUNT), *lab.driver.list_snapshots(ACCOUNT), *lab.driver.list_policies()]
    assert not listed, f"The driver lists {listed}."
    lying = [image.path for image in lab.backups()]
    lying += [snapshot.name for snapshot in lab.array_snapshots()]
    lying += [volume.name for volume in lab.array_volumes() if volume.active]
    assert not lying, f"Still there: {lying}"
    open_lines = [line for line in lab.driver.usage_records() if line.until_s is None]
    assert not open_lines, f"The bill says {open_lines}."
    assert lab.driver.usage_records(), "Nothing was ever billed, so that the end of it would prove nothing."


def _put(lab: Lab, account: Account) -> None:
    lab.attempt(lambda driver: driver.put_account(account)).raise_if_failed()


def _ask(lab: Lab, scene: Scene, caller: str, verb: Act, thing: str) -> None:
    operation = scene.operation()
    scene.asked = (verb, thing)
    scene.act(lab, lambda driver: verb(driver.on_behalf_of(AccountId(caller)), operation, thing, AccountId(caller)))
