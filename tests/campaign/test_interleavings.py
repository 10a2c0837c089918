"""Callers who act at once, and a life that was taken for dead: whose turn it is stands in the schedule.

The reference holds; a driver that decides before it has the lock is found, and so is one whose calls nobody fences.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from snapproof.campaign.exploring import explore, require_clean
from snapproof.campaign.interleaving import EVERY_STRATEGY, NIGHTLY, OF_SEVERAL, interleavings, suited_workflows
from snapproof.campaign.running import Case, run
from snapproof.campaign.schedule import read_schedule
from snapproof.campaign.shrinking import shrink
from snapproof.campaign.stages import ACCOUNT, volume_with_guest
from snapproof.campaign.together import TOGETHER, bare
from snapproof.campaign.workflows import WORKFLOWS
from snapproof.driver import BackendError, ConflictError, DriverFactory
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.reference_impl.connecting import connect
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.fencing import fenced
from snapproof.reference_impl.ports import Ports
from snapproof.reference_impl.settings import Settings
from snapproof.site import Site
from snapproof.vocabulary import OperationId, Volume, VolumeRequest

OPEN = lab_opener(ReferenceDriver)
RACE = "delete-and-delete/v1 store=nfs seed=0 :: catalog.begin#1=turn:2"
ZOMBIE = "take-secondary/v1 store=nfs seed=0 guest=still :: host.SR.probe#3=overtaken"


class DecidesEarly(ReferenceDriver):
    """A planted race: what a request rests on is looked at before the lock is taken, and not again."""

    def _submit(self, order: Any, *, volume: Any, snapshot: Any, check: Any) -> None:
        self._orchestrator.submit(order, volume=volume, snapshot=snapshot, check=lambda _session: None)


class TellsOfFailure(ReferenceDriver):
    """Planted: whoever has to wait for another is told that the backend is broken."""

    def create_volume(self, request: VolumeRequest) -> Volume:
        """Make it, or blame the backend."""
        try:
            return super().create_volume(request)
        except ConflictError as error:
            raise BackendError(str(error)) from error


class Unfenced(ReferenceDriver):
    """A planted zombie: only the catalog tells it that another life has taken over, not the calls in between."""

    def __init__(self, site: Site, settings: Settings | None = None) -> None:
        self._open_site = site
        super().__init__(site, settings)

    def ports(self) -> Ports:
        """Look at nothing before a call."""
        return connect(fenced(self._open_site, lambda: None), self.live)


def cases_of(factory: DriverFactory, workflow: str, turns: int) -> Iterator[Case]:
    """Every interleaving of a workflow with so many preemptions."""
    play = partial(run, open_lab=lab_opener(factory))
    clean = require_clean(play(bare(workflow, "nfs")))
    yield from explore(clean, interleavings(turns), lambda part: map(play, part))


@pytest.mark.parametrize("workflow", sorted(TOGETHER))
def test_several_callers_are_served_or_refused_and_nothing_is_lost(workflow: str) -> None:
    case = require_clean(run(bare(workflow, "nfs", seed=3), OPEN))
    assert case.chances
    assert all(chance.others for chance in case.chances)
    assert not any(chance.label.startswith("catalog.commit#") for chance in case.chances)


def test_whose_turn_it_is_stands_in_the_schedule_and_is_the_same_each_time() -> None:
    schedule = read_schedule("take-and-delete/v1 store=nfs seed=0 :: array.CreateSnapshot#1=turn:2")
    first, again = run(schedule, OPEN), run(schedule, OPEN)
    assert first == again
    assert not first.violations


def test_no_interleaving_of_two_preemptions_breaks_the_reference() -> None:
    cases = list(cases_of(ReferenceDriver, "delete-and-delete", turns=2))
    assert any(len(case.schedule.faults) == 2 for case in cases)
    assert len({case.ending for case in cases}) > 1
    assert [str(case.violations) for case in cases if case.violations] == []


def test_a_race_is_found_by_one_preemption_and_is_as_small_as_it_can_be() -> None:
    (first, *_) = [case for case in cases_of(DecidesEarly, "delete-and-delete", turns=1) if case.violations]
    assert str(first.schedule) == RACE
    smallest = shrink(first, lambda schedule: run(schedule, lab_opener(DecidesEarly)))
    assert smallest.schedule.faults == first.schedule.faults
    assert "IllegalTransitionError" in str(smallest.violations[0])
    assert not run(smallest.schedule, OPEN).violations


@pytest.mark.parametrize("workflow", ["restore-and-restore", "restore-and-template"])
def test_two_who_need_the_lun_of_one_snapshot_do_not_disturb_one_another(workflow: str) -> None:
    """Who comes second would let go of it under the first, or be left without it."""
    for call in ("host.host.get_enabled#1", "host.task.get_status#1"):
        case = run(read_schedule(f"{workflow}/v1 store=nfs seed=0 :: {call}=turn:2"), OPEN)
        assert (case.ending, case.violations) == ("succeeded, ConflictError", ())


def test_a_failure_where_nothing_failed_is_a_violation() -> None:
    schedule = read_schedule("restore-and-restore/v1 store=nfs seed=0 :: array.ListVolumes#1=turn:2")
    assert not run(schedule, OPEN).violations
    broken = run(schedule, lab_opener(TellsOfFailure))
    assert str(broken.violations[0]).startswith("answer: The driver failed where nothing did: BackendError: Job ")


@pytest.mark.parametrize(
    ("call", "ending"), [("array.CloneVolume#1", "ConflictError"), ("catalog.commit#2", "ConflictError")]
)
def test_a_life_that_was_taken_for_dead_is_refused_when_it_goes_on(call: str, ending: str) -> None:
    case = run(read_schedule(f"take-secondary/v1 store=nfs seed=0 :: {call}=overtaken"), OPEN)
    assert (case.ending, case.violations) == (ending, ())


def test_a_life_whose_calls_nobody_fences_is_found() -> None:
    schedule = read_schedule(ZOMBIE)
    assert not run(schedule, OPEN).violations
    broken = run(schedule, lab_opener(Unfenced))
    assert broken.ending == "ConflictError"
    assert {violation.invariant for violation in broken.violations} == {"I3"}


def test_of_two_who_delete_an_account_one_is_told_that_there_is_none() -> None:
    """Both have looked before either begins."""
    case = run(read_schedule("account-and-account/v1 store=nfs seed=0 :: catalog.begin#1=turn:2"), OPEN)
    assert (case.ending, case.violations) == ("NotFoundError, succeeded", ())


@pytest.mark.parametrize("commit", [2, 7, 13])
def test_whoever_was_taken_for_dead_ends_no_deletion_of_an_account_once_more(commit: int) -> None:
    case = run(read_schedule(f"delete-account/v1 store=nfs seed=0 :: catalog.commit#{commit}=overtaken"), OPEN)
    assert not case.violations


def test_who_deletes_an_account_by_one_id_at_once_begins_once() -> None:
    with OPEN(bare("delete-account", "nfs")) as lab:
        volume_with_guest(lab)
        driver = lab.driver
        assert isinstance(driver, ReferenceDriver)
        for _ in range(2):
            driver._begin_removal(OperationId("delete"), ACCOUNT)
        begun = [event.phase for event in driver.audit_events() if event.operation == "delete"]
    assert begun.count("Started") == 1


def test_when_one_caller_meets_the_death_of_the_process_so_do_the_others() -> None:
    case = run(read_schedule("take-and-take/v1 store=nfs seed=0 :: array.CloneVolume#1=crash_before"), OPEN)
    assert (case.ending, case.violations) == ("crashed, crashed", ())


def test_a_turn_that_nobody_can_take_is_unspent() -> None:
    faults = ["array.DeleteSnapshot#1=turn:3", "catalog.commit#1=turn:2", "array.DeleteSnapshot#9=overtaken"]
    case = run(read_schedule(f"archive-and-delete/v1 store=nfs seed=0 :: {'; '.join(faults)}"), OPEN)
    assert [str(violation) for violation in case.violations] == [f"unspent: {fault} never fired." for fault in faults]


def test_a_turn_of_nobody_is_no_schedule() -> None:
    with pytest.raises(ValueError, match="write turn:2"):
        run(read_schedule("take-and-take/v1 store=nfs seed=0 :: array.CreateSnapshot#1=turn:you"), OPEN)


def test_strategies_of_several_are_tried_on_workflows_of_several() -> None:
    assert {name: suited_workflows(name) for name in EVERY_STRATEGY} == {
        name: tuple(TOGETHER if name in OF_SEVERAL else WORKFLOWS) for name in EVERY_STRATEGY
    }
    assert suited_workflows("turns", ["revert", "take-and-take"]) == ("take-and-take",)
    assert suited_workflows("pairs", ["revert", "take-and-take"]) == ("revert", "take-and-take")
    assert set(NIGHTLY) < set(EVERY_STRATEGY)
    assert not TOGETHER.keys() & WORKFLOWS.keys()
