"""Cells of a bucket: every S3 call of a large and of a small backup, and of a deletion, meets every fault of S3."""

from collections.abc import Callable, Iterator, Sequence

import pytest

from snapproof.campaign.applicability import S3_KINDS, kinds_for
from snapproof.campaign.exploring import require_clean
from snapproof.campaign.invariants import violations
from snapproof.campaign.running import run
from snapproof.campaign.schedule import Schedule
from snapproof.campaign.strategies import up_to
from snapproof.campaign.together import bare
from snapproof.driver import DriverError, DriverUnderTest
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.fixtures.lab import SimulatedLab
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.vocabulary import AccountId, LocationType, OperationId, Snapshot, SnapshotRequest, VolumeRequest

OPEN = lab_opener(ReferenceDriver)
ACCOUNT = AccountId("team-blue")
LARGE_BYTES = (96 << 20) + 512
"""Written in scattered blocks, more than one part's worth of image."""


@pytest.mark.parametrize("workflow", ["take-secondary", "delete-secondary"])
def test_every_s3_call_of_a_small_backup_meets_every_kind(workflow: str) -> None:
    whole = up_to(1)(require_clean(run(bare(workflow, "s3"), OPEN)))
    found = [cell for cell in whole if cell.faults[0][0].startswith("s3.")]
    assert len(found) >= 20
    broken = [(str(cell), case.violations) for cell in found if (case := run(cell, OPEN)).violations]
    assert not broken


Act = Callable[[DriverUnderTest], object]


def arranged(lab: SimulatedLab, act: str) -> Act:
    """A used volume; for a deletion, with a large backup that lies in the bucket."""
    made = VolumeRequest(operation=OperationId("make"), account=ACCOUNT, name="database", size_bytes=LARGE_BYTES)
    volume = lab.attempt(lambda driver: driver.create_volume(made)).result()
    lab.start_guest(volume).fill(blocks=14)

    def take(driver: DriverUnderTest) -> Snapshot:
        request = SnapshotRequest(
            operation=OperationId("take"), volume=volume.id, name="nightly", location=LocationType.SECONDARY
        )
        return driver.take_snapshot(request)

    if act == "take":
        return take
    taken = lab.attempt(take).result()
    return lambda driver: driver.delete_snapshot(OperationId("delete"), taken.id)


def s3_calls(act: str) -> Sequence[str]:
    with OPEN(Schedule(workflow=act, store="s3", seed=3)) as lab:
        asked = arranged(lab, act)
        lab.watch_calls()
        lab.attempt(asked).raise_if_failed()
        return [call for call in lab.calls() if call.startswith("s3.")]


def stride(act: str, step: int) -> Iterator[tuple[str, str]]:
    whole = [(call, kind) for call in s3_calls(act) for kind in kinds_for(call)]
    yield from whole[::step]


@pytest.mark.parametrize(("act", "step"), [("take", 5), ("delete", 4)])
def test_a_stride_through_the_cells_of_a_backup_in_parts_finds_nothing_broken(act: str, step: int) -> None:
    for call, kind in stride(act, step):
        with OPEN(Schedule(workflow=act, store="s3", seed=3)) as lab:
            asked = arranged(lab, act)
            lab.watch_calls()
            lab.arm(call, kind)
            outcome = lab.attempt(asked)
            assert not lab.unspent_faults(), (call, kind)
            assert outcome.error is None or isinstance(outcome.error, DriverError), (call, kind)
            lab.restart_driver()
            lab.settle()
            assert violations(lab) == (), (call, kind)


def test_a_backup_in_parts_makes_the_calls_that_the_table_knows() -> None:
    made = {call.partition("#")[0] for call in [*s3_calls("take"), *s3_calls("delete")]}
    assert {"s3.CreateMultipartUpload", "s3.UploadPart", "s3.CompleteMultipartUpload"} <= made <= S3_KINDS.keys()
