"""What initiators connect to: a disk that belongs to no cluster, and a cluster whose volumes are served."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from snapproof.simulators.blocks import BlockStore, BlockVolume
from snapproof.simulators.clock import VirtualClock
from snapproof.simulators.iscsi.chap import Credentials
from snapproof.simulators.iscsi.portal import Portal, serve
from snapproof.simulators.iscsi.targets import Identity, Lun, UnknownTargetError, Visitor
from snapproof.simulators.iscsi.troubles import DIALECT
from snapproof.simulators.journal import Fact, Journal
from snapproof.simulators.seam import Seam
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.calls import call
from snapproof.simulators.solidfire.iscsi import ElementTargets, serve_iscsi

HOST = "iqn.1994-05.com.redhat:host1"
TARGET = "iqn.2026-11.org.example:disk"
SECRET, OTHER_SECRET = "initiator-sec", "target-secret"
GB = 1_000_000_000


class _OpenDisk:
    """A target that is open: whatever LUNs its owner has."""

    number = 1

    def __init__(self, luns: Mapping[int, Lun], guard: AbstractContextManager[object]) -> None:
        self._luns, self.guard = luns, guard

    def lun(self, number: int) -> Lun | None:
        return self._luns.get(number)

    def numbers(self) -> Sequence[int]:
        return sorted(self._luns)

    def on_drop(self, act: Callable[[], None]) -> None:
        """Nobody is ever cut off."""

    def close(self) -> None:
        """There is nothing to let go of."""


class Disks:
    """The owner of one target without a cluster; whoever comes may open it."""

    def __init__(self, luns: Mapping[int, Lun]) -> None:
        self.luns = dict(luns)
        self.recorded: list[tuple[str, Mapping[str, Fact]]] = []

    def proof_needed(self, *, initiator: str, target: str) -> bool:
        return False

    def credentials(self, *, initiator: str, name: str) -> Credentials | None:
        return None

    def discovered(self, visitor: Visitor) -> Sequence[str]:
        return [TARGET]

    def open(self, visitor: Visitor, target: str) -> _OpenDisk:
        if target != TARGET:
            raise UnknownTargetError(target)
        return _OpenDisk(self.luns, nullcontext())

    def meet(self, act: str) -> None:
        """Nothing goes wrong."""

    def record(self, event: str, **facts: Fact) -> None:
        self.recorded.append((event, facts))


@dataclass(kw_only=True)
class Bench:
    """One disk behind a portal, and what an initiator needs to reach it."""

    portal: Portal
    disk: BlockVolume
    disks: Disks
    dialled: Callable[..., Any]
    open: list[Any] = field(default_factory=list)

    def login(self, **options: Any) -> Any:
        """Log in to the disk."""
        return self.dial(**options).login()

    def dial(self, **options: Any) -> Any:
        """Connect, no more."""
        initiator = self.dialled(self.portal, **{"target": TARGET, **options})
        self.open.append(initiator)
        return initiator


@dataclass(kw_only=True)
class Cluster:
    """A cluster with an account, a volume and an access group with one host, behind a portal."""

    array: Array
    journal: Journal
    clock: VirtualClock
    portal: Portal
    volume: Mapping[str, Any]
    seam: Seam
    dialled: Callable[..., Any]
    open: list[Any] = field(default_factory=list)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Call the API in process; what it shows may be read by its wire names."""
        with self.array.lock:
            return call(self.array, method, **params)

    def dial(self, **options: Any) -> Any:
        """Connect, no more."""
        initiator = self.dialled(self.portal, **{"target": self.volume["iqn"], **options})
        self.open.append(initiator)
        return initiator

    def login(self, **options: Any) -> Any:
        """Log in to the volume."""
        return self.dial(**options).login()

    def content(self, offset: int, length: int) -> bytes:
        """Read the volume as a judge does."""
        image = self.array.image_of_volume(self.volume["volumeID"])
        try:
            return image.read(offset, length)
        finally:
            image.release()


def lun_of(disk: BlockVolume, *, block_bytes: int = 512, writable: bool = True) -> Lun:
    """Show a disk as a LUN."""
    identity = Identity(
        vendor="Example", product="Disk", revision="1", serial="0001", naa=bytes.fromhex("6000000000000001") + bytes(8)
    )
    return Lun(disk=disk, identity=identity, block_bytes=block_bytes, writable=writable)


@pytest.fixture
def bench(initiator_maker: type[Any]) -> Iterator[Bench]:
    """A disk of 16 MiB with blocks of 512 bytes."""
    disk = BlockStore().create(16 << 20)
    disks = Disks({0: lun_of(disk)})
    with serve(disks) as portal:
        served = Bench(portal=portal, disk=disk, disks=disks, dialled=initiator_maker)
        yield served
        for initiator in served.open:
            initiator.close()


@pytest.fixture
def cluster(initiator_maker: type[Any]) -> Iterator[Cluster]:
    """A served cluster whose one volume, 512e and of a GiB, is in an access group with `HOST`."""
    clock = VirtualClock()
    journal = Journal(clock.time)
    array = Array(clock=clock, journal=journal, blocks=BlockStore(), dice=random.Random(7))
    account_id = call(
        array, "AddAccount", username="tenant", initiatorSecret=SECRET, targetSecret=OTHER_SECRET
    )["accountID"]  # fmt: skip
    volume = call(array, "CreateVolume", name="disk", accountID=account_id, totalSize=GB, enable512e=True)["volume"]
    call(array, "CreateVolumeAccessGroup", name="hosts", initiators=[HOST], volumes=[volume["volumeID"]])
    seam = Seam(journal, dialects={"iscsi": DIALECT})
    with serve_iscsi(ElementTargets(array, journal=journal, meet=partial(seam.meet, "iscsi"))) as portal:
        served = Cluster(
            array=array,
            journal=journal,
            clock=clock,
            portal=portal,
            volume=volume,
            dialled=initiator_maker,
            seam=seam,
        )
        yield served
        for initiator in served.open:
            initiator.close()
