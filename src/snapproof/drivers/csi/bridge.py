"""The verbs of the port over a CSI controller: what an orchestrator of containers does around it, and no more.

CSI knows ids, sizes and names of its own choice; who owns what, and what people call it, is kept here, in one file.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from snapproof.driver import (
    BackendError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    NotSupportedError,
)
from snapproof.drivers.contract import BrokenContractError, SiteMessage
from snapproof.drivers.csi.calls import Calls
from snapproof.site import Clock
from snapproof.vocabulary import (
    AccountId,
    Capability,
    Copy,
    Description,
    HypervisorType,
    LocationType,
    OperationId,
    Qos,
    ResourceCounts,
    Snapshot,
    SnapshotId,
    SnapshotRequest,
    SnapshotState,
    Volume,
    VolumeId,
    VolumeRequest,
)

CREATE_DELETE_VOLUME, CREATE_DELETE_SNAPSHOT = 1, 5
"""Numbers of a controller's capabilities."""
SINGLE_NODE_WRITER = 1
ROOM_PERCENT, LUN_BYTES_MIN = 10, 1_000_000_000
"""How much larger a LUN is than the guest's disk, for what a host keeps beside that; and the smallest one there is."""
NAME_CHARACTERS_MAX = 255
READY_POLLS_MAX, READY_POLL_S = 100, 0.1
IDS = uuid.UUID("2b0dd1f6-8a4b-4d39-b5a6-8f8b6a1f9b52")
PLACES = {"primary": LocationType.PRIMARY, "secondary": LocationType.SECONDARY}


