"""The invariants I1 to I8: what must hold of any driver whenever nothing is under way, whatever had gone wrong before.

Each is one function from the lab's truth and the driver's own answers to sentences; no sentence means that it holds.
Which scenario led here is not known.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from snapproof.campaign.transitions import LEGAL, TERMINAL
from snapproof.driver import DoorError, DriverUnderTest
from snapproof.lab import BackupImage, Lab, NotTestableError
from snapproof.report.redaction import forms_of
from snapproof.vocabulary import OF_ARRAY_VOLUMES, Capability, Copy, LocationType, Snapshot, SnapshotState, Template

_IS_NOT = "is not what the guest had on its disk"

Sentences: TypeAlias = Iterator[str]
Invariant: TypeAlias = Callable[[Lab, DriverUnderTest], Sentences]


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken invariant and the sentence that says how."""

    invariant: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.sentence}"


def violations(lab: Lab) -> tuple[Violation, ...]:
    """Check all invariants that the driver's capabilities allow to check."""
    return tuple(judged("What the driver declares", partial(_violations, lab)))


def _violations(lab: Lab) -> Iterator[Violation]:
    driver = lab.driver
    declared = driver.describe().capabilities
    for name, (needs, check) in INVARIANTS.items():
        if needs is None or needs in declared:
            yield from judged(name, partial(_broken, name, check, lab, driver))


def _broken(name: str, check: Invariant, lab: Lab, driver: DriverUnderTest) -> Iterator[Violation]:
    return (Violation(name, sentence) for sentence in check(lab, driver))


def judged(what: str, judge: Callable[[], Iterable[Violation]]) -> Iterator[Violation]:
    """What a judge finds, and a violation where the driver fails it: nothing does at that time, so it may not."""
    try:
        yield from judge()
    except (DoorError, NotTestableError):
        raise
    except Exception as error:  # noqa: BLE001  a driver of somebody else may raise anything, and that is a finding
        yield Violation("driver", f"{what} cannot be judged: {type(error).__name__}: {error}")


def parents_untouched(lab: Lab, driver: DriverUnderTest) -> Sentences:
    """I1: every volume that a guest has used exists, and holds what the guest wrote."""
    for volume in driver.list_volumes():
        found = lab.array_volume_of(volume)
        if found is None or not found.active:
            yield f"The LUN of volume {volume.name} ({volume.target}) is gone."
            continue
        written = lab.guest_content(volume)
        if written is None:
            continue
        try:
            held = lab.content_of(volume)
        except AssertionError as error:
            yield f"Volume {volume.name} cannot be read: {error}"
            continue
        if held.size_bytes != written.size_bytes:
            yield f"Volume {volume.name} has {held.size_bytes} bytes; its guest saw {written.size_bytes}."
        differing = written.differing(held)
        if differing:
            blocks = f"{len(differing)} blocks, from {differing[0]} on"
            yield f"Volume {volume.name} differs from what its guest wrote in {blocks}."


def array_accounted_for(lab: Lab, driver: DriverUnderTest) -> Sentences:
    """I2: every array snapshot and every LUN belongs to one thing that the driver lists, and is what that should be."""
    listed = _listed(driver, LocationType.PRIMARY)
    yield from _shared({place: _owners(copies) for place, copies in listed.items()})
    held = lab.array_snapshots()
    for row in held:
        array_snapshot = f"Array snapshot {row.id} ({row.name}) of volume {row.volume_id}"
        copies = listed.pop(f"SfSnapshotId={row.id}", ())
        if not copies:
            yield f"{array_snapshot} is an orphan: the driver lists no copy there."
        frozen = lab.content_frozen(row.id)
        for snapshot, _ in copies:
            if frozen is not None and frozen != lab.content_when_taken(snapshot):
                yield f"{array_snapshot} {_IS_NOT} when snapshot {snapshot.name} was taken."
    own = {reference for reference in listed if reference.startswith(OF_ARRAY_VOLUMES)}
    for reference in listed.keys() - own:
        yield f"The driver lists a copy at {reference}, but the array has no such snapshot."
    targets = {volume.target.rpartition(".")[2] for volume in driver.list_volumes()}
    parents = {row.volume_id for row in held}
    luns = lab.array_volumes()
    for reference in own - {f"{OF_ARRAY_VOLUMES}{lun.id}" for lun in luns if lun.active}:
        yield f"The driver lists a copy at {reference}, but the array has no such volume."
    for lun in luns:
        if f"{OF_ARRAY_VOLUMES}{lun.id}" in own:
            continue
        if str(lun.id) in targets or lun.id in parents or (not lun.active and lab.was_users(lun.id)):
            continue
        yield f"Array volume {lun.id} ({lun.name}, {'active' if lun.active else 'deleted'}) is an orphan."


