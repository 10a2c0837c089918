"""What an array holds, each kind in its place, empty at first. Who puts it there and takes it away is beside it."""

import msgspec

from snapproof.simulators.solidfire.bulk_records import BulkJobs
from snapproof.simulators.solidfire.limits import DEFAULT_QOS
from snapproof.simulators.solidfire.logins import Administrator
from snapproof.simulators.solidfire.pair_records import Pairing
from snapproof.simulators.solidfire.records import (
    Account,
    GroupClone,
    GroupRow,
    GroupSnapshot,
    Initiator,
    Job,
    Luns,
    QoS,
    QoSPolicy,
    Snapshot,
    Volume,
)
from snapproof.simulators.solidfire.sessions import Counters, Session
from snapproof.simulators.solidfire.settings import Settings
from snapproof.simulators.solidfire.shelf import Shelf
from snapproof.simulators.solidfire.surface.shapes import Version


class Holdings:
    """The places of everything that an array holds."""

    def __init__(self) -> None:
        self.administrators: Shelf[Administrator] = Shelf()
        self.caller: Administrator | None = None
        """Who is calling, while a call that came through a door is performed."""
        self.newest_api: Version | None = None
        """The newest version that the doors serve, where an older cluster is imitated (older.py). No part of a dump."""
        self.logins_refused = 0
        """How many requests came through a door without valid credentials. No part of what a dump keeps."""
        self.session_timeout = "00:30:00"
        self.accounts: Shelf[Account] = Shelf()
        self.account_ids: dict[str, int] = {}
        self.volumes: Shelf[Volume] = Shelf()
        self.snapshots: Shelf[Snapshot] = Shelf()
        self.groups: Shelf[GroupRow] = Shelf()
        self.luns: Shelf[Luns] = Shelf()
        self.initiators: Shelf[Initiator] = Shelf()
        self.initiator_ids: dict[str, int] = {}
        self.qos_policies: Shelf[QoSPolicy] = Shelf()
        self.default_qos = msgspec.convert(DEFAULT_QOS, QoS)
        self.group_snapshots: Shelf[GroupSnapshot] = Shelf()
        self.settings = Settings()
        self.jobs: Shelf[Job | GroupClone] = Shelf()
        self.running: dict[int, Job] = {}
        self.cloning_into: dict[int, Job] = {}
        self.doomed: list[str] = []
        self.pairing = Pairing()
        self.bulk = BulkJobs()
        self.sessions: Shelf[Session] = Shelf()
        self.counters = Counters()
        self.frozen_blocks = 0
        """The blocks that differ from zero in all snapshots, shared or not."""
        self.provisioned_bytes = 0
