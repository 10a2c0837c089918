"""A guest for labs: a VM whose disk is the one VDI of a LUN. It writes through its host, as a guest does.

What it writes later than now waits in its memory, as in a page cache: a crash loses it, a flush writes it out.
"""

import threading
from collections.abc import Iterator

from snapproof.simulators.fabric import BlockDevice
from snapproof.simulators.xenserver.chains import VdiView
from snapproof.simulators.xenserver.methods_vm import view_of
from snapproof.simulators.xenserver.rows import Vbd, Vdi
from snapproof.simulators.xenserver.state import State


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
        return _disk(self._vbd).virtual_size

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
        self._held: list[tuple[int, int, bytes]] = []
        """Boot, offset and bytes of what waits; what an earlier boot held is lost."""

    @property
    def name(self) -> str:
        return self.vbd.vm.name_label

    @property
    def vdi_uuid(self) -> str:
        return _disk(self.vbd).uuid

    @property
    def size_bytes(self) -> int:
        return self.device.size_bytes

    def read(self, offset: int, length: int) -> bytes:
        """Read what the guest sees, what it still holds in memory included."""
        seen = bytearray(self.device.read(offset, length))
        for _, at, text in self._present():
            first, last = max(at, offset), min(at + len(text), offset + length)
            if first < last:
                seen[first - offset : last - offset] = text[first - at : last - at]
        return bytes(seen)

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write to the disk; what was held is written first, so that nothing older comes later."""
        self.flush()
        self.device.write(offset, data)

    def write_later(self, offset: int, data: bytes) -> None:
        """Hold a write in memory until `flush`, or until it is lost."""
        if offset < 0 or offset + len(data) > self.size_bytes:
            raise ValueError(f"{len(data)} bytes at {offset} lie outside the disk of guest {self.name}.")
        self._held.append((self.vbd.vm.boots, offset, bytes(data)))

    def flush(self) -> None:
        """Write out what is held, in order."""
        while self._present():
            _, offset, text = self._held[0]
            self.device.write(offset, text)
            del self._held[0]

    def _present(self) -> list[tuple[int, int, bytes]]:
        """What is held and was not lost with an earlier boot."""
        self._held = [held for held in self._held if held[0] == self.vbd.vm.boots]
        return self._held

    def install_tools(self) -> None:
        """Let the host ask this guest to write everything out before a quiesced snapshot."""
        self.vbd.vm.flush = self.flush


def _disk(vbd: Vbd) -> Vdi:
    assert vbd.vdi is not None, "a guest's own disk is not ejected"
    return vbd.vdi
