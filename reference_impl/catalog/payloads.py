"""Reading back what a job has to do, as this release, the one before or the one after wrote it down.

A field that is unknown here is left aside. A field that is missing has a default or stands in the rows that the job is
about; without either, the job is left to a release that can read it.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.engine import Row

from snapproof.reference_impl.catalog.schema import ACCOUNT, SNAPSHOTS, VOLUMES
from snapproof.reference_impl.core.orders import ORDERS, Order


class UnreadableJobError(Exception):
    """Only another release of the management server can carry out this job."""


def read_order(connection: Connection, row: Row[Any]) -> Order:
    """Read the order of one row of async_job. Raises UnreadableJobError."""
    kind = ORDERS.get(row.job_cmd)
    if kind is None:
        raise UnreadableJobError(
            f"Job {row.uuid} is a {row.job_cmd}, which this release does not know; it is left alone."
        )
    try:
        return msgspec.json.decode(row.job_cmd_info, type=kind)
    except msgspec.ValidationError:
        written: dict[str, Any] = msgspec.json.decode(row.job_cmd_info)
    try:
        return msgspec.convert({**_known(connection, row), **written}, type=kind)
    except msgspec.ValidationError as error:
        raise UnreadableJobError(f"Job {row.uuid} lacks what a {row.job_cmd} needs: {error}.") from error


def _known(connection: Connection, job: Row[Any]) -> Mapping[str, Any]:
    """What the rows that a job is about say, under the names that orders have for it."""
    known: dict[str, Any] = {"job": job.uuid, "volume": job.instance_volume, "snapshot": job.instance_snapshot}
    account = select(ACCOUNT.c.account_name).where(ACCOUNT.c.id == job.account_id)
    known["account"] = connection.execute(account).scalar()
    volume = connection.execute(select(VOLUMES).where(VOLUMES.c.uuid == job.instance_volume)).one_or_none()
    if volume is not None:
        known |= {"volume_name": volume.name, "lun_id": int(volume.folder), "size_bytes": volume.size}
    snapshot = connection.execute(select(SNAPSHOTS).where(SNAPSHOTS.c.uuid == job.instance_snapshot)).one_or_none()
    if snapshot is not None:
        known |= {"snapshot_name": snapshot.name, "location": snapshot.location_type, "size_bytes": snapshot.size}
    return {name: value for name, value in known.items() if value is not None}
