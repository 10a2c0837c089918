"""SRs on LUNs, one SR per LUN: log in, list, probe, format, re-sign, and the attachment of a plugged PBD.

What the LUN says of itself is lun.py's; records of SRs and PBDs are the methods' business.
"""

import errno
import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext

from snapproof.simulators.fabric import BlockDevice, Fabric, LoginRefusedError
from snapproof.simulators.xenserver.attachments import CopySteps, Fork, FoundVdi, Source
from snapproof.simulators.xenserver.chains import VdiView, coalesce, fork, new_regions
from snapproof.simulators.xenserver.failures import Backend, backend
from snapproof.simulators.xenserver.lun import (
    BLOCK_BYTES,
    DATA_START,
    Layout,
    LayoutError,
    VdiEntry,
    read_layout,
    write_layout,
)

STEP_BYTES = 2 * 2**20
WIPED_BYTES = 10 * 2**20
"""What formatting writes zeros over at the beginning of a LUN, whoever's bytes they were."""
_LUN_LIST = """<?xml version="1.0" ?>
<iscsi-target>
	<LUN>
		<vendor>{vendor}</vendor>
		<serial>{serial}</serial>
		<LUNid>0</LUNid>
		<size>{size}</size>
		<SCSIid>{scsi_id}</SCSIid>
	</LUN>
</iscsi-target>
"""
_SR_LIST = """<?xml version="1.0" ?>
<SRlist>
	<SR>
		<UUID>
			{uuid}
		</UUID>
		<Devlist>
			/dev/disk/by-id/scsi-{scsi_id}
		</Devlist>
	</SR>
</SRlist>
"""
NO_SR = '<?xml version="1.0" ?>\n<SRlist/>\n'


class LunPath:
    """LUN 0 of a target as one host sees it: gone, with EIO, the moment the array no longer lets the host in."""

    def __init__(self, fabric: Fabric, *, initiator: str, target: str) -> None:
        self.target = target
        self._fabric = fabric
        self._initiator = initiator
        try:
            self._device: BlockDevice = fabric.login(initiator=initiator, target=target)
        except LoginRefusedError as error:
            raise backend(Backend.LOGIN, str(error)) from error

    @property
    def scsi_id(self) -> str:
        return scsi_id(self.target)

    @property
    def size_bytes(self) -> int:
        return self._device.size_bytes

    def read(self, offset: int, length: int) -> bytes:
        self._require_access()
        return self._device.read(offset, length)

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        self._require_access()
        self._device.write(offset, data)

    def extents(self) -> Iterator[tuple[int, int]]:
        self._require_access()
        return self._device.extents()

    def _require_access(self) -> None:
        if not self._fabric.accessible(initiator=self._initiator, target=self.target):
            raise OSError(errno.EIO, f"{self._initiator} lost {self.target}")


def scsi_id(target: str) -> str:
    """Name a LUN as SCSI does: type 3, SolidFire's vendor number, then what tells this LUN from all others."""
    return f"36f47acc100000000{hashlib.sha256(target.encode()).hexdigest()[:16]}"


def open_lun(fabric: Fabric, initiator: str, device_config: Mapping[str, str]) -> LunPath:
    """Log in to the LUN that a device_config names. Raises what the storage manager answers if that fails."""
    for key, refusal in (("target", Backend.NO_TARGET), ("targetIQN", Backend.NO_TARGET_IQN)):
        if not device_config.get(key):
            raise backend(refusal)
    return LunPath(fabric, initiator=initiator, target=device_config["targetIQN"])


def require_scsi_id(lun: LunPath, device_config: Mapping[str, str]) -> None:
    """Refuse a missing or wrong SCSIid with the list of LUNs: this is how clients learn it."""
    if device_config.get("SCSIid") != lun.scsi_id:
        listing = _LUN_LIST.format(
            vendor="SolidFir", serial=lun.scsi_id[-16:], size=lun.size_bytes, scsi_id=lun.scsi_id
        )
        raise backend(Backend.SCSI_ID, document=listing)


def probe(lun: LunPath) -> str:
    """Say which SR a LUN holds. A damaged one is not seen at all, as LVM does not see a damaged volume group."""
    try:
        layout = read_layout(lun)
    except LayoutError:
        layout = None
    return _SR_LIST.format(uuid=layout.sr_uuid, scsi_id=lun.scsi_id) if layout else NO_SR


def format_lun(lun: LunPath, sr_uuid: str) -> str | None:
    """Make an empty SR of a LUN, whatever it held. Answers the uuid of the SR that this destroyed."""
    try:
        before = read_layout(lun)
    except LayoutError:
        before = None
    if lun.size_bytes < DATA_START:
        raise backend(Backend.NO_SPACE, f"A LUN of {lun.size_bytes} bytes takes no SR, {DATA_START} are the least")
    for _ in _zeroed(lun, 0, min(WIPED_BYTES, lun.size_bytes)):
        pass
    write_layout(lun, Layout(sr_uuid=sr_uuid))
    return before.sr_uuid if before else None


def wipe(lun: LunPath) -> None:
    """Take the identity of an SR off its LUN: what is left is a LUN that never held one."""
    lun.write(0, bytes(BLOCK_BYTES))


def resign(lun: LunPath, new_uuid: Callable[[], str]) -> tuple[str, str]:
    """Give the SR of a LUN and its VDIs new identities, in place. Answers the old and the new uuid of the SR."""
    layout = _layout(lun)
    fresh = layout.resigned(new_uuid)
    write_layout(lun, fresh)
    return layout.sr_uuid, fresh.sr_uuid


