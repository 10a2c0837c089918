"""A storm: very many jobs at once, one call in a hundred at fault, and the death of the process in the middle of it.

Nothing may be lost, orphaned or billed twice. Every caller asks again, under the same operation id, until he knows how
it ended; time is virtual, so nobody really waits. A short form runs always, `SNAPPROOF_STORM_JOBS=10000` the long one.
"""

import itertools
import logging
import os
import random
import sqlite3
import sys
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pytest

from snapproof.campaign.invariants import violations
from snapproof.driver import ConflictError, DriverError, DriverFactory, DriverUnderTest, UnavailableError
from snapproof.fixtures.caller import SIZE_BYTES, Caller
from snapproof.fixtures.lab import SimulatedLab, simulated_lab
from snapproof.fixtures.shared_clock import SharedClock
from snapproof.lab import Outcome, Scenery
from snapproof.reference_impl.catalog.store import Phase
from snapproof.reference_impl.core.effects import TakeArraySnapshot
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.performing import PERFORMERS, Performer, take_array_snapshot
from snapproof.reference_impl.rules import Rules
from snapproof.reference_impl.settings import Settings
from snapproof.simulators.faults import FAULTS, CrashedError, Fault
from snapproof.simulators.journal import Entry, Fact
from snapproof.vocabulary import LocationType, OperationId, Snapshot, SnapshotRequest, Volume, VolumeRequest

JOBS = int(os.environ.get("SNAPPROOF_STORM_JOBS", "120"))
JOBS_OF_A_VOLUME = 20
ONE_IN = 100
CALLS_OF_A_JOB = 30
"""After so many calls for each job the process dies; they take some forty."""

ACCOUNTS, COPIES_PER_HOST = 7, 4
LIMITS = (COPIES_PER_HOST, Settings().clones_per_volume, Settings().clones_per_node)
ARRAY_CALLS_MAX = 500
"""In any second (R-141); the setting is below it."""
TRIES_MAX = 100
PATIENCE_S = 60.0
SEED = 2026
OF_SERVICES = tuple(word for word in FAULTS if not word.startswith(("crash", "damaged")))
OF_COMMITS = ("refused", "lost_before", "lost_after")
"""While a commit hangs, SQLite lets nobody else write, by a clock that is not ours."""
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  where it exists, an fsync costs nothing

