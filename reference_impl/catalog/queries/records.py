"""All that is recorded of one snapshot, whatever became of it: for `explain`, which holds it against what exists."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from snapproof.driver import NotFoundError
from snapproof.reference_impl.catalog.queries.snapshots import copies_of
from snapproof.reference_impl.catalog.queries.volumes import lun_of, pool_of
from snapproof.reference_impl.catalog.schema import ACCOUNT, ASYNC_JOB, SNAPSHOTS, STORAGE_LEAK, VOLUMES
from snapproof.reference_impl.catalog.store import Phase
from snapproof.reference_impl.core.names import own_file
from snapproof.reference_impl.core.states import CopyState
from snapproof.vocabulary import SnapshotId, VolumeId


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCopy:
    """A row of snapshot_store_ref that is not known to be gone."""

    role: str
    state: str
    path: str
    physical_size_bytes: int
    digest: str
    store: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What the catalog says of one snapshot. `jobs` are those that are not over, with their phases.

    `files` are the uuids by which its jobs may have called their files.
    """

    snapshot: str
    account: str
    volume: str
    name: str
    state: str
    location: str
    size_bytes: int
    removed: bool
    volume_removed: bool
    lun_id: int
    pool: str
    copies: tuple[RecordedCopy, ...]
    jobs: tuple[str, ...]
    files: tuple[str, ...]
    leaks: tuple[str, ...]


def recorded(connection: Connection, uuid: SnapshotId) -> Recorded:
    """Everything. Raises NotFoundError for an id that no row has."""
    found = (
        select(SNAPSHOTS, ACCOUNT.c.account_name, VOLUMES.c.uuid.label("volume_uuid"))
        .add_columns(VOLUMES.c.removed.label("volume_removed"))
        .join(ACCOUNT, SNAPSHOTS.c.account_id == ACCOUNT.c.id)
        .join(VOLUMES, SNAPSHOTS.c.volume_id == VOLUMES.c.id)
    )
    row = connection.execute(found.where(SNAPSHOTS.c.uuid == uuid)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no snapshot {uuid}, nor was there one.")
    copies = copies_of(connection, uuid, [state for state in CopyState if state is not CopyState.DESTROYED])
    volume = VolumeId(row.volume_uuid)
    return Recorded(
        snapshot=uuid,
        account=row.account_name,
        volume=volume,
        name=row.name,
        state=row.status,
        location=row.location_type or "",
        size_bytes=row.size,
        removed=row.removed is not None,
        volume_removed=row.volume_removed is not None,
        lun_id=lun_of(connection, volume),
        pool=pool_of(connection, volume),
        copies=tuple(
            RecordedCopy(
                role=copy.store_role,
                state=copy.state,
                path=copy.install_path or "",
                physical_size_bytes=copy.physical_size or 0,
                digest=copy.digest or "",
                store=copy.store_name,
            )
            for copy in copies
        ),
        jobs=_unfinished(connection, uuid),
        files=(uuid, *_own_files(connection, uuid)),
        leaks=_leaks(connection, uuid),
    )


def _unfinished(connection: Connection, uuid: str) -> tuple[str, ...]:
    ours = (ASYNC_JOB.c.instance_snapshot == uuid) & ASYNC_JOB.c.phase.not_in([Phase.DONE, Phase.FAILED])
    rows = connection.execute(select(ASYNC_JOB.c.uuid, ASYNC_JOB.c.job_cmd, ASYNC_JOB.c.phase).where(ours))
    return tuple(f"{row.uuid} ({row.job_cmd}, {row.phase})" for row in rows)


def _own_files(connection: Connection, uuid: str) -> Iterator[str]:
    jobs = select(ASYNC_JOB.c.uuid).where(ASYNC_JOB.c.instance_snapshot == uuid)
    return map(own_file, connection.execute(jobs).scalars())


def _leaks(connection: Connection, uuid: str) -> tuple[str, ...]:
    ours = (ASYNC_JOB.c.instance_snapshot == uuid) & STORAGE_LEAK.c.cleared.is_(None)
    found = select(STORAGE_LEAK.c.reason).join(ASYNC_JOB, STORAGE_LEAK.c.job_id == ASYNC_JOB.c.id)
    reasons: Sequence[str] = connection.execute(found.where(ours)).scalars().all()
    return tuple(reasons)
