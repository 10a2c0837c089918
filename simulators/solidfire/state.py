"""What the array holds, and where its numbers, identifiers and time stamps come from.

The changes live beside it (accounts, volumes, snapshots, clones, groups); what hosts and judges see, in array.py.
"""

import heapq
import random
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Self

from snapproof.simulators.blocks import BLOCK_BYTES, BlockStore
from snapproof.simulators.clock import Clock, Transition, iso
from snapproof.simulators.journal import Entry, Fact, Journal
from snapproof.simulators.solidfire.bulk_records import Script
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.holdings import Holdings
from snapproof.simulators.solidfire.limits import LIMITS, PROVISIONED_BYTES_MAX
from snapproof.simulators.solidfire.logins import Administrator
from snapproof.simulators.solidfire.outgoing import NOWHERE, Web
from snapproof.simulators.solidfire.peers import Peers
from snapproof.simulators.solidfire.plant import Fullness, Plant
from snapproof.simulators.solidfire.records import (
    Account,
    GroupRow,
    GroupSnapshot,
    Initiator,
    QoSPolicy,
    Snapshot,
    Volume,
)
from snapproof.simulators.solidfire.settings import VirtualNetwork
from snapproof.simulators.solidfire.sparse import Identity

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Numbered(StrEnum):
    """What gets ascending numbers, each kind from 1, none ever used twice."""

    ACCOUNT = "account"
    ADMINISTRATOR = "administrator"
    VOLUME = "volume"
    SNAPSHOT = "snapshot"
    GROUP = "group"
    INITIATOR = "initiator"
    CLONE = "clone"
    GROUP_CLONE = "group clone"
    HANDLE = "handle"
    SESSION = "session"
    FAULT = "fault"
    QOS_POLICY = "qos policy"
    GROUP_SNAPSHOT = "group snapshot"
    SCHEDULE = "schedule"
    NETWORK = "virtual network"
    BACKUP_TARGET = "backup target"
    CLUSTER_PAIR = "cluster pair"
    BULK_VOLUME = "bulk volume job"


class Change(StrEnum):
    """What takes time: every kind of change whose length can be set."""

    CLONE = "clone"
    GROUP_CLONE = "group clone"
    REPLICATION = "replication"
    BULK_VOLUME = "bulk volume job"


