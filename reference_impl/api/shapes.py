"""What answers are made of: each field with its type, an example, and where in a row it stands. None is left out.

docs/api.md is written from these tables, and a test holds every answer to them. Sizes are bytes, moments ISO 8601.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from snapproof.reference_impl.catalog.schema import INTERVALS
from snapproof.reference_impl.core.names import id_of
from snapproof.vocabulary import LocationType, SnapshotState

Row: TypeAlias = Mapping[str, Any]
ZONE = "zone-1"
ZONE_ID = id_of("zone", ZONE)
PROJECT_TYPE = 5
GIB = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of an answer."""

    name: str
    kind: str
    example: object
    purpose: str
    value: Callable[[Row], Any]


def field(name: str, kind: str, example: object, purpose: str, value: Callable[[Row], Any] | str) -> Field:
    """A field that stands in the row under a name, or is reckoned from it."""
    if isinstance(value, str):
        column = value
        return Field(name=name, kind=kind, example=example, purpose=purpose, value=lambda row: row[column])
    return Field(name=name, kind=kind, example=example, purpose=purpose, value=value)


def moment(column: str) -> Callable[[Row], str | None]:
    """A moment of the catalog, which has no zone and means UTC."""

    def told(row: Row) -> str | None:
        at: datetime | None = row[column]
        return None if at is None else at.replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%S%z")

    return told


def _is_project(row: Row) -> bool:
    return bool(row["account_type"] == PROJECT_TYPE)


OWNER = (
    field("account", "string", "team-blue", "who owns it", lambda row: None if _is_project(row) else row["account"]),
    field(
        "project", "string", "quay", "which project owns it", lambda row: row["account"] if _is_project(row) else None
    ),
    field(
        "projectid",
        "uuid",
        "5c1f4b1e-7c0c-5a3e-9d55-3b8c7d0f2a11",
        "the project's id",
        lambda row: id_of("project", row["account"]) if _is_project(row) else None,
    ),
    field("domain", "string", "north", "the owner's domain", lambda row: domain_name(row["domain_path"])),
    field(
        "domainid",
        "uuid",
        "0b1d2c3e-7c0c-5a3e-9d55-3b8c7d0f2a11",
        "the domain's id",
        lambda row: row["domain_uuid"] or id_of("domain", row["domain_path"] or "/"),
    ),
)
TAGS = field("tags", "list", [{"key": "for", "value": "audit"}], "the caller's own words", lambda row: row.get("tags"))


def domain_name(path: str | None) -> str:
    """A domain's own name; the root has one too."""
    return (path or "/").rstrip("/").rpartition("/")[2] or "ROOT"


def _interval(row: Row) -> str:
    return str(row["type_description"] or "MANUAL")


def _revertable(row: Row) -> bool:
    """Only from the array, and only while there is the volume (R-019)."""
    there = row["location_type"] == LocationType.PRIMARY and row["volume_removed"] is None
    return bool(there and row["status"] == SnapshotState.BACKED_UP)


