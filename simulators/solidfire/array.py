"""The array as hosts and judges see it: LUNs to log in to, contents to compare, everything it holds named in lines.

The API in front of it is in methods/ and wire.py; what changes inside is beside it, one module for each kind of thing.
"""

from snapproof.simulators.blocks import BlockImage
from snapproof.simulators.fabric import BlockDevice, LoginRefusedError
from snapproof.simulators.solidfire import (
    bulk,
    bulk_scripts,
    clones,
    driving,
    faulting,
    groups,
    inventory,
    pairs,
    replication,
    restoring,
    schedules,
    snapshots,
    volumes,
)
from snapproof.simulators.solidfire.plant import FaultScope, Fullness, Severity
from snapproof.simulators.solidfire.records import Access, Volume
from snapproof.simulators.solidfire.sessions import ChapUsed, Opening, Session
from snapproof.simulators.solidfire.state import Numbered, State


class Array(State):
    """A SolidFire cluster with one node. It is a Fabric as well: hosts find its volumes by their IQN."""

    def settle(self) -> None:
        """Let happen what time has brought: clones finish, snapshots expire, deleted volumes purge themselves."""
        if self.running:
            clones.settle(self)
        if self.due():
            self._be_reminded()
        if self.pairing.ends:
            replication.settle(self)
        if self.bulk.by_key:
            bulk.settle(self, bulk_scripts.script)
        if self.plant.jobs:
            driving.settle(self)
        if self.settings.structure_jobs:
            restoring.settle(self)

    def _be_reminded(self) -> None:
        for at_s, volume_id, snapshot_id, schedule_id in self.reminders(self.clock.time()):
            if snapshot_id:
                self._expire(snapshot_id)
            elif schedule_id:
                self._run(schedule_id, at_s)
            else:
                self._purge(volume_id)

    def _expire(self, snapshot_id: int) -> None:
        snapshot, now_s = self.snapshots.get(snapshot_id), self.clock.time()
        if snapshot is None or snapshot.expires_at_s is None or snapshot.expires_at_s > now_s:
            return
        if snapshot.clone_jobs:
            self.remind(now_s + 1, snapshot_id=snapshot_id)
        else:
            snapshots.delete(self, snapshot, event="snapshot expired")

    def _purge(self, volume_id: int) -> None:
        volume = self.volumes.get(volume_id)
        if volume is not None and not volume.active and volume.purge_at_s <= self.clock.time():
            volumes.purge(self, volume)

    def _run(self, schedule_id: int, at_s: float) -> None:
        schedule = self.settings.schedules.get(schedule_id)
        if schedule is not None and schedule.next_s == at_s:
            schedules.run(self, schedule, at_s)

    def _catch_up(self) -> None:
        """Before a host writes: schedules that were due must not see what it writes."""
        if self.settings.schedules:
            with self.lock:
                self.settle()

    def login(self, *, initiator: str, target: str) -> BlockDevice:
        """Open the volume whose IQN is `target`; a second login of one initiator finds the session of the first."""
        with self.lock:
            self.settle()
            host = initiator.lower()
            volume = self._reachable(host, target)
            return volume.sessions.get(host) or self.open_session(volume, host)

    def open_session(
        self,
        volume: Volume,
        host: str,
        *,
        port: str = "",
        address: str = "127.0.0.1:0",
        account_id: int = 0,
        chap: ChapUsed | None = None,
    ) -> Session:
        """Let a host in that was found worthy of it; the caller holds the lock."""
        opening = Opening(
            number=self.next_number(Numbered.SESSION),
            initiator=host,
            volume_id=volume.volume_id,
            iqn=volume.iqn,
            opened_s=self.clock.time(),
            port=port,
            address=address,
            account_id=account_id,
            chap=chap,
        )
        session = volume.sessions[opening.key] = Session(
            volume.disk,
            opening,
            writable=volume.access != Access.READ_ONLY,
            counters=(volume.counters, self.counters),
            now=self.clock.time,
            before_write=self._catch_up,
        )
        volume.last_access_time = volume.last_access_time_io = self.stamp()
        self.sessions.put(opening.number, session)
        self.plant.peak_sessions = max(self.plant.peak_sessions, len(self.sessions))
        return session

    def accessible(self, *, initiator: str, target: str) -> bool:
        """Say whether a login would succeed now."""
        with self.lock:
            self.settle()
            try:
                self._reachable(initiator.lower(), target)
            except LoginRefusedError:
                return False
            return True

    def _reachable(self, host: str, target: str) -> Volume:
        volume = self.volume_at(target)
        if volume is None:
            raise LoginRefusedError(f"The array has no target {target}; volumes are named by their IQN in ListVolumes.")
        self.check_open(volume)
        if not groups.reaches(self, host, volume):
            raise LoginRefusedError(f"No access group holds both {host} and volume {volume.volume_id}.")
        return volume

    def volume_at(self, target: str) -> Volume | None:
        """Find the volume of an IQN, deleted or not."""
        number = target.rpartition(".")[2]
        volume = self.volumes.get(int(number)) if number.isascii() and number.isdigit() else None
        return volume if volume is not None and volume.row.iqn == target.lower() else None

    def check_open(self, volume: Volume) -> None:
        """Raise LoginRefusedError for a volume that admits no host now, whoever it is."""
        row = volume.row
        if not volume.active:
            raise LoginRefusedError(f"Volume {row.volume_id} is {row.status}; restore it to log in to {row.iqn}.")
        if row.volume_id in self.cloning_into:
            raise LoginRefusedError(f"Volume {row.volume_id} is still being cloned; wait for its GetAsyncResult.")
        if row.access in volumes.CLOSED_TO_HOSTS:
            raise LoginRefusedError(f"Volume {row.volume_id} has access {row.access}, which admits no host.")

    def inventory(self) -> tuple[str, ...]:
        """Name every volume, snapshot, access group, unfinished clone and so on, without times and secrets, sorted."""
        with self.lock:
            self.settle()
            lines = [f"volume {v.row.volume_id} {v.row.name} {v.row.status}" for v in self.volumes]
            lines += [f"snapshot {s.row.snapshot_id} of volume {s.row.volume_id} {s.row.name}" for s in self.snapshots]
            lines += [
                f"access group {row.volume_access_group_id} {row.name}"
                f" volumes {row.volumes} initiators {sorted(row.initiators)}"
                for row in self.groups
            ]
            lines += [
                f"clone {job.clone_id} of volume {job.source_id} to volume {job.target_id}"
                for job in self.running.values()
            ]
            lines += inventory.lines(self)
            lines += pairs.inventory(self)
            lines += [
                f"bulk volume job {job.bulk_id} {job.kind} of volume {job.volume_id}" for job in self.bulk.running()
            ]
            return tuple(sorted(lines))

    def image_of_snapshot(self, snapshot_id: int) -> BlockImage:
        """What a snapshot froze; the array owns it, do not release it. Raises LookupError."""
        with self.lock:
            self.settle()
            snapshot = self.snapshots.get(snapshot_id)
            if snapshot is None:
                raise LookupError(f"The array has no snapshot {snapshot_id}.")
            return snapshot.image

    def image_of_volume(self, volume_id: int) -> BlockImage:
        """Freeze what a volume holds now, for a judge; the image is the caller's to release. Raises LookupError."""
        with self.lock:
            self.settle()
            volume = self.volumes.get(volume_id)
            if volume is None:
                raise LookupError(f"The array has no volume {volume_id}.")
            return volume.disk.snapshot()

    def fill(self, fullness: Fullness) -> None:
        """Make the cluster as full as that; from CRITICAL on it refuses snapshots."""
        with self.lock:
            self.fullness_at_least = fullness

    def raise_fault(
        self,
        code: str,
        *,
        severity: Severity = Severity.ERROR,
        scope: FaultScope = FaultScope.CLUSTER,
        details: str = "",
    ) -> int:
        """Let something be wrong with the cluster, as ListClusterFaults tells; return the number of the fault."""
        with self.lock:
            return faulting.raise_fault(
                self, code=code, severity=severity.value, scope=scope.value, details=details or code
            ).number

    def resolve_fault(self, number: int) -> None:
        """Let it be right again. Raises LookupError."""
        with self.lock:
            fault = next((fault for fault in self.plant.faults if fault.number == number), None)
            if fault is None:
                raise LookupError(f"The array has no fault {number}.")
            faulting.resolve(self, fault)

    def cut_off(self) -> None:
        """Take the replication network away: pairs are disconnected, paired volumes no longer follow."""
        with self.lock:
            self.settle()
            self.peers.cut_off(self.uuid)

    def reconnect(self) -> None:
        """Give the replication network back."""
        with self.lock:
            self.settle()
            self.peers.reconnect(self.uuid)

    def doom_next_clone(self, error: str) -> None:
        """Let the next CloneVolume be accepted and fail later, with this error inside its asynchronous result."""
        with self.lock:
            clones.doom_next(self, error)
