"""Port: the lab that a driver works in. Arrange a world, let a guest write, break things, move time, see the truth.

A simulated lab has every power; a rack of real hardware may only look. A step that needs a power which the lab lacks is
NOT-TESTABLE, never passed. How a lab is built is not said here.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from snapproof.driver import DriverUnderTest
from snapproof.hostility import HostileLab
from snapproof.inventory import Inventory
from snapproof.knowledge import KnowingLab
from snapproof.vocabulary import Content, Volume

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class NotTestableError(Exception):
    """The lab lacks the power that this step needs; the verdict is NOT-TESTABLE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenery:
    """What there is in a scenario's world beyond one array, one store and hosts that can do everything."""

    pools: int = 1
    image_stores: int = 1
    resign: bool = True
    """Whether hosts can give the clone of a disk an identity of its own."""
    host_clusters: tuple[bool, ...] = ()
    """Further clusters of hosts, and whether those of each can; guests run on the first."""
    copies_per_host: int | None = None
    capacity_bytes: int | None = None
    """How much a storage pool may be made to hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayVolume:
    """A volume as the array has it. `groups` are the access groups that let hosts reach it."""

    id: int
    name: str
    active: bool
    groups: tuple[int, ...]
    min_iops: int
    max_iops: int
    size_bytes: int = 0
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArraySnapshot:
    """A snapshot as the array has it."""

    id: int
    volume_id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupImage:
    """A file or object on secondary storage, opened by the lab's own reader, not by the driver's."""

    path: str
    physical_size_bytes: int
    virtual_size_bytes: int
    has_parent: bool
    content: Content
    store: str = ""
    """The image store where it lies, by its name in the site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Generic[T_co]):
    """How one verb of the driver ended: with a value, with an error, or with the death of the driver's process.

    `took_s` is by the clock on the wall, without waiting for a processor; 0 where nobody looked.
    """

    value: T_co | None = None
    error: Exception | None = None
    crashed: bool = False
    took_s: float = 0

    def result(self) -> T_co:
        """Give the value; raises AssertionError, saying how the verb ended instead."""
        if self.crashed:
            raise AssertionError("The driver's process died in the middle of the verb.")
        if self.error is not None:
            raise AssertionError(f"The driver failed: {type(self.error).__name__}: {self.error}") from self.error
        assert self.value is not None, "The verb answers nothing."
        return self.value

    def raise_if_failed(self) -> None:
        """Raise AssertionError, saying how the verb ended, unless it ended well."""
        if self.crashed or self.error is not None:
            self.result()


@dataclass(slots=True)
class Meanwhile(Generic[T]):
    """What a second caller was told, once it has asked. `asked` says whether the moment has come."""

    outcome: Outcome[T] = Outcome()
    asked: bool = False
    asked_s: float = 0


class GuestEvent(StrEnum):
    """What can befall a machine while its volume is worked on."""

    HALT = "halt"
    BOOT = "boot"
    REBOOT = "reboot"
    MIGRATE = "migrate"
    SNAPSHOT = "snapshot"  # of its disk, by the hypervisor: the LUN holds a chain from then on


@dataclass(frozen=True, slots=True)
class Crossing:
    """A call or an act of a service by its label, the durable state before it, if noted, and who could go before."""

    label: str
    state: str = ""
    others: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Work that array or hosts did: what on, from which line of the journal to which; None if it goes on still."""

    subject: str
    first: int
    last: int | None


class Guest(Protocol):
    """A running machine whose disk is the volume."""

    def write(self, offset: int, text: bytes) -> None:
        """Write bytes to the disk; they are on the LUN when this returns."""

    def read(self, offset: int, length: int) -> bytes:
        """Read bytes from the disk."""

    def fill(self, *, blocks: int) -> None:
        """Write a recognisable pattern over `blocks` blocks at places drawn from the run's seed."""

    def keep_writing(self) -> AbstractContextManager[None]:
        """While the context is open, write once at every external call that the driver makes."""

    def content(self) -> Content:
        """What the guest believes is on its disk, remembered apart from the LUN."""

    def undergo(self, event: GuestEvent) -> None:
        """Let something befall the machine by the hand of its host's administrator."""

    def stop(self) -> None:
        """Shut down; the host lets go of the LUN."""


