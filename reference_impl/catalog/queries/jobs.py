"""Reading jobs: who works on what, and who has to wait for it."""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, bindparam, or_, select

from snapproof.driver import ConflictError, NotFoundError
from snapproof.reference_impl.catalog.engines import locked
from snapproof.reference_impl.catalog.image_tables import VM_TEMPLATE
from snapproof.reference_impl.catalog.schema import ACCOUNT, ASYNC_JOB, SNAPSHOTS, VOLUMES
from snapproof.reference_impl.catalog.store import Phase
from snapproof.reference_impl.core.orders import ArchiveSnapshot, BackUpSnapshot, Order, TakeSnapshot
from snapproof.vocabulary import AccountId, OperationId

_SUBJECTS = {"instance_volume": VOLUMES, "instance_snapshot": SNAPSHOTS, "instance_template": VM_TEMPLATE}
_BUSY = (Phase.RUNNING, Phase.UNDOING)

_FAILED = select(ASYNC_JOB.c.id).where(
    ASYNC_JOB.c.instance_snapshot == bindparam("snapshot"), ASYNC_JOB.c.phase == Phase.FAILED
)
_ROWS = {column: select(table.c.id).where(table.c.uuid == bindparam("subject")) for column, table in _SUBJECTS.items()}
_WORKING = {
    column: select(ASYNC_JOB.c.uuid).where(
        ASYNC_JOB.c[column] == bindparam("subject"), ASYNC_JOB.c.phase.in_(bindparam("phases", expanding=True))
    )
    for column in _SUBJECTS
}
_WORKING_ON_ORDERS = {
    column: working.where(ASYNC_JOB.c.job_cmd.in_(bindparam("kinds", expanding=True)))
    for column, working in _WORKING.items()
}


def running_backup(connection: Connection, operation: OperationId) -> OperationId:
    """The job that backs up now what an operation wanted backed up. Raises NotFoundError, ConflictError."""
    found = connection.execute(select(ASYNC_JOB.c.instance_snapshot).where(ASYNC_JOB.c.uuid == operation)).one_or_none()
    if found is None:
        raise NotFoundError(f"There is no operation {operation}.")
    running = (ASYNC_JOB.c.instance_snapshot == found[0]) & (ASYNC_JOB.c.phase == Phase.RUNNING)
    kinds = [kind.__name__ for kind in (TakeSnapshot, ArchiveSnapshot, BackUpSnapshot)]
    job = connection.execute(select(ASYNC_JOB.c.uuid).where(running, ASYNC_JOB.c.job_cmd.in_(kinds))).scalar()
    if job is None:
        raise ConflictError(f"Operation {operation} is no backup that runs; there is nothing to cancel.")
    return OperationId(job)


def owner_of_job(connection: Connection, operation: OperationId, about: str | None = None) -> AccountId:
    """For whom a job works, if it works on what it is said to be about. Raises NotFoundError."""
    found = select(ACCOUNT.c.account_name).join(ASYNC_JOB, ASYNC_JOB.c.account_id == ACCOUNT.c.id)
    if about is not None:
        found = found.where(or_(*(ASYNC_JOB.c[name] == about for name in _SUBJECTS)))
    name = connection.execute(found.where(ASYNC_JOB.c.uuid == operation)).scalar()
    if name is None:
        raise NotFoundError(f"There is no operation {operation}.")
    return AccountId(name)


def unfinished_clean_up(connection: Connection, uuid: str) -> Sequence[OperationId]:
    """The jobs that still clean up behind a success with this snapshot."""
    which = (ASYNC_JOB.c.instance_snapshot == uuid) & (ASYNC_JOB.c.phase == Phase.CLEANING)
    return [OperationId(job) for job in connection.execute(select(ASYNC_JOB.c.uuid).where(which)).scalars()]


def has_failed(connection: Connection, snapshot: str) -> bool:
    """Say whether a job with a snapshot has failed: what it asked for may yet come."""
    return connection.execute(_FAILED, {"snapshot": snapshot}).first() is not None


def require_idle(
    connection: Connection,
    *,
    volume: str | None = None,
    snapshot: str | None = None,
    template: str | None = None,
    cleaned_up: bool = False,
    kinds: Collection[type[Order]] = (),
) -> None:
    """Refuse while another job works on the volume, snapshot or template, or even only cleans up.

    Raises ConflictError.
    `kinds` narrows this to jobs of certain orders.
    """
    busy = (*_BUSY, Phase.CLEANING) if cleaned_up else _BUSY
    asked = {"instance_volume": volume, "instance_snapshot": snapshot, "instance_template": template}
    ((column, uuid),) = [(name, subject) for name, subject in asked.items() if subject is not None]
    # Its own row stands for the jobs that may not be there yet: of two who check at once, one waits for the other.
    connection.execute(locked(connection, _ROWS[column]), {"subject": uuid})
    working = (_WORKING_ON_ORDERS if kinds else _WORKING)[column]
    wanted = {"subject": uuid, "phases": busy, "kinds": [kind.__name__ for kind in kinds]}
    row = connection.execute(working, wanted).first()
    if row is not None:
        raise ConflictError(f"Job {row.uuid} is still working on {uuid}; wait for its end.")
