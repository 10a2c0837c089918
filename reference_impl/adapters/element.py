"""The array port spoken to an Element cluster: JSON-RPC, its accounts, its access groups and its error names.

When to ask and what to do about an answer is not decided here; only what an answer means for certain is.
"""

import base64
import copy
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import msgspec

from snapproof.reference_impl.adapters.element_answers import (
    AccountRow,
    CapacityRow,
    GroupRow,
    HandleRow,
    Result,
    SnapshotRow,
    VolumeRow,
)
from snapproof.reference_impl.adapters.element_errors import refusal
from snapproof.reference_impl.adapters.element_owners import (
    OWNER_MARK,
    made_by_cloudstack,
    owned_by_us,
    owner_of,
    same_owner,
)
from snapproof.reference_impl.adapters.transport import Transport
from snapproof.reference_impl.ports import (
    ArrayFacts,
    CallError,
    GoneError,
    Lun,
    MistakenError,
    Owned,
    OwnedKind,
    Owner,
    RefusedError,
    TransientError,
    UnknownOutcomeError,
)
from snapproof.site import Endpoint
from snapproof.vocabulary import Qos

API_VERSIONS = ("9.0", "8.0", "7.0")
"""Paths that a cluster is asked at, the first that it serves: newer ones answer as 9.0, what is used here is in all."""
WITH_LISTS_BY_NAME = frozenset({"9.0", "8.0"})
"""Versions with ListVolumes. Before it, live and deleted volumes are listed apart and whole."""
WITH_LISTS_OF_HANDLES = frozenset({"9.0"})

_VERSION = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}")

FULL = "xExceededLimit"
ACCOUNT_PREFIX = "CloudStack_"


