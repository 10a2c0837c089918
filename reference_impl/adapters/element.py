"""The array port spoken to an Element cluster: JSON-RPC, its accounts, its access groups and its error names.

When to ask and what to do about an answer is not decided here; only what an answer means for certain is.
"""

import base64
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, NoReturn

import msgspec

from snapproof.reference_impl.adapters.transport import Transport
from snapproof.reference_impl.ports import (
    CallError,
    GoneError,
    Lun,
    Owner,
    RefusedError,
    TransientError,
    UnknownOutcomeError,
)
from snapproof.site import Endpoint
from snapproof.vocabulary import Qos

API_VERSION = "9.0"
"""The oldest version with every method used here; clusters answer old versions on their own paths."""

OWNER_MARK = "snapproof"
ACCOUNT_PREFIX = "CloudStack_"


class Meaning(Enum):
    """What an error name says about the call's effect."""

    TRANSIENT = TransientError
    AMBIGUOUS = UnknownOutcomeError
    GONE = GoneError


MEANINGS: Mapping[str, Meaning] = {
    "xDBVersionMismatch": Meaning.TRANSIENT,
    "xNotPrimary": Meaning.TRANSIENT,
    "xNotReadyForIO": Meaning.TRANSIENT,
    "xSliceNotRegistered": Meaning.TRANSIENT,
    "xMaxClonesPerVolumeExceeded": Meaning.TRANSIENT,
    "xMaxClonesPerNodeExceeded": Meaning.TRANSIENT,
    "xMaxSnapshotsPerNodeExceeded": Meaning.TRANSIENT,
    # A timeout inside the cluster: Cinder retries these blindly, which is how duplicates are made.
    "xDBConnectionLoss": Meaning.AMBIGUOUS,
    "xDBOperationTimeout": Meaning.AMBIGUOUS,
    "xDBNoServerResponse": Meaning.AMBIGUOUS,
    "xRecvTimeout": Meaning.AMBIGUOUS,
    "xRpcTimeout": Meaning.AMBIGUOUS,
    "xSnapshotFailed": Meaning.AMBIGUOUS,
    "xInternalError": Meaning.AMBIGUOUS,
    "xVolumeIDDoesNotExist": Meaning.GONE,
    "xVolumeDoesNotExist": Meaning.GONE,
    "xSnapshotIDDoesNotExist": Meaning.GONE,
    "xDBNoSuchPath": Meaning.GONE,
    "xUnknownAccount": Meaning.GONE,
}
"""Names that mean something else than a final no."""


