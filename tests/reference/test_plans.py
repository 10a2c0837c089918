"""Plans: the same order gives the same steps, every kind of effect can be performed, and what is made is taken away."""

from dataclasses import replace
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapproof.reference_impl.core import effects as fx
from snapproof.reference_impl.core.orders import (
    ORDERS,
    AbandonSnapshot,
    ArchiveSnapshot,
    ArraySource,
    BackUpSnapshot,
    BackupSource,
    CreateTemplate,
    CreateVolume,
    DeleteSnapshot,
    DeleteTemplate,
    DeleteVolume,
    Order,
    Persistence,
    ResizeVolume,
    RevertVolume,
    TakeSnapshot,
    VolumeSource,
)
from snapproof.reference_impl.core.plans import (
    COPYING_QOS,
    LUN_SIZE_BYTES_MIN,
    PLANNERS,
    Lifetime,
    Plan,
    lun_size,
    plan_for,
    steps_before_success,
)
from snapproof.reference_impl.performing import PERFORMERS, leave
from snapproof.reference_impl.recording import RECORDERS
from snapproof.vocabulary import LocationType, Qos

QOS = Qos(min_iops=100, max_iops=200, burst_iops=300)
TAKE = TakeSnapshot(
    job="take",
    account="blue",
    volume="v",
    volume_name="database",
    snapshot="s",
    snapshot_name="nightly",
    lun_id=1,
    size_bytes=4096,
    location=LocationType.PRIMARY,
)
BACKUP = replace(TAKE, location=LocationType.SECONDARY)
DELETE = DeleteSnapshot(
    job="delete",
    account="blue",
    volume="v",
    snapshot="s",
    array_snapshot=7,
    backup="snapshots/blue/v/s.vhd",
    backup_size_bytes=1,
    release_lun=1,
)
CREATE = CreateVolume(job="create", account="blue", volume="v", volume_name="database", size_bytes=4096, qos=QOS)
CLONE = replace(CREATE, from_snapshot="s", array_source=ArraySource(lun_id=1, snapshot_id=7))
RESTORE = replace(
    CREATE, from_snapshot="s", backup_source=BackupSource(path="p", physical_size_bytes=1, digest="sha256:0")
)
ARCHIVE = ArchiveSnapshot(
    job="archive",
    account="blue",
    volume="v",
    snapshot="s",
    lun_id=1,
    array_snapshot=7,
    size_bytes=4096,
    release_lun=None,
)
ARCHIVE_LAST = replace(ARCHIVE, release_lun=1)
REVERT = RevertVolume(
    job="revert", account="blue", volume="v", snapshot="s", lun_id=1, array_snapshot=7, size_bytes=4096
)
PERSISTENCE = Persistence(retries_max=3, interval_s=300)
IN_BACKGROUND = replace(BACKUP, in_background=PERSISTENCE)
BACK_UP = BackUpSnapshot(
    job="take/1",
    first_job="take",
    number=1,
    persistence=PERSISTENCE,
    account="blue",
    volume="v",
    snapshot="s",
    lun_id=1,
    array_snapshot=7,
    size_bytes=4096,
)
ABANDON = AbandonSnapshot(
    job="take/end", account="blue", volume="v", snapshot="s", array_snapshot=7, size_bytes=4096, reason="Tried enough."
)
DISCARD = DeleteVolume(job="discard", account="blue", volume="v", release_lun=1)
TEMPLATE = CreateTemplate(
    job="template",
    account="blue",
    template="t",
    template_name="golden",
    volume="v",
    snapshot="s",
    size_bytes=4096,
    array_source=ArraySource(lun_id=1, snapshot_id=7),
)
TEMPLATE_OF_BACKUP = replace(TEMPLATE, array_source=None, backup_source=RESTORE.backup_source)
RESIZE = ResizeVolume(job="resize", account="blue", volume="v", lun_id=1, size_bytes=8192)
AS_VOLUME = replace(TAKE, as_volume=True)
DELETE_VOLUME_COPY = replace(DELETE, array_snapshot=None, backup=None, release_lun=None, array_volume=9)
COPY_OF_VOLUME = replace(CREATE, from_snapshot="s", volume_source=VolumeSource(lun_id=9))
TEMPLATE_OF_VOLUME = replace(TEMPLATE, array_source=None, volume_source=VolumeSource(lun_id=9))
DELETE_TEMPLATE = DeleteTemplate(job="drop", account="blue", template="t", path="p", physical_size_bytes=1)
NAMED: dict[str, Order] = {
    "take": TAKE,
    "backup": BACKUP,
    "delete": DELETE,
    "create": CREATE,
    "clone": CLONE,
    "restore": RESTORE,
    "discard": DISCARD,
    "archive": ARCHIVE,
    "archive-last": ARCHIVE_LAST,
    "in-background": IN_BACKGROUND,
    "back-up": BACK_UP,
    "abandon": ABANDON,
    "revert": REVERT,
    "template": TEMPLATE,
    "template-of-backup": TEMPLATE_OF_BACKUP,
    "delete-template": DELETE_TEMPLATE,
    "resize": RESIZE,
    "as-volume": AS_VOLUME,
    "delete-volume-copy": DELETE_VOLUME_COPY,
    "copy-of-volume": COPY_OF_VOLUME,
    "template-of-volume": TEMPLATE_OF_VOLUME,
}
ALL = list(NAMED.values())


def kinds(plan: Plan) -> list[type[fx.Effect]]:
    return [type(step.effect) for step in plan]