class Lab(HostileLab, KnowingLab, Protocol):
    """The world of one scenario."""

    @property
    def driver(self) -> DriverUnderTest:
        """The driver's present life."""

    def attempt(self, verb: Callable[[DriverUnderTest], T]) -> Outcome[T]:
        """Ask the driver for one verb and say how it ended; armed faults may kill the driver in the middle."""

    def meanwhile(self, call: str, verb: Callable[[DriverUnderTest], T]) -> "Meanwhile[T]":
        """Ask the driver for a verb while it makes this call for another: a second caller at the same time."""

    def at_once(self, verbs: Sequence[Callable[[DriverUnderTest], T]]) -> Sequence[Outcome[T]]:
        """Ask the driver for all of these at the same time, as so many callers; say how each ended."""

    def give_turn(self, call: str, caller: int) -> None:
        """Of those who act at once, hold up whoever makes this call, before it, and let number `caller` go on."""

    def chances(self) -> Sequence[Crossing]:
        """Where somebody who acted at once with others could have been held up, in order."""

    def overtake(self, call: str) -> None:
        """Hold the driver up behind this call, and take it for dead: another life does its work, then it goes on."""

    def start_guest(self, volume: Volume) -> Guest:
        """Attach the volume to a new guest, formatting its LUN for the host where it is blank."""

    def arm(self, call: str, fault: str) -> None:
        """Let one call meet a fault: `array.CloneVolume#1`, `refused:xMaxClonesPerVolumeExceeded`.

        Calls are counted from the last `watch_calls`. Faults: refused, error_after, lost_before, lost_after,
        crash_before, crash_after; `refused` and `error_after` may name an error of the service.
        """

    def break_service(self, call: str, fault: str) -> None:
        """Let every call of `service.method` meet the fault until `repair`."""

    def unsettle(self, one_in: int) -> None:
        """Let one call of the driver in so many meet a fault, drawn from the run's seed; until `repair`."""

    def doubts(self) -> Sequence[str]:
        """What does not hold of the driver now, of all that must hold whenever nothing is under way."""

    def peak_memory_bytes(self) -> int:
        """The most memory that the driver's process ever had in use, the lab's own in the same process included."""

    def faults_met(self) -> int:
        """How many faults have struck so far."""

    def slow_down(self, service: str, seconds: float) -> None:
        """Let every call of a service take so long, until `repair`."""

    def doom_next_clone(self, error: str) -> None:
        """Let the array accept the next clone, and fail it with this error afterwards."""

    def drag_copies(self) -> None:
        """Let the copies of the hosts take their time, so that they meet; until `repair`."""

    def stall(self, work: str) -> None:
        """Let `clones` of the array or `copies` of the hosts go on for ever, until `repair`."""

    def leave_space(self, size_bytes: int) -> None:
        """Let the export that hosts write to take so many bytes more, until `repair`."""

    def crowd_group(self, *, volumes: int, initiators: int) -> None:
        """Fill the access group of the hosts with other people's volumes and initiators, up to these numbers."""

    def crowd_hosts(self, *, room: int) -> None:
        """Let the hosts have as many storage repositories as they may, but for `room`, until `repair`."""

    def crowd_export(self, directories: int) -> None:
        """Put so many directories beside the backups; they belong to other people."""

    def take_host_out(self, number: int, how: str) -> None:
        """Let a host be `disabled` for new work or `down`, until `repair`. Host 1 is the one that leads."""

    def host_name(self, number: int) -> str:
        """What `spans` call a host."""

    def repair(self) -> None:
        """Take every fault away, and everything else that held work up."""

    def watch_calls(self) -> None:
        """Count external calls from one again: what came before was arrangement."""

    def calls(self) -> Sequence[str]:
        """The external calls that the driver made since the last `watch_calls`, in order, as `service.method#n`."""

    def acts(self) -> Sequence[str]:
        """What services did inside since the last `watch_calls`, whoever caused it, as `service.act#n`.

        Acts can meet faults of their own, as a disk that fills up; a lab that cannot count them names none.
        """

    def note_crossings(self, *, states: bool = False) -> None:
        """Note calls and acts from now on, in one order, until `repair`; `states`: those behind the last fault, too."""

    def crossings(self) -> Sequence[Crossing]:
        """The calls and acts that were noted."""

    def durable_state(self) -> str:
        """A digest of all that survives a driver's death, without times and counts; and in words what is under way."""

    def spans(self, work: str) -> Sequence[Span]:
        """What was done since the last `watch_calls`, in the order of its beginnings.

        Work is `copies`, by the host that does them.
        """

    def moments_of(self, call: str) -> Sequence[float]:
        """When the driver made the calls of a `service.method` since the last `watch_calls`, in order."""

    def pauses_of(self, call: str) -> Sequence[float]:
        """How many seconds lay between those calls, by the clock that the driver lives by."""

    def unspent_faults(self) -> Sequence[str]:
        """Faults that were armed and never met."""

    def revive(self, *, reconcile: bool = True) -> Outcome[None]:
        """Do as `restart_driver` does, as far as armed faults let it, and say how it ended."""

    def restart_driver(self) -> DriverUnderTest:
        """Kill the driver's life, if it still lives, start the next one on the same state, and let it reconcile."""

    def now_s(self) -> float:
        """The time of this world, in seconds since the Unix epoch."""

    def advance(self, seconds: float, *, for_the_driver: bool = False) -> None:
        """Let time pass in this world. Raises NotTestableError where the driver is to live through it and cannot."""

    def jump_clock(self, seconds: float, *, before: str = "") -> None:
        """Set the world's clock forward or back, now or before a call: nothing happens in between."""

    def settle(self) -> None:
        """Let everything end that is still under way on array and hosts, whoever began it."""

    def inventory(self) -> Inventory:
        """Everything that exists, on all sides."""

    def leftovers(self) -> Sequence[str]:
        """What hosts and access groups hold that serves no running guest, one line each."""

    def formatted_over(self) -> Sequence[str]:
        """Storage repositories that were destroyed because a host was told to format the LUN that held them."""

    def unfinished_uploads(self) -> Sequence[str]:
        """Uploads to secondary storage that were begun and neither completed nor aborted."""

    def encrypt_bucket(self, key_id: str) -> None:
        """Begin a life of the driver that is to have the store encrypt backups with the key of this id."""

    def encrypted_with(self, path: str) -> str:
        """Say with which key the store encrypts an object, as it was told and has acknowledged; empty for none."""

    def address_bucket_by_host(self) -> None:
        """Begin a life of the driver that is to write the bucket's name into the host's."""

    def set_array_api(self, newest: str) -> None:
        """Let the array be of an older release, and begin a life of the driver with it.

        Its API goes up to a version as `7.0`; its answers hold members that nobody knows, and lack those they may lack.
        """

    def array_rights(self) -> Sequence[str]:
        """What the driver's account on the array may do, in the array's own words, sorted."""

    def was_users(self, array_volume: int) -> bool:
        """Say whether an array volume was a user's volume at some time, as far as the driver ever listed it."""

    def expect_resize(self, volume: Volume) -> None:
        """Whoever owns the guest knows that its disk may be made larger; its memory follows what the hosts do."""

    def expect_revert(self, volume: Volume) -> None:
        """Whoever owns the guest knows that its disk may be reverted; its memory follows what the array does."""

    def lose_array_snapshot(self, number: int) -> None:
        """Delete a snapshot on the array behind the driver's back."""

    def lose_array_volume(self, volume: Volume) -> None:
        """Delete a volume on the array for good, behind the driver's back. No guest may run on it."""

    def grow_volume(self, volume: Volume, more_bytes: int) -> None:
        """Make a volume's LUN larger, as whoever resizes volumes does."""

    def clone_for_others(self, volume: Volume) -> None:
        """Let somebody else clone a volume on the array, as whoever caches templates does."""

    def empty_directories(self) -> Sequence[str]:
        """Directories of the export that hold nothing, other people's excluded."""

    def odd_array_snapshots(self) -> Sequence[str]:
        """Array snapshots made in a group, for replication, or with an end of their own, whatever became of them."""

    def let_hosts_resign(self, *, able: bool) -> None:
        """Give the hosts the power to give clones an identity of their own, or take it away, as an update does."""

    def damage_to_others(self) -> Sequence[str]:
        """What became of volumes, snapshots and files that are not the driver's, if anything."""

    def array_volumes(self) -> Sequence[ArrayVolume]:
        """The array's volumes, deleted but unpurged ones included, other people's excluded."""

    def array_snapshots(self) -> Sequence[ArraySnapshot]:
        """The array's snapshots, other people's excluded."""

    def backups(self) -> Sequence[BackupImage]:
        """Every finished or unfinished file and object on secondary storage, sorted by path."""

    def array_volume_of(self, volume: Volume) -> ArrayVolume | None:
        """The array's volume behind a driver's volume; None if the array has purged it."""

    def captured_text(self) -> str:
        """Everything that was written down or printed: logs, journal, errors, metadata of objects, state files."""

    def secrets(self) -> Sequence[str]:
        """The credentials of this world; none may ever stand in `captured_text`."""

    def journal_digest(self) -> str:
        """A hash over all that happened; the same seed gives the same."""
