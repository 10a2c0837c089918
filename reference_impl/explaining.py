"""Explaining one snapshot: what is recorded of it and what exists, side by side, and where they differ (R-069).

Nothing is changed by looking. How a backup is verified is the store's business: it is read through to its last byte.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from snapproof.reference_impl.catalog import queries
from snapproof.reference_impl.catalog.queries.records import Recorded, RecordedCopy
from snapproof.reference_impl.core.names import array_snapshot_id, array_volume_id, backup_path
from snapproof.reference_impl.life import Life
from snapproof.reference_impl.ports import CallError, GoneError, Image, Lun, Owned, OwnedKind, Ports
from snapproof.vocabulary import SnapshotId

T = TypeVar("T")

PRESENT = ("Ready", "Copying")
"""Copies that must exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What exists. `unseen` names what could not be looked at, and why."""

    lun: Lun | None
    array_snapshots: tuple[int, ...]
    groups: tuple[str, ...]
    owned: tuple[Owned, ...]
    repositories: tuple[str, ...]
    backup: Image | None
    unseen: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Both sides, and every way in which they contradict one another, a sentence each."""

    recorded: Recorded
    found: Found
    mismatches: tuple[str, ...]

    def page(self) -> str:
        """The page for a terminal."""
        return "\n".join([*_lines(self.recorded, self.found), *_verdict(self.mismatches), ""])


class Explained(Life):
    """What can be explained of a snapshot."""

    def explain(self, snapshot: SnapshotId) -> Explanation:
        """Look at all sides. Raises NotFoundError for an id that no row has."""
        known = self._read(queries.recorded, snapshot)
        image_store = next((copy.store for copy in known.copies if copy.role == "Image"), "")
        found = look(self._ports.at(known.pool, image_store), known)
        return Explanation(recorded=known, found=found, mismatches=tuple(mismatches(known, found)))


class _Eyes:
    """Asks, and remembers what did not answer. What is not there is nothing to see."""

    def __init__(self) -> None:
        self.unseen: list[str] = []

    def one(self, what: str, ask: Callable[[], T | None]) -> T | None:
        try:
            return ask()
        except GoneError:
            return None
        except CallError as error:
            self.unseen.append(f"{what}: {error}")
            return None

    def several(self, what: str, ask: Callable[[], Sequence[T]]) -> tuple[T, ...]:
        return tuple(self.one(what, ask) or ())


def look(ports: Ports, known: Recorded) -> Found:
    """Ask array, hosts and store; what does not answer is left open."""
    eyes, array = _Eyes(), ports.array
    everything: tuple[Owned, ...] = eyes.several("what is ours on the array", array.list_owned)
    owned = tuple(row for row in everything if row.owner.subject == known.snapshot)
    clones = [eyes.one("a clone", partial(array.get_lun, row.id)) for row in owned if _is_lun(row)]
    targets = [clone.target for clone in clones if clone is not None]
    hosts = [eyes.several("the hosts", partial(ports.hypervisor.repositories, target)) for target in targets]
    images = (eyes.one("the backup", partial(ports.store.published, path)) for path in _paths(known))
    return Found(
        lun=eyes.one("the volume", partial(array.get_lun, known.lun_id)),
        array_snapshots=eyes.several("its snapshots", partial(array.snapshots_of, known.lun_id)),
        groups=eyes.several("the access groups", partial(array.groups_of, known.lun_id)),
        owned=owned,
        repositories=tuple(name for names in hosts for name in names),
        backup=next(filter(None, images), None),
        unseen=tuple(eyes.unseen),
    )


def mismatches(known: Recorded, found: Found) -> Iterator[str]:
    """Compare. What a job that is not over has in its hands contradicts nothing yet."""
    yield from (f"Not seen: {each}" for each in found.unseen)
    yield from _array_mismatches(known, found)
    yield from _store_mismatches(known, found)
    if known.state == "BackedUp" and not known.removed and not [row for row in known.copies if row.state in PRESENT]:
        yield "The snapshot is BackedUp and no copy of it is recorded; it cannot be restored."
    yield from (f"A clean-up is left over: {reason}" for reason in known.leaks)


