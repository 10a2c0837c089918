"""What workflows of volumes, templates and accounts promise beyond the invariants: a driver that breaks it is told."""

from dataclasses import replace

import pytest

from snapproof.campaign.running import run
from snapproof.campaign.schedule import read_schedule
from snapproof.campaign.together import bare
from snapproof.driver import DriverFactory
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.reference_impl.core.orders import RevertVolume
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.vocabulary import AccountId, OperationId, TemplateId, Volume, VolumeId, VolumeRequest


class Idle(ReferenceDriver):
    """Deletes nothing, and says it has."""

    def delete_volume(self, operation: OperationId, volume: VolumeId) -> None:
        pass

    def delete_template(self, operation: OperationId, template: TemplateId) -> None:
        pass

    def delete_account(self, operation: OperationId, account: AccountId) -> None:
        pass


class Forgetful(ReferenceDriver):
    """Reverts without keeping what is there, and never puts a template on a volume."""

    def _keep_present(self, order: RevertVolume) -> None:
        pass

    def create_volume(self, request: VolumeRequest) -> Volume:
        return super().create_volume(replace(request, from_template=None))


class Doubling(ReferenceDriver):
    """Makes empty volumes twice."""

    def create_volume(self, request: VolumeRequest) -> Volume:
        super().create_volume(replace(request, operation=OperationId(f"{request.operation}, too")))
        return super().create_volume(request)


class Sweeping(ReferenceDriver):
    """Deletes a volume's snapshots with it."""

    def delete_volume(self, operation: OperationId, volume: VolumeId) -> None:
        for number, row in enumerate(self.list_snapshots(volume=volume)):
            self.delete_snapshot(OperationId(f"{operation} {number}"), row.id)
        super().delete_volume(operation, volume)


@pytest.mark.parametrize(
    ("workflow", "factory", "said"),
    [
        ("create", Doubling, "There are 2 volumes where one should be"),
        ("delete-volume", Idle, "Volume database cannot be deleted."),
        ("delete-volume", Sweeping, "Snapshot kept-on-secondary went with its volume."),
        ("delete-template", Idle, "Template golden was to be deleted and silver to stay; 2 are left."),
        ("delete-account", Idle, "Account team-blue was to be deleted with all that it has"),
        ("revert-keeping", Forgetful, "What volume database was before the revert is in none of 0 snapshots."),
        ("restore-template", Forgetful, "holds no disk of a guest"),
    ],
)
def test_a_promise_that_is_broken_without_any_fault_is_told(workflow: str, factory: DriverFactory, said: str) -> None:
    found = " ".join(map(str, run(bare(workflow, "nfs"), lab_opener(factory)).violations))
    assert said in found


def test_a_snapshot_that_comes_late_under_the_name_of_another_is_not_taken_for_it() -> None:
    """The late one is of the disk behind the revert; the driver lists the one that was taken before it."""
    late = "array.CreateSnapshot#1=lost_late; array.ListVolumes#2=crash_before; catalog.commit#8=crash_before"
    schedule = read_schedule(f"revert-keeping/v1 store=nfs seed=0 guest=still :: {late}")
    assert not run(schedule, lab_opener(ReferenceDriver)).violations
