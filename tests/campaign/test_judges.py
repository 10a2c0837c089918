"""What workflows of volumes, templates and accounts promise beyond the invariants: a driver that breaks it is told."""

import base64
import logging
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

import pytest

from snapproof.campaign.running import NotCleanError, run
from snapproof.campaign.schedule import read_schedule
from snapproof.campaign.together import bare
from snapproof.driver import DriverFactory, UnavailableError
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.fixtures.ears import Ears
from snapproof.reference_impl.core.orders import RevertVolume
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.site import Site
from snapproof.vocabulary import (
    AccountId,
    Description,
    LocationType,
    OperationId,
    Snapshot,
    SnapshotRequest,
    SnapshotState,
    TemplateId,
    Volume,
    VolumeId,
    VolumeRequest,
)


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


class Echoing(ReferenceDriver):
    """Lists every snapshot twice."""

    def list_snapshots(
        self,
        account: AccountId | None = None,
        *,
        volume: VolumeId | None = None,
        location: LocationType | None = None,
    ) -> Sequence[Snapshot]:
        return [*super().list_snapshots(account, volume=volume, location=location)] * 2


class Unlisting(ReferenceDriver):
    """Lists nothing more as soon as something has failed."""

    def list_snapshots(
        self,
        account: AccountId | None = None,
        *,
        volume: VolumeId | None = None,
        location: LocationType | None = None,
    ) -> Sequence[Snapshot]:
        found = super().list_snapshots(account, volume=volume, location=location)
        if any(row.state is SnapshotState.ERROR for row in found):
            raise UnavailableError("One of them failed.")
        return found


class Stuttering(ReferenceDriver):
    """Knows of no snapshot by name when there is more than one."""

    def list_snapshots(
        self,
        account: AccountId | None = None,
        *,
        volume: VolumeId | None = None,
        location: LocationType | None = None,
    ) -> Sequence[Snapshot]:
        found = super().list_snapshots(account, volume=volume, location=location)
        return [found[0], {found[0].id: found[0]}[found[1].id]] if len(found) > 1 else found


class Stillborn(ReferenceDriver):
    """Comes to life once."""

    def __init__(self, site: Site) -> None:
        if (site.state_directory / "catalog.sqlite").exists():
            raise RuntimeError("There is a catalog.")
        super().__init__(site)


class Aimless(ReferenceDriver):
    """Says of no volume where hosts reach it."""

    def list_volumes(self, account: AccountId | None = None) -> Sequence[Volume]:
        return [replace(row, target="somewhere") for row in super().list_volumes(account)]


class Shy(ReferenceDriver):
    """Says once in each life who it is."""

    asked = 0

    def describe(self) -> Description:
        self.asked += 1
        if self.asked > 1:
            raise KeyError("version")
        return super().describe()


@pytest.mark.parametrize(
    ("factory", "fault", "said"),
    [
        (Unlisting, "refused:xPermissionDenied", "I2 cannot be judged: UnavailableError: One of them failed."),
        (Unlisting, "refused:xPermissionDenied", "I8 cannot be judged: UnavailableError: One of them failed."),
        (Stuttering, "lost_after", "I4 cannot be judged: KeyError: "),
        (Stillborn, "lost_after", "The recovery cannot be judged: RuntimeError: There is a catalog."),
        (Aimless, "lost_after", "I1 cannot be judged: ValueError: "),
        (Shy, "crash_after", "What the driver declares cannot be judged: KeyError: 'version'"),
    ],
)
def test_a_driver_that_does_not_answer_its_judges_is_told_as_broken(
    factory: DriverFactory, fault: str, said: str
) -> None:
    schedule = read_schedule(f"take-primary/v1 store=nfs seed=0 guest=still :: array.CreateSnapshot#1={fault}")
    found = run(schedule, lab_opener(factory)).violations
    assert said in " ".join(one.sentence for one in found if one.invariant == "driver")


def login_of(driver: ReferenceDriver) -> tuple[str, str]:
    return driver.site.array.username, driver.site.array.password.reveal()


class Logging(ReferenceDriver):
    """Tells its own log with what it logs in."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        logging.getLogger("acme.driver").info("logging in with %s", login_of(self)[1])
        return super().take_snapshot(request)


class Printing(ReferenceDriver):
    """Prints it."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        print(login_of(self))  # noqa: T201  that is what is to be heard
        return super().take_snapshot(request)


class Complaining(ReferenceDriver):
    """Writes it to standard error, as soon as it lives."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        sys.stderr.write(f"cannot log in with {login_of(self)[1]}\n")


class Encoding(ReferenceDriver):
    """Logs what it sends."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        sent = base64.b64encode(":".join(login_of(self)).encode()).decode()
        logging.getLogger("acme.driver").warning("Authorization: Basic %s", sent)
        return super().take_snapshot(request)


@pytest.mark.parametrize("factory", [Logging, Printing, Complaining, Encoding])
def test_a_credential_is_heard_wherever_a_driver_tells_it(factory: DriverFactory) -> None:
    case = run(bare("take-primary", "nfs", still=True), lab_opener(factory))
    assert [one.invariant for one in case.violations] == ["I7"]


def test_whoever_listens_leaves_logs_and_streams_as_they_were() -> None:
    before = logging.getLogger().level, sys.stdout, sys.stderr
    run(bare("take-primary", "nfs", still=True), lab_opener(Printing))
    assert (logging.getLogger().level, sys.stdout, sys.stderr) == before


def test_several_may_listen_and_end_in_any_order() -> None:
    before = logging.getLogger().level, sys.stdout, sys.stderr
    first, second = Ears(), Ears()
    with ExitStack() as of_first, ExitStack() as of_second:
        of_first.enter_context(first.held())
        of_second.enter_context(second.held())
        sys.stdout.write("both\n")
        of_first.close()
        sys.stdout.write("one\n")
        first.close()
        logging.getLogger("anybody").info("logged")
    second.close()
    assert (first.text(), second.text()) == ("both\n", "both\none\nlogged\n")
    assert (logging.getLogger().level, sys.stdout, sys.stderr) == before


def test_what_a_driver_prints_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    run(bare("take-primary", "nfs", still=True), lab_opener(Printing))
    assert "('cloudstack', " in capsys.readouterr().out


def test_a_driver_that_answers_nonsense_while_a_workflow_is_arranged_is_not_clean() -> None:
    with pytest.raises(NotCleanError, match="policy-run cannot be arranged: ValueError: too many values"):
        run(bare("policy-run", "nfs"), lab_opener(Echoing))


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
