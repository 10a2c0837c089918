"""Leases: of the servers that share a catalog, one carries out a job; the others wait, or notice before they act."""

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from snapproof.campaign.invariants import violations
from snapproof.campaign.schedule import Schedule
from snapproof.driver import ConflictError
from snapproof.fixtures.caller import Caller
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.reference_impl.catalog.engines import Terms
from snapproof.reference_impl.catalog.leases import Leases
from snapproof.reference_impl.catalog.store import Catalog, Job, OvertakenError, Phase
from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core.orders import DeleteVolume
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.ports import TransientError
from snapproof.reference_impl.settings import Settings
from snapproof.simulators.clock import VirtualClock
from snapproof.simulators.faults import fault_named
from snapproof.simulators.journal import Entry, Journal
from snapproof.simulators.seam import Seam
from snapproof.site import Answer, Endpoint, Wire
from snapproof.vocabulary import LocationType, OperationId, SnapshotState

LEASE_S = 60.0
T = TypeVar("T")


def once(attempt: Callable[..., T]) -> T:
    """Repeat nothing."""
    return attempt(again=False)


@dataclass
class Lives:
    """Who made which calls: the first server until the second came, the second, and the first again."""

    first: list[str] = field(default_factory=list)
    second: list[str] = field(default_factory=list)
    afterwards: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.now = self.first


@dataclass
class Server:
    """One life of a management server."""

    catalog: Catalog
    leases: Leases

    def job(self) -> Job:
        """The job as it stands."""
        found = self.catalog.job(OperationId("job"))
        assert found is not None
        return found

    def open(self) -> Job:
        """Open the job, as whoever was asked first."""
        order = DeleteVolume(job="job", account="blue", volume="v", release_lun=None)
        with self.catalog.transaction() as session:
            Transaction(session, self.catalog.now()).open_job(order, volume="v", snapshot=None)
        return self.job()

    def record(self, held: Job) -> Job:
        """Record a step."""
        with self.catalog.transaction() as session:
            Transaction(session, self.catalog.now()).advance_job(held, Phase.RUNNING, held.cursor + 1, {}, None)
        return replace(self.job(), fence=held.fence)


class House:
    """Servers that share one catalog and one clock."""

    def __init__(self, url: str) -> None:
        self.clock = VirtualClock()
        self.seam = Seam(Journal(self.clock.time))
        self._url = url
        self._opened = ExitStack()

    def server(self, node: int) -> Server:
        """Start a server, or start it again."""
        terms = Terms(node=node, lease_s=LEASE_S)
        catalog = Catalog(self._url, call_point=self.seam, clock=self.clock, terms=terms)
        self._opened.callback(catalog.close)
        return Server(catalog, Leases(catalog, terms))

    def close(self) -> None:
        """End every life."""
        self._opened.close()


@pytest.fixture
def house(database: str) -> Iterator[House]:
    house = House(database)
    yield house
    house.close()


def test_a_job_of_a_living_server_is_left_alone(house: House) -> None:
    first, second = house.server(1), house.server(2)
    job = first.open()
    with first.leases.holding(job, begun=False, insist=once):
        refused = pytest.raises(OvertakenError, match="is carried out by management server 1")
        with refused, second.leases.holding(job, begun=True, insist=once):
            pytest.fail("Two servers carry out one job.")
        first.leases.require()


def test_a_lease_that_ran_out_is_taken_over_and_the_first_notices_before_it_acts(house: House) -> None:
    first, second = house.server(1), house.server(2)
    job = first.open()
    with first.leases.holding(job, begun=False, insist=once):
        house.clock.sleep(LEASE_S)
        with second.leases.holding(second.job(), begun=True, insist=once) as held:
            second.leases.require()
            with pytest.raises(OvertakenError, match="is carried out by another life: fence 2, not 1"):
                first.leases.require()
            with pytest.raises(OvertakenError):
                first.record(job)
            second.record(held)


def test_a_server_that_was_restarted_takes_up_its_own_jobs_at_once(house: House) -> None:
    before, after = house.server(1), house.server(1)
    job = before.open()
    with (
        before.leases.holding(job, begun=False, insist=once),
        after.leases.holding(after.job(), begun=True, insist=once),
    ):
        after.leases.require()
        with pytest.raises(OvertakenError):
            before.leases.require()


