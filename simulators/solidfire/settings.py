"""What administrators set up beside volumes: snapshot schedules, virtual networks, backup targets, storage containers.

Rows like those of records.py, and the jobs that set a whole structure of it all; no rule lives here.
"""

from typing import Any

import msgspec

from snapproof.simulators.solidfire.records import wire_name
from snapproof.simulators.solidfire.shelf import Shelf


class Weekday(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """A day of the week, 0 being Sunday. Every client writes an offset of 1; it means nothing here."""

    day: int
    offset: int = 1


class Contents(msgspec.Struct, kw_only=True, rename=wire_name, frozen=True, gc=False):
    """What a schedule takes: snapshots of these volumes, a group snapshot where there are several."""

    volumes: list[int]
    name: str | None = None
    enable_remote_replication: bool = False
    retention: str | None = None


class ScheduleRow(msgspec.Struct, kw_only=True, rename=wire_name, gc=False):
    """A schedule as GetSchedule shows it; what it takes stands under scheduleInfo, how often under attributes."""

    attributes: dict[str, Any]
    has_error: bool = False
    hours: int
    last_run_status: str = "Success"
    last_run_time_started: str | None = None
    minutes: int
    monthdays: list[int]
    paused: bool = False
    recurring: bool = True
    run_next_interval: bool = False
    schedule_id: int
    schedule_info: Contents
    schedule_name: str
    schedule_type: str = "Snapshot"
    starting_date: str | None = None
    to_be_deleted: bool = False
    weekdays: list[Weekday]


class Schedule(msgspec.Struct, kw_only=True, gc=False):
    """A schedule and the second at which it runs next."""

    row: ScheduleRow
    next_s: float


class AddressBlock(msgspec.Struct, kw_only=True, gc=False):
    """Consecutive addresses for the nodes of a cluster; `available` has a 1 for each that is free."""

    start: str
    size: int
    available: str


class VirtualNetwork(msgspec.Struct, kw_only=True, gc=False):
    """A VLAN that the cluster serves volumes on."""

    number: int
    tag: int
    name: str
    address_blocks: list[AddressBlock]
    netmask: str
    svip: str
    gateway: str
    namespace: bool
    attributes: dict[str, Any]


class BackupTarget(msgspec.Struct, kw_only=True, rename=wire_name, gc=False):
    """Settings of a place for backups, as ListBackupTargets shows them. The cluster stores them and nothing else."""

    backup_target_id: int
    name: str
    attributes: dict[str, Any]

    def __repr__(self) -> str:
        return f"BackupTarget(backup_target_id={self.backup_target_id}, name={self.name!r})"


class StorageContainer(msgspec.Struct, kw_only=True, gc=False):
    """An account made into a container for virtual volumes; secrets are those of the account."""

    name: str
    uuid: str
    account_id: int


class StructureJob(msgspec.Struct, kw_only=True, gc=False):
    """A cluster structure that is being set: what GetAsyncResult tells about."""

    handle: int
    started_s: float
    create_time: str
    update_time: str
    polls: int = 0
    completed: bool = False
    message: str = ""


class Settings:
    """All of these, by their numbers; containers by the ids of the accounts that they are."""

    __slots__ = ("backup_targets", "containers", "networks", "schedules", "structure_jobs")

    def __init__(self) -> None:
        self.schedules: Shelf[Schedule] = Shelf()
        self.networks: Shelf[VirtualNetwork] = Shelf()
        self.backup_targets: Shelf[BackupTarget] = Shelf()
        self.containers: Shelf[StorageContainer] = Shelf()
        self.structure_jobs: Shelf[StructureJob] = Shelf()