class Bridge:
    """One life. What CSI has no word for is not supported."""

    def __init__(self, calls: Calls, site: SiteMessage, clock: Clock) -> None:
        self._calls, self._site, self._clock = calls, site, clock
        self._path = Path(site.state_directory, "csi.json")
        kept = json.loads(self._path.read_text()) if self._path.exists() else {"volumes": {}, "snapshots": {}}
        self._volumes: dict[str, dict[str, Any]] = kept["volumes"]
        self._snapshots: dict[str, dict[str, Any]] = kept["snapshots"]

    def __getattr__(self, name: str) -> Any:
        def refuse(*_asked: Any, **_named: Any) -> NoReturn:
            raise NotSupportedError(f"A CSI controller has no call for {name}.")

        return refuse

    def describe(self) -> Description:
        """Declare what the controller itself says."""
        who = self._calls.ask("Identity/GetPluginInfo")
        told = self._calls.ask("Controller/ControllerGetCapabilities").capabilities
        numbers = {each.rpc.type for each in told}
        served = {Capability.ACCOUNTING}
        if {CREATE_DELETE_VOLUME, CREATE_DELETE_SNAPSHOT} <= numbers:
            served |= {Capability.SNAPSHOT_PRIMARY, Capability.VOLUME_FROM_PRIMARY}
        return Description(name=who.name, version=who.vendor_version, capabilities=frozenset(served))

    def create_volume(self, request: VolumeRequest) -> Volume:
        """CreateVolume, with a snapshot as its content where one is named."""
        if request.from_template is not None:
            raise NotSupportedError("CSI has no templates.")
        identity = _identity(request.operation)
        if identity not in self._volumes:
            wanted = self._volume_wanted(identity, request)
            made = self._calls.ask("Controller/CreateVolume", wanted).volume
            if not made.volume_id:
                raise BrokenContractError(f"CreateVolume of {identity} was answered without a volume.")
            target = next((text for text in made.volume_context.values() if text.startswith("iqn.")), "")
            if not target:
                raise BackendError(f"The volume_context of {made.volume_id} names no IQN, so no host can reach it.")
            qos = {name: getattr(request.qos, name) for name in ("min_iops", "max_iops", "burst_iops")}
            about = {"account": request.account, "name": request.name, "size_bytes": request.size_bytes, "qos": qos}
            self._volumes[identity] = {"id": identity, "csi": made.volume_id, "target": target, **about}
            self._keep()
        return _shown_volume(self._volumes[identity])

    def delete_volume(self, operation: OperationId, volume: VolumeId) -> None:
        """DeleteVolume."""
        self._calls.ask("Controller/DeleteVolume", {"volume_id": self._volume(volume)["csi"], **self._secrets()})
        del self._volumes[volume]
        self._keep()

    def list_volumes(self, account: AccountId | None = None) -> Sequence[Volume]:
        """List what was made and not deleted."""
        return [_shown_volume(row) for row in self._volumes.values() if account in {None, row["account"]}]

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """CreateSnapshot, until it is ready to use. One that fails stays listed, as Error."""
        identity = _identity(request.operation)
        if identity not in self._snapshots:
            volume = self._checked(request)
            about = {"account": volume["account"], "volume": volume["id"], "size_bytes": volume["size_bytes"]}
            row = {"id": identity, "csi": "", "name": request.name, "state": SnapshotState.ERROR, **about}
            self._snapshots[identity] = row
            self._keep()
            row["csi"] = self._taken(identity, volume)
            row["state"] = SnapshotState.BACKED_UP
            self._keep()
        return _shown_snapshot(self._snapshots[identity])

    def list_snapshots(
        self,
        account: AccountId | None = None,
        *,
        volume: VolumeId | None = None,
        location: LocationType | None = None,
    ) -> Sequence[Snapshot]:
        """List what was asked for and not deleted, failed ones too."""
        rows = [row for row in self._snapshots.values() if location in {None, LocationType.PRIMARY}]
        fits = [row for row in rows if account in {None, row["account"]} and volume in {None, row["volume"]}]
        return [_shown_snapshot(row) for row in fits]

    def delete_snapshot(self, operation: OperationId, snapshot: SnapshotId) -> None:
        """DeleteSnapshot. Of one that failed the orchestrator has no id, so that nothing is asked."""
        if snapshot not in self._snapshots:
            raise NotFoundError(f"There is no snapshot {snapshot}.")
        if identity := self._snapshots[snapshot]["csi"]:
            self._calls.ask("Controller/DeleteSnapshot", {"snapshot_id": identity, **self._secrets()})
        del self._snapshots[snapshot]
        self._keep()

    def resource_counts(self, account: AccountId) -> ResourceCounts:
        """Count what is there."""
        done = [row for row in self.list_snapshots(account) if row.state is SnapshotState.BACKED_UP]
        used = sum(row.size_bytes for row in done) + sum(row.size_bytes for row in self.list_volumes(account))
        return ResourceCounts(snapshots=len(done), secondary_storage_bytes=0, primary_storage_bytes=used)

    def reconcile(self) -> None:
        """Do nothing: an orchestrator asks again for what it still wants, and for nothing else."""

    def close(self) -> None:
        """End the connection."""
        self._calls.close()

    def _taken(self, identity: str, volume: Mapping[str, Any]) -> str:
        wanted = {"source_volume_id": volume["csi"], "name": identity, **self._secrets()}
        for _ in range(READY_POLLS_MAX):
            made = self._calls.ask("Controller/CreateSnapshot", wanted).snapshot
            if not made.snapshot_id:
                raise BrokenContractError(f"CreateSnapshot of {identity} was answered without a snapshot.")
            if made.source_volume_id != volume["csi"]:
                raise BackendError(f"CreateSnapshot of {volume['csi']} made one of {made.source_volume_id}.")
            if made.ready_to_use:
                return str(made.snapshot_id)
            self._clock.sleep(READY_POLL_S)
        raise BackendError(f"The snapshot {identity} is not ready to use after {READY_POLLS_MAX} questions.")

    def _volume_wanted(self, identity: str, request: VolumeRequest) -> Mapping[str, Any]:
        source = None
        if request.from_snapshot is not None:
            row = self._snapshots.get(request.from_snapshot)
            if row is None:
                raise NotFoundError(f"There is no snapshot {request.from_snapshot}.")
            if not row["csi"]:
                raise ConflictError(f"Snapshot {request.from_snapshot} has failed.")
            source = {"snapshot": {"snapshot_id": row["csi"]}}
        size = max(LUN_BYTES_MIN, request.size_bytes * (100 + ROOM_PERCENT) // 100)
        qos = {name: str(getattr(request.qos, name)) for name in ("min_iops", "max_iops", "burst_iops")}
        return {
            "name": identity,
            "capacity_range": {"required_bytes": size},
            "volume_capabilities": [{"block": {}, "access_mode": {"mode": SINGLE_NODE_WRITER}}],
            "parameters": {**qos, "hosts_group": self._site.hosts_group, "array_portal": self._site.array_portal},
            "volume_content_source": source,
            **self._secrets(),
        }

    def _checked(self, request: SnapshotRequest) -> Mapping[str, Any]:
        place = PLACES.get("primary" if request.location is None else request.location.strip().lower())
        if place is None:
            raise InvalidRequestError(f"There is no location {request.location!r}; there are PRIMARY or SECONDARY.")
        if self._site.hypervisor_type is HypervisorType.VMWARE:
            raise InvalidRequestError("Nothing is attached to VMware hosts here.")
        if len(request.name) > NAME_CHARACTERS_MAX:
            raise InvalidRequestError(f"A name has at most {NAME_CHARACTERS_MAX} characters.")
        volume = self._volume(request.volume)
        if request.quiesce:
            raise NotSupportedError("CSI has no call to quiesce a guest.")
        if place is LocationType.SECONDARY or request.async_backup:
            raise NotSupportedError("A CSI snapshot is where its volume is.")
        return volume

    def _volume(self, volume: str) -> Mapping[str, Any]:
        if volume not in self._volumes:
            raise NotFoundError(f"There is no volume {volume}.")
        return self._volumes[volume]

    def _secrets(self) -> dict[str, Any]:
        """Say where the array is, as an orchestrator hands secrets to a driver with each call."""
        array = self._site.array
        known = {"url": array.url, "username": array.username, "password": array.password, "ca_pem": array.ca_pem or ""}
        return {"secrets": known}

    def _keep(self) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps({"volumes": self._volumes, "snapshots": self._snapshots}))
        fresh.replace(self._path)


def _identity(operation: OperationId) -> str:
    return str(uuid.uuid5(IDS, operation))


def _shown_volume(row: Mapping[str, Any]) -> Volume:
    return Volume(
        id=VolumeId(row["id"]),
        account=AccountId(row["account"]),
        name=row["name"],
        size_bytes=row["size_bytes"],
        target=row["target"],
        qos=Qos(**row["qos"]),
    )


def _shown_snapshot(row: Mapping[str, Any]) -> Snapshot:
    number = "".join(char if char.isdigit() else " " for char in row["csi"]).split()[-1:]
    reference = f"SfSnapshotId={number[0]}" if number else row["csi"]
    copy = Copy(location=LocationType.PRIMARY, reference=reference, physical_size_bytes=row["size_bytes"])
    return Snapshot(
        id=SnapshotId(row["id"]),
        account=AccountId(row["account"]),
        volume=VolumeId(row["volume"]),
        name=row["name"],
        location=LocationType.PRIMARY,
        state=SnapshotState(row["state"]),
        size_bytes=row["size_bytes"],
        copies=(copy,) if row["csi"] else (),
    )
