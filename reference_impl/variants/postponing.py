"""Variants that say of something that it is done, and do it half a minute later. The table of all is zoo.toml.

Whoever looks at once sees it; whoever looks when the dust has settled does not.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from snapproof.reference_impl.adapters.element import ElementArray
from snapproof.reference_impl.adapters.nfs import NfsStore
from snapproof.reference_impl.bench import Workbench
from snapproof.reference_impl.core import effects as fx
from snapproof.reference_impl.core.effects import Effect, Facts
from snapproof.reference_impl.performing import PERFORMERS, Undo
from snapproof.reference_impl.ports import Ports
from snapproof.reference_impl.rules import Rules
from snapproof.reference_impl.variants.cloning import with_performer
from snapproof.reference_impl.variants.retelling import Retelling
from snapproof.site import Directory
from snapproof.vocabulary import (
    OF_ARRAY_VOLUMES,
    AccountId,
    LocationType,
    OperationId,
    ResourceCounts,
    Snapshot,
    SnapshotId,
    SnapshotRequest,
    SnapshotState,
    Template,
    TemplateId,
    TemplateRequest,
    Volume,
    VolumeId,
    VolumeRequest,
)

DELAY_S = 30
ASIDE = ".aside"


class Postponing(Retelling):
    """The reference itself, but for acts that wait until somebody asks for a list half a minute later."""

    postponed: tuple[tuple[float, Callable[[], object]], ...] = ()

    def postpone(self, act: Callable[[], object]) -> None:
        """Do it then."""
        self.postponed = (*self.postponed, (self._ports.clock.time() + DELAY_S, act))

    def told(self, rows: Sequence[Snapshot], *, of: VolumeId | None) -> Sequence[Snapshot]:
        """As they are; what is due is done first."""
        now, waiting = self._ports.clock.time(), self.postponed
        self.postponed = tuple((due_s, act) for due_s, act in waiting if due_s > now)
        for due_s, act in waiting:
            if due_s <= now:
                act()
        return rows

    def set_aside(self, path: str) -> None:
        """Move a file of the export out of sight, and back later."""
        directory = self.site.export
        directory.rename(path, path + ASIDE)
        self.postpone(partial(directory.rename, path + ASIDE, path))

    def bin_lun(self, lun_id: int) -> None:
        """Delete a LUN, and have the array restore it later."""
        self._ports.array.delete_lun(lun_id)
        self.postpone(partial(self._ports.array.restore_lun, lun_id))


class _LateStore(NfsStore):
    def __init__(self, directory: Directory, postpone: Callable[[Callable[[], object]], None]) -> None:
        super().__init__(directory)
        self._postpone = postpone

    def delete(self, path: str) -> None:
        """Not yet."""
        self._postpone(partial(super().delete, path))


class DeletesBackupsLater(Postponing):
    """Breaks R-146: what is called deleted lies there for half a minute more."""

    def ports(self) -> Ports:
        """Put deletions of files off."""
        ports = super().ports()
        return ports if self.site.bucket else replace(ports, store=_LateStore(self.site.export, self.postpone))


class DeletesAccountsLater(DeletesBackupsLater):
    """Breaks R-185: an account is called deleted while its copies lie there."""


class CleansUpLater(Postponing):
    """Breaks R-002: the clone that a backup was copied from is there for half a minute more."""

    def rules(self) -> Rules:
        """Put the removal of clones off."""
        return Rules(performers=with_performer(fx.CloneToLun, lambda p: replace(p, undo=self._later(p.undo))))

    def _later(self, undo: Undo) -> Undo:
        return lambda bench, effect, facts: self.postpone(partial(undo, bench, effect, facts))


class BinsClonesLater(CleansUpLater):
    """Breaks R-165: the clone with a user's bytes on it is there for half a minute more."""


class SharesForLonger(CleansUpLater):
    """Breaks R-165: a volume that waits to be attached can be reached by hosts for half a minute more."""

    def rules(self) -> Rules:
        """Put the closing of doors off."""
        return Rules(performers=with_performer(fx.GrantHosts, lambda p: replace(p, undo=self._later(p.undo))))