@pytest.mark.parametrize("order", ALL, ids=list(NAMED))
def test_the_next_life_draws_the_same_plan_from_what_was_written_down(order: Order) -> None:
    written = msgspec.json.encode(order)
    again = msgspec.json.decode(written, type=ORDERS[type(order).__name__])
    assert again == order
    assert plan_for(again) == plan_for(order)


def test_every_order_and_every_effect_is_in_every_table() -> None:
    orders, effects = set(get_args(Order)), set(get_args(fx.Effect))
    assert set(PLANNERS) == set(RECORDERS) == set(ORDERS.values()) == orders
    assert set(PERFORMERS) == effects
    assert {kind for order in ALL for kind in kinds(plan_for(order))} == effects


def test_a_snapshot_on_primary_is_one_call() -> None:
    assert kinds(plan_for(TAKE)) == [fx.TakeArraySnapshot]
    assert plan_for(TAKE)[0].lifetime is Lifetime.KEPT


def test_a_backup_keeps_nothing_but_the_image() -> None:
    plan = plan_for(BACKUP)
    assert kinds(plan) == [
        fx.TakeArraySnapshot,
        fx.CloneToLun,
        fx.GrantHosts,
        fx.ResignDisk,
        fx.AttachDisk,
        fx.CopyOut,
        fx.InspectImage,
        fx.PublishImage,
    ]
    kept = [step.effect for step in plan if step.lifetime is Lifetime.KEPT]
    assert [type(effect) for effect in kept if PERFORMERS[type(effect)].undo is not leave] == [fx.PublishImage]


def test_in_the_background_the_caller_waits_for_one_call_and_the_copying_is_a_job_of_its_own() -> None:
    assert kinds(plan_for(IN_BACKGROUND)) == [fx.TakeArraySnapshot]
    assert kinds(plan_for(BACK_UP)) == kinds(plan_for(ARCHIVE))
    assert steps_before_success(plan_for(ABANDON)) == ()


def test_an_archive_deletes_nothing_before_its_success_is_recorded() -> None:
    released: list[type[fx.Effect]] = [fx.DeleteArraySnapshot, fx.ReleaseLun]
    for order, last in ((ARCHIVE, released[:1]), (ARCHIVE_LAST, released)):
        plan = plan_for(order)
        before = steps_before_success(plan)
        assert kinds(before) == kinds(plan_for(BACKUP))[1:]
        assert kinds(plan[len(before) :]) == last
        assert not any(PERFORMERS[kind].irrevocable for kind in kinds(before))


@pytest.mark.parametrize("order", [CLONE, RESTORE], ids=["clone", "restore"])
def test_a_restored_volume_is_let_go_of_before_users_have_it(order: CreateVolume) -> None:
    plan = plan_for(order)
    assert not [step for step in plan if step.lifetime is Lifetime.SPENT]
    work = {type(step.effect) for step in plan if step.lifetime is Lifetime.WORK}
    undone = {type(step.effect) for step in plan if PERFORMERS[type(step.effect)].undo is not leave}
    assert undone - work == {fx.CloneToLun if order is CLONE else fx.CreateLun}


def test_what_a_host_copies_is_looked_at_first_and_let_go_of_before_success() -> None:
    """Whose the source is must be written down before it is touched."""
    for order in (AS_VOLUME, COPY_OF_VOLUME):
        plan = plan_for(order)
        assert kinds(plan)[0] is fx.LookAtSource
        lifetimes = {type(step.effect): step.lifetime for step in plan}
        assert lifetimes[fx.ReachSource] is lifetimes[fx.CopyDisk] is Lifetime.WORK
        assert lifetimes[fx.CreateLun] is Lifetime.KEPT


def test_a_lun_is_filled_at_full_speed_and_then_slowed_down() -> None:
    *_, last = plan = plan_for(RESTORE)
    (made,) = [step.effect for step in plan if isinstance(step.effect, fx.CreateLun)]
    assert made.qos == COPYING_QOS
    assert last.effect == fx.SetQos(qos=QOS)


@given(st.booleans(), st.booleans(), st.booleans())
def test_deleting_names_each_copy_that_there_is_and_no_other(array: bool, backup: bool, lun: bool) -> None:  # noqa: FBT001  drawn by Hypothesis
    order = replace(
        DELETE,
        array_snapshot=7 if array else None,
        backup="p" if backup else None,
        release_lun=1 if lun else None,
    )
    wanted: list[fx.Effect] = [fx.DeleteBackup(path="p")] if backup else []
    wanted += [fx.DeleteArraySnapshot(snapshot_id=7)] if array else []
    wanted += [fx.ReleaseLun(lun_id=1)] if lun else []
    assert [step.effect for step in plan_for(order)] == wanted


def test_a_lun_that_snapshots_need_is_left_alone() -> None:
    assert plan_for(replace(DISCARD, release_lun=None)) == ()
    assert kinds(plan_for(DISCARD)) == [fx.ReleaseLun]


@given(st.integers(min_value=1, max_value=2**50))
def test_a_lun_has_room_for_its_disk_and_a_tenth_more(size_bytes: int) -> None:
    assert lun_size(size_bytes) >= max(LUN_SIZE_BYTES_MIN, size_bytes + size_bytes // 10)


def test_what_deletes_cannot_be_undone_and_nothing_else_is_irrevocable() -> None:
    irrevocable = {kind for kind, performer in PERFORMERS.items() if performer.irrevocable}
    assert irrevocable == {fx.RollBackLun, fx.DeleteArraySnapshot, fx.DeleteBackup, fx.ReleaseLun}
    assert all(PERFORMERS[kind].undo is leave for kind in irrevocable)
