"""The second look: what calls leave on hosts and in access groups that arrive when their job is over."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from snapproof.campaign.invariants import violations
from snapproof.campaign.running import run
from snapproof.campaign.schedule import read_schedule
from snapproof.driver import DriverUnderTest
from snapproof.fixtures.caller import SIZE_BYTES, Caller
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.reference_impl.adapters import xen
from snapproof.reference_impl.catalog.queries import orders
from snapproof.reference_impl.catalog.store import Job
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.settings import Settings
from snapproof.reference_impl.variants.neglecting import SweepsTagsOnly
from snapproof.simulators.faults import LATE_S
from snapproof.simulators.kvm.hosts import PORTAL
from snapproof.simulators.kvm.state import by_path
from snapproof.vocabulary import LocationType, OperationId, Snapshot, Volume

SETTINGS = Settings()
PAST_GRACE_S = SETTINGS.sweep_grace_s + SETTINGS.reconcile_interval_s
GRANT = "array.AddVolumesToVolumeAccessGroup"
LATE = (
    f"resize/v2 store=nfs seed=0 :: {GRANT}#1=lost_late",
    f"revert/v1 store=nfs seed=0 :: {GRANT}#1=lost_late",
    "revert/v1 store=nfs seed=0 :: host.SR.introduce#1=lost_late",
    "take-secondary/v1 store=nfs seed=0 :: host.SR.introduce#1=lost_late",
    "take-secondary/v1 store=nfs seed=0 :: host.host.call_plugin#1=lost_late",
    "restore-secondary/v1 store=nfs seed=0 :: host.host.call_plugin#1=lost_late",
    f"revert-kvm/v1 store=nfs seed=0 :: {GRANT}#1=lost_late",
    "resize-kvm/v1 store=nfs seed=0 :: kvm.iscsiadm#1=lost_late",
    "restore-kvm/v1 store=nfs seed=0 :: kvm.iscsiadm#1=lost_late",
)

ORPHANS = (
    "take-secondary/v1 store=s3 seed=0 :: s3.PutObject#1=lost_late; s3.HeadObject#2=down",
    "archive/v1 store=s3 seed=0 :: s3.PutObject#1=lost_late; s3.HeadObject#2=down",
)


class NothingRaisedError(Exception):
    """Stands for what is not caught."""


def in_doubt(caller: Caller) -> list[Job]:
    """The jobs that are over and have not been looked at again."""
    driver = caller.lab._driver
    assert isinstance(driver, ReferenceDriver)
    catalog = driver._catalog
    return [*catalog.doubtful_jobs(before=catalog.now() + timedelta(days=1))]


def grown_under_a_late_grant(caller: Caller, operation: str = "volume") -> Volume:
    """A volume that nobody uses, which hosts can reach again since a call came late."""
    volume = caller.used_volume(operation)
    caller.lab.watch_calls()
    caller.lab.arm(f"{GRANT}#1", "lost_late")

    def grow(driver: DriverUnderTest) -> Volume:
        return driver.resize_volume(OperationId(f"grow of {operation}"), volume.id, 2 * SIZE_BYTES)

    caller.lab.attempt(grow).raise_if_failed()
    caller.lab.advance(60)
    assert caller.lab.leftovers(), "The late call has arrived."
    return volume


@pytest.mark.parametrize("late", LATE)
def test_what_came_late_is_taken_away_and_would_stay_for_ever_else(late: str) -> None:
    schedule = read_schedule(late)
    assert run(schedule, lab_opener(ReferenceDriver)).violations == ()
    assert {found.invariant for found in run(schedule, lab_opener(SweepsTagsOnly)).violations} == {"I3"}


def test_a_job_that_heard_every_answer_is_not_looked_at_again(caller: Caller) -> None:
    volume = caller.used_volume()
    caller.take("there", volume.id, LocationType.SECONDARY).raise_if_failed()
    assert in_doubt(caller) == []


@pytest.mark.parametrize("workflow", ["resize", "resize-kvm"])
def test_whoever_uses_the_volume_by_then_keeps_it(open_caller: Callable[..., Caller], workflow: str) -> None:
    caller = open_caller("nfs", workflow)
    volume = grown_under_a_late_grant(caller)
    guest = caller.lab.start_guest(volume)
    caller.wait(PAST_GRACE_S)
    assert in_doubt(caller) == []
    guest.write(0, b"still here")
    assert guest.read(0, 10) == b"still here"
    found = caller.lab.array_volume_of(volume)
    assert found is not None
    assert found.groups
    guest.stop()


def test_the_disk_of_a_machine_that_is_shut_off_on_another_host_is_kept(open_caller: Callable[..., Caller]) -> None:
    caller = open_caller("nfs", "resize-kvm")
    volume, hosts = grown_under_a_late_grant(caller), caller.lab._world.kvm
    assert hosts is not None
    node = ("iscsiadm", "-m", "node", "-T", volume.target, "-p", PORTAL)
    for command in (
        (*node, "-o", "new"),
        (*node, "--login"),
        ("virsh", "define", "shut-off"),
        ("virsh", "attach-disk", "shut-off", by_path(PORTAL, volume.target), "vda"),
    ):
        hosts.run(1, command)
    caller.wait(PAST_GRACE_S)
    assert in_doubt(caller) == []
    assert f"session kvm-host-2 {volume.target}" in hosts.inventory()
    found = caller.lab.array_volume_of(volume)
    assert found is not None
    assert found.groups


@pytest.mark.parametrize("answer", ["refused", "http500_before"])
def test_hosts_that_do_not_say_what_they_run_lose_nothing(open_caller: Callable[..., Caller], answer: str) -> None:
    caller = open_caller("nfs", "resize-kvm")
    grown_under_a_late_grant(caller)
    caller.lab.watch_calls()
    caller.lab.arm("kvm.hosts#1", answer)
    caller.wait(PAST_GRACE_S)
    assert len(in_doubt(caller)) == 1
    assert caller.lab.leftovers()
    caller.wait(PAST_GRACE_S)
    assert (in_doubt(caller), caller.lab.leftovers()) == ([], [])


def test_a_volume_that_is_gone_by_then_needs_no_look(caller: Caller) -> None:
    volume = grown_under_a_late_grant(caller)
    assert caller.discard("discard", volume.id).error is None
    caller.wait(PAST_GRACE_S)
    assert in_doubt(caller) == []


def test_a_look_that_fails_is_told_and_taken_again_and_saves_no_other(
    caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    grown_under_a_late_grant(caller)
    grown_under_a_late_grant(caller, "further")
    caller.lab.watch_calls()
    caller.lab.arm("host.SR.get_by_name_label#1", "refused:OPERATION_NOT_ALLOWED")
    caller.wait(PAST_GRACE_S)
    assert "job grow of volume could not be looked at again yet" in caplog.text
    assert [job.uuid for job in in_doubt(caller)] == ["grow of volume"]
    caller.wait(PAST_GRACE_S)
    assert in_doubt(caller) == []
    assert caller.lab.leftovers() == []


def test_nobody_looks_while_another_job_works_there(caller: Caller) -> None:
    volume = grown_under_a_late_grant(caller)
    caller.lab.break_service("array.GetAsyncResult", "refused:xPermissionDenied")
    caller.lab.break_service("array.DeleteSnapshot", "refused:xPermissionDenied")
    assert caller.take("take", volume.id, LocationType.SECONDARY).error is not None
    caller.wait(PAST_GRACE_S)
    assert caller.lab.leftovers()
    caller.lab.repair()
    caller.lab.driver.reconcile()
    caller.wait(PAST_GRACE_S)
    assert in_doubt(caller) == []
    assert caller.lab.leftovers() == []


@pytest.mark.parametrize("late", ORPHANS)
def test_a_backup_that_arrives_when_its_job_has_failed_is_taken_away(late: str) -> None:
    case = run(read_schedule(late), lab_opener(ReferenceDriver))
    assert case.ending in {"BackendError", "UnavailableError"}
    assert not case.violations


@pytest.mark.parametrize("workflow", ["restore-array-volume", "take-array-volume"])
def test_a_disk_that_may_yet_be_formatted_is_given_up(workflow: str) -> None:
    late = f"{GRANT}#1=lost_late; host.SR.create#1=lost_late"
    case = run(read_schedule(f"{workflow}/v1 store=nfs seed=0 guest=still :: {late}"), lab_opener(ReferenceDriver))
    assert case.ending == "BackendError"
    assert not case.violations


def test_a_late_format_empties_a_disk_that_was_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xen, "UnknownOutcomeError", NothingRaisedError)
    late = f"{GRANT}#1=lost_late; host.SR.create#1=lost_late"
    schedule = read_schedule(f"restore-array-volume/v1 store=nfs seed=0 guest=still :: {late}")
    case = run(schedule, lab_opener(ReferenceDriver))
    assert case.ending == "succeeded"
    assert "holds no disk of a guest" in str(case.violations[0])


OF_A_DEAD_LIFE = (
    "restore-array-volume/v1 store=nfs seed=0 guest=still :: "
    "host.SR.create#1=lost_late; catalog.commit#6=crash_before; host.SR.forget#1=crash_before"
)
"""A life dies before it can write down that it heard nothing of a format; the next one dies, too, and time passes."""


def test_a_disk_that_a_dead_life_may_yet_format_is_given_up() -> None:
    assert not run(read_schedule(OF_A_DEAD_LIFE), lab_opener(ReferenceDriver)).violations


def test_a_late_format_of_a_dead_life_empties_a_disk_that_was_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xen.XenHypervisor, "is_formatted", lambda _self, _target: True)
    case = run(read_schedule(OF_A_DEAD_LIFE), lab_opener(ReferenceDriver))
    assert "holds no disk of a guest" in str(case.violations[0])


def archived_behind_a_late_deletion(caller: Caller) -> Snapshot:
    """A snapshot that was archived at the second try; what the first asked to be deleted is deleted after that."""
    lab, seam = caller.lab, caller.lab._world.seam
    taken = caller.take("take", caller.used_volume().id).result()
    lab.watch_calls()
    lab.break_service("s3.HeadObject", "refused:RequestTimeTooSkewed")
    lab.arm("s3.DeleteObject#1", "lost_late")
    assert lab.attempt(lambda driver: driver.archive_snapshot(OperationId("archive"), taken.id)).error is not None
    seam.disarm()  # no repair: the call is to stay on its way
    archived = lab.attempt(lambda driver: driver.archive_snapshot(OperationId("again"), taken.id)).result()
    assert len(lab.backups()) == 1
    lab.advance(LATE_S)
    seam.arrive()
    return archived


def test_a_late_deletion_takes_no_backup_of_a_later_try(open_caller: Callable[[str], Caller]) -> None:
    caller = open_caller("s3")
    archived = archived_behind_a_late_deletion(caller)
    (path,) = [copy.reference for copy in archived.copies]
    assert [image.path for image in caller.lab.backups()] == [path]
    assert violations(caller.lab) == ()


def test_a_backup_that_a_row_speaks_of_stays_whoever_may_have_published_there(
    open_caller: Callable[[str], Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "has_failed", lambda *_of_whom: False)
    caller = open_caller("s3")
    taken = caller.take("take", caller.used_volume().id).result()
    caller.lab.break_service("s3.HeadObject", "lost_after")
    assert (
        caller.lab.attempt(lambda driver: driver.archive_snapshot(OperationId("archive"), taken.id)).error is not None
    )
    caller.lab.repair()
    assert [job.uuid for job in in_doubt(caller)] == ["archive"]
    caller.lab.attempt(lambda driver: driver.archive_snapshot(OperationId("again"), taken.id)).raise_if_failed()
    caller.wait(PAST_GRACE_S)
    assert in_doubt(caller) == []
    assert len(caller.lab.backups()) == 1
    assert violations(caller.lab) == ()


def test_a_try_that_uses_the_files_of_another_loses_its_backup(
    open_caller: Callable[[str], Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "has_failed", lambda *_of_whom: False)
    caller = open_caller("s3")
    archived_behind_a_late_deletion(caller)
    assert caller.lab.backups() == []
    assert "The driver lists a copy" in str(violations(caller.lab))