class ElementArray:
    """One cluster. `group` is the name of the access group that holds the initiators of the site's hosts."""

    def __init__(self, endpoint: Endpoint, *, group: str) -> None:
        self._transport = Transport(endpoint)
        login = f"{endpoint.username}:{endpoint.password.reveal()}".encode()
        self._headers = {
            "authorization": "Basic " + base64.b64encode(login).decode(),
            "content-type": "application/json-rpc",
        }
        self._group = group
        self._accounts: dict[str, int] = {}

    def create_lun(self, *, account: str, name: str, size_bytes: int, qos: Qos, owner: Owner) -> Lun:
        """CreateVolume for the account, which is made if it is missing."""
        created = self._call(
            "CreateVolume",
            name=name,
            accountID=self._account(account),
            totalSize=size_bytes,
            enable512e=True,
            qos=_qos(qos),
            attributes=_attributes(owner),
        )
        return self.get_lun(created["volumeID"])

    def find_luns(self, *, name: str, owner: Owner) -> Sequence[Lun]:
        """ListVolumes by name; the owner tag decides."""
        rows = self._call("ListVolumes", volumeName=name)["volumes"]
        return [lun for lun in map(_lun, rows) if lun.name == name and _same(lun.owner, owner)]

    def get_lun(self, lun_id: int) -> Lun:
        """ListVolumes by id; an answer about another volume is no answer (hazard C5)."""
        for row in self._call("ListVolumes", volumeIDs=[lun_id])["volumes"]:
            if row["volumeID"] == lun_id:
                return _lun(row)
        raise GoneError(f"The array has no volume {lun_id}.")

    def set_qos(self, lun_id: int, qos: Qos) -> None:
        """ModifyVolume."""
        self._call("ModifyVolume", volumeID=lun_id, qos=_qos(qos))

    def delete_lun(self, lun_id: int) -> None:
        """DeleteVolume."""
        self._call("DeleteVolume", volumeID=lun_id)

    def purge_lun(self, lun_id: int) -> None:
        """PurgeDeletedVolume."""
        self._call("PurgeDeletedVolume", volumeID=lun_id)

    def take_snapshot(self, lun_id: int, *, name: str, owner: Owner) -> int:
        """CreateSnapshot, with the owner tag in its attributes."""
        return int(
            self._call("CreateSnapshot", volumeID=lun_id, name=name, attributes=_attributes(owner))["snapshotID"]
        )

    def find_snapshots(self, lun_id: int, *, name: str, owner: Owner) -> Sequence[int]:
        """ListSnapshots of the volume; the owner tag decides, or the one that CloudStack itself gave before us."""
        try:
            rows = self._call("ListSnapshots", volumeID=lun_id)["snapshots"]
        except GoneError:
            return []
        ours = [row["snapshotID"] for row in rows if row["name"] == name and _same(_owner(row), owner)]
        return ours + [row["snapshotID"] for row in rows if _made_by_cloudstack(row, owner)]

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
            attributes=_attributes(owner),
        )
        return self.get_lun(started["volumeID"]), int(started["asyncHandle"])

    def clone_handle(self, lun: Lun) -> int | None:
        """ListAsyncResults: a handle lives until its complete result was read once."""
        for row in self._call("ListAsyncResults", asyncResultTypes=["Clone"])["asyncHandles"]:
            if row["data"].get("volumeID") == lun.id:
                return int(row["asyncResultID"])
        return None

    def clone_finished(self, handle: int) -> bool:
        """GetAsyncResult; a failure stands inside a complete result (hazard C4)."""
        answer = self._call("GetAsyncResult", asyncHandle=handle)
        if answer["status"] != "complete":
            return False
        if "error" in answer:
            name = answer["error"].get("name", "no name")
            raise RefusedError(f"The array could not clone a volume (asyncHandle {handle}): {name}.")
        return True

    def grant(self, lun_id: int) -> None:
        """AddVolumesToVolumeAccessGroup; a volume that is in it already is granted."""
        group = self._hosts_group()
        if lun_id not in group["volumes"]:
            self._call(
                "AddVolumesToVolumeAccessGroup", volumeAccessGroupID=group["volumeAccessGroupID"], volumes=[lun_id]
            )

    def revoke(self, lun_id: int) -> None:
        """RemoveVolumesFromVolumeAccessGroup, wherever it is."""
        for group in self._call("ListVolumeAccessGroups")["volumeAccessGroups"]:
            if lun_id in group["volumes"]:
                self._call(
                    "RemoveVolumesFromVolumeAccessGroup",
                    volumeAccessGroupID=group["volumeAccessGroupID"],
                    volumes=[lun_id],
                )

    def close(self) -> None:
        """Let go of the connection."""
        self._transport.close()

    def _hosts_group(self) -> Mapping[str, Any]:
        for group in self._call("ListVolumeAccessGroups")["volumeAccessGroups"]:
            if group["name"] == self._group:
                found: Mapping[str, Any] = group
                return found
        raise RefusedError(f"The array has no volume access group {self._group}; it must hold the hosts' initiators.")

    def _account(self, name: str) -> int:
        """The account's id; asked for once a life. Only "unknown" makes one, any other failure is a failure."""
        if name not in self._accounts:
            username = (ACCOUNT_PREFIX + name)[:64]
            try:
                found = self._call("GetAccountByName", username=username)["account"]["accountID"]
            except GoneError:
                found = self._call("AddAccount", username=username)["accountID"]
            self._accounts[name] = int(found)
        return self._accounts[name]

    def _call(self, method: str, **params: object) -> dict[str, Any]:
        body = msgspec.json.encode({"method": method, "params": params, "id": 1})
        status, _, text = self._transport.exchange("POST", f"/json-rpc/{API_VERSION}", self._headers, body)
        if status != 200:
            kind = TransientError if status in {502, 503} else UnknownOutcomeError if status >= 500 else RefusedError
            raise kind(f"{method}: the array answered with HTTP {status}.")
        try:
            answer = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UnknownOutcomeError(f"{method}: the array's answer cannot be read.") from error
        match answer:
            case {"error": dict(refused)}:
                raise _refusal(method, refused)
            case {"result": dict(result)}:
                return _Result(method, result)
        raise UnknownOutcomeError(f"{method}: the array's answer cannot be read.")


class _Result(dict[str, Any]):
    """A result whose missing members are an answer that cannot be read, not a defect of ours."""

    def __init__(self, method: str, members: Mapping[str, Any]) -> None:
        super().__init__(members)
        self._method = method

    def __missing__(self, name: str) -> NoReturn:
        raise UnknownOutcomeError(f"{self._method}: the array's answer cannot be read: {name} is missing.")


def _refusal(method: str, error: Mapping[str, Any]) -> CallError:
    """Translate by the table. The cluster's text is kept out: it may quote parameters."""
    name = str(error.get("name", ""))
    kind = MEANINGS[name].value if name in MEANINGS else RefusedError
    return kind(f"The array refused {method}: {name}.")


def _lun(row: Mapping[str, Any]) -> Lun:
    return Lun(
        id=row["volumeID"],
        name=row["name"],
        target=row["iqn"],
        size_bytes=row["totalSize"],
        owner=_owner(row),
        deleted=row["status"] == "deleted",
        shared=bool(row["volumeAccessGroups"]),
    )


def _owner(row: Mapping[str, Any]) -> Owner | None:
    attributes = row.get("attributes") or {}
    if attributes.get("owner") != OWNER_MARK:
        return None
    return Owner(job=str(attributes.get("job", "")), subject=str(attributes.get("subject", "")))


def _same(found: Owner | None, wanted: Owner) -> bool:
    return found is not None and found.subject == wanted.subject


def _made_by_cloudstack(row: Mapping[str, Any], wanted: Owner) -> bool:
    """Its names end in the snapshot's UUID, and its tag is the number of the row (taken over in an upgrade)."""
    return "CloudStackSnapshotId" in (row.get("attributes") or {}) and row["name"].endswith(f"-{wanted.subject}")


def _attributes(owner: Owner) -> Mapping[str, str]:
    return {"owner": OWNER_MARK, "job": owner.job, "subject": owner.subject}


def _qos(qos: Qos) -> Mapping[str, int]:
    return {"minIOPS": qos.min_iops, "maxIOPS": qos.max_iops, "burstIOPS": qos.burst_iops}