SNAPSHOT = (
    field("id", "uuid", "3f0f8d4e-5b43-5cf3-8f6d-0c8f5a8f5a11", "the snapshot's id", "uuid"),
    field("name", "string", "nightly", "its name", "name"),
    field("state", "string", "BackedUp", "CloudStack's state; BackedUp means finished, at either place", "status"),
    field("locationtype", "string", "PRIMARY", "PRIMARY (the array) or SECONDARY", "location_type"),
    field("volumeid", "uuid", "9d9f8d4e-5b43-5cf3-8f6d-0c8f5a8f5a11", "the volume it is of", "volume_uuid"),
    field("volumename", "string", "database", "that volume's name", "volume_name"),
    field("volumetype", "string", "DATADISK", "that volume's type", lambda _row: "DATADISK"),
    field("created", "date", "2026-11-22T16:00:00+0000", "when it was taken", moment("created")),
    field("snapshottype", "string", "MANUAL", "MANUAL, or the interval of its policy", _interval),
    field("intervaltype", "string", "MANUAL", "the same, under its older name", _interval),
    field("virtualsize", "long", 3145728, "guest-visible bytes", "size"),
    field("physicalsize", "long", 1048576, "bytes that lie where it is", lambda row: row["physical_size"] or 0),
    field("revertable", "boolean", True, "whether its volume can be taken back to it", _revertable),
    field("zoneid", "uuid", ZONE_ID, "the zone", lambda _row: ZONE_ID),
    *OWNER,
    TAGS,
)
VOLUME = (
    field("id", "uuid", "9d9f8d4e-5b43-5cf3-8f6d-0c8f5a8f5a11", "the volume's id", "uuid"),
    field("name", "string", "database", "its name", "name"),
    field("size", "long", 1073741824, "guest-visible bytes", "size"),
    field("state", "string", "Ready", "CloudStack's state", "state"),
    field("type", "string", "DATADISK", "what it is used as", lambda _row: "DATADISK"),
    field("miniops", "long", 100, "guaranteed IOPS", "min_iops"),
    field("maxiops", "long", 15000, "maximum IOPS", "max_iops"),
    field("created", "date", "2026-11-22T16:00:00+0000", "when it was made", moment("created")),
    field("zoneid", "uuid", ZONE_ID, "the zone", lambda _row: ZONE_ID),
    field("zonename", "string", ZONE, "the zone's name", lambda _row: ZONE),
    field("hypervisor", "string", "XenServer", "what uses it", lambda _row: "XenServer"),
    field("storagetype", "string", "shared", "kind of storage", lambda _row: "shared"),
    *OWNER,
    TAGS,
)
POLICY = (
    field("id", "uuid", "1f0f8d4e-5b43-5cf3-8f6d-0c8f5a8f5a11", "the policy's id", "uuid"),
    field("volumeid", "uuid", "9d9f8d4e-5b43-5cf3-8f6d-0c8f5a8f5a11", "the volume it is about", "volume_uuid"),
    field("schedule", "string", "0:4", "when in its interval, minute first", "schedule"),
    field("timezone", "string", "Europe/Berlin", "where that time is", "timezone"),
    field("intervaltype", "integer", 1, "0 hourly, 1 daily, 2 weekly, 3 monthly", "interval"),
    field("maxsnaps", "integer", 8, "how many are kept", "max_snaps"),
    field("locationtype", "string", "PRIMARY", "where its snapshots go", lambda row: row["location_type"] or "PRIMARY"),
    field("fordisplay", "boolean", True, "whether users are shown it", lambda _row: True),
)
TEMPLATE = (
    field("id", "uuid", "2f0f8d4e-5b43-5cf3-8f6d-0c8f5a8f5a11", "the template's id", "uuid"),
    field("name", "string", "golden", "its name", "name"),
    field("displaytext", "string", "golden", "the same, for people", "name"),
    field("size", "long", 3145728, "guest-visible bytes", "size"),
    field("physicalsize", "long", 1048576, "bytes that lie on secondary storage", "physical_size"),
    field("format", "string", "VHD", "of its file", "format"),
    field("hypervisor", "string", "XenServer", "what can use it", "hypervisor_type"),
    field("status", "string", "Download Complete", "CloudStack's word for ready", lambda _row: "Download Complete"),
    field("isready", "boolean", True, "whether it can be used", lambda _row: True),
    field("created", "date", "2026-11-22T16:00:00+0000", "when it was made", moment("created")),
    field("zoneid", "uuid", ZONE_ID, "the zone", lambda _row: ZONE_ID),
    *OWNER,
    TAGS,
)
EVENT = (
    field("id", "uuid", "4f0f8d4e-5b43-5cf3-8f6d-0c8f5a8f5a11", "its id", lambda row: id_of("event", str(row["id"]))),
    field("type", "string", "SNAPSHOT.CREATE", "what was done", "type"),
    field("state", "string", "Completed", "Started or Completed", "state"),
    field("level", "string", "INFO", "INFO, or ERROR where it failed", "level"),
    field("username", "string", "sue", "who asked", lambda row: row["username"] or "system"),
    field("description", "string", "SNAPSHOT.CREATE of 3f0f8d4e", "in words", "description"),
    field("created", "date", "2026-11-22T16:00:00+0000", "when", moment("created")),
    *OWNER,
)
USAGE = (
    field("usageid", "uuid", "3f0f8d4e-5b43-5cf3-8f6d-0c8f5a8f5a11", "the snapshot that is billed", "source_uuid"),
    field("usagetype", "integer", 9, "CloudStack's number for snapshots", lambda _row: 9),
    field("locationtype", "string", "SECONDARY", "where it lies", "location_type"),
    field("size", "long", 1048576, "bytes that are billed", "size"),
    field("startdate", "date", "2026-11-22T16:00:00+0000", "from when on", moment("created")),
    field("enddate", "date", "2026-11-23T16:00:00+0000", "until when; nothing while it goes on", moment("deleted")),
    field("zoneid", "uuid", ZONE_ID, "the zone", lambda _row: ZONE_ID),
    *OWNER,
)
ACCOUNT = (
    field("id", "uuid", "6f0f8d4e-5b43-5cf3-8f6d-0c8f5a8f5a11", "the account's id", "id"),
    field("name", "string", "team-blue", "its name", "name"),
    field("accounttype", "integer", 0, "0 user, 1 root, 2 domain, 4 reader, 5 project", "accounttype"),
    field("rolename", "string", "user", "its role", "rolename"),
    field("state", "string", "enabled", "enabled or disabled", "state"),
    field("domain", "string", "north", "its domain", lambda row: domain_name(row["domain_path"])),
    field("domainid", "uuid", "0b1d2c3e-7c0c-5a3e-9d55-3b8c7d0f2a11", "the domain's id", "domainid"),
    field("snapshottotal", "long", 3, "how many snapshots it is charged", "snapshottotal"),
    field("snapshotlimit", "string", "20", "how many it may have", "snapshotlimit"),
    field("secondarystoragetotal", "long", 1048576, "bytes on secondary storage", "secondarystoragetotal"),
    field("user", "list", [{"username": "sue", "id": "7f0f8d4e"}], "who acts for it", "user"),
)
SHAPES: Mapping[str, Sequence[Field]] = {
    "snapshot": SNAPSHOT,
    "volume": VOLUME,
    "snapshotpolicy": POLICY,
    "template": TEMPLATE,
    "event": EVENT,
    "usagerecord": USAGE,
    "account": ACCOUNT,
}
"""The fields of what is listed, by the name under which a list holds it."""

KINDS: Mapping[str, tuple[type, ...]] = {
    "uuid": (str,),
    "string": (str,),
    "date": (str,),
    "integer": (int,),
    "long": (int,),
    "boolean": (bool,),
    "list": (list,),
}
"""What a field of each kind is in JSON."""


def shaped(noun: str, row: Row) -> dict[str, Any]:
    """Write one row as an answer holds it."""
    values = {each.name: each.value(row) for each in SHAPES[noun]}
    return {name: value for name, value in values.items() if value is not None}


def shaped_all(noun: str, rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Write rows as an answer holds them."""
    return [shaped(noun, row) for row in rows]


def interval_of(name: str) -> int:
    """CloudStack's number of an interval."""
    return next(number for number, interval in enumerate(INTERVALS) if interval == name)
