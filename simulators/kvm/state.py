"""The state of KVM hosts: iSCSI node records and sessions, block devices by path, and domains with their disks.

A host sees a LUN as a block device, under a path that names its portal and target. There is no storage repository and
nothing to re-sign: a clone is another target, so it is another device. What commands do is in commands.py.
"""

import errno
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from snapproof.simulators.fabric import BlockDevice, Fabric, LoginRefusedError
from snapproof.simulators.journal import Fact, Journal

BY_PATH = "/dev/disk/by-path"


class CommandError(Exception):
    """What a program says on its standard error, and its exit code."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(said)
        self.code = code
        self.said = said


class Device:
    """LUN 0 of a target as one host sees it: gone, with EIO, the moment the array no longer lets the host in."""

    def __init__(self, fabric: Fabric, *, initiator: str, target: str) -> None:
        self.target = target
        self._fabric = fabric
        self._initiator = initiator
        self._device = fabric.login(initiator=initiator, target=target)

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


@dataclass(slots=True, kw_only=True, eq=False)
class Domain:
    """A virtual machine of libvirt: its disks are paths of block devices, by what the guest calls them."""

    name: str
    uuid: str
    running: bool = False
    disks: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True, eq=False)
class Host:
    """One host. `nodes` are its records of targets, by portal and IQN, with their settings, secrets included."""

    name: str
    iqn: str
    nodes: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict, repr=False)
    devices: dict[str, Device] = field(default_factory=dict)
    domains: dict[str, Domain] = field(default_factory=dict)


class State:
    """Hosts and the world they stand in."""

    def __init__(self, *, fabric: Fabric, journal: Journal, dice: random.Random) -> None:
        self.fabric = fabric
        self.hosts: list[Host] = []
        self._journal = journal
        self._dice = dice

    def record(self, event: str, **facts: Fact) -> None:
        """Tell the journal what changed here."""
        self._journal.record("host", event, **facts)

    def new_uuid(self) -> str:
        return str(UUID(int=self._dice.getrandbits(128), version=4))

    def log_in(self, host: Host, portal: str, target: str) -> str:
        """Open a session and find the LUN's device; answers its path. Raises CommandError."""
        path = by_path(portal, target)
        if path not in host.devices:
            try:
                host.devices[path] = Device(self.fabric, initiator=host.iqn, target=target)
            except LoginRefusedError as error:
                said = f"iscsiadm: Could not login to [target: {target}, portal: {portal}]: {error}"
                raise CommandError(24, said) from error
            self.record("iscsi session opened", host=host.name, target=target)
        return path

    def log_out(self, host: Host, path: str) -> None:
        """Close a session. Its device is gone even if somebody still uses it."""
        device = host.devices.pop(path)
        self.record("iscsi session closed", host=host.name, target=device.target)

    def device(self, host: Host, path: str) -> BlockDevice:
        """The device at a path. Raises CommandError."""
        if path not in host.devices:
            raise CommandError(1, f"cannot open {path}: No such file or directory")
        return host.devices[path]


def by_path(portal: str, target: str) -> str:
    """Name LUN 0 of a target as udev does."""
    address = portal if ":" in portal else f"{portal}:3260"
    return f"{BY_PATH}/ip-{address}-iscsi-{target}-lun-0"
