"""Run inside an environment of its own, with nothing but the vendor's SDK: the life of a volume, told as JSON.

Arguments: host:port, user name, password. It knows nothing of the simulator.
"""

import json
import sys
from typing import Any

from solidfire.common import ApiServerError  # type: ignore[import-not-found]  # only there
from solidfire.factory import ElementFactory  # type: ignore[import-not-found]  # only there

GB = 1_000_000_000
HOST = "iqn.1994-05.com.redhat:sdk"


def snapshots(element: Any, volume_id: int) -> dict[str, Any]:
    """Take two snapshots, roll back to the first keeping the present, delete one."""
    first = element.create_snapshot(volume_id, name="first", attributes={"CloudStackSnapshotId": "7"})
    second = element.create_snapshot(volume_id, retention="24:00:00")
    kept = element.rollback_to_snapshot(volume_id, first.snapshot_id, True, name="kept")
    plain = element.rollback_to_snapshot(volume_id, second.snapshot_id, False)
    element.delete_snapshot(second.snapshot_id)
    return {
        "attributes": first.snapshot.attributes,
        "group_uuid": str(first.snapshot.group_snapshot_uuid),
        "expires": second.snapshot.expiration_time,
        "kept": kept.snapshot.name,
        "plain": plain.snapshot_id,
        "left": [snapshot.name for snapshot in element.list_snapshots(volume_id=volume_id).snapshots],
    }


def clone(element: Any, volume_id: int, snapshot_id: int) -> dict[str, Any]:
    """Clone from a snapshot and ask until it is done; then the handle is dead."""
    started = element.clone_volume(volume_id, name="copy", snapshot_id=snapshot_id)
    answers = [element.get_async_result(started.async_handle)]
    while answers[-1]["status"] == "running":
        answers.append(element.get_async_result(started.async_handle))
    dead = ""
    try:
        element.get_async_result(started.async_handle)
    except ApiServerError as refused:
        dead = refused.error_name
    return {
        "volume_id": started.volume_id,
        "statuses": [answer["status"] for answer in answers],
        "result": answers[-1]["result"],
        "dead_handle": dead,
    }


def access(element: Any, volume_id: int) -> dict[str, Any]:
    """Put the volume into an access group, look, take it out, put it back."""
    made = element.create_volume_access_group("hosts", initiators=[HOST.upper()], volumes=[volume_id])
    group_id = made.volume_access_group_id
    listed = element.list_volume_access_groups(group_id, 1).volume_access_groups[0]
    emptied = element.remove_volumes_from_volume_access_group(group_id, [volume_id]).volume_access_group
    element.add_volumes_to_volume_access_group(group_id, [volume_id])
    return {"initiators": listed.initiators, "volumes": listed.volumes, "emptied": emptied.volumes}


def removal(element: Any, volume_id: int) -> dict[str, Any]:
    """Delete, restore, delete and purge a volume; list what is left at each step."""
    deleted = element.delete_volume(volume_id).volume
    element.restore_deleted_volume(volume_id)
    active = [volume.volume_id for volume in element.list_active_volumes().volumes]
    element.delete_volume(volume_id)
    waiting = [volume.volume_id for volume in element.list_deleted_volumes().volumes]
    element.purge_deleted_volume(volume_id)
    return {"status": deleted.status, "purge_time": deleted.purge_time, "active": active, "waiting": waiting}


def refusals(element: Any) -> list[str]:
    """Collect the error names that the SDK reads out of refused calls."""
    names = []
    for refused in (
        lambda: element.get_account_by_name("nobody"),
        lambda: element.create_snapshot(999),
        lambda: element.add_account("tenant"),
        element.get_license_key,
    ):
        try:
            refused()
        except ApiServerError as error:
            names.append(error.error_name)
    return names


def main(target: str, username: str, password: str) -> None:
    """Tell the story on standard output."""
    element = ElementFactory.create(target, username, password, print_ascii_art=False)
    account_id = element.add_account("tenant", attributes={"a": "b"}).account_id
    account = element.get_account_by_id(account_id).account
    made = element.create_volume("disk", account_id, 2 * GB, True, attributes={}, qos={"minIOPS": 100})
    volume_id = made.volume_id
    grown = element.modify_volume(volume_id, total_size=3 * GB).volume
    story = {
        "api_version": element.api_version,
        "secrets": [len(account.initiator_secret.secret), len(account.target_secret.secret)],
        "volume": [
            volume_id,
            made.volume.iqn,
            made.volume.total_size,
            made.volume.qos.min_iops,
            made.volume.delete_time,
        ],
        "grown": grown.total_size,
        "snapshots": snapshots(element, volume_id),
        "access": access(element, volume_id),
        "clone": clone(element, volume_id, 1),
        "page": [volume.volume_id for volume in element.list_volumes(start_volume_id=2, limit=1).volumes],
        "of_account": len(element.list_volumes_for_account(account_id).volumes),
        "removal": removal(element, 2),
        "refusals": refusals(element),
        "async_results": element.list_async_results().async_handles,
        "cluster": element.get_cluster_info().cluster_info.name,
        "software": element.get_cluster_version_info().cluster_version,
        "provisioned": element.get_cluster_capacity().cluster_capacity.provisioned_space,
        "snapshots_per_volume": element.get_limits().snapshots_per_volume_max,
        "default_burst": element.get_default_qos().burst_iops,
    }
    print(json.dumps(story))  # noqa: T201  standard output is how the story is told


if __name__ == "__main__":
    main(*sys.argv[1:])
