"""A guest for labs: a VM whose disk is the one VDI of a LUN. It writes through its host, as a guest does."""

import threading
from collections.abc import Iterator

from snapproof.simulators.fabric import BlockDevice
from snapproof.simulators.xenserver.lun import VdiView
from snapproof.simulators.xenserver.methods_vm import view_of
from snapproof.simulators.xenserver.state import State, Vbd


class GuestStoppedError(Exception):
    """The guest does not run, so it can neither read nor write."""


class GuestDisk:
    """What the guest sees: the bytes of its VDI, as long as it runs and its host reaches the LUN."""

    def __init__(self, state: State, vbd: Vbd, lock: threading.RLock) -> None:
        self._state = state
        self._vbd = vbd
        self._lock = lock

    @property
    def size_bytes(self) -> int:
        return self._vbd.vdi.virtual_size

    def read(self, offset: int, length: int) -> bytes:
        with self._lock:
            return self._view().read(offset, length)

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        with self._lock:
            self._view().write(offset, data)

    def extents(self) -> Iterator[tuple[int, int]]:
        with self._lock:
            return iter(list(self._view().extents()))

    def _view(self) -> VdiView:
        if not self._vbd.attached:
            raise GuestStoppedError(f"Guest {self._vbd.vm.name_label} does not run; start it again.")
        return view_of(self._state, self._vbd)


class Guest:
    """A running VM with one disk."""

    def __init__(self, state: State, vbd: Vbd, *, target: str, lock: threading.RLock) -> None:
        self.vbd = vbd
        self.target = target
        self.device: BlockDevice = GuestDisk(state, vbd, lock)

    @property
    def name(self) -> str:
        return self.vbd.vm.name_label

    @property
    def vdi_uuid(self) -> str:
        return self.vbd.vdi.uuid

    @property
    def size_bytes(self) -> int:
        return self.device.size_bytes

    def read(self, offset: int, length: int) -> bytes:
        return self.device.read(offset, length)

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        self.device.write(offset, data)