class State(Holdings):
    """Everything the array remembers. `lock` is held by whoever changes or lists it."""

    def __init__(
        self,
        *,
        clock: Clock,
        journal: Journal,
        blocks: BlockStore,
        dice: random.Random,
        name: str = "snapproof",
        mvip: str = "127.0.0.1",
        svip: str = "127.0.0.1:3260",
        clone_time: Transition = Transition(seconds=1.0),  # noqa: B008  a frozen value
        limits: Mapping[str, int] = LIMITS,
        size_bytes: int = PROVISIONED_BYTES_MAX,
        replication_time: Transition = Transition(seconds=1.0),  # noqa: B008  a frozen value
        bulk_time: Transition = Transition(seconds=1.0),  # noqa: B008  a frozen value
        peers: Peers[Self] | None = None,
        web: Web = NOWHERE,
    ) -> None:
        super().__init__()
        self.peers: Peers[Self] = peers or Peers()
        self.lock = self.peers.lock
        self.web = web
        self.clock, self.blocks, self.dice = clock, blocks, dice
        self.name, self.mvip, self.svip = name, mvip, svip
        self.transitions = {
            Change.CLONE: clone_time,
            Change.REPLICATION: replication_time,
            Change.BULK_VOLUME: bulk_time,
        }
        self.limits = limits
        self.fullness_at_least = Fullness.HAPPY
        """What a judge filled the cluster up to; it may really be fuller."""
        self.unique_id = "".join(dice.choices(_LETTERS, k=4))
        self.uuid = self.new_uuid()
        self.identity = Identity(self.unique_id, self.uuid)
        self.plant = Plant(size_bytes, self.identity.uuid_of)
        self.started_s = clock.time()
        self.events: list[Entry] = []
        self.peers.join(self)
        self.scripts: dict[int, Script] = {}
        """The scripts of bulk volume jobs that have begun, by the jobs' numbers."""
        self.bulk_url = f"https://{mvip}:8443/"
        """Where clients with a bulk volume job's key find its ranges; the wiring knows better where it serves them."""
        self._journal = journal
        self._last_numbers: dict[Numbered, int] = dict.fromkeys(Numbered, 0)
        self._due: list[tuple[float, int, int, int]] = []
        self._stamp = (-1, "")

    @property
    def clone_time(self) -> Transition:
        """How long a clone takes; setting it also decides about clones under way."""
        return self.transitions[Change.CLONE]

    @clone_time.setter
    def clone_time(self, transition: Transition) -> None:
        self.transitions[Change.CLONE] = transition

    def next_number(self, kind: Numbered) -> int:
        """Take the next number of a kind."""
        number = self._last_numbers[kind] + 1
        self._last_numbers[kind] = number
        return number

    def number_from(self, kind: Numbered, number: int) -> None:
        """Go on counting from here, as a cluster that has had many of a kind already."""
        self._last_numbers[kind] = max(self._last_numbers[kind], number - 1)

    def administrator_named(self, username: str) -> Administrator | None:
        """Find an administrator; there are few."""
        return next((admin for admin in self.administrators if admin.row.username == username), None)

    def new_uuid(self) -> str:
        """Throw a random (version 4) UUID."""
        text = self.dice.randbytes(16).hex()
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"

    def new_secret(self) -> str:
        """Throw a CHAP secret of the longest length allowed."""
        return "".join(self.dice.choices(_ALPHABET, k=self.limits["secretLengthMax"]))

    def stamp(self) -> str:
        """Write the present time as the API does, to the second."""
        second = int(self.clock.time())
        if self._stamp[0] != second:
            self._stamp = (second, iso(second))
        return self._stamp[1]

    def record(self, event: str, **facts: Fact) -> None:
        """Journal one change, which is an event of the cluster too. Never hand it a secret."""
        self.events.append(self._journal.keep("array", event, facts))

    def remind(self, at_s: float, *, volume_id: int = 0, snapshot_id: int = 0, schedule_id: int = 0) -> None:
        """Note when a volume may be due for its purge, a snapshot for its expiry, or a schedule to run."""
        heapq.heappush(self._due, (at_s, volume_id, snapshot_id, schedule_id))

    def due(self) -> bool:
        """Say whether anything that was noted has come."""
        return bool(self._due) and self._due[0][0] <= self.clock.time()

    def reminders(self, now_s: float) -> Iterator[tuple[float, int, int, int]]:
        """Take what has come, by time, what is noted meanwhile too; whether it still applies is for the caller."""
        while self._due and self._due[0][0] <= now_s:
            yield heapq.heappop(self._due)

    @property
    def used_bytes(self) -> int:
        """What the block store really holds."""
        return self.blocks.used_blocks() * BLOCK_BYTES

    @property
    def provisioned_bytes_max(self) -> int:
        """How much may be promised to volumes."""
        return self.plant.size_bytes * self.plant.thresholds.over_provision_factor

    @property
    def fullness(self) -> Fullness:
        """How full the cluster is, or was made to be."""
        real = self.plant.fullness(self.used_bytes)
        return max(self.fullness_at_least, real)

    def volume(self, volume_id: int) -> Volume:
        """Find a volume, deleted or not. Raises ElementError."""
        volume = self.volumes.get(volume_id)
        if volume is None:
            raise ElementError("xVolumeIDDoesNotExist", volumeID=volume_id)
        return volume

    def account(self, account_id: int) -> Account:
        """Find an account. Raises ElementError."""
        account = self.accounts.get(account_id)
        if account is None:
            raise ElementError("xAccountIDDoesNotExist", accountID=account_id)
        return account

    def snapshot(self, snapshot_id: int) -> Snapshot:
        """Find a snapshot. Raises ElementError."""
        snapshot = self.snapshots.get(snapshot_id)
        if snapshot is None:
            raise ElementError("xSnapshotIDDoesNotExist", f"SnapshotID {snapshot_id} does not exist.")
        return snapshot

    def group(self, group_id: int) -> GroupRow:
        """Find a volume access group. Raises ElementError."""
        group = self.groups.get(group_id)
        if group is None:
            raise ElementError("xVolumeAccessGroupIDDoesNotExist", volumeAccessGroupID=group_id)
        return group

    def qos_policy(self, policy_id: int) -> QoSPolicy:
        """Find a QoS policy. Raises ElementError."""
        policy = self.qos_policies.get(policy_id)
        if policy is None:
            raise ElementError("xQoSPolicyDoesNotExist", f"QoSPolicyID {policy_id} does not exist.")
        return policy

    def group_snapshot(self, group_snapshot_id: int) -> GroupSnapshot:
        """Find a group snapshot. Raises ElementError."""
        group = self.group_snapshots.get(group_snapshot_id)
        if group is None:
            raise ElementError("xGroupSnapshotDoesNotExist", f"GroupSnapshotID {group_snapshot_id} does not exist.")
        return group

    def network(self, network_id: int) -> VirtualNetwork:
        """Find a virtual network. Raises ElementError."""
        network = self.settings.networks.get(network_id)
        if network is None:
            raise ElementError(GUESSED.unknown_id, f"VirtualNetworkID {network_id} does not exist.")
        return network

    def initiator(self, initiator_id: int) -> Initiator:
        """Find an initiator. Raises ElementError."""
        initiator = self.initiators.get(initiator_id)
        if initiator is None:
            raise ElementError("xInitiatorDoesNotExist", f"InitiatorID {initiator_id} does not exist.")
        return initiator

    def initiator_named(self, name: str) -> Initiator | None:
        """Find an initiator by its lower-case name."""
        return self.initiators.get(self.initiator_ids.get(name, 0))
