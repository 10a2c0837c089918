"""Bad people: names that mean something else, links and files that somebody planted, copies that were tampered with."""

import re

from pytest_bdd import given, parsers, then, when

from snapproof.driver import InvalidRequestError
from snapproof.lab import Lab
from snapproof.steps.scene import Scene
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
}
"""What names may be made of that mean more than a name."""

SIBLINGS = ("{path}.bak", "{stem}*.vhd", "{stem}?.vhd", "{folder}/[{name}]", "{folder}/*", "{path}~")
"""Names around a backup that a pattern could match, or be."""

RULE = re.compile(r"(nfs: |s3: \S+?/)?snapshots/[A-Za-z0-9][\w-]{0,127}/[A-Za-z0-9][\w-]{0,127}/[0-9a-f-]{36}\.vhd")
MADE = re.compile(r"array\.(Create|Clone|Copy)")
"""Calls by which an array makes something."""


@when(parsers.parse("an account of {form} form backs up a volume of that name"))
def an_account_backs_up(lab: Lab, scene: Scene, form: str) -> None:
    """Account, volume and operations have the same hostile name; the first refusal is the outcome."""
    name = FORMS[form]
    making = VolumeRequest(
        operation=OperationId(f"1 {name[:100]}"), account=AccountId(name), name=name, size_bytes=2**20
    )
    made = scene.act(lab, lambda driver: driver.create_volume(making))
    if made.value is not None:
        lab.start_guest(made.value).fill(blocks=2)
        _back_up(lab, scene, made.value.id, name)


@when(parsers.parse('a snapshot of {form} form is taken of "{volume}" on SECONDARY'))
def a_snapshot_of_that_form(lab: Lab, scene: Scene, form: str, volume: str) -> None:
    """The snapshot's name and the operation's id are hostile."""
    _back_up(lab, scene, scene.volume(volume).id, FORMS[form])


@then("it was refused as the caller's mistake, or the backup lies under a path by the rule")
def it_lies_by_the_rule(lab: Lab, scene: Scene) -> None:
    """snapshots/<account>/<volume>/<uuid>.vhd, of plain characters; and nothing lies anywhere else."""
    error = scene.outcome.error
    assert error is None or isinstance(error, InvalidRequestError), f"The driver failed: {error!r}"
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


@then("nobody else's file was touched")
def nobody_elses_file(lab: Lab) -> None:
    """Neither what was planted, nor what links lead to."""
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