class ReleasesLunsLater(Postponing):
    """Breaks R-025: the LUN of a deleted volume that nothing needs is there for half a minute more."""

    def rules(self) -> Rules:
        """Put the release of LUNs off."""
        release = PERFORMERS[fx.ReleaseLun].do

        def do(bench: Workbench, effect: Effect, facts: Facts) -> Facts:
            self.postpone(partial(release, bench, effect, facts))
            return {}

        return Rules(performers=with_performer(fx.ReleaseLun, lambda p: replace(p, do=do)))


class ReleasesArrayVolumesLater(ReleasesLunsLater):
    """Breaks R-033: the array volume of a deleted snapshot is there for half a minute more."""


class MovesSiblingsAside(Postponing):
    """Breaks R-146: while one backup is deleted, its siblings are out of the way, where nobody finds them."""

    def delete_snapshot(self, operation: OperationId, snapshot: SnapshotId) -> None:
        """Make room first."""
        for row in self.list_snapshots():
            paths = [copy.reference for copy in row.copies if copy.location is LocationType.SECONDARY]
            for path in paths if row.id != snapshot and not self.site.bucket else []:
                self.set_aside(path)
        super().delete_snapshot(operation, snapshot)


class KeepsATrash(Postponing):
    """Breaks R-021: what is deleted lies under another name for half a minute more."""

    def ports(self) -> Ports:
        """Have a trash where backups are files."""
        ports = super().ports()
        return ports if self.site.bucket else replace(ports, store=_Trash(self.site.export, self.postpone))


class _Trash(_LateStore):
    def delete(self, path: str) -> None:
        """Delete it, and have it still."""
        with self.opened(path) as file:
            text = file.read_at(0, file.size_bytes)
        NfsStore.delete(self, path)
        trash = path.replace(".vhd", "-trash.vhd")
        self.directory.make_directories(trash.rpartition("/")[0])
        kept = self.directory.create(trash)
        kept.write(text)
        kept.close()
        super().delete(trash)


class _Smudging(Postponing):
    """One byte of a new backup is wrong for half a minute."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Smudge it."""
        taken = super().take_snapshot(request)
        for copy in taken.copies if not self.site.bucket else []:
            if copy.location is LocationType.SECONDARY:
                self._smudge(copy.reference)
        return taken

    def _smudge(self, path: str) -> None:
        file = self.site.export.open(path)
        text = file.read_at(0, file.size_bytes)
        file.close()
        smudged = bytearray(text)
        smudged[len(text[:-512].rstrip(b"\0")) - 1] ^= 0xFF
        self._write(path, bytes(smudged))
        self.postpone(partial(self._write, path, text))

    def _write(self, path: str, text: bytes) -> None:
        self.site.export.delete(path)
        file = self.site.export.create(path)
        file.write(text)
        file.close()


class CopiesInHaste(_Smudging):
    """Breaks R-003: a backup is called complete, and half a minute later it is what it should be."""


class CopiesSmallOnesInHaste(_Smudging):
    """Breaks R-048: the backup of a disk with one block on it is called complete before that block is right."""


class RecountsLater(Postponing):
    """Breaks R-020: what an account is charged is what it had half a minute ago."""

    recount_s = DELAY_S
    counted: tuple[float, ResourceCounts] | None = None

    def resource_counts(self, account: AccountId) -> ResourceCounts:
        """Count now and then."""
        now = self._ports.clock.time()
        if self.counted is None or self.counted[0] + self.recount_s <= now:
            self.counted = (now, super().resource_counts(account))
        return self._mixed(self.counted[1], super().resource_counts(account))

    def _mixed(self, old: ResourceCounts, new: ResourceCounts) -> ResourceCounts:
        return replace(new, snapshots=old.snapshots)


