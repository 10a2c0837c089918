"""Variants that go wrong with sizes, names and notes. The table of all is zoo.toml."""

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
from snapproof.vocabulary import BLOCK_BYTES, LocationType, Snapshot, SnapshotRequest, VolumeRequest

MEBIBYTE = 2**20
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
