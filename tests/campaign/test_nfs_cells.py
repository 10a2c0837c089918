"""The cells of an NFS export, a stride through them: calls of the driver, acts of the server whoever causes them."""

from collections.abc import Callable
from itertools import product
from typing import TypeAlias

import pytest

from snapproof.campaign.applicability import ACT_KINDS, NFS_KINDS, kinds_for
from snapproof.campaign.running import run
from snapproof.campaign.schedule import Schedule
from snapproof.campaign.workflows import WORKFLOWS
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.fixtures.services import NFS_METHODS, dialects
from snapproof.fixtures.site import STORES
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.simulators.faults import fault_named
from snapproof.simulators.secondary.nfs_faults import ACTS

Cells: TypeAlias = Callable[[str, str], tuple[Schedule, ...]]

OPEN = lab_opener(ReferenceDriver)
STRIDES = {"take-secondary": 23, "delete-secondary": 5}
COPIES = (
    *("archive", "archive-orphan", "policy-run", "reconcile", "restore-secondary", "restore-template"),
    *("take-in-background", "take-secondary", "template", "template-secondary"),
)
"""Hosts copy to and from the export, and what goes to a bucket lies there on its way."""
DELETIONS = ("delete-account", "delete-secondary", "delete-template")
ASKING = sorted({*product(COPIES, STORES), *product(DELETIONS, ["nfs"])})
"""The workflows that ask something of the export, and the stores on which they do."""


@pytest.fixture
def nfs_cells(cells: Cells) -> Cells:
    """The cells whose fault is of the export."""
    services = ("nfs.", "export.")
    return lambda workflow, store: tuple(
        case for case in cells(workflow, store) if case.faults[0][0].startswith(services)
    )


@pytest.mark.parametrize(("workflow", "store"), ASKING)
def test_a_server_that_fails_at_any_act_breaks_no_invariant(workflow: str, store: str, nfs_cells: Cells) -> None:
    some = nfs_cells(workflow, store)[:: STRIDES.get(workflow, 61)]
    assert some
    for schedule in some:
        assert run(schedule, OPEN).violations == (), schedule


@pytest.mark.parametrize(("workflow", "store"), sorted({*product(WORKFLOWS, STORES)} - {*ASKING}))
def test_whatever_else_is_done_asks_nothing_of_the_export(workflow: str, store: str, nfs_cells: Cells) -> None:
    assert nfs_cells(workflow, store) == ()


def test_the_sweep_meets_hosts_in_the_middle_of_a_copy(nfs_cells: Cells) -> None:
    swept = {case.faults[0] for case in nfs_cells("take-secondary", "nfs")}
    assert {("export.write#2", "refused:ENOSPC"), ("export.fsync#1", "refused:REBOOT")} <= swept
    assert {("nfs.rename#1", "refused:EROFS"), ("nfs.rename#1", "crash_after")} <= swept


@pytest.mark.parametrize("name", sorted({*NFS_KINDS, *ACT_KINDS}))
def test_every_kind_of_the_sweep_can_be_shown(name: str) -> None:
    service, _, method = name.partition(".")
    for kind in kinds_for(f"{name}#1"):
        dialects(1)[service].check(service, method, fault_named(kind))


def test_every_call_and_every_act_of_a_driver_and_its_hosts_is_swept() -> None:
    assert {*NFS_KINDS} == {f"nfs.{method}" for method in NFS_METHODS}
    assert {*ACT_KINDS} == {f"export.{act}" for act in ACTS if act != "set_attributes"}