def test_a_server_does_not_take_a_job_from_itself(house: House) -> None:
    server = house.server(1)
    job = server.open()
    with server.leases.holding(job, begun=False, insist=once):
        refused = pytest.raises(OvertakenError, match="by this management server already")
        with refused, server.leases.holding(job, begun=True, insist=once):
            pytest.fail("One life carries out a job twice.")
        server.leases.require()
    with server.leases.holding(server.job(), begun=True, insist=once):
        server.leases.require()


def test_a_long_step_renews_its_lease(house: House) -> None:
    first, second = house.server(1), house.server(2)
    job = first.open()
    with first.leases.holding(job, begun=False, insist=once) as held:
        for _ in range(20):
            house.clock.sleep(LEASE_S / 4)
            first.leases.require()
        with pytest.raises(OvertakenError), second.leases.holding(second.job(), begun=True, insist=once):
            pytest.fail("A lease that was renewed was taken over.")
        first.record(held)


@pytest.mark.parametrize("fault", ["refused", "lost_before", "lost_after"])
def test_a_lease_that_cannot_be_renewed_lets_nothing_be_called(house: House, fault: str) -> None:
    server = house.server(1)
    with server.leases.holding(server.open(), begun=False, insist=once):
        house.clock.sleep(LEASE_S * 0.75)
        house.seam.restart_count()
        house.seam.arm("catalog.commit#1", fault_named(fault))
        with pytest.raises(TransientError, match="nothing was called"):
            server.leases.require()
        server.leases.require()


def test_of_servers_that_reach_for_a_job_at_once_one_gets_it(house: House) -> None:
    opener = house.server(9)
    job = opener.open()
    house.clock.sleep(LEASE_S)
    together, holders, barrier = [house.server(node) for node in (1, 2, 3)], [], threading.Barrier(3)
    done = threading.Barrier(3)

    def reach(server: Server) -> None:
        barrier.wait()
        try:
            with server.leases.holding(job, begun=True, insist=once):
                holders.append(server)
                done.wait()
        except OvertakenError:
            done.wait()

    threads = [threading.Thread(target=reach, args=(server,)) for server in together]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(holders) == 1
    assert opener.job().fence == 2


