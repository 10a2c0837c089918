"""Cinder's SolidFire driver, unmodified, over HTTPS: each part of its life, checked against what the array holds."""

from collections.abc import Callable
from typing import Any

import pytest

from snapproof.simulators.clock import IMMEDIATE
from snapproof.simulators.faults import fault_named
from snapproof.simulators.solidfire.calls import call
from snapproof.simulators.solidfire.errors import ERRORS
from snapproof.simulators.solidfire.state import Change

pytestmark = pytest.mark.clients

GB, GIB, MIB = 1_000_000_000, 1 << 30, 1 << 20
ONE = "UUID-00000000-0000-4000-8000-000000000001"


def volume(number: int, identity: int, status: str = "active") -> str:
    return f"volume {identity} UUID-00000000-0000-4000-8000-{number:012} {status}"


def snapshot(number: int, identity: int, of: int = 1) -> str:
    return f"snapshot {identity} of volume {of} UUID-00000000-0000-4000-9000-{number:012}"


@pytest.fixture
def cinder(teller_of: Callable[..., Any]) -> Any:
    return teller_of("cinder", "cinder_story.py")


def test_the_scheduler_learns_what_the_cluster_has(cinder: Any, site: Any) -> None:
    told = cinder("statistics", doors=site.doors())
    assert told["active_cluster_mvip"] == "127.0.0.1"
    assert told["total_capacity_gb"] >= told["free_capacity_gb"] > 0
    assert (told["provisioned_iops"], told["max_iops"]) == (50, 50_000)
    assert (told["compression_percent"], told["deduplication_percent"], told["thin_provision_percent"]) == (100,) * 3


def test_statistics_of_a_cluster_that_holds_bytes_divide_by_nothing(cinder: Any, site: Any) -> None:
    cinder("statistics", doors=site.doors())
    site.array.volumes[1].disk.write(0, b"written by a guest")
    cinder("remove", doors=site.doors(), numbers_of_volumes=[])
    told = cinder("capacity", doors=site.doors())
    assert told["deduplication_percent"] >= 100
    assert told["thin_provision_percent"] > 100


def test_volumes_are_created_extended_attached_and_purged(cinder: Any, site: Any) -> None:
    told = cinder("life", doors=site.doors())
    iqn = f"iqn.2010-01.com.solidfire:{site.array.unique_id}.{ONE.lower()}.1"
    assert told["ids"] == [[1, 1], [2, 1]]
    assert told["location"] == f"127.0.0.1:3260 {iqn} 0"
    assert told["secret_length"] == 12
    assert told["connection"] == {
        "target_discovered": False,
        "target_portal": "127.0.0.1:3260",
        "target_iqn": iqn,
        "target_lun": 0,
        "volume_id": ONE.removeprefix("UUID-"),
        "auth_method": "CHAP",
        "auth_username": "5f2c6d3f9a0e4a53b8a27c1f42d0e9aa",
        "encrypted": False,
        "discard": True,
    }
    assert told["twice"].startswith("SolidFireDuplicateVolumeNames")
    assert site.left() == [volume(2, 2)]
    row = site.array.volumes[2].row
    assert (row.total_size, row.enable_512e, row.attributes["pool"]) == (GIB, True, "a")
    assert (row.qos.min_iops, row.qos.max_iops, row.qos.burst_iops) == (500, 5000, 8000)


def test_an_extended_volume_has_its_new_size_and_its_old_qos(cinder: Any, site: Any) -> None:
    cinder("grow", doors=site.doors())
    row = site.array.volumes[1].row
    assert (row.total_size, row.qos.min_iops, row.qos.max_iops) == (3 * GIB, 50, 15_000)


def test_a_reverted_volume_has_its_bytes_back_and_a_deleted_snapshot_is_gone(cinder: Any, site: Any) -> None:
    assert cinder("take", doors=site.doors()) == [[1, 1], [2, 1]]
    assert site.left() == [snapshot(1, 1), snapshot(2, 2), volume(1, 1)]
    disk = site.array.volumes[1].disk
    disk.write(MIB, b"after the snapshot")
    cinder("revert", doors=site.doors())
    assert site.left() == [snapshot(1, 1), volume(1, 1)]
    assert not any(site.array.volumes[1].disk.read(MIB, 18))


def test_clones_hold_what_their_sources_held(cinder: Any, site: Any) -> None:
    cinder("take", doors=site.doors())
    site.array.volumes[1].disk.write(MIB, b"after the snapshot")
    assert cinder("copies", doors=site.doors()) == [[2, 1], [3, 1]]
    site.world.clock.advance(60)
    assert site.left() == [snapshot(1, 1), snapshot(2, 2), volume(1, 1), volume(3, 2), volume(4, 3)]
    rows = [record.row for record in site.array.volumes]
    assert [row.total_size for row in rows] == [GIB, 2 * GIB, GIB]
    assert [row.attributes["is_clone"] for row in rows] == [False, True, False]
    assert rows[0].attributes["cloned_count"] == 1
    assert site.array.image_of_volume(2).read(MIB, 18) == b"after the snapshot"
    assert not any(site.array.image_of_volume(3).read(MIB, 18))