class LunAttachment:
    """The SR on a LUN, attached to one host."""

    def __init__(self, lun: LunPath, *, sr_uuid: str) -> None:
        layout = _layout(lun)
        if layout.sr_uuid != sr_uuid:
            raise backend(Backend.UNAVAILABLE, f"the LUN holds SR {layout.sr_uuid}, not {sr_uuid}")
        self.lun = lun
        self._sr_uuid = sr_uuid

    def found(self) -> list[FoundVdi]:
        return [_found(entry) for entry in self._layout().vdis]

    def capacity(self) -> tuple[int, int]:
        return self.lun.size_bytes, sum(entry.taken_bytes for entry in self._layout().vdis)

    def utilisation(self, uuid: str) -> int:
        return self._entry(uuid).taken_bytes

    def create(self, vdi: FoundVdi, *, time_s: float) -> None:
        for _ in self._place(vdi):
            pass

    def rename(self, uuid: str, label: str) -> None:
        write_layout(self.lun, self._layout().renamed(uuid, label))

    def delete(self, uuid: str) -> None:
        write_layout(self.lun, self._layout().without(uuid))

    def grow(self, uuid: str, size_bytes: int) -> None:
        layout, before = self._layout(), self._entry(uuid)
        try:
            grown = layout.grown(uuid, size_bytes, lun_bytes=self.lun.size_bytes)
        except LayoutError as error:
            raise backend(Backend.NO_SPACE, str(error)) from error
        for _ in _zeroed(self.lun, before.offset + before.size_bytes, size_bytes - before.size_bytes):
            pass
        write_layout(self.lun, grown)

    def fork(self, uuid: str, wanted: Fork) -> None:
        layout = self._layout()
        self._entry(uuid)
        try:
            forked = fork(layout, uuid, wanted, lun_bytes=self.lun.size_bytes)
        except LayoutError as error:
            raise backend(Backend.NO_SPACE, str(error)) from error
        for offset, length in new_regions(layout, forked):
            for _ in _zeroed(self.lun, offset, length):
                pass
        write_layout(self.lun, forked)

    def coalesce(self) -> bool:
        return coalesce(self.lun, self._layout()) is not None

    def view(self, uuid: str) -> VdiView:
        """The bytes of a VDI, for a guest to read and write."""
        return self._view(uuid)

    def source(self, uuid: str) -> AbstractContextManager[Source]:
        return nullcontext(self._view(uuid))

    def receive(self, vdi: FoundVdi, source: Source, *, time_s: float) -> CopySteps:
        yield from self._place(vdi)
        yield from copy_bytes(source, self._view(vdi.uuid))

    def planned_bytes(self, source: Source) -> int:
        return sum(length for _, length in source.extents())

    def overwrite(self, uuid: str, source: Source) -> CopySteps:
        view = self._view(uuid)
        for offset, length in list(view.extents()):
            for at in range(offset, offset + length, STEP_BYTES):
                view.write(at, bytes(min(STEP_BYTES, offset + length - at)))
                yield 0
        yield from copy_bytes(source, view)

    def _layout(self) -> Layout:
        layout = _layout(self.lun)
        if layout.sr_uuid != self._sr_uuid:
            raise backend(Backend.METADATA, f"SR {self._sr_uuid} was overwritten by SR {layout.sr_uuid}")
        return layout

    def _view(self, uuid: str) -> VdiView:
        try:
            return VdiView(self.lun, self._layout(), uuid)
        except LayoutError as error:
            raise backend(Backend.UNAVAILABLE, str(error)) from error

    def _entry(self, uuid: str) -> VdiEntry:
        try:
            return self._layout().entry(uuid)
        except LayoutError as error:
            raise backend(Backend.UNAVAILABLE, str(error)) from error

    def _place(self, vdi: FoundVdi) -> CopySteps:
        layout = self._layout()
        try:
            placed = layout.placed(
                uuid=vdi.uuid, label=vdi.label, size_bytes=vdi.size_bytes, lun_bytes=self.lun.size_bytes
            )
        except LayoutError as error:
            raise backend(Backend.NO_SPACE, str(error)) from error
        write_layout(self.lun, placed)
        entry = placed.entry(vdi.uuid)
        yield from _zeroed(self.lun, entry.offset, entry.taken_bytes)


def copy_bytes(source: Source, target: VdiView) -> CopySteps:
    """Copy what is written in `source` over a target that reads as zeros, one step at a time."""
    done = 0
    for offset, length in list(source.extents()):
        for at in range(offset, offset + length, STEP_BYTES):
            piece = source.read(at, min(STEP_BYTES, offset + length - at))
            target.write(at, piece)
            done += len(piece)
            yield done


def _zeroed(lun: LunPath, offset: int, length: int) -> CopySteps:
    """Wipe what an earlier tenant left in a range of a LUN: a VDI is a VHD, and a new VHD reads as zeros."""
    end = offset + length
    for begin, size in list(lun.extents()):
        for at in range(max(begin, offset), min(begin + size, end), STEP_BYTES):
            lun.write(at, bytes(min(STEP_BYTES, min(begin + size, end) - at)))
            yield 0


def _found(entry: VdiEntry) -> FoundVdi:
    return FoundVdi(
        uuid=entry.uuid,
        label=entry.label,
        size_bytes=entry.size_bytes,
        parent=entry.parent,
        hidden=entry.hidden,
        snapshot=entry.snapshot,
        snapshot_of=entry.snapshot_of,
        snapshot_s=entry.snapshot_s,
    )


def _layout(lun: LunPath) -> Layout:
    try:
        layout = read_layout(lun)
    except LayoutError as error:
        raise backend(Backend.METADATA, str(error)) from error
    if layout is None:
        raise backend(Backend.UNAVAILABLE, f"{lun.target} holds no SR")
    return layout