class WeighsLater(RecountsLater):
    """Breaks R-017: the bytes that an account is charged on secondary storage are those of half a minute ago."""

    def _mixed(self, old: ResourceCounts, new: ResourceCounts) -> ResourceCounts:
        return replace(new, secondary_storage_bytes=old.secondary_storage_bytes)


class RecountsMuchLater(RecountsLater):
    """Breaks R-040: what was charged before a snapshot was taken is charged for a minute and a half behind it."""

    recount_s = 90

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Count first."""
        for volume in self.list_volumes():
            self.resource_counts(volume.account)
        return super().take_snapshot(request)


class WakesUpSlowly(Postponing):
    """Breaks R-081: for half a minute after its start a driver calls everything BackingUp."""

    awake_s = 0.0

    def reconcile(self) -> None:
        """Begin to wake up."""
        super().reconcile()
        self.awake_s = self._ports.clock.time() + DELAY_S

    def told(self, rows: Sequence[Snapshot], *, of: VolumeId | None) -> Sequence[Snapshot]:
        """Half asleep."""
        if self._ports.clock.time() >= self.awake_s:
            return rows
        return [replace(row, state=SnapshotState.BACKING_UP) for row in rows]


class ListsOldTemplates(Postponing):
    """Breaks R-017: a deleted template is listed for half a minute more."""

    cached: tuple[Template, ...] = ()

    def delete_template(self, operation: OperationId, template: TemplateId) -> None:
        """Keep the row."""
        kept = tuple(row for row in self.list_templates() if row.id == template)
        super().delete_template(operation, template)
        self.cached = kept
        self.postpone(self._forget)

    def _forget(self) -> None:
        self.cached = ()

    def list_templates(self, account: AccountId | None = None) -> Sequence[Template]:
        """With what is cached."""
        return [*super().list_templates(account), *self.cached]


class MakesTemplatesInHaste(Postponing):
    """Breaks R-092: a template is called complete before it has come to where it is said to be."""

    def create_template(self, request: TemplateRequest) -> Template:
        """Let it arrive later."""
        made = super().create_template(request)
        if not self.site.bucket:
            self.set_aside(made.reference)
        return made


class BinsWhatItMade(Postponing):
    """Breaks R-014: a volume that nobody uses at once is in the array's bin for half a minute."""

    def create_volume(self, request: VolumeRequest) -> Volume:
        """Bin it."""
        made = super().create_volume(request)
        if request.from_snapshot is not None:
            self.bin_lun(self.lun_of(made.id))
        return made


class BinsArrayVolumes(Postponing):
    """Breaks R-031: the array volume of a new snapshot is in the array's bin for half a minute."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Bin it."""
        taken = super().take_snapshot(request)
        for copy in taken.copies:
            if copy.reference.startswith(OF_ARRAY_VOLUMES):
                self.bin_lun(int(copy.reference.removeprefix(OF_ARRAY_VOLUMES)))
        return taken


class BinsParents(Postponing):
    """Breaks R-078: when a clone fails, its parent is in the array's bin for half a minute."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Bin it, to be sure."""
        try:
            return super().take_snapshot(request)
        finally:
            self.bin_lun(self.lun_of(request.volume))


class JotsDownPasswords(Postponing):
    """Breaks R-151: how to reach the array is jotted down in the state directory, for half a minute."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Jot it down."""
        note = Path(self.site.state_directory) / "note.txt"
        note.write_text(self.site.array.password.reveal(), encoding="utf-8")
        self.postpone(partial(note.unlink, missing_ok=True))
        return super().take_snapshot(request)


class OpensTheWrongDoor(Postponing):
    """Breaks R-155: for half a minute hosts can reach whichever volume an array that errs has named."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Let it in, and see later whose it is."""
        array = ElementArray(self.site.array, group=self.site.hosts_group)
        (row,) = array.ask("ListVolumes", startVolumeID=1, limit=1)["volumes"]
        array.grant(row["volumeID"])
        self.postpone(partial(array.revoke, row["volumeID"]))
        return super().take_snapshot(request)