def test_a_volume_is_found_and_purged_even_where_cinder_forgot_its_id(cinder: Any, site: Any) -> None:
    cinder("take", doors=site.doors())
    cinder("remove", doors=site.doors(), numbers_of_volumes=[1, 99])
    assert site.left() == []


def test_volumes_are_adopted_released_retyped_and_handed_over(cinder: Any, site: Any) -> None:
    account = call(site.array, "AddAccount", username="by-hand")["accountID"]
    foreign = call(site.array, "CreateVolume", name="by-hand", accountID=account, totalSize=GB)["volumeID"]
    told = cinder("housekeeping", doors=site.doors(), foreign=foreign)
    assert told == {"size": 1, "adopted": [1, 2], "retyped": True, "known": [[2, 3]]}
    adopted, ours = (site.array.volumes[number].row for number in (1, 2))
    assert adopted.attributes["old_name"] == "by-hand"
    assert "os_exported_at" in adopted.attributes
    assert "retyped_at" in ours.attributes
    assert ours.qos.min_iops == 500
    assert site.array.account(ours.account_id).row.username == "another-project"


def test_a_host_reaches_its_volumes_through_one_access_group_that_goes_with_the_last(cinder: Any, site: Any) -> None:
    host = ["iqn.1994-05.com.redhat:compute1"]
    assert cinder("access", doors=site.doors()) == [[[host, [1, 2]]], [[host, [2]]], []]
    assert site.left() == [volume(1, 1), volume(2, 2)]


def test_detaching_from_all_hosts_breaks_in_the_driver_and_leaves_the_access_group(cinder: Any, site: Any) -> None:
    # The driver takes volumeAccessGroups of GetVolumeStats for objects; they are documented as numbers.
    assert cinder("detach_from_all", doors=site.doors()).startswith("TypeError")
    assert volume(1, 1) in site.left()
    assert sum(line.startswith("access group") for line in site.left()) == 1


def test_groups_are_snapshot_and_copied_together(cinder: Any, site: Any) -> None:
    told = cinder("groups", doors=site.doors())
    assert told == {
        "made": {"status": "available"},
        "of_snapshot": {"status": "available"},
        "members": [[1, 1], [2, 2]],
        "group_snapshots": 1,
        "copies": [[3, 1], [4, 1], [5, 1], [6, 1], [7, 1]],
    }
    assert site.left() == [volume(1, 1), volume(2, 2), volume(3, 3), volume(4, 4), volume(7, 7)]


def test_a_replicated_volume_fails_over_and_back_and_goes_at_both_places(
    cinder: Any, site_of: Callable[..., Any]
) -> None:
    site = site_of(addresses=("127.0.0.1", "127.0.0.2"))
    told = cinder("replicate", doors=site.doors())
    iqn = f"iqn.2010-01.com.solidfire:{site.world.arrays[1].unique_id}.{ONE.lower()}.1"
    assert told == {
        "enabled": "enabled",
        "away": "second",
        "moved": "failed-over",
        "moved_to": f"127.0.0.2:3260 {iqn} 0",
        "during": "127.0.0.2",
        "back": "",
        "restored": "enabled",
    }
    assert site.left(0) == ["cluster pair 1 cluster-2"]
    assert site.left(1) == ["cluster pair 1 cluster-1"]


def test_failing_over_turns_the_copy_writable_and_the_source_into_a_target(
    cinder: Any, site_of: Callable[..., Any]
) -> None:
    site = site_of(addresses=("127.0.0.1", "127.0.0.2"))
    assert cinder("failed_over", doors=site.doors()) == 1
    here, there = (array.volumes[1].row for array in site.world.arrays)
    assert (here.access, there.access) == ("replicationTarget", "readWrite")
    assert here.volume_pairs[0].remote_volume_id == there.volume_id


def test_a_volume_migrates_to_another_cluster_with_its_bytes(cinder: Any, site_of: Callable[..., Any]) -> None:
    site = site_of(addresses=("127.0.0.1", "127.0.0.2"))
    cinder("outcome", doors=site.doors(), act="CreateVolume")
    here, there = site.world.arrays
    here.volumes[1].disk.write(MIB, b"written by a guest")
    for array in (here, there):
        array.transitions[Change.REPLICATION] = IMMEDIATE  # else the driver looks again after 30 s
    assert cinder("migrate", doors=site.doors()) == {"moved": True, "id": [1, 1]}
    assert site.left(0) == ["cluster pair 1 cluster-2"]
    assert site.left(1) == ["cluster pair 1 cluster-1", volume(1, 1)]
    assert there.volumes[1].access == "readWrite"
    assert there.image_of_volume(1).read(MIB, 18) == b"written by a guest"