def hosts_let_go(lab: Lab, _driver: DriverUnderTest) -> Sentences:
    """I3: hosts and access groups hold nothing that serves no running guest."""
    for line in lab.leftovers():
        yield f"Left behind: {line}."


def backups_accounted_for(lab: Lab, driver: DriverUnderTest) -> Sentences:
    """I4: what lies on secondary storage and what the driver lists there are one to one, and whole."""
    listed = _listed(driver, LocationType.SECONDARY)
    owners = {place: _owners(copies) for place, copies in listed.items()}
    templates = _templates(driver)
    for template in templates:
        owners.setdefault(template.reference, []).append(f"template {template.name}")
    yield from _shared(owners)
    images = lab.backups()
    for template in templates:
        yield from _template_kept(lab, template, [image for image in images if image.path == template.reference])
    for image in images:
        if image.path not in owners:
            yield f"{image.path} ({image.physical_size_bytes} bytes) is an orphan: the driver lists no copy there."
        for snapshot, copy in listed.pop(image.path, ()):
            yield from _copy_kept(lab, snapshot, copy, image)
    for path in listed:
        yield f"The driver lists a copy at {path}, but there is none."
    for line in lab.unfinished_uploads():
        yield f"Left behind: {line}."


def _copy_kept(lab: Lab, snapshot: Snapshot, copy: Copy, image: BackupImage) -> Sentences:
    if image.has_parent:
        yield f"{image.path} is a difference from another image, and stands and falls with that one."
    elif not image.content.extends(lab.content_when_taken(snapshot)):
        yield f"{image.path} {_IS_NOT} when snapshot {snapshot.name} was taken."
    if copy.store and copy.store != image.store:
        yield f"{image.path} is in image store {image.store}; the driver says {copy.store}."
    if image.physical_size_bytes != copy.physical_size_bytes:
        yield f"{image.path} has {image.physical_size_bytes} bytes; the driver says {copy.physical_size_bytes}."


def _template_kept(lab: Lab, template: Template, found: Sequence[BackupImage]) -> Sentences:
    if [(image.virtual_size_bytes, image.has_parent) for image in found] != [(template.size_bytes, False)]:
        yield f"Template {template.name} should be a whole disk of {template.size_bytes} bytes at {template.reference}."
        return
    sources = lab.contents_asked_for(template)
    if sources and not any(found[0].content.extends(source) for source in sources):
        yield f"{template.reference} {_IS_NOT} when the snapshot was taken that template {template.name} is made of."


def _listed(driver: DriverUnderTest, location: LocationType) -> dict[str, list[tuple[Snapshot, Copy]]]:
    """Copies by where they are, with their snapshots: more than one where the driver names one place twice."""
    listed: dict[str, list[tuple[Snapshot, Copy]]] = {}
    for snapshot in driver.list_snapshots():
        for copy in snapshot.copies:
            if copy.location is location:
                listed.setdefault(copy.reference, []).append((snapshot, copy))
    return listed


def _owners(copies: Sequence[tuple[Snapshot, Copy]]) -> list[str]:
    return [f"snapshot {snapshot.name}" for snapshot, _ in copies]


