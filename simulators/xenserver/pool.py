"""A simulated XenServer pool: the door to its state for wires and labs.

Rules are in methods*.py; the one lock that makes calls of many clients follow one another is here.
"""

import random
import threading
from contextlib import suppress

from snapproof.simulators.clock import Clock
from snapproof.simulators.fabric import Fabric, Mounts
from snapproof.simulators.journal import Journal
from snapproof.simulators.xenserver import labs
from snapproof.simulators.xenserver.copying import advance, give_up
from snapproof.simulators.xenserver.failures import XapiError
from snapproof.simulators.xenserver.guest import Guest
from snapproof.simulators.xenserver.methods import all_methods, open_session, perform
from snapproof.simulators.xenserver.methods_pbd import FILE_TYPE, LUN_TYPE, RESIGN_TYPE, plug
from snapproof.simulators.xenserver.methods_vm import halt
from snapproof.simulators.xenserver.state import Host, PoolRecord, Sm, State, TaskStatus

GUESSES = (
    "PBD.plug answers SR_BACKEND_FAILURE_47 where the LUN holds another SR, or the SR is attached from another LUN",
    "SCSIid is made from the target's IQN; a SolidFire makes it from its own and the volume's number",
    "SR.probe sees no SR where the one on the LUN is damaged, as LVM would not",
    "SR.create of lvmoiscsi or relvmoiscsi answers SR_BACKEND_FAILURE_16 where a PBD with this SCSIid is plugged",
    "Re-signing keeps VDI labels and needs no particular number of VDIs",
    "A VDI on a LUN takes exactly its size, without VHD overhead; it begins at a multiple of 4 MiB and reads as zeros",
    "A copy that fails through I/O answers VDI_IO_ERROR with the system's reason, a full export included",
    "A copy that fails or is cancelled deletes its half-written VDI; if its host dies, the partial file stays",
    "VDI.copy refuses a VDI that a guest has open for writing with VDI_IN_USE; it copies the blocks held at the start",
    "A copy to a file fails with VDI_IO_ERROR where its source gains or loses blocks meanwhile, past the pool",
    "PBDs may be unplugged in any order, the master's included",
    "base_vdi, and into_vdi of a file SR, are answered with SR_OPERATION_NOT_SUPPORTED",
    "SR.scan passes over files that are no VHD; the real one fails or marks them",
    "SR.scan answers DB_UNIQUENESS_CONSTRAINT_VIOLATION where a VDI is known in another SR",
    "SR.destroy needs a PBD and no VDIs, and leaves a LUN that holds no SR",
    "task.destroy of an unfinished task lets the work go on; task.cancel of a finished one is OPERATION_NOT_ALLOWED",
    "Calls other than VDI.copy are over when their Async task is first seen",
    "Unmounting an export below a plugged file SR is refused; makeDirectory works below mounts only",
    "A host that dies fails its copies with HOST_OFFLINE, halts its VMs, loses its mounts and plugs its LUNs again",
    "The CHAP user and password of a device_config are accepted unchecked: the fabric decides by initiator alone",
)
"""Behaviour that nobody checked on a real host."""

_SMS = {
    LUN_TYPE: "LVHD over iSCSI",
    RESIGN_TYPE: "LVHD over iSCSI with resigning of duplicates",  # the words by which CloudStack finds the capability
    FILE_TYPE: "Local Path VHD",
}


class Pool:
    """A pool of hosts that attach LUNs and exports and copy VDIs between them."""

    def __init__(
        self,
        *,
        clock: Clock,
        journal: Journal,
        fabric: Fabric,
        mounts: Mounts,
        dice: random.Random,
        hosts: int = 2,
        name: str = "pool-1",
        resign: bool = True,
        copy_chunk_bytes: int = 16 * 2**20,
    ) -> None:
        if hosts < 1 or copy_chunk_bytes < 1:
            raise ValueError(f"A pool has at least one host and copies at least one byte at a time; pool {name}.")
        self.name = name
        self._lock = threading.RLock()
        self._methods = all_methods()
        self._state = State(
            clock=clock, journal=journal, fabric=fabric, mounts=mounts, dice=dice, chunk_bytes=copy_chunk_bytes
        )
        for number in range(1, hosts + 1):
            self._add_host(number)
        state, master = self._state, next(iter(self._state.hosts))
        record = PoolRecord(ref=state.new_ref(), uuid=state.new_uuid(), name_label=name, master=master)
        self.uuid = state.pools.add(record).uuid
        for of_type, label in _SMS.items():
            if resign or of_type != RESIGN_TYPE:
                state.sms.add(Sm(ref=state.new_ref(), uuid=state.new_uuid(), type=of_type, name_label=label))

    def log_in(self, username: str) -> str:
        """Open a session for a client whose password the wire has checked; answers its ref."""
        with self._lock:
            return open_session(self._state, username).ref

    def call(self, name: str, arguments: tuple[object, ...]) -> object:
        """Perform one call of the API. Raises XapiError."""
        with self._lock:
            return perform(self._state, self._methods, name, arguments)

    def initiators(self) -> tuple[str, ...]:
        """The IQNs by which the hosts log in to targets, the master's first."""
        return tuple(host.iqn for host in self._state.hosts)

    def inventory(self) -> tuple[str, ...]:
        """What the pool holds now, one sorted line each, by names that outlive a restart."""
        with self._lock:
            return labs.inventory(self._state)

    def advance_tasks(self) -> None:
        """Let every unfinished copy run to its end, whether or not anybody still waits for it."""
        with self._lock:
            for task in self._state.unfinished():
                advance(self._state, task, to_the_end=True)

    def start_guest(self, *, target: str, size_bytes: int, name: str) -> Guest:
        """Run a VM on the VDI of a LUN, after formatting the LUN if it holds no SR yet. Raises XapiError."""
        with self._lock:
            vbd = labs.start_guest(self._state, target=target, size_bytes=size_bytes, name=name)
            return Guest(self._state, vbd, target=target, lock=self._lock)

    def stop_guest(self, guest: Guest) -> None:
        """Take the VM away and forget its SR; the LUN keeps its bytes. Raises XapiError where the SR is still used."""
        with self._lock:
            labs.stop_guest(self._state, guest.vbd)

    def crash_host(self, number: int = 0) -> None:
        """Let a host die and come back: its copies break off and leave files, its VMs halt, its mounts are gone."""
        with self._lock:
            host = list(self._state.hosts)[number]
            self._state.record("host died", host=host.name_label)
            self._break_off(host)
            plugged = [pbd for pbd in self._state.pbds if pbd.host is host and pbd.attachment]
            for pbd in plugged:
                pbd.attachment = None
            host.mounts.clear()
            for pbd in plugged:
                with suppress(XapiError, OSError):
                    plug(self._state, pbd)

    def _break_off(self, host: Host) -> None:
        for task in self._state.unfinished():
            if task.copy and task.copy.host is host:
                give_up(self._state, task, TaskStatus.FAILURE, ("HOST_OFFLINE", host.ref), leave_partial=True)
        for vm in self._state.vms:
            if vm.resident_on is host:
                halt(self._state, vm)

    def _add_host(self, number: int) -> None:
        state, label = self._state, f"{self.name}-host-{number}"
        state.hosts.add(
            Host(
                ref=state.new_ref(),
                uuid=state.new_uuid(),
                name_label=label,
                iqn=f"iqn.2026-01.org.snapproof:{label}",
                address=f"192.0.2.{number}",
            )
        )