def test_every_error_that_the_driver_retries_is_one_of_ours(cinder: Any, site: Any) -> None:
    retried = cinder("retried_errors", doors=site.doors())
    assert len(retried) == 15
    assert set(retried) <= ERRORS.keys()


@pytest.mark.parametrize("act", ["CreateVolume", "CreateSnapshot", "CloneVolume", "DeleteVolume"])
def test_a_refusal_that_passes_is_retried_and_nothing_is_left_twice(cinder: Any, site: Any, act: str) -> None:
    if act != "CreateVolume":
        cinder("outcome", doors=site.doors(), act="CreateVolume")
    site.world.seam.arm_next(f"array.{act}", fault_named("refused:xDBVersionMismatch"))
    expected = {
        "CreateVolume": ([1, 1], [volume(1, 1)]),
        "CreateSnapshot": ([1, 1], [snapshot(1, 1), volume(1, 1)]),
        "CloneVolume": ([2, 1], [volume(1, 1), volume(2, 2)]),
        "DeleteVolume": (None, []),
    }
    told = cinder("outcome", doors=site.doors(), act=act)
    site.world.clock.advance(60)
    assert (told, site.left()) == expected[act]
    assert site.world.seam.unspent() == ()


def test_a_refusal_that_the_driver_does_not_know_reaches_its_caller(cinder: Any, site: Any) -> None:
    site.world.seam.arm_next("array.CreateVolume", fault_named("refused:xTotalCapacityExceeded"))
    told = cinder("outcome", doors=site.doors(), act="CreateVolume")
    assert told.startswith("SolidFireAPIException")
    assert "xTotalCapacityExceeded" in told
    assert site.left() == []


# What follows is no virtue but what the driver does, in every release so far: it sends a call again whose answer was
# lost, looks nothing up, and reports success. The driver's own answers hide the duplicate; the array shows it.


@pytest.mark.parametrize("fault", ["lost_after", "error_after:xRecvTimeout"])
def test_a_lost_answer_leaves_a_second_snapshot_behind_a_reported_success(cinder: Any, site: Any, fault: str) -> None:
    cinder("outcome", doors=site.doors(), act="CreateVolume")
    site.world.seam.arm_next("array.CreateSnapshot", fault_named(fault))
    assert cinder("outcome", doors=site.doors(), act="CreateSnapshot") == [2, 1]
    assert site.left() == [snapshot(1, 1), snapshot(1, 2), volume(1, 1)]


@pytest.mark.parametrize(
    ("fault", "error"), [("truncated", "ChunkedEncodingError"), ("http500_after", "JSONDecodeError")]
)
def test_an_answer_that_cannot_be_read_leaves_a_snapshot_behind_a_reported_failure(
    cinder: Any, site: Any, fault: str, error: str
) -> None:
    cinder("outcome", doors=site.doors(), act="CreateVolume")
    site.world.seam.arm_next("array.CreateSnapshot", fault_named(fault))
    assert cinder("outcome", doors=site.doors(), act="CreateSnapshot").startswith(error)
    assert site.left() == [snapshot(1, 1), volume(1, 1)]


def test_a_lost_answer_leaves_a_second_clone_behind_a_reported_success(cinder: Any, site: Any) -> None:
    cinder("outcome", doors=site.doors(), act="CreateVolume")
    site.world.seam.arm_next("array.CloneVolume", fault_named("lost_after"))
    assert cinder("outcome", doors=site.doors(), act="CloneVolume") == [3, 1]
    site.world.clock.advance(60)
    assert site.left() == [volume(1, 1), volume(2, 2), volume(2, 3)]


def test_a_lost_answer_leaves_a_second_volume_behind_a_reported_success(cinder: Any, site: Any) -> None:
    site.world.seam.arm_next("array.CreateVolume", fault_named("lost_after"))
    assert cinder("outcome", doors=site.doors(), act="CreateVolume") == [2, 1]
    assert site.left() == [volume(1, 1), volume(1, 2)]


def test_a_delete_whose_answer_was_lost_ends_in_an_error_and_an_unpurged_volume(cinder: Any, site: Any) -> None:
    cinder("outcome", doors=site.doors(), act="CreateVolume")
    site.world.seam.arm_next("array.DeleteVolume", fault_named("lost_after"))
    assert "xVolumeIDDoesNotExist" in cinder("outcome", doors=site.doors(), act="DeleteVolume")
    assert site.left() == [volume(1, 1, "deleted")]
