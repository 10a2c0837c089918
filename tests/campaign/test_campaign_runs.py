"""Cases: the same schedule is the same run, in every process; and a stride through the cells finds nothing broken."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, product

import pytest

from snapproof.campaign.applicability import FAULT_KINDS, is_of_a_store
from snapproof.campaign.exploring import require_clean
from snapproof.campaign.invariants import violations
from snapproof.campaign.pooling import everywhere
from snapproof.campaign.running import NotCleanError, run
from snapproof.campaign.schedule import Schedule, read_schedule
from snapproof.campaign.strategies import up_to
from snapproof.campaign.together import EVERY_WORKFLOW, bare
from snapproof.campaign.workflows import WORKFLOWS
from snapproof.driver import BackendError, ConflictError, DriverError, FaultyDriverError, NotSupportedError
from snapproof.fixtures.caller import Caller
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.fixtures.site import STORES
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.vocabulary import (
    Capability,
    Description,
    LocationType,
    OperationId,
    Snapshot,
    SnapshotRequest,
    Volume,
    VolumeId,
)

OPEN = lab_opener(ReferenceDriver)
FEW = 7
"""So many cells of each workflow are tried here; `tox -e campaign` runs them all."""
PRIMARY = Schedule(workflow="take-primary", store="nfs", seed=0)
POOLED = (
    *product(("take-secondary", "take-in-background", "restore-secondary"), STORES),
    *product(("restore-array-volume", "resize", "resize-kvm", "delete-account"), STORES[:1]),
)
TEXTS = (
    "take-secondary/v1 store=nfs seed=4",
    "take-secondary/v1 store=nfs seed=4 :: array.CloneVolume#1=lost_after; catalog.commit#3=crash_after",
    "take-secondary/v1 store=s3 seed=4 :: s3.PutObject#1=lost_after",
    "delete-secondary/v1 store=s3 seed=4 :: s3.DeleteObject#1=crash_before",
)
ONE_RUN = """
import sys
from snapproof.campaign.running import run
from snapproof.campaign.schedule import read_schedule
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.reference_impl.driver import ReferenceDriver
for text in sys.argv[1:]:
    print(run(read_schedule(text), lab_opener(ReferenceDriver)).digest)