class LivesOfServers(RuleBasedStateMachine):
    """Servers live, die and come back while time passes; a model says who may take the job, and who may write."""

    files: Path
    house: House | None = None

    @initialize()
    def build(self) -> None:
        self.house = House(f"sqlite:///{self.files / f'{len(list(self.files.iterdir()))}.sqlite'}")
        self.servers = {node: self.house.server(node) for node in (1, 2, 3)}
        self.held: dict[int, Job] = {1: self.servers[1].open()}
        self.holder, self.fence, self.until = 1, 1, self.house.clock.time() + LEASE_S

    def prolong(self) -> None:
        assert self.house is not None
        self.until = self.house.clock.time() + LEASE_S

    @rule(node=st.sampled_from([1, 2, 3]))
    def take(self, node: int) -> None:
        """A server finds the unfinished job."""
        assert self.house is not None
        server, free = self.servers[node], node == self.holder or self.house.clock.time() >= self.until
        try:
            with server.catalog.transaction() as session:
                held = Transaction(session, server.catalog.now()).take_over(server.job())
        except OvertakenError:
            assert not free
            return
        assert free
        assert held.fence == self.fence + 1
        self.holder, self.fence, self.held[node] = node, held.fence, held
        self.prolong()

    @rule(node=st.sampled_from([1, 2, 3]), renew=st.booleans())
    def write(self, node: int, *, renew: bool) -> None:
        """A server records a step, or renews its lease: only whoever took the job last can."""
        if node not in self.held:
            return
        held, server = self.held[node], self.servers[node]
        try:
            if renew:
                with server.catalog.transaction() as session:
                    Transaction(session, server.catalog.now()).keep(held)
            else:
                self.held[node] = server.record(held)
        except OvertakenError:
            assert held.fence != self.fence
            return
        assert held.fence == self.fence
        self.prolong()

    @rule(node=st.sampled_from([1, 2, 3]))
    def restart(self, node: int) -> None:
        """A server dies, and a new life of it begins; it remembers nothing."""
        assert self.house is not None
        self.held.pop(node, None)
        self.servers[node].catalog.close()
        self.servers[node] = self.house.server(node)

    @rule(seconds=st.sampled_from([1.0, LEASE_S / 2, LEASE_S]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        assert self.house is not None
        self.house.clock.sleep(seconds)

    def teardown(self) -> None:
        """End every life."""
        if self.house is not None:
            self.house.close()


def test_whoever_took_the_job_last_is_the_only_one_who_can_write(tmp_path: Path) -> None:
    class Lives(LivesOfServers):
        """They live here."""

        files = tmp_path

    run_state_machine_as_test(Lives, settings=settings(max_examples=25, stateful_step_count=25))


@contextmanager
def second_server(caller: Caller, when: Callable[[str], bool], *, node: int, later_s: float) -> Iterator[Lives]:
    """Behind a certain answer of the first server's, let another one reconcile, so many seconds later.

    A call that is still on its way when somebody else takes over is another matter: no lease can call it back.
    """
    lab, lives, site = caller.lab, Lives(), caller.lab._site

    def hear(entry: Entry) -> None:
        if entry.side == "call":
            lives.now.append(entry.event)

    def behind(endpoint: Endpoint) -> Endpoint:
        wire: Wire | None = endpoint.wire
        assert wire is not None

        def exchange(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
            answer = wire(method, path, headers, body)
            if not lives.second and lives.now is lives.first and when(lives.first[-1]):
                lab.advance(later_s)
                lives.now = lives.second
                other = ReferenceDriver(site, Settings(node=node))
                other.reconcile()
                other.close()
                lives.now = lives.afterwards
            return answer

        return replace(endpoint, wire=exchange)

    lab.driver.close()
    lab._driver = ReferenceDriver(replace(site, array=behind(site.array), hypervisor=behind(site.hypervisor)))
    lab.watch_calls()
    lab._world.journal.watch(hear)
    yield lives
    lab._driver.close()
    lab._driver = ReferenceDriver(site)


@given(call=st.integers(1, 60), node=st.sampled_from([1, 2]), late=st.booleans())
@settings(max_examples=6)
def test_two_servers_never_both_carry_out_a_backup(call: int, node: int, *, late: bool) -> None:
    """Whoever is overtaken says so; whoever is not ends it; either way there is one snapshot and nothing else."""
    with lab_opener(ReferenceDriver)(Schedule(workflow="lease", store="nfs", seed=call)) as lab:
        caller = Caller(lab)
        volume = caller.used_volume()
        later_s = 2 * Settings().lease_s if late else 0.0
        count = itertools.count(1)
        with second_server(caller, lambda _: next(count) == call, node=node, later_s=later_s) as lives:
            outcome = caller.take("take", volume.id, LocationType.SECONDARY)
        overtaken = isinstance(outcome.error, ConflictError)
        assert outcome.error is None or overtaken, outcome.error
        both = [
            [event for event in own if not event.startswith("catalog.")] for own in (lives.second, lives.afterwards)
        ]
        assert [] in both, "Both carried it out."
        assert [snapshot.state for snapshot in lab.driver.list_snapshots()] == [SnapshotState.BACKED_UP]
        lab.settle()
        assert violations(lab) == ()


@pytest.mark.parametrize(("node", "later_s"), [(1, 0.0), (2, 2 * Settings().lease_s)])
def test_an_overtaken_server_stops_before_its_next_call(caller: Caller, node: int, later_s: float) -> None:
    """No step is recorded while it cleans up, so nothing but the fence could tell it."""
    volume = caller.used_volume()
    with second_server(
        caller, lambda event: event == "host.SR.get_by_name_label#5", node=node, later_s=later_s
    ) as lives:
        outcome = caller.take("take", volume.id, LocationType.SECONDARY)
    assert outcome.result().state is SnapshotState.BACKED_UP  # the success stands, whoever cleans up behind it
    assert not lives.afterwards
    assert "array.DeleteSnapshot#1" in lives.second
    assert violations(caller.lab) == ()


def test_a_living_server_is_not_disturbed_by_another(caller: Caller) -> None:
    volume = caller.used_volume()
    with second_server(caller, lambda event: event == "host.SR.get_by_name_label#5", node=2, later_s=0.0) as lives:
        caller.take("take", volume.id, LocationType.SECONDARY).result()
    assert not lives.second
    assert "somebody else cleans up behind job take" in caller.lab.captured_text()
    assert violations(caller.lab) == ()
