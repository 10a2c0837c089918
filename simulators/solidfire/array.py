"""The array as hosts and judges see it: LUNs to log in to, contents to compare, everything it holds named in lines.

The API in front of it is in methods/ and wire.py; what changes inside is beside it, one module for each kind of thing.
"""

from snapproof.simulators.blocks import BlockImage
from snapproof.simulators.fabric import BlockDevice, LoginRefusedError
from snapproof.simulators.solidfire import clones, groups, snapshots, volumes
from snapproof.simulators.solidfire.records import Access, Volume
from snapproof.simulators.solidfire.sessions import Session
from snapproof.simulators.solidfire.state import Fullness, State


class Array(State):
    """A SolidFire cluster with one node. It is a Fabric as well: hosts find its volumes by their IQN."""

    def settle(self) -> None:
        """Let happen what time has brought: clones finish, snapshots expire, deleted volumes purge themselves."""
        if self.running:
            clones.settle(self)
        for volume_id, snapshot_id in self.reminders(self.clock.time()):
            if snapshot_id:
                self._expire(snapshot_id)
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

    def login(self, *, initiator: str, target: str) -> BlockDevice:
        """Open the volume whose IQN is `target`; a second login of one initiator finds the session of the first."""
        with self.lock:
            self.settle()
            host = initiator.lower()
            volume = self._reachable(host, target)
            session = volume.sessions.get(host)
            if session is None:
                writable = volume.row.access != Access.READ_ONLY
                session = Session(volume.disk, iqn=volume.row.iqn, writable=writable)
                volume.sessions[host] = session
            volume.row.last_access_time = volume.row.last_access_time_io = self.stamp()
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
        number = target.rpartition(".")[2]
        volume = self.volumes.get(int(number)) if number.isascii() and number.isdigit() else None
        if volume is None or volume.row.iqn != target.lower():
            raise LoginRefusedError(f"The array has no target {target}; volumes are named by their IQN in ListVolumes.")
        row = volume.row
        if not volume.active:
            raise LoginRefusedError(f"Volume {row.volume_id} is {row.status}; restore it to log in to {target}.")
        if row.volume_id in self.cloning_into:
            raise LoginRefusedError(f"Volume {row.volume_id} is still being cloned; wait for its GetAsyncResult.")
        if row.access in volumes.CLOSED_TO_HOSTS:
            raise LoginRefusedError(f"Volume {row.volume_id} has access {row.access}, which admits no host.")
        if not groups.reaches(self, host, volume):
            raise LoginRefusedError(f"No access group holds both {host} and volume {row.volume_id}.")
        return volume

    def inventory(self) -> tuple[str, ...]:
        """Name every volume, snapshot, access group and unfinished clone, without times and secrets, sorted."""
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
            self.fullness = fullness

    def doom_next_clone(self, error: str) -> None:
        """Let the next CloneVolume be accepted and fail later, with this error inside its asynchronous result."""
        with self.lock:
            clones.doom_next(self, error)