"""


def digests(hash_seed: str) -> list[str]:
    """Run the schedules in a process of their own, whose sets and dictionaries are ordered by this seed."""
    done = subprocess.run(
        [sys.executable, "-c", ONE_RUN, *TEXTS],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.split()


def test_a_schedule_is_the_same_run_in_every_process() -> None:
    here = [run(read_schedule(text), OPEN).digest for text in TEXTS]
    assert len(set(here)) == len(TEXTS)
    assert digests("1") == digests("77") == here


def test_another_seed_is_another_run() -> None:
    schedule = read_schedule(TEXTS[0])
    assert run(schedule, OPEN).digest != run(replace(schedule, seed=5), OPEN).digest


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_stride_through_the_cells_finds_nothing_broken(workflow: str, store: str) -> None:
    clean = require_clean(run(bare(workflow, store), OPEN))
    if store != STORES[0] and not any(map(is_of_a_store, clean.calls)):
        assert clean.calls == run(bare(workflow, STORES[0]), OPEN).calls, "It has been tried there."
        return
    found = list(up_to(1)(clean))
    assert {kind for cell in found for _, kind in cell.faults} >= set(FAULT_KINDS)
    named = {call.partition(".")[0] for cell in found for call, kind in cell.faults if kind.startswith("refused:")}
    services = {call.partition(".")[0] for cell in found for call, _ in cell.faults}
    assert named == services & {"array", "export", "host", "nfs", "s3"}
    for schedule in found[1 :: max(1, len(found) // FEW)]:
        case = run(schedule, OPEN)
        assert not case.violations, str(case.schedule)
        assert case.ending in {"succeeded", "crashed", "BackendError", "UnavailableError"}


def test_what_a_final_no_kept_from_being_cleared_away_may_lie_there_until_the_next_life() -> None:
    case = run(read_schedule("archive/v1 store=nfs seed=0 :: host.SR.get_PBDs#3=refused:OPERATION_NOT_ALLOWED"), OPEN)
    assert case.ending == "succeeded"
    assert not case.violations


def test_a_final_no_ends_a_backup_that_a_passing_one_does_not() -> None:
    head = "take-secondary/v1 store=nfs seed=0 :: host.PBD.plug#1=refused"
    endings = {run(read_schedule(f"{head}{name}"), OPEN).ending for name in ("", ":OPERATION_NOT_ALLOWED")}
    assert endings == {"succeeded", "BackendError"}


def test_a_fault_that_strikes_if_met_may_meet_nothing() -> None:
    case = run(read_schedule("take-secondary/v1 store=nfs seed=0 faults=if-met :: array.CloneVolume#9=refused"), OPEN)
    assert case.ending == "succeeded"
    assert not case.violations


@pytest.mark.parametrize(("workflow", "store"), POOLED)
def test_one_kind_at_every_call_at_once_breaks_nothing(workflow: str, store: str) -> None:
    clean = require_clean(run(bare(workflow, store), OPEN))
    for pool in islice(everywhere(clean), 12):
        assert not run(pool, OPEN).violations, str(pool)


class BreaksPromises(ReferenceDriver):
    """Never grows a volume."""

    def resize_volume(self, operation: OperationId, volume: VolumeId, size_bytes: int) -> Volume:
        raise ConflictError("It is large enough.")


def test_a_promise_that_is_refused_is_told_and_ends_no_campaign() -> None:
    case = run(bare("resize", "nfs"), lab_opener(BreaksPromises))
    assert [violation.invariant for violation in case.violations] == ["I1"]
    assert "It is large enough." in case.violations[0].sentence


def test_a_fault_that_meets_no_call_is_told() -> None:
    case = run(read_schedule("take-secondary/v1 store=nfs seed=0 :: array.CloneVolume#9=refused"), OPEN)
    assert [str(violation) for violation in case.violations] == ["unspent: array.CloneVolume#9=refused never fired."]


def test_a_schedule_of_another_version_is_not_misread() -> None:
    with pytest.raises(ValueError, match="take-secondary is at v1 by now"):
        run(Schedule(workflow="take-secondary", version=9, store="nfs", seed=0), OPEN)


class LyingDriver(ReferenceDriver):
    """Says that a snapshot is there before it is, and leaves something begun beside it."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        taken = super().take_snapshot(request)
        if request.name != "nightly":
            return taken
        self.site.export.make_directories("snapshots/late.part")
        return replace(taken, state=taken.state.BACKING_UP)


class RaisingDriver(ReferenceDriver):
    """Raises what no port knows."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        if request.name == "nightly":
            raise KeyError(request.name)
        return super().take_snapshot(request)


class UnrecoveringDriver(ReferenceDriver):
    """Finds nothing to be as it should, and does nothing about it."""

    def reconcile(self) -> None:
        raise BackendError("There is something unfinished.")


def test_a_driver_that_does_not_recover_is_told() -> None:
    case = run(read_schedule(TEXTS[3]), lab_opener(UnrecoveringDriver))
    (found, *_) = case.violations
    assert found.invariant == "recovery"
    assert "There is something unfinished." in found.sentence


def test_what_a_driver_tells_its_caller_must_be_true() -> None:
    case = run(read_schedule(TEXTS[0]), lab_opener(LyingDriver))
    answers = [violation.sentence for violation in case.violations if violation.invariant == "answer"]
    assert answers == ["The driver returned a snapshot in BackingUp.", "snapshots/late.part/"]
    raised = run(read_schedule(TEXTS[0]), lab_opener(RaisingDriver))
    assert ("answer", "The driver raised KeyError, no error of the port.") in [
        (violation.invariant, violation.sentence) for violation in raised.violations
    ]


class DyingDriver(ReferenceDriver):
    """Somebody else's process, which dies of an answer that never came."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        taken = super().take_snapshot(request)
        if request.operation == "take":
            raise FaultyDriverError("The driver ended: exit code 139.")
        return taken


