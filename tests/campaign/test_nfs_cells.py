"""NFS calls of the driver and acts of the server behind a backup or its deletion, times the faults of NFS: a stride.

The cells that are counted here are those of the export, whoever causes them: hosts that copy as well as the driver.
"""

from collections.abc import Iterator

import pytest

from snapproof.campaign.running import run
from snapproof.campaign.schedule import Schedule
from snapproof.campaign.workflows import WORKFLOWS
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.simulators.secondary.nfs_faults import ACTS

OPEN = lab_opener(ReferenceDriver)
FAULTS = ("EIO", "ENOSPC", "EROFS", "ESTALE")
"""What a driver's own call may be refused with."""
CLEANING = ("delete", "delete_directory", "list")
"""Where a backup stands already: what cannot be cleared now is cleared by the next life, as a scenario says."""


def passing(workflow: str, store: str) -> tuple[dict[str, int], list[str]]:
    """How often each act of the server passes, and which calls the driver makes, when nothing fails."""
    schedule = Schedule(workflow=workflow, store=store, seed=0)
    with OPEN(schedule) as lab:
        stage = WORKFLOWS[workflow].arrange(lab)
        lab.watch_calls()
        lab.attempt(stage.act).raise_if_failed()
        return dict(lab.acts_of("export")), [call for call in lab.calls() if call.startswith("nfs.")]


def cells(workflow: str, store: str) -> Iterator[tuple[str, str]]:
    """Name the first and the last of each act with each fault that fits it, and each call with each."""
    acts, calls = passing(workflow, store)
    for act, count in acts.items():
        for number in sorted({1, count}):
            for name in sorted(ACTS[act.partition(".")[2]]):
                yield f"{act}#{number}", f"refused:{name}"
    for call in calls:
        for name in FAULTS:
            yield call, f"refused:{name}"


@pytest.mark.parametrize(
    ("workflow", "store", "stride"),
    [("take-secondary", "nfs", 3), ("take-secondary", "s3", 7), ("delete-secondary", "nfs", 1)],
)
def test_a_server_that_fails_at_any_act_breaks_no_invariant(workflow: str, store: str, stride: int) -> None:
    met = set()
    for call, fault in list(cells(workflow, store))[::stride]:
        case = run(Schedule(workflow=workflow, store=store, seed=0, faults=((call, fault),)), OPEN)
        cleared_later = {"answer"} if call.partition(".")[2].partition("#")[0] in CLEANING else set()
        assert [str(found) for found in case.violations if found.invariant not in cleared_later] == [], case.schedule
        met.add(fault)
    assert met >= {f"refused:{name}" for name in FAULTS}


def test_deleting_what_lies_in_a_bucket_asks_nothing_of_the_export() -> None:
    assert passing("delete-secondary", "s3") == ({}, [])
