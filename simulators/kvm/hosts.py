"""Simulated KVM hosts: the door to their state for wires and labs."""

import random
import threading
from collections.abc import Sequence

from snapproof.simulators.fabric import BlockDevice, Fabric
from snapproof.simulators.journal import Journal
from snapproof.simulators.kvm.commands import run
from snapproof.simulators.kvm.state import Domain, Host, State

PORTAL = "192.0.2.200:3260"
DISK = "vda"
GUESSES = (
    "An agent is told commands as lists of words over HTTP and JSON; CloudStack's own protocol is another",
    "iscsiadm ends with 24 where the array does not know the initiator, with 21 where it has no record or session",
    "A session that is logged out takes its device along even while a domain runs on it",
    "A device may be a disk of one domain of a host only; other hosts do not look",
    "virsh refuses every snapshot: all disks here are raw block devices",
    "virsh parts the columns of its tables by three blanks, under a line of dashes as long as the head",
)
"""Behaviour that nobody checked on a real host."""


class GuestStoppedError(Exception):
    """The guest does not run, so it can neither read nor write."""


class Guest:
    """A running domain whose disk is a LUN, whole."""

    def __init__(self, state: State, host: Host, domain: Domain, lock: threading.RLock) -> None:
        self.host = host
        self.domain = domain
        self._state = state
        self._lock = lock

    @property
    def name(self) -> str:
        return self.domain.name

    @property
    def device(self) -> BlockDevice:
        """The LUN as its host sees it."""
        if not self.domain.running:
            raise GuestStoppedError(f"Guest {self.name} does not run; start it again.")
        return self._state.device(self.host, self.domain.disks[DISK])

    @property
    def size_bytes(self) -> int:
        return self.device.size_bytes

    def read(self, offset: int, length: int) -> bytes:
        with self._lock:
            return self.device.read(offset, length)

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        with self._lock:
            self.device.write(offset, data)


class KvmHosts:
    """Hosts that an agent commands, each for itself."""

    def __init__(self, *, journal: Journal, fabric: Fabric, dice: random.Random, hosts: int = 2) -> None:
        self._lock = threading.RLock()
        self._state = State(fabric=fabric, journal=journal, dice=dice)
        self.uuid = self._state.new_uuid()
        for number in range(1, hosts + 1):
            name = f"kvm-host-{number}"
            self._state.hosts.append(Host(name=name, iqn=f"iqn.2026-01.org.snapproof:{name}"))

    def initiators(self) -> tuple[str, ...]:
        """The IQNs by which the hosts log in to targets."""
        return tuple(host.iqn for host in self._state.hosts)

    def names(self) -> tuple[str, ...]:
        """What the hosts are called, in the order of their numbers."""
        return tuple(host.name for host in self._state.hosts)

    def run(self, number: int, command: Sequence[str]) -> str:
        """Run one command on a host; answers what it prints. Raises CommandError."""
        with self._lock:
            return run(self._state, self._state.hosts[number], command)

    def has(self, number: int) -> bool:
        """Say whether there is a host of this number."""
        return 0 <= number < len(self._state.hosts)

    def inventory(self) -> tuple[str, ...]:
        """What the hosts hold now, one sorted line each."""
        with self._lock:
            hosts = self._state.hosts
            lines = [f"node {host.name} {target}" for host in hosts for _, target in host.nodes]
            lines += [f"session {host.name} {device.target}" for host in hosts for device in host.devices.values()]
            lines += [f"domain {host.name} {name}" for host in hosts for name in host.domains]
            return tuple(sorted(lines))

    def start_guest(self, *, target: str, size_bytes: int, name: str) -> Guest:
        """Log the first host in to a LUN that takes so many bytes and run a domain on it. Raises CommandError."""
        with self._lock:
            host = self._state.hosts[0]
            node = ("iscsiadm", "-m", "node", "-T", target, "-p", PORTAL)
            for options in (("-o", "new"), ("--login",)):
                run(self._state, host, (*node, *options))
            path = self._state.log_in(host, PORTAL, target)
            if host.devices[path].size_bytes < size_bytes:
                raise ValueError(f"{target} has {host.devices[path].size_bytes} bytes, the guest needs {size_bytes}.")
            for words in (("define", name), ("attach-disk", name, path, DISK), ("start", name)):
                run(self._state, host, ("virsh", *words))
            return Guest(self._state, host, host.domains[name], self._lock)

    def stop_guest(self, guest: Guest) -> None:
        """Take the domain away and log out; the LUN keeps its bytes."""
        with self._lock:
            path = guest.domain.disks[DISK]
            target = self._state.hosts[0].devices[path].target
            for words in (("destroy", guest.name), ("undefine", guest.name)):
                run(self._state, guest.host, ("virsh", *words))
            for options in (("--logout",), ("-o", "delete")):
                run(self._state, guest.host, ("iscsiadm", "-m", "node", "-T", target, "-p", PORTAL, *options))