def test_a_driver_that_dies_by_itself_is_told_and_ends_no_campaign() -> None:
    case = run(read_schedule("take-primary/v1 store=nfs seed=0"), lab_opener(DyingDriver))
    assert (case.ending, [str(each) for each in case.violations]) == (
        "FaultyDriverError",
        ["driver: The driver ended: exit code 139."],
    )
    with pytest.raises(NotCleanError, match="fails without any fault: driver: The driver ended"):
        require_clean(case)


def test_a_workflow_that_cannot_be_arranged_is_told_with_the_reason() -> None:
    class Silent(ReferenceDriver):
        def create_volume(self, request: object) -> Volume:
            raise BackendError("There is no room.")

    with pytest.raises(NotCleanError, match=r"take-primary cannot be arranged: .*There is no room"):
        run(read_schedule("take-primary/v1 store=nfs seed=0"), lab_opener(Silent))


class Declaring(ReferenceDriver):
    """Has no archive, and says so; resizes nothing, and does not say so."""

    def describe(self) -> Description:
        known = super().describe()
        return replace(known, capabilities=known.capabilities - {Capability.ARCHIVE})

    def resize_volume(self, operation: OperationId, volume: VolumeId, size_bytes: int) -> Volume:
        raise NotSupportedError("Volumes stay as they are.")

    def run_due_work(self) -> None:
        raise NotSupportedError("There is nothing to do.")


def test_what_a_driver_does_not_declare_is_not_asked_of_it() -> None:
    with pytest.raises(NotSupportedError, match="The driver does not declare archive"):
        run(replace(PRIMARY, workflow="archive"), lab_opener(Declaring))


def test_what_a_driver_declares_and_does_not_do_is_a_failure() -> None:
    case = run(bare("resize", "nfs"), lab_opener(Declaring))
    with pytest.raises(NotCleanError, match="resize/v2 store=nfs seed=0 fails without any fault"):
        require_clean(case)
    late = run(
        read_schedule("take-primary/v1 store=nfs seed=0 :: array.CreateSnapshot#1=lost_late"), lab_opener(Declaring)
    )
    assert "recovery: A day later the driver fails: There is nothing to do." in map(str, late.violations)


def test_the_reference_declares_all_that_any_workflow_needs() -> None:
    with OPEN(PRIMARY) as lab:
        assert (
            frozenset().union(*(each.needs for each in EVERY_WORKFLOW.values())) <= lab.driver.describe().capabilities
        )


def test_a_workflow_that_fails_by_itself_is_not_swept() -> None:
    with pytest.raises(NotCleanError, match="fails without any fault: answer: The driver raised KeyError"):
        require_clean(run(bare("take-secondary", "nfs", seed=0), lab_opener(RaisingDriver)))


def restores(location: LocationType, store: str) -> Iterator[tuple[str, str]]:
    """A stride through the cells of a restore."""
    with OPEN(Schedule(workflow="restore", store=store, seed=0)) as lab:
        caller = Caller(lab)
        taken = caller.take("take", caller.used_volume().id, location).result()
        lab.watch_calls()
        caller.create("restore", source=taken.id).result()
        calls = lab.calls()
    whole = [(call, kind) for call in calls for kind in FAULT_KINDS]
    yield from whole[3 :: len(whole) // FEW]


@pytest.mark.parametrize("store", ["nfs", "s3"])
@pytest.mark.parametrize("location", LocationType)
def test_a_restore_that_meets_a_fault_ends_whole_or_leaves_nothing(location: LocationType, store: str) -> None:
    for call, kind in restores(location, store):
        with OPEN(Schedule(workflow="restore", store=store, seed=0)) as lab:
            caller = Caller(lab)
            taken = caller.take("take", caller.used_volume().id, location).result()
            lab.watch_calls()
            lab.arm(call, kind)
            outcome = caller.create("restore", source=taken.id)
            assert not lab.unspent_faults()
            assert outcome.error is None or isinstance(outcome.error, DriverError)
            lab.restart_driver()
            lab.settle()
            again = caller.create("restore", source=taken.id)
            restored = (caller.create("restore-again", source=taken.id) if again.error else again).result()
            assert lab.content_of(restored) == lab.content_when_taken(taken), (call, kind)
            assert violations(lab) == (), (call, kind)
