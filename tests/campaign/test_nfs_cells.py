"""The cells of an NFS export, a stride through them: calls of the driver, acts of the server whoever causes them."""

import pytest

from snapproof.campaign.applicability import ACT_KINDS, NFS_KINDS, kinds_for
from snapproof.campaign.running import run
from snapproof.campaign.schedule import Schedule
from snapproof.campaign.sweeping import cells
from snapproof.campaign.workflows import WORKFLOWS
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.fixtures.services import NFS_METHODS, dialects
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.simulators.faults import fault_named
from snapproof.simulators.secondary.nfs_faults import ACTS

OPEN = lab_opener(ReferenceDriver)
STRIDES = {"take-secondary": 23, "delete-secondary": 5}


def nfs_cells(workflow: str, store: str) -> list[Schedule]:
    """The cells whose fault is of the export."""
    services = ("nfs.", "export.")
    return [case for case in cells(workflow, store, 0, OPEN) if case.faults[0][0].startswith(services)]


@pytest.mark.parametrize("store", ["nfs", "s3"])
@pytest.mark.parametrize("workflow", sorted(WORKFLOWS))
def test_a_server_that_fails_at_any_act_breaks_no_invariant(workflow: str, store: str) -> None:
    for schedule in nfs_cells(workflow, store)[:: STRIDES.get(workflow, 61)]:
        assert run(schedule, OPEN).violations == (), schedule


def test_the_sweep_meets_hosts_in_the_middle_of_a_copy() -> None:
    swept = {case.faults[0] for case in nfs_cells("take-secondary", "nfs")}
    assert {("export.write#2", "refused:ENOSPC"), ("export.fsync#1", "refused:REBOOT")} <= swept
    assert {("nfs.rename#1", "refused:EROFS"), ("nfs.rename#1", "crash_after")} <= swept


def test_deleting_what_lies_in_a_bucket_asks_nothing_of_the_export() -> None:
    assert nfs_cells("delete-secondary", "s3") == []


@pytest.mark.parametrize("name", sorted({*NFS_KINDS, *ACT_KINDS}))
def test_every_kind_of_the_sweep_can_be_shown(name: str) -> None:
    service, _, method = name.partition(".")
    for kind in kinds_for(f"{name}#1"):
        dialects(1)[service].check(service, method, fault_named(kind))


def test_every_call_and_every_act_of_a_driver_and_its_hosts_is_swept() -> None:
    assert {*NFS_KINDS} == {f"nfs.{method}" for method in NFS_METHODS}
    assert {*ACT_KINDS} == {f"export.{act}" for act in ACTS if act != "set_attributes"}
