"""The owner tag in the attributes of Element objects: what is ours, and what CloudStack itself made before us."""

from collections.abc import Mapping
from typing import Any

from snapproof.reference_impl.adapters.element_answers import SnapshotRow, VolumeRow
from snapproof.reference_impl.ports import Owned, OwnedKind, Owner

OWNER_MARK = "managed-snapshots"
"""No product's name: what is ours stays ours when the product is called something else (R-108)."""


def owned_by_us(kind: OwnedKind, number: int, row: VolumeRow | SnapshotRow) -> Owned | None:
    """An object that carries our owner tag; None for one that does not, or that tells no age."""
    owner = owner_of(row.attributes)
    if owner is None or row.createTime is None:
        return None
    return Owned(kind=kind, id=number, name=row.name, owner=owner, created_s=row.createTime.timestamp())


def owner_of(attributes: Mapping[str, Any] | None) -> Owner | None:
    """Who made an object of ours; None for one that is not ours."""
    if attributes is None or attributes.get("owner") != OWNER_MARK:
        return None
    return Owner(job=str(attributes.get("job", "")), subject=str(attributes.get("subject", "")))


def same_owner(found: Owner | None, wanted: Owner) -> bool:
    """Whether an object is of the same subject: a job may be another one that looks for it."""
    return found is not None and found.subject == wanted.subject


def made_by_cloudstack(row: SnapshotRow, wanted: Owner) -> bool:
    """Its names end in the snapshot's UUID, and its tag is the number of the row (taken over in an upgrade)."""
    return "CloudStackSnapshotId" in (row.attributes or {}) and row.name.endswith(f"-{wanted.subject}")