def _array_mismatches(known: Recorded, found: Found) -> Iterator[str]:
    on_array = [copy for copy in known.copies if copy.role == "Primary" and copy.path]
    own = {array_volume_id(copy.path): copy for copy in on_array if array_volume_id(copy.path) is not None}
    recorded = {array_snapshot_id(copy.path): copy for copy in on_array if array_volume_id(copy.path) is None}
    missing = [number for number, copy in recorded.items() if copy.state in PRESENT]
    if missing and found.lun is None:
        yield f"Volume {known.lun_id} is needed for the array snapshot and is not on the array."
    for number in missing:
        if number not in found.array_snapshots:
            yield f"Array snapshot {number} is recorded and is not on the array."
    if known.jobs:
        return
    for row in found.owned:
        if _is_lun(row) and row.id in own:
            continue
        if _is_lun(row):
            yield f"Volume {row.id} ({row.name}) was cloned for it and is still on the array; no job works with it."
        elif row.id not in recorded:
            yield f"Array snapshot {row.id} ({row.name}) is of it, and no record speaks of it."
    for name in found.repositories:
        yield f"Storage repository {name} was attached for it and is still there; no job works with it."


def _store_mismatches(known: Recorded, found: Found) -> Iterator[str]:
    recorded = next((copy for copy in known.copies if copy.role == "Image"), None)
    if recorded is not None and recorded.state in PRESENT:
        yield from _image_mismatches(recorded, found.backup)
    elif found.backup is not None and not known.jobs:
        yield f"{found.backup.path} lies on secondary storage, and no record speaks of it."


def _image_mismatches(recorded: RecordedCopy, image: Image | None) -> Iterator[str]:
    if image is None:
        yield f"{recorded.path} is recorded and is not on secondary storage."
        return
    if image.physical_size_bytes != recorded.physical_size_bytes:
        yield f"{recorded.path} has {image.physical_size_bytes} bytes; {recorded.physical_size_bytes} are recorded."
    elif recorded.digest and image.digest != recorded.digest:
        yield f"{recorded.path} is not what was written: its digest is {image.digest}, not {recorded.digest}."


def _is_lun(row: Owned) -> bool:
    return row.kind is OwnedKind.LUN


def _paths(known: Recorded) -> Sequence[str]:
    """Where its backup is recorded, or may be by the rule."""
    recorded = [copy.path for copy in known.copies if copy.role == "Image" and copy.path]
    return recorded or [backup_path(known.account, known.volume, file) for file in known.files]


def _lines(known: Recorded, found: Found) -> Iterator[str]:
    gone = ", removed" if known.removed else ""
    yield f"snapshot     {known.snapshot} {known.name!a} of {known.account}: {known.state} {known.location}{gone}"
    yield f"volume       {known.volume}{', removed' if known.volume_removed else ''}"
    yield from (f"job          {job}" for job in known.jobs)
    lun = "none" if found.lun is None else f"{found.lun.name}{', deleted' if found.lun.deleted else ''}"
    yield f"array        volume {known.lun_id}: {lun}; access groups: {', '.join(found.groups) or 'none'}"
    for copy in known.copies:
        what = f"{copy.role} {copy.state} {copy.path} {copy.physical_size_bytes} bytes {copy.digest}"
        yield f"record       {what.rstrip()}"
    yield from (f"array        {row.kind} {row.id} {row.name}" for row in found.owned)
    yield from (f"hosts        storage repository {name}" for name in found.repositories)
    if found.backup is not None:
        image = found.backup
        yield f"secondary    {image.path} {image.physical_size_bytes} bytes {image.digest}"


def _verdict(found: tuple[str, ...]) -> Iterator[str]:
    yield ""
    yield from (f"MISMATCH     {each}" for each in found)
    if not found:
        yield "What is recorded and what exists agree."
