"""A small cluster, a client that speaks to its wire in bytes, and a fingerprint of everything the cluster remembers."""

import base64
import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from snapproof.simulators.blocks import BlockStore
from snapproof.simulators.clock import Transition, VirtualClock
from snapproof.simulators.journal import Journal
from snapproof.simulators.seam import Seam
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.calls import call
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.limits import LIMITS
from snapproof.simulators.solidfire.peers import Peers
from snapproof.simulators.solidfire.shown import shown
from snapproof.simulators.solidfire.surface.checking import strays
from snapproof.simulators.solidfire.surface.pages import surface
from snapproof.simulators.solidfire.wire import Endpoint

GB = 1_000_000_000
HOST = "iqn.1994-05.com.redhat:Host1"
USERNAME, PASSWORD = "admin", "not-for-the-journal"
AUTHORIZATION = "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()


@dataclass
class World:
    """An array with its clock and journal, and the wire in front of it."""

    clock: VirtualClock = field(init=False)
    journal: Journal = field(init=False)
    array: Array = field(init=False)
    seam: Seam = field(init=False)
    endpoint: Endpoint = field(init=False)

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self.journal = Journal(self.clock.time)
        self.array = Array(clock=self.clock, journal=self.journal, blocks=BlockStore(), dice=random.Random(7))
        self.seam = Seam(self.journal)
        self.endpoint = Endpoint(self.array, username=USERNAME, password=PASSWORD, seam=self.seam)

    def node(self) -> Endpoint:
        """The door of the cluster's node."""
        return Endpoint(self.array, username=USERNAME, password=PASSWORD, seam=self.seam, node=True)

    def exchange(
        self,
        body: bytes,
        *,
        path: str = "/json-rpc/12.3",
        authorization: str = AUTHORIZATION,
        verb: str = "POST",
        door: Endpoint | None = None,
    ) -> tuple[int, bytes]:
        """Send bytes to a door, the cluster's when none is named; receive a status and bytes."""
        status, _, answer = (door or self.endpoint)(verb, path, {"authorization": authorization}, body)
        return status, answer

    def ask(
        self, method: str, params: object = None, *, path: str = "/json-rpc/12.3", door: Endpoint | None = None
    ) -> dict[str, Any]:
        """Send a well-formed request and read the envelope of the answer, which is what the tables say it is."""
        body = msgspec.json.encode({"method": method, "id": 1, "params": params})
        status, answer = self.exchange(body, path=path, door=door)
        assert status == 200, answer
        envelope: dict[str, Any] = msgspec.json.decode(answer)
        if "result" in envelope and not surface().methods[method].open:
            assert list(strays(envelope["result"], surface().methods[method].gives, method)) == []
        return envelope

    def result(self, method: str, /, **params: object) -> dict[str, Any]:
        """Send a request that must succeed."""
        answer = self.ask(method, params)
        assert "result" in answer, f"{method} was refused: {answer['error']}"
        found: dict[str, Any] = answer["result"]
        return found

    def error(self, method: str, /, **params: object) -> str:
        """Send a request that must fail and name the error."""
        answer = self.ask(method, params)
        assert "error" in answer, f"{method} was not refused: {answer['result']}"
        name: str = answer["error"]["name"]
        return name

    def account(self, username: str = "tenant") -> int:
        """Arrange an account."""
        number: int = call(self.array, "AddAccount", username=username)["accountID"]
        return number

    def volume(self, account_id: int, name: str = "disk", size: int = GB) -> dict[str, Any]:
        """Arrange a volume and show its row."""
        row: dict[str, Any] = call(self.array, "CreateVolume", name=name, accountID=account_id, totalSize=size)[
            "volume"
        ]
        return row

    def write(self, volume_id: int, offset: int, content: bytes) -> None:
        """Write as a guest would, without the ceremony of an access group."""
        self.array.volumes[volume_id].disk.write(offset, content)

    def content(self, volume_id: int, offset: int, length: int) -> bytes:
        """Read what a volume holds."""
        return self.array.image_of_volume(volume_id).read(offset, length)

    def fingerprint(self) -> str:
        """Hash all that the array remembers: rows, jobs, contents, journaled changes, next numbers, the dice."""
        array = self.array
        rows = [
            [[admin.row, admin.password] for admin in array.administrators],
            [account.row for account in array.accounts],
            [[v.row, v.clone_jobs, v.purge_at_s, v.buried_in] for v in array.volumes],
            [[s.row, s.clone_jobs, s.expires_at_s] for s in array.snapshots],
            list(array.groups),
            [list(array.luns), list(array.initiators), array.initiator_ids],
            [list(array.qos_policies), array.default_qos, list(array.group_snapshots)],
            [list(array.settings.schedules), list(array.settings.networks)],
            [list(array.settings.backup_targets), list(array.settings.containers)],
            [list(array.settings.structure_jobs), array.plant.settings],
            list(array.jobs),
            list(array.running.values()),
            [array.pairing.remembered(), array.bulk.remembered()],
            [v.disk.snapshot().digest() for v in array.volumes],
            [s.image.digest() for s in array.snapshots],
            [[entry.event, str(entry.facts)] for entry in self.journal if entry.side == "array"],
            [str(array._last_numbers), str(array.dice.getstate()), str(array._due), array.provisioned_bytes],
            [array.blocks.used_blocks(), array.account_ids],
        ]
        return hashlib.sha256(msgspec.json.encode(rows, enc_hook=shown)).hexdigest()


