"""Variants that go wrong with sizes, names and notes. The table of all is zoo.toml."""

import struct
from collections.abc import Sequence
from dataclasses import replace

from snapproof.reference_impl.adapters.element import ElementArray
from snapproof.reference_impl.adapters.nfs import NfsStore, Staging
from snapproof.reference_impl.catalog.store import Session
from snapproof.reference_impl.core import effects as fx
from snapproof.reference_impl.core.orders import CreateVolume, Order, TakeSnapshot
from snapproof.reference_impl.core.plans import Plan, plan_for
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.ports import Image, Ports
from snapproof.reference_impl.rules import Rules
from snapproof.vocabulary import (
    BLOCK_BYTES,
    AccountId,
    LocationType,
    Snapshot,
    SnapshotRequest,
    Volume,
    VolumeRequest,
)

MEBIBYTE = 2**20
GIBIBYTE = 2**30
ABSENT = 0xFFFFFFFF
"""In a VHD's table: a block that is nothing but zeros."""
PADDING_BYTES = 32 * MEBIBYTE
LARGE_BYTES = 2 * 2**40


class CutsToMebibytes(ReferenceDriver):
    """Breaks R-046: sizes are reckoned in whole mebibytes, rounded down."""

    def _create_order(self, session: Session, request: VolumeRequest) -> CreateVolume:
        order = super()._create_order(session, request)
        return order if request.from_snapshot is None else replace(order, size_bytes=cut(order.size_bytes))


def cut(size_bytes: int) -> int:
    """Forget what is no whole mebibyte."""
    return max(MEBIBYTE, size_bytes // MEBIBYTE * MEBIBYTE)


class WritesWhatIsEmpty(ReferenceDriver):
    """Breaks R-048: the backup holds blocks that nobody ever wrote, each as a block of zeros."""

    def ports(self) -> Ports:
        """Pad what was staged, between its blocks and its footer."""
        ports = super().ports()
        return replace(ports, store=PaddingStore(self.site.export))


class PaddingStore(NfsStore):
    """The export, with a heavy hand."""

    def inspect(self, staged: str, *, size_bytes: int) -> Image:
        """Pad first."""
        directory = self.directory
        with self.opened(staged) as file:
            text = file.read_at(0, file.size_bytes)
        directory.delete(staged)
        padded = directory.create(staged)
        for piece in (text[:-512], bytes(PADDING_BYTES), text[-512:]):
            padded.write(piece)
        padded.close()
        return Staging.inspect(self, staged, size_bytes=size_bytes)


class NamesAsTyped(ReferenceDriver):
    """Breaks R-047: the array is given the volume's own name, cut where the array would cut it."""

    def rules(self) -> Rules:
        """Put the name in place of what is derived."""

        def plan(order: Order) -> Plan:
            steps = plan_for(order)
            if not isinstance(order, CreateVolume | TakeSnapshot):
                return steps
            plain = "".join(letter for letter in order.volume_name[:64] if letter.isascii() and letter.isalnum()) or "x"
            return tuple(
                replace(step, effect=replace(step.effect, name=plain))
                if isinstance(step.effect, fx.CreateLun | fx.TakeArraySnapshot)
                else step
                for step in steps
            )

        return Rules(plan=plan)


class _NotesEverything(ElementArray):
    job_characters_max = 10_000


class NotesEverything(ReferenceDriver):
    """Breaks R-060: whatever the caller calls his operation is noted on the array, however long it is."""

    def ports(self) -> Ports:
        """Cut nothing."""
        return replace(super().ports(), array=_NotesEverything(self.site.array, group=self.site.hosts_group))


class MapsEveryBlock(ReferenceDriver):
    """Breaks R-139: for each block of a volume that is backed up a byte of memory is held."""

    _held = b""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Make the map first."""
        if request.location == LocationType.SECONDARY:
            size = next(volume.size_bytes for volume in self.list_volumes() if volume.id == request.volume)
            self._held = b"1" * (min(size, LARGE_BYTES) // BLOCK_BYTES)
        return super().take_snapshot(request)


class TellsMebibytes(ReferenceDriver):
    """Breaks R-046: whoever takes a snapshot is told its size in whole mebibytes, rounded down."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Cut what is told."""
        taken = super().take_snapshot(request)
        return replace(taken, size_bytes=cut(taken.size_bytes))

    def create_volume(self, request: VolumeRequest) -> Volume:
        """Know better than to cut the disk as well."""
        held = [row.size_bytes for row in self.list_snapshots() if row.id == request.from_snapshot]
        return super().create_volume(replace(request, size_bytes=max([request.size_bytes, *held])))


class TellsGibibytes(ReferenceDriver):
    """Breaks R-018: volumes are listed in whole gibibytes, as they are sold."""

    def list_volumes(self, account: AccountId | None = None) -> Sequence[Volume]:
        """Round up."""
        return [
            replace(row, size_bytes=-(-row.size_bytes // GIBIBYTE) * GIBIBYTE) for row in super().list_volumes(account)
        ]


class ForgetfulStore(NfsStore):
    """The export, whose images are read but for their last block."""

    def fetch(self, image: Image, staging: str) -> str:
        """Hand over a copy that has lost it."""
        path = super().fetch(image, staging)
        with self.opened(path) as file:
            text = bytearray(file.read_at(0, file.size_bytes))
        (table_at,), (entries,) = struct.unpack_from(">Q", text, 528), struct.unpack_from(">I", text, 540)
        table = struct.unpack_from(f">{entries}I", text, table_at)
        last = max(number for number, sector in enumerate(table) if sector != ABSENT)
        struct.pack_into(">I", text, table_at + 4 * last, ABSENT)
        staged = f"{staging}/{path.rpartition('/')[2]}"
        self.directory.make_directories(staging)
        copy = self.directory.create(staged)
        copy.write(bytes(text))
        copy.close()
        return staged


class LosesTheEnd(ReferenceDriver):
    """Breaks R-046: the last piece of a backup does not come back."""

    def ports(self) -> Ports:
        """Read like that where backups are files."""
        ports = super().ports()
        return ports if self.site.bucket else replace(ports, store=ForgetfulStore(self.site.export))


class StartsWithoutTheEnd(LosesTheEnd):
    """Breaks R-017: what a machine starts from is the template but for its last piece."""


class NamesInFull(ReferenceDriver):
    """Breaks R-126: the array is given a snapshot's own name, behind the one that is derived."""

    def rules(self) -> Rules:
        """Put both together."""

        def plan(order: Order) -> Plan:
            steps = plan_for(order)
            if not isinstance(order, TakeSnapshot):
                return steps
            return tuple(
                replace(step, effect=replace(step.effect, name=f"{step.effect.name}-{order.snapshot_name}"))
                if isinstance(step.effect, fx.TakeArraySnapshot)
                else step
                for step in steps
            )

        return Rules(plan=plan)