class ElementArray:
    """One cluster. `group` is the name of the access group that holds the initiators of the site's hosts."""

    job_characters_max: ClassVar[int] = 64
    """So much of a job's id is noted: attributes are fewer than 1,000 bytes of JSON, in any script."""

    api_versions: ClassVar[tuple[str, ...]] = API_VERSIONS

    def __init__(self, endpoint: Endpoint, *, group: str) -> None:
        self.transport = Transport(endpoint)
        login = f"{endpoint.username}:{endpoint.password.reveal()}".encode()
        self._headers = {
            "authorization": "Basic " + base64.b64encode(login).decode(),
            "content-type": "application/json-rpc",
        }
        self._group = group
        self._version = self.api_versions[0]
        self._accounts: dict[str, int] = {}
        self.errors: Counter[str] = Counter()

    def create_lun(self, *, account: str, name: str, size_bytes: int, qos: Qos, owner: Owner) -> Lun:
        """CreateVolume for the account, which is made if it is missing."""
        created = self._call(
            "CreateVolume",
            name=name,
            accountID=self._account(account),
            totalSize=size_bytes,
            enable512e=True,
            qos=_qos(qos),
            attributes=self._attributes(owner),
        )
        return self._new_lun(created.number("volumeID"), name, owner)

    def find_luns(self, *, name: str, owner: Owner) -> Sequence[Lun]:
        """ListVolumes by name; the owner tag decides."""
        rows = self._volumes(volumeName=name)
        if rows and self._version in WITH_LISTS_BY_NAME and not any(row.name == name for row in rows):
            raise MistakenError(f"The array was asked about volumes called {name} and told of others.")
        return [lun for lun in map(_lun, rows) if lun.name == name and same_owner(lun.owner, owner)]

    def get_lun(self, lun_id: int) -> Lun:
        """ListVolumes by id; an answer about another volume is no answer (hazard C5)."""
        rows = self._volumes(volumeIDs=[lun_id])
        if self._version not in WITH_LISTS_BY_NAME:
            rows = [row for row in rows if row.volumeID == lun_id]
        if others := [row.volumeID for row in rows if row.volumeID != lun_id]:
            raise MistakenError(f"The array was asked about volume {lun_id} and told of {others[0]}.")
        if not rows:
            raise GoneError(f"The array has no volume {lun_id}.")
        return _lun(rows[0])

    def list_owned(self) -> Sequence[Owned]:
        """ListVolumes and ListSnapshots; the owner tag decides."""
        luns = self._volumes()
        snapshots = self._call("ListSnapshots").rows("snapshots", SnapshotRow)
        found = [owned_by_us(OwnedKind.LUN, row.volumeID, row) for row in luns if row.status == "active"]
        found += [owned_by_us(OwnedKind.SNAPSHOT, row.snapshotID, row) for row in snapshots]
        return [owned for owned in found if owned is not None]

    def examine(self) -> ArrayFacts:
        """GetAPI, GetClusterCapacity for its moment, and the access groups."""
        versions = self._call("GetAPI").row("supportedVersions", list[str])
        capacity = self._call("GetClusterCapacity").row("clusterCapacity", CapacityRow)
        return ArrayFacts(
            api_versions=tuple(float(version) for version in versions if _VERSION.fullmatch(version)),
            now_s=capacity.timestamp.timestamp(),
            groups={group.name: tuple(group.initiators) for group in self._groups()},
        )

    def snapshots_of(self, lun_id: int) -> Sequence[int]:
        """ListSnapshots of the volume."""
        rows = self._call("ListSnapshots", volumeID=lun_id).rows("snapshots", SnapshotRow)
        return [row.snapshotID for row in rows]

    def groups_of(self, lun_id: int) -> Sequence[str]:
        """ListVolumeAccessGroups."""
        return [group.name for group in self._groups() if lun_id in group.volumes]

    def set_qos(self, lun_id: int, qos: Qos) -> None:
        """ModifyVolume."""
        self._call("ModifyVolume", volumeID=lun_id, qos=_qos(qos))

    def resize_lun(self, lun_id: int, size_bytes: int) -> None:
        """ModifyVolume."""
        self._call("ModifyVolume", volumeID=lun_id, totalSize=size_bytes)

    def delete_lun(self, lun_id: int) -> None:
        """DeleteVolume."""
        self._call("DeleteVolume", volumeID=lun_id)

    def restore_lun(self, lun_id: int) -> None:
        """RestoreDeletedVolume."""
        self._call("RestoreDeletedVolume", volumeID=lun_id)

    def purge_lun(self, lun_id: int) -> None:
        """PurgeDeletedVolume."""
        self._call("PurgeDeletedVolume", volumeID=lun_id)

    def take_snapshot(self, lun_id: int, *, name: str, owner: Owner) -> int:
        """CreateSnapshot, with the owner tag in its attributes. The answer is believed if it is about the volume."""
        made = self._call("CreateSnapshot", volumeID=lun_id, name=name, attributes=self._attributes(owner))
        number = made.number("snapshotID")
        if "snapshot" in made:
            row = made.row("snapshot", SnapshotRow)
            ours = (row.snapshotID, row.volumeID, row.name) == (number, lun_id, name)
        else:
            ours = number in self.find_snapshots(lun_id, name=name, owner=owner)
        if not ours:
            raise MistakenError(f"The array calls snapshot {number} the one of volume {lun_id}, and it is not.")
        return number

    def find_snapshots(self, lun_id: int, *, name: str, owner: Owner) -> Sequence[int]:
        """ListSnapshots of the volume; the owner tag decides, or the one that CloudStack itself gave before us."""
        try:
            rows = self._call("ListSnapshots", volumeID=lun_id).rows("snapshots", SnapshotRow)
        except GoneError:
            return []
        if others := [row.volumeID for row in rows if row.volumeID != lun_id]:
            raise MistakenError(f"The array was asked about volume {lun_id} and told of snapshots of {others[0]}.")
        ours = [row.snapshotID for row in rows if row.name == name and same_owner(owner_of(row.attributes), owner)]
        return ours + [row.snapshotID for row in rows if made_by_cloudstack(row, owner)]

    def delete_snapshot(self, snapshot_id: int) -> None:
        """DeleteSnapshot, by id."""
        self._call("DeleteSnapshot", snapshotID=snapshot_id)

    def roll_back(self, lun_id: int, snapshot_id: int) -> None:
        """RollbackToSnapshot, without a snapshot of what is replaced."""
        self._call("RollbackToSnapshot", volumeID=lun_id, snapshotID=snapshot_id, saveCurrentState=False)

    def start_clone(self, lun_id: int, snapshot_id: int, *, account: str, name: str, owner: Owner) -> tuple[Lun, int]:
        """CloneVolume from a snapshot."""
        started = self._call(
            "CloneVolume",
            volumeID=lun_id,
            snapshotID=snapshot_id,
            newAccountID=self._account(account),
            name=name,
            attributes=self._attributes(owner),
        )
        return self._new_lun(started.number("volumeID"), name, owner), started.number("asyncHandle")

    def clone_handle(self, lun: Lun) -> int | None:
        """ListAsyncResults: a handle lives until its complete result was read once. Older clusters list none."""
        if self._version not in WITH_LISTS_OF_HANDLES:
            return None
        rows = self._call("ListAsyncResults", asyncResultTypes=["Clone"]).rows("asyncHandles", HandleRow)
        return next((row.asyncResultID for row in rows if row.data.volumeID == lun.id), None)

    def clone_finished(self, handle: int) -> bool:
        """GetAsyncResult; a failure stands inside a complete result (hazard C4)."""
        answer = self._call("GetAsyncResult", asyncHandle=handle)
        if answer["status"] != "complete":
            return False
        if "error" in answer:
            name = answer["error"].get("name", "no name") if isinstance(answer["error"], dict) else "no name"
            raise RefusedError(f"The array could not clone a volume (asyncHandle {handle}): {name}.")
        return True

    def grant(self, lun_id: int) -> None:
        """AddVolumesToVolumeAccessGroup; a volume that is in it already is granted."""
        group = self._hosts_group()
        if lun_id in group.volumes:
            return
        try:
            self._call("AddVolumesToVolumeAccessGroup", volumeAccessGroupID=group.volumeAccessGroupID, volumes=[lun_id])
        except RefusedError as error:
            if FULL not in str(error):
                raise
            held = len(group.volumes)
            raise RefusedError(f"The access group {self._group} takes no more than its {held} volumes.") from error

    def admitting(self, group: str) -> Self:
        """On the same connection."""
        other = copy.copy(self)
        vars(other).update(_group=group)
        return other

    def revoke(self, lun_id: int) -> None:
        """RemoveVolumesFromVolumeAccessGroup, wherever it is."""
        for group in self._groups():
            if lun_id in group.volumes:
                self._call(
                    "RemoveVolumesFromVolumeAccessGroup",
                    volumeAccessGroupID=group.volumeAccessGroupID,
                    volumes=[lun_id],
                )

    def _attributes(self, owner: Owner) -> Mapping[str, str]:
        return {"owner": OWNER_MARK, "job": owner.job[: self.job_characters_max], "subject": owner.subject}

    def close(self) -> None:
        """Let go of the connection."""
        self.transport.close()

    def _new_lun(self, lun_id: int, name: str, owner: Owner) -> Lun:
        """Look at a LUN that was just made, as the array says: it must be the one that was asked for."""
        lun = self.get_lun(lun_id)
        if lun.name != name or not same_owner(lun.owner, owner):
            raise MistakenError(f"The array calls volume {lun_id} the new {name}, and it is not.")
        return lun

    def _volumes(self, **wanted: object) -> list[VolumeRow]:
        """ListVolumes, or what there was before it."""
        if self._version in WITH_LISTS_BY_NAME:
            try:
                return self._call("ListVolumes", **wanted).rows("volumes", VolumeRow)
            except RefusedError:
                if self._version in WITH_LISTS_BY_NAME:
                    raise
        lists = ("ListActiveVolumes", "ListDeletedVolumes")
        return [row for method in lists for row in self._call(method).rows("volumes", VolumeRow)]

    def _groups(self) -> list[GroupRow]:
        return self._call("ListVolumeAccessGroups").rows("volumeAccessGroups", GroupRow)

    def _hosts_group(self) -> GroupRow:
        found = next((group for group in self._groups() if group.name == self._group), None)
        if found is None:
            raise RefusedError(
                f"The array has no volume access group {self._group}; it must hold the hosts' initiators."
            )
        return found

    def _account(self, name: str) -> int:
        """The account's id; asked for once a life. Only "unknown" makes one, any other failure is a failure."""
        if name not in self._accounts:
            username = (ACCOUNT_PREFIX + name)[:64]
            try:
                self._accounts[name] = self._known_account(username)
            except GoneError:
                self._accounts[name] = self._new_account(username)
        return self._accounts[name]

    def _known_account(self, username: str) -> int:
        found = self._call("GetAccountByName", username=username).row("account", AccountRow)
        if found.username != username:
            raise MistakenError(f"The array was asked about account {username} and told of another.")
        return found.accountID

    def _new_account(self, username: str) -> int:
        """AddAccount, unless another job or another life was first: theirs is ours."""
        try:
            return self._call("AddAccount", username=username).number("accountID")
        except RefusedError as error:
            if error.name != "xDuplicateUsername":
                raise
            return self._known_account(username)

    def ask(self, method: str, **params: object) -> Result:
        """Make one call of the API that no verb of the port stands for."""
        return self._call(method, **params)

    def _call(self, method: str, **params: object) -> Result:
        try:
            return self._answer(method, params)
        except CallError as error:
            self.errors[error.name or "no answer"] += 1
            raise

    def _answer(self, method: str, params: Mapping[str, object]) -> Result:
        body = msgspec.json.encode({"method": method, "params": params, "id": 1})
        status, _, text = self.transport.exchange("POST", f"/json-rpc/{self._version}", self._headers, body)
        if status == 404 and self._version != self.api_versions[-1]:
            self._version = self.api_versions[self.api_versions.index(self._version) + 1]
            return self._answer(method, params)
        if status != 200:
            kind = TransientError if status in {502, 503} else UnknownOutcomeError if status >= 500 else RefusedError
            raise kind(f"{method}: the array answered with HTTP {status}.", name=f"HTTP {status}")
        try:
            answer = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UnknownOutcomeError(f"{method}: the array's answer cannot be read.") from error
        match answer:
            case {"error": dict(refused)}:
                raise refusal(method, refused)
            case {"result": dict(result)}:
                return Result(method, result)
        raise UnknownOutcomeError(f"{method}: the array's answer cannot be read.")


def _lun(row: VolumeRow) -> Lun:
    return Lun(
        id=row.volumeID,
        name=row.name,
        target=row.iqn,
        size_bytes=row.totalSize,
        owner=owner_of(row.attributes),
        deleted=row.status == "deleted",
        shared=bool(row.volumeAccessGroups),
    )


def _qos(qos: Qos) -> Mapping[str, int]:
    return {"minIOPS": qos.min_iops, "maxIOPS": qos.max_iops, "burstIOPS": qos.burst_iops}