Act: TypeAlias = Callable[[DriverUnderTest], object]
Made: TypeAlias = Mapping[str, Snapshot | Volume]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a caller asks for: the operation, the kind of it, the name or id of its subject, and the verb."""

    operation: str
    kind: str
    subject: str
    act: Act


def taking(name: str, volume: Volume, location: LocationType) -> Asked:
    request = SnapshotRequest(operation=OperationId(name), volume=volume.id, name=name, location=location)
    return Asked(name, location, name, lambda driver: driver.take_snapshot(request))


def creating(name: str, volume: Volume, source: Snapshot | None) -> Asked:
    request = VolumeRequest(
        operation=OperationId(name),
        account=volume.account,
        name=name,
        size_bytes=SIZE_BYTES,
        from_snapshot=None if source is None else source.id,
    )
    return Asked(name, "volume", name, lambda driver: driver.create_volume(request))


def requests_of(number: int, volume: Volume, old: Mapping[str, Snapshot]) -> Iterator[Asked]:
    """Twenty requests about one volume, all of which can succeed, in whatever order."""
    for place in range(8):
        yield taking(f"array-{number}-{place}", volume, LocationType.PRIMARY)
    for place in range(7):
        yield taking(f"backup-{number}-{place}", volume, LocationType.SECONDARY)
    delete, archive = OperationId(f"delete-{number}"), OperationId(f"archive-{number}")
    doomed, moving = old["doomed"].id, old["moving"].id
    yield Asked(delete, "delete", doomed, lambda driver: driver.delete_snapshot(delete, doomed))
    yield Asked(archive, "archive", moving, lambda driver: driver.archive_snapshot(archive, moving))
    yield creating(f"new-{number}", volume, None)
    yield creating(f"of-array-{number}", volume, old["kept"])
    yield creating(f"of-backup-{number}", volume, old["saved"])


class InFlight:
    """How much array or hosts did at once at most, of one subject and in all, by the journal."""

    def __init__(self, begins: str, about: str, identity: str, ends: Collection[str]) -> None:
        self._begins, self._about, self._identity, self._ends = begins, about, identity, ends
        self._present: dict[Fact, Fact] = {}
        self.most_of_one = self.most_in_all = 0

    def hear(self, entry: Entry) -> None:
        """Note one line."""
        if entry.event == self._begins:
            self._present[entry.facts[self._identity]] = entry.facts[self._about]
            self.most_of_one = max(self.most_of_one, *Counter(self._present.values()).values())
            self.most_in_all = max(self.most_in_all, len(self._present))
        elif entry.event in self._ends:
            self._present.pop(entry.facts[self._identity], None)


class Rate:
    """How many calls the array got at most in any second."""

    def __init__(self) -> None:
        self._lately: deque[float] = deque()
        self.most = 0

    def hear(self, entry: Entry) -> None:
        """Note one line."""
        if entry.side == "call" and entry.event.startswith("array."):
            self._lately.append(entry.time_s)
            while self._lately[0] <= entry.time_s - 1:
                self._lately.popleft()
            self.most = max(self.most, len(self._lately))


def catalog_of(lab: SimulatedLab) -> Path:
    return lab._state_directory / "catalog.sqlite"


class Storm:
    """Callers who want everything at once, and a world that fails them."""

    def __init__(self, lab: SimulatedLab, jobs: int) -> None:
        self.lab, self.jobs = lab, jobs
        self._dice = random.Random(f"storm of {SEED}")
        self._calls, self._dies_at, self._dead = 0, 0, False
        self.asked: list[Asked] = []
        self.answers: dict[str, Outcome[object]] = {}
        for number in range(jobs // JOBS_OF_A_VOLUME):
            self.asked += self._arranged(number)
        self._dice.shuffle(self.asked)
        lab.drag_copies()
        self.copies = InFlight("copy started", "host", "into", {"copy finished", "copy given up"})
        ended = {"clone finished", "clone failed", "clone cancelled"}
        self.clones = InFlight("clone started", "source_id", "clone_id", ended)
        self.array = Rate()
        for watcher in (self.copies, self.clones, self.array):
            lab._world.journal.watch(watcher.hear)
        self.began_s = lab.now_s()

    def _arranged(self, number: int) -> Iterator[Asked]:
        caller = Caller(self.lab, account=f"account-{number % ACCOUNTS}")
        volume = caller.used_volume(f"volume-{number}", blocks=2)
        here, there = LocationType.PRIMARY, LocationType.SECONDARY
        wanted = {"doomed": there, "moving": here, "kept": here, "saved": there}
        old = {name: caller.take(f"{name}-{number}", volume.id, place).result() for name, place in wanted.items()}
        return requests_of(number, volume, old)

    def rage(self) -> None:
        """Let all ask at once; the process dies among them, and its next life is no luckier, but lives."""
        self._blow(dies_at=CALLS_OF_A_JOB * self.jobs)
        assert self._dead, "The storm was over before the process died."
        # What hosts had begun for the dead goes on for a while beside what the living ask for.
        self.most = (self.copies.most_of_one, self.clones.most_of_one, self.clones.most_in_all)
        self.unanswered, died_s = len(self.asked) - len(self.answers), self.lab.now_s()
        self._unsettle(dies_at=0)
        self.lab.restart_driver()
        self.restart_s = self.lab.now_s() - died_s
        self._blow(dies_at=0)
        self.lab.repair()
        self.lab.restart_driver()
        self.lab.settle()

    def _blow(self, *, dies_at: int) -> None:
        self._unsettle(dies_at=dies_at)
        clock = self.lab._world.clock
        assert isinstance(clock, SharedClock)
        clock.at_once([partial(self._insist, each) for each in self.asked if each.operation not in self.answers])

    def _unsettle(self, *, dies_at: int) -> None:
        self._calls, self._dies_at, self._dead = 0, dies_at, False
        self.lab._world.seam.unsettle(self._draw)

    def _draw(self, call: str) -> Fault | None:
        """When the process dies, every thread of it does: each at its next call."""
        self._calls += 1
        self._dead = self._dead or self._calls == self._dies_at
        if self._dead:
            return FAULTS["crash_before"]
        if self._dice.randrange(ONE_IN):
            return None
        return FAULTS[self._dice.choice(OF_COMMITS if call.startswith("catalog.") else OF_SERVICES)]

    def _insist(self, asked: Asked) -> None:
        """Ask until the answer is a final one. Who is refused for the moment asks again a little later."""
        for _ in range(TRIES_MAX):
            outcome = self._attempt(asked.act)
            if self._dead:
                return
            if not isinstance(outcome.error, ConflictError | UnavailableError) or self._has_failed(asked):
                self.answers[asked.operation] = outcome
                return
            self.lab._world.clock.sleep(PATIENCE_S * self._dice.uniform(0.5, 1.5))

    def _has_failed(self, asked: Asked) -> bool:
        """Say whether a job was given up for good: its caller is told the same for ever, and it is an answer."""
        with closing(sqlite3.connect(catalog_of(self.lab))) as database:
            found = database.execute("SELECT phase FROM async_job WHERE uuid = ?", (asked.operation,)).fetchone()
        return bool(found == (Phase.FAILED,))

    def _attempt(self, act: Act) -> Outcome[object]:
        try:
            return Outcome(value=act(self.lab.driver))
        except CrashedError:
            return Outcome(crashed=True)
        except DriverError as error:
            return Outcome(error=error)


def broken_promises(storm: Storm) -> Iterator[str]:
    """What was acknowledged and is not there, and what is there and was refused."""
    driver = storm.lab.driver
    snapshots: Mapping[str, Snapshot] = {row.id: row for row in driver.list_snapshots()}
    there = Counter((row.name, row.location) for row in snapshots.values() if row.state == "BackedUp")
    volumes = Counter(row.name for row in driver.list_volumes())
    for asked in storm.asked:
        outcome = storm.answers.get(asked.operation)
        if outcome is None:
            yield f"{asked.operation} never came to an end."
            continue
        wanted = int(outcome.error is None)
        if asked.kind == "delete":
            found = int(asked.subject not in snapshots)
        elif asked.kind == "archive":
            found = int(snapshots[asked.subject].location is LocationType.SECONDARY)
        elif asked.kind == "volume":
            found = volumes[asked.subject]
        else:
            found = there[asked.subject, LocationType(asked.kind)]
        if found != wanted:
            yield f"{asked.operation} was told {outcome.error or 'success'}, and {found} of it are there."


def wrong_bills(storm: Storm) -> Iterator[str]:
    """What is billed twice, not at all, at the wrong place, beyond its end, or with a gap."""
    driver = storm.lab.driver
    events = Counter((row.type, row.subject) for row in driver.usage_events())
    yield from (
        f"{kind} of {subject} was told {times} times." for (kind, subject), times in events.items() if times > 1
    )
    living: Mapping[str, Snapshot] = {row.id: row for row in driver.list_snapshots() if row.state == "BackedUp"}
    lines: dict[str, list[tuple[str, float, float | None]]] = {}
    for line in driver.usage_records():
        lines.setdefault(line.subject, []).append((line.location, line.from_s, line.until_s))
    for subject in living.keys() | lines.keys():
        bill = sorted(lines.get(subject, []), key=lambda line: line[1])
        gaps = [until for (_, _, until), (_, since, _) in itertools.pairwise(bill) if until != since]
        running = [place for place, _, until in bill if until is None]
        wanted = [str(living[subject].location)] if subject in living else []
        if gaps or running != wanted:
            yield f"{subject} should be billed on {wanted or 'nothing'} now; its bill is {bill}."
    made = {row.id for row in driver.list_volumes()} | living.keys()
    told = {subject for kind, subject in events if kind in {"VOLUME.CREATE", "SNAPSHOT.CREATE"}}
    yield from (f"{subject} was made, and nobody was told." for subject in sorted(made - told))


def doubts(storm: Storm) -> Sequence[str]:
    """Everything that is not as it should be."""
    return [*broken_promises(storm), *wrong_bills(storm), *map(str, violations(storm.lab))]


@contextmanager
def quiet_logs() -> Iterator[None]:
    """Ten thousand jobs would log more than anybody reads."""
    log = logging.getLogger("snapproof")
    before = log.level
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(before)


@contextmanager
def stormy(jobs: int, factory: DriverFactory = ReferenceDriver) -> Iterator[Storm]:
    """Have a storm over."""
    with (
        quiet_logs(),
        tempfile.TemporaryDirectory(dir=MEMORY) as directory,
        simulated_lab(
            factory, store="nfs", seed=SEED, directory=Path(directory), scenery=Scenery(copies_per_host=COPIES_PER_HOST)
        ) as lab,
    ):
        storm = Storm(lab, jobs)
        storm.rage()
        yield storm


@pytest.mark.timeout(0 if JOBS > 300 else 300)
def test_in_a_storm_nothing_is_lost_orphaned_or_billed_twice() -> None:
    with stormy(JOBS) as storm:
        lab = storm.lab
        told = Counter(type(outcome.error).__name__ for outcome in storm.answers.values())
        met = Counter(entry.event for entry in lab._world.seam.fired())
        took_s = lab.now_s() - storm.began_s
        sys.stdout.write(f"{len(storm.asked)} jobs in {took_s:.0f} s; told: {dict(told)}; faults met: {dict(met)}\n")
        sys.stdout.write(
            f"{storm.unanswered} of them after a restart that took {storm.restart_s:.0f} s; at most {storm.array.most} "
            f"calls of the array in a second; copies of a host, clones of a volume, clones: {storm.most}\n"
        )
        assert doubts(storm) == []
        assert storm.array.most <= ARRAY_CALLS_MAX
        assert all(found <= limit for found, limit in zip(storm.most, LIMITS, strict=True)), storm.most
        assert told["NoneType"] > 0.9 * JOBS
        assert met.total() - met["crash_before"] > JOBS / 10


def bill_twice(storm: Storm) -> None:
    with closing(sqlite3.connect(catalog_of(storm.lab))) as database, database:
        names = [row[1] for row in database.execute("PRAGMA table_info(outbox)") if row[1] != "id"]
        listed = ", ".join(names)
        database.execute(f"INSERT INTO outbox ({listed}) SELECT {listed} FROM outbox WHERE topic = 'usage' LIMIT 1")  # noqa: S608  of the list above


def forget_one(storm: Storm) -> None:
    taken = next(each for each in storm.asked if each.kind == "SECONDARY")
    (row,) = [row for row in storm.lab.driver.list_snapshots() if row.name == taken.subject]
    storm.lab.driver.delete_snapshot(OperationId("by mistake"), row.id)


class NeverLooks(ReferenceDriver):
    """A planted defect: after a lost answer the array snapshot is simply taken again."""

    def rules(self) -> Rules:
        careless = Performer(do=take_array_snapshot)
        return Rules(performers={**PERFORMERS, TakeArraySnapshot: careless})


def test_what_goes_wrong_in_a_storm_is_found() -> None:
    with stormy(JOBS_OF_A_VOLUME, NeverLooks) as storm:
        found = doubts(storm)
        assert found
        assert all("is an orphan: the driver lists no copy there" in doubt for doubt in found), found
        bill_twice(storm)
        assert any("was told 2 times" in doubt for doubt in wrong_bills(storm))
        forget_one(storm)
        assert any("was told success, and 0 of it are there" in doubt for doubt in broken_promises(storm))