@pytest.fixture
def world() -> World:
    """A cluster that holds nothing yet."""
    return World()


@pytest.fixture(scope="session")
def world_maker() -> type[World]:
    """For tests that need a fresh cluster for every example."""
    return World


@pytest.fixture
def disk(world: World) -> dict[str, Any]:
    """One volume, in access group 1 with one host, of account 1."""
    row = world.volume(world.account())
    call(world.array, "CreateVolumeAccessGroup", name="g", initiators=[HOST], volumes=[row["volumeID"]])
    return row


@pytest.fixture(scope="session")
def small_array() -> Callable[..., Array]:
    """Makes clusters with limits of one's own, where a clone takes a minute."""

    def make(**limits: int) -> Array:
        clock = VirtualClock()
        return Array(
            clock=clock,
            journal=Journal(clock.time),
            blocks=BlockStore(),
            dice=random.Random(3),
            clone_time=Transition(seconds=60),
            limits={**LIMITS, **limits},
        )

    return make


@dataclass
class Site:
    """Clusters at one clock that can reach one another."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    peers: Peers[Array] = field(default_factory=Peers)

    def __post_init__(self) -> None:
        self.journal = Journal(self.clock.time)

    def cluster(self, number: int, *, peers: Peers[Array] | None = None) -> Array:
        """Build one more cluster, of this site unless it is given other peers."""
        array = Array(
            clock=self.clock,
            journal=self.journal,
            blocks=BlockStore(),
            dice=random.Random(number),
            name=f"cluster-{number}",
            mvip=f"192.0.2.{number}",
            replication_time=Transition(seconds=10),
            peers=peers or self.peers,
        )
        call(array, "AddAccount", username="tenant")
        return array

    @staticmethod
    def pair_clusters(one: Array, other: Array) -> None:
        """Pair two clusters."""
        key = call(one, "StartClusterPairing")["clusterPairingKey"]
        call(other, "CompleteClusterPairing", clusterPairingKey=key)

    @staticmethod
    def volume(array: Array, **settings: Any) -> int:
        """Create a volume and give its number."""
        made = {"name": "disk", "accountID": 1, "totalSize": GB, **settings}
        number: int = call(array, "CreateVolume", **made)["volumeID"]
        return number

    @staticmethod
    def pair_volumes(source: Array, target: Array, mode: str = "Async") -> tuple[int, int]:
        """Make a volume here follow a new one there."""
        ours, theirs = Site.volume(source), Site.volume(target, name="copy", access="replicationTarget")
        key = call(source, "StartVolumePairing", volumeID=ours, mode=mode)["volumePairingKey"]
        call(target, "CompleteVolumePairing", volumeID=theirs, volumePairingKey=key)
        return ours, theirs

    @staticmethod
    def write(array: Array, number: int, content: bytes, offset: int = 0) -> None:
        """Write as a guest would."""
        array.volumes[number].disk.write(offset, content)

    @staticmethod
    def content(array: Array, number: int, length: int = 4, offset: int = 0) -> bytes:
        """Read what a volume holds."""
        image = array.image_of_volume(number)
        found = image.read(offset, length)
        image.release()
        return found

    @staticmethod
    def replication(array: Array, number: int) -> dict[str, Any]:
        """Show how the pair of a volume is doing."""
        (row,) = call(array, "ListVolumes", volumeIDs=[number])["volumes"]
        (pair,) = row["volumePairs"]
        found: dict[str, Any] = pair["remoteReplication"]
        return found

    @staticmethod
    def refusal(act: Callable[[], object]) -> str:
        """Name the error that a call meets."""
        with pytest.raises(ElementError) as refused:
            act()
        return refused.value.name

    @staticmethod
    def remembered(*arrays: Array) -> list[Any]:
        """Everything about pairs, to compare before with after."""
        return [
            [array.inventory(), array.pairing.remembered(), array._last_numbers.copy(), array.dice.getstate()]
            for array in arrays
        ]


@pytest.fixture
def site() -> Site:
    """A clock, and clusters to build that can reach one another."""
    return Site()


@pytest.fixture
def two(site: Site) -> tuple[Array, Array]:
    """Two clusters that know nothing of each other yet."""
    return site.cluster(1), site.cluster(2)


@pytest.fixture
def paired(two: tuple[Array, Array]) -> tuple[Array, Array]:
    """Two clusters that are paired."""
    Site.pair_clusters(*two)
    return two
