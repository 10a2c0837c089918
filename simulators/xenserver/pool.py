"""A simulated XenServer pool: the door to its state for wires and labs.

Rules are in methods*.py; the one lock that makes calls of many clients follow one another is here.
"""

import random
import threading
from collections.abc import Sequence

from snapproof.simulators.clock import Clock, Transition
from snapproof.simulators.fabric import Fabric, Mounts
from snapproof.simulators.journal import Journal
from snapproof.simulators.xenserver import labs, power
from snapproof.simulators.xenserver.coalescing import collect
from snapproof.simulators.xenserver.copying import advance
from snapproof.simulators.xenserver.datamodel import Role
from snapproof.simulators.xenserver.guest import Guest
from snapproof.simulators.xenserver.methods import all_methods, open_session, perform
from snapproof.simulators.xenserver.methods_pbd import FILE_TYPE, LUN_TYPE, RESIGN_TYPE
from snapproof.simulators.xenserver.rows import Host, PoolRecord, Sm
from snapproof.simulators.xenserver.state import State
from snapproof.simulators.xenserver.upheavals import UPHEAVALS

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
    "A slave's PBD of a shared SR answers SR_NOT_ATTACHED to unplug while the master's is not plugged: it goes last",
    "Past its count of SRs on LUNs the pool answers SR_ATTACH_FAILED to PBD.plug",
    "Formatting a LUN writes zeros over its first 10 MiB and the table of the new SR over those",
    "A snapshot of a VDI on a LUN needs room for a whole second disk, and a map of one bit for each 4 KiB, on that LUN",
    "Snapshots, clones and chains exist on LUNs only; a file SR answers SR_OPERATION_NOT_SUPPORTED",
    "The collector starts 30 s after a scan or a deletion, takes no time and keeps the child's uuid when it coalesces",
    "VM.snapshot_with_quiesce, which releases of today removed, is still there, and needs guest tools",
    "A message that this pool does not perform answers NOT_IMPLEMENTED with its name, once its arguments are right",
    "Arguments are counted first, then session, role, types and references; a type error names the type",
    "A ref may be NULL where its parameter is optional, and in every field; elsewhere NULL is HANDLE_INVALID",
    "A create call needs the fields that this pool cannot do without; the others take the datamodel's defaults",
    "A slave answers HOST_IS_SLAVE over TCP to all but local logins, and passes on what comes over its unix socket",
    "A session's role is the user's own; the roles of the datamodel's messages are taken as one ladder",
    "event.from compares records when it is asked; changes of host_metrics.last_updated are no event",
    "event.next waits 30 s at most; an event's class is written in lower case and its time is when it is told",
    "Served in real time, event.from and event.next answer nothing after 5 s, whatever the client's patience",
    "A master without power answers nothing at all; a slave without power answers HOST_OFFLINE through the master",
    "VDI.resize answers VALUE_NOT_SUPPORTED to a smaller size, SR_BACKEND_FAILURE_44 in a chain or without room",
    "base_vdi, and into_vdi of a file SR, are answered with SR_OPERATION_NOT_SUPPORTED",
    "SR.scan passes over files that are no VHD; the real one fails or marks them",
    "SR.scan answers DB_UNIQUENESS_CONSTRAINT_VIOLATION where a VDI is known in another SR",
    "SR.destroy needs a PBD and no VDIs, and leaves a LUN that holds no SR",
    "task.destroy of an unfinished task lets the work go on; task.cancel of a finished one is OPERATION_NOT_ALLOWED",
    "Calls other than VDI.copy are over when their Async task is first seen, unless the pool is told their pace",
    "An Async call is refused at once for its types and number of arguments, and fails as a task for all the rest",
    "A mount that went stale fails every use of it with the system's words for ESTALE until it is mounted anew",
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
        sr_count_max: int = 200,
        addresses: Sequence[str] = (),
    ) -> None:
        """Make a pool. `addresses` are what its hosts tell of where they are reached, the master's first."""
        if hosts < 1 or copy_chunk_bytes < 1:
            raise ValueError(f"A pool has at least one host and copies at least one byte at a time; pool {name}.")
        self.name = name
        self._lock = threading.RLock()
        self._methods = all_methods()
        self.clock = clock
        self._sr_count_max = sr_count_max
        self._chunk_bytes = copy_chunk_bytes
        self._state = State(
            clock=clock,
            journal=journal,
            fabric=fabric,
            mounts=mounts,
            dice=dice,
            chunk_bytes=copy_chunk_bytes,
            sr_count_max=sr_count_max,
        )
        for number in range(1, hosts + 1):
            self._add_host(number, addresses[number - 1] if number <= len(addresses) else f"192.0.2.{number}")
        state, master = self._state, next(iter(self._state.hosts))
        record = PoolRecord(ref=state.new_ref(), uuid=state.new_uuid(), name_label=name, master=master)
        self.uuid = state.pools.add(record).uuid
        for of_type, label in _SMS.items():
            state.sms.add(Sm(ref=state.new_ref(), uuid=state.new_uuid(), type=of_type, name_label=label))
        self.let_resign(able=resign)
        labs.furnish(state)

    @property
    def hosts(self) -> int:
        """How many hosts there are, with or without power."""
        return len(self._state.hosts)

    def log_in(self, username: str, role: Role = Role.ROOT) -> str:
        """Open a session for a client whose password the wire has checked; answers its ref."""
        with self._lock:
            return open_session(self._state, username, role).ref

    @property
    def master(self) -> int:
        """The number of the host that is the master now."""
        with self._lock:
            return list(self._state.hosts).index(self._state.master)

    def master_of(self, number: int) -> str | None:
        """Where the master is, if the host of this number is another; None for the master itself."""
        with self._lock:
            host = list(self._state.hosts)[number]
            return None if host is self._state.master else self._state.master.address

    def has_power(self, number: int = 0) -> bool:
        """Say whether a host runs."""
        with self._lock:
            return list(self._state.hosts)[number].up_s is not None

    def pace(self, call: str, transition: Transition) -> None:
        """Let a call that a client makes as a task take its time from now on."""
        if call not in self._methods:
            raise ValueError(f"There is no call {call!r} that could take its time.")
        with self._lock:
            self._state.pace[call] = transition

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
        """Let every unfinished task run to its end, whether or not anybody still waits for it, and coalesce."""
        with self._lock:
            collect(self._state)
            for task in self._state.unfinished():
                advance(self._state, task, to_the_end=True)

    def let_resign(self, *, able: bool) -> None:
        """Give all hosts the plug-in that re-signs clones, or take it away, as an update of theirs does."""
        with self._lock:
            found = [sm for sm in self._state.sms if sm.type == RESIGN_TYPE]
            if able and not found:
                ref, uuid = self._state.new_ref(), self._state.new_uuid()
                self._state.sms.add(Sm(ref=ref, uuid=uuid, type=RESIGN_TYPE, name_label=_SMS[RESIGN_TYPE]))
            for sm in found if not able else ():
                self._state.sms.remove(sm)

    def start_guest(self, *, target: str, size_bytes: int, name: str) -> Guest:
        """Run a VM on the VDI of a LUN, after formatting the LUN if it holds no SR yet. Raises XapiError."""
        with self._lock:
            vbd = labs.start_guest(self._state, target=target, size_bytes=size_bytes, name=name)
            return Guest(self._state, vbd, target=target, lock=self._lock)

    def stop_guest(self, guest: Guest) -> None:
        """Take the VM away and forget its SR; the LUN keeps its bytes. Raises XapiError where the SR is still used."""
        with self._lock:
            labs.stop_guest(self._state, guest.vbd)

    def upset_guest(self, guest: Guest, event: str) -> None:
        """Let something befall a guest: halt, boot, reboot, migrate, or a snapshot of its disk by its host."""
        with self._lock:
            UPHEAVALS[event](self._state, guest.vbd.vm)

    def hold_copies(self, *, held: bool) -> None:
        """Let copies stand still from now on, or go on."""
        with self._lock:
            self._state.copies_held = held

    def pace_copies(self, chunk_bytes: int | None) -> None:
        """Let copies go on by so many bytes at each look; None is their usual pace."""
        with self._lock:
            self._state.chunk_bytes = self._chunk_bytes if chunk_bytes is None else chunk_bytes

    def admit_repositories(self, more: int | None) -> None:
        """Let the pool take so many SRs on LUNs more than it has now, and no others; None is its usual number."""
        with self._lock:
            attached = {pbd.sr.ref for pbd in self._state.pbds if pbd.attachment and pbd.sr.type == LUN_TYPE}
            self._state.sr_count_max = self._sr_count_max if more is None else len(attached) + more

    def stale_mounts(self) -> None:
        """Let whatever the hosts have mounted serve nothing any more, until it is mounted anew."""
        with self._lock:
            for host in self._state.hosts:
                for mount in host.mounts.values():
                    mount.directory.stale = True
                    self._state.record("mount went stale", host=host.name_label, local=mount.local)

    def enable_host(self, number: int, *, enabled: bool) -> None:
        """Take a host out of service for new work, or back into it; what runs on it goes on."""
        with self._lock:
            list(self._state.hosts)[number].enabled = enabled

    def crash_host(self, number: int = 0) -> None:
        """Let a host die and come back: its copies break off and leave files, its VMs halt, its mounts are gone."""
        with self._lock:
            power.crash(self._state, number)

    def cut_power(self, number: int = 0) -> None:
        """Take a host's power away, in the middle of whatever it does, until it is given back."""
        with self._lock:
            power.cut(self._state, number)

    def restore_power(self, number: int = 0) -> None:
        """Give a host its power back; it boots at once and plugs what it can reach."""
        with self._lock:
            power.restore(self._state, number)

    def _add_host(self, number: int, address: str) -> None:
        state, label = self._state, f"{self.name}-host-{number}"
        iqn = f"iqn.2026-01.org.snapproof:{label}"
        state.hosts.add(
            Host(
                ref=state.new_ref(),
                uuid=state.new_uuid(),
                name_label=label,
                iqn=iqn,
                kept={"hostname": label, "other_config": {"iscsi_iqn": iqn}},
                address=address,
                up_s=state.clock.time(),
            )
        )
