"""`reference?primary=…`: the reference lends archive, backups and usage to a driver that has only the array's verbs.

The driver below is the reference itself, which every scenario knows to be right. Cinder's is in tests/clients.
"""

from dataclasses import replace
from typing import Any

import pytest

from snapproof.commands.forked import Job, results_of, said_of
from snapproof.driver import DriverUnderTest, UnavailableError
from snapproof.drivers.outside import OverPrimary
from snapproof.naming import UnknownDriverError, load_driver
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.lending import NEEDED, NOT_LENT, LendingDriver
from snapproof.site import Site
from snapproof.verdict import State
from snapproof.vocabulary import AccountId, Capability, Description, OperationId, SnapshotRequest, VolumeRequest

CHOSEN = (
    "archive/snapshots.feature::test_an_archived_snapshot_is_the_same_snapshot_at_another_place[S3]",
    "restore/volumes.feature::test_a_volume_from_a_backup_has_the_bytes_of_its_moment_and_the_iops_of_its_offering[NFS]",
    "policies/schedules.feature::test_each_run_of_a_policy_goes_to_the_policys_place[SECONDARY-3 more backup]",
    "restore/revert.feature::test_a_volume_of_a_stopped_machine_goes_back_to_what_it_was",
)


class Plain(ReferenceDriver):
    """Has the verbs of the array alone, and declares no more."""

    def describe(self) -> Description:
        return Description(name="plain", version="3", capabilities=NEEDED | {Capability.REVERT})


def over_plain(site: Site) -> DriverUnderTest:
    """Start the reference over that one."""
    folder = site.state_directory / "below"
    folder.mkdir(exist_ok=True)
    return LendingDriver(site, Plain(replace(site, state_directory=folder)))


def test_what_is_lent_is_done_as_the_reference_does_it() -> None:
    chosen = tuple(f"features/{name}" for name in CHOSEN)
    ((_, results),) = results_of([Job(driver=f"{__name__}:over_plain", scenarios=chosen)], processes=1)
    assert len(results) == len(CHOSEN)
    assert {each.scenario.id: said_of(each) for each in results if each.state is not State.PASS} == {}


def test_both_are_named_and_only_what_both_can_is_declared(site: Site) -> None:
    driver = over_plain(site)
    described = driver.describe()
    driver.close()
    assert described.name == "reference over plain"
    assert described.capabilities == frozenset(Capability) - NOT_LENT.keys() - {Capability.RESIZE}


def test_a_driver_without_snapshots_on_the_array_is_lent_nothing(site: Site) -> None:
    class Empty(Plain):
        def describe(self) -> Description:
            return Description(name="empty", version="1", capabilities=NEEDED - {Capability.SNAPSHOT_PRIMARY})

    primary = Empty(site)
    with pytest.raises(ValueError, match="empty can be lent nothing: it does not declare snapshot-primary"):
        LendingDriver(site, primary)
    primary.close()


def test_a_snapshot_that_the_driver_below_may_have_taken_is_looked_for_and_found(site: Site) -> None:
    class Unsure(Plain):
        lost = False

        def take_snapshot(self, request: SnapshotRequest) -> Any:
            taken = super().take_snapshot(request)
            if not self.lost:
                self.lost = True
                raise UnavailableError("The answer was lost.")
            return taken

    folder = site.state_directory / "below"
    folder.mkdir()
    driver = LendingDriver(site, Unsure(replace(site, state_directory=folder)))
    account = AccountId("team-blue")
    request = VolumeRequest(operation=OperationId("1"), account=account, name="database", size_bytes=2**22)
    volume = driver.create_volume(request)
    taken = driver.take_snapshot(SnapshotRequest(operation=OperationId("2"), volume=volume.id))
    below = Plain(replace(site, state_directory=folder))
    assert [row.copies[0].reference for row in below.list_snapshots()] == [taken.copies[0].reference]
    below.close()
    driver.close()


def test_the_uri_starts_both_in_a_process_of_their_own(site: Site) -> None:
    over_itself = load_driver("reference?primary=snapproof.reference_impl.driver:ReferenceDriver")
    assert isinstance(over_itself, OverPrimary)
    driver = over_itself(site)
    assert driver.describe().name == "reference over reference"
    assert (site.state_directory / "primary" / "catalog.sqlite").exists()
    driver.close()


def test_a_uri_that_names_no_driver_is_refused_with_the_cure() -> None:
    with pytest.raises(UnknownDriverError, match=r"write reference\?primary=cinder://CLASS, or another URI"):
        load_driver("reference?primary=")