def _shared(owners: Mapping[str, Sequence[str]]) -> Sentences:
    for place, names in owners.items():
        if len(names) > 1:
            yield f"{place} is listed as the copy of several: {', '.join(names)}."


def _templates(driver: DriverUnderTest) -> Sequence[Template]:
    return driver.list_templates() if Capability.TEMPLATES in driver.describe().capabilities else ()


def counts_add_up(_lab: Lab, driver: DriverUnderTest) -> Sentences:
    """I5: what an account is charged is the sum of what it has."""
    snapshots = [s for s in driver.list_snapshots() if s.state is not SnapshotState.ERROR]
    for account in sorted({s.account for s in driver.list_snapshots()} | {v.account for v in driver.list_volumes()}):
        own = [s for s in snapshots if s.account == account]
        sizes = sum(
            copy.physical_size_bytes for s in own for copy in s.copies if copy.location is LocationType.SECONDARY
        )
        sizes += sum(row.physical_size_bytes for row in _templates(driver) if row.account == account)
        counts = driver.resource_counts(account)
        if counts.snapshots != len(own):
            yield f"Account {account} is charged {counts.snapshots} snapshots and has {len(own)}."
        if counts.secondary_storage_bytes != sizes:
            yield f"Account {account} is charged {counts.secondary_storage_bytes} bytes on secondary and has {sizes}."


def jobs_end_once(_lab: Lab, driver: DriverUnderTest) -> Sentences:
    """I6: every operation that started has exactly one terminal audit event."""
    started = Counter(event.operation for event in driver.audit_events() if event.phase == "Started")
    ended = Counter(event.operation for event in driver.audit_events() if event.phase == "Completed")
    for operation in sorted(started | ended):
        if (started[operation], ended[operation]) != (1, 1):
            found = f"{started[operation]} beginnings and {ended[operation]} ends"
            yield f"Operation {operation} has {found} in the audit events."


def secrets_kept(lab: Lab, _driver: DriverUnderTest) -> Sentences:
    """I7: no credential stands in anything that was written down or printed, plain, quoted or in base64."""
    text = lab.captured_text()
    for number, secret in enumerate(lab.secrets()):
        places = [place for place in map(text.find, forms_of(secret)) if place >= 0]
        if places:
            line = text.count("\n", 0, min(places)) + 1
            yield f"Credential number {number} of this world stands in the captured text, line {line}."


def states_legal(_lab: Lab, driver: DriverUnderTest) -> Sentences:
    """I8: snapshots walk legal ways and rest in terminal states."""
    for change in driver.state_changes():
        if change.after not in LEGAL[change.before]:
            yield f"Snapshot {change.subject} went from {change.before} to {change.after}, which no way leads to."
    for snapshot in driver.list_snapshots():
        if snapshot.state not in TERMINAL:
            yield f"Snapshot {snapshot.name} rests in {snapshot.state}."
        if snapshot.state is SnapshotState.BACKED_UP and not snapshot.copies:
            yield f"Snapshot {snapshot.name} is BackedUp and has no copy anywhere."


def others_untouched(lab: Lab, _driver: DriverUnderTest) -> Sentences:
    """I2, the other way round: what other people keep on the array is as it was."""
    yield from lab.damage_to_others()


INVARIANTS: dict[str, tuple[Capability | None, Invariant]] = {
    "I1": (None, parents_untouched),
    "I2": (None, array_accounted_for),
    "I2b": (None, others_untouched),
    "I3": (None, hosts_let_go),
    "I4": (None, backups_accounted_for),
    "I5": (Capability.ACCOUNTING, counts_add_up),
    "I6": (Capability.AUDIT_EVENTS, jobs_end_once),
    "I7": (None, secrets_kept),
    "I8": (Capability.STATE_CHANGES, states_legal),
}
"""The invariants by name, with the capability that a driver must declare for it to be asked."""
