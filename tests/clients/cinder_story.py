"""Run inside an environment of its own, with nothing but Cinder: what its SolidFire driver does, told as JSON.

The driver is as it came. Around it stand no service and no database: what volume types a cloud has, and that its
groups are consistent ones, is told by the two functions replaced in `surround`. It knows nothing of the simulator.
"""

import datetime as dt
import tempfile
from collections.abc import Callable
from typing import Any

from cinder import context, objects  # type: ignore[import-not-found]  # only there
from cinder.volume import configuration, group_types, volume_types  # type: ignore[import-not-found]  # only there
from cinder.volume.driver import volume_opts  # type: ignore[import-not-found]  # only there
from cinder.volume.drivers import solidfire  # type: ignore[import-not-found]  # only there
from oslo_config import cfg  # type: ignore[import-not-found]  # only there

PROJECT = "5f2c6d3f9a0e4a53b8a27c1f42d0e9aa"
HOST = "iqn.1994-05.com.redhat:compute1"
REPLICATED = "00000000-0000-4000-8000-0000000000aa"
FAST = "00000000-0000-4000-8000-0000000000bb"
TYPES = {
    REPLICATED: {"extra_specs": {"replication_enabled": "<is> True", "solidfire:replication_mode": "Async"}},
    FAST: {
        "extra_specs": {"qos:minIOPS": "500", "qos:maxIOPS": "5000", "qos:burstIOPS": "8000", "SFAttribute:pool": "a"}
    },
}
ADMIN = context.get_admin_context()


def surround() -> None:
    """Stand in for the database of volume types and group types."""
    objects.register_all()
    volume_types.get_volume_type = lambda _context, type_id: TYPES[type_id]
    group_types.get_group_type_specs = lambda *_args, **_named: "<is> True"


def section(name: str, door: dict[str, Any], **settings: Any) -> list[str]:
    """Write the section of one backend as it stands in cinder.conf."""
    values = {
        "san_ip": door["host"],
        "sf_api_port": door["port"],
        "san_login": door["username"],
        "san_password": door["password"],
        **settings,
    }
    return [f"[{name}]", *(f"{option} = {value}" for option, value in values.items())]


def replica(door: dict[str, Any]) -> str:
    """Write where a backend replicates to."""
    names = {"mvip": "host", "port": "port", "login": "username", "password": "password"}
    return ",".join(["backend_id:second", *(f"{option}:{door[name]}" for option, name in names.items())])


def driver_of(doors: list[dict[str, Any]], *sections: list[str], **settings: Any) -> Any:
    """Write cinder.conf, then construct and set up the driver of the first cluster as cinder-volume does."""
    lines = [line for written in (section("element", doors[0], **settings), *sections) for line in written]
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        cfg.CONF(["--config-file", file.name], project="cinder")
    backend = configuration.Configuration(volume_opts, config_group="element")
    built = solidfire.SolidFireDriver(configuration=backend)
    built.do_setup(ADMIN)
    built.set_initialized()
    return built


def replicating(doors: list[dict[str, Any]]) -> Any:
    """Construct the driver of the first cluster, with the second to fail over to."""
    return driver_of(doors, replication_device=replica(doors[1]))


def volume(number: int, **fields: Any) -> Any:
    """Make the record of a volume as cinder-volume hands it over."""
    known = {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "size": 1,
        "project_id": PROJECT,
        "display_name": f"disk {number}",
        "created_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        "status": "available",
        "volume_type_id": None,
        "migration_status": None,
        "provider_id": None,
        "provider_location": None,
        "provider_auth": None,
        "provider_geometry": None,
        "encryption_key_id": None,
        "source_volid": None,
        "multiattach": False,
        "_name_id": None,
        "volume_attachment": objects.VolumeAttachmentList(objects=[]),
    }
    return objects.Volume(ADMIN, **{**known, **fields})


def snapshot(number: int, of: Any, **fields: Any) -> Any:
    """Make the record of a snapshot."""
    return objects.Snapshot(
        ADMIN,
        id=f"00000000-0000-4000-9000-{number:012}",
        volume_id=of.id,
        volume=of,
        project_id=PROJECT,
        volume_size=of.size,
        **{"group_snapshot_id": None, **fields},
    )


def created(driver: Any, number: int, **fields: Any) -> Any:
    """Create a volume and give the record, with what the driver returned written into it."""
    record = volume(number, **fields)
    return kept(record, driver.create_volume(record))


def kept(record: Any, update: dict[str, Any]) -> Any:
    """Write what the driver returned into the record, as cinder-volume does."""
    for name, value in update.items():
        if name in record.fields:
            setattr(record, name, value)
    return record


def numbers(update: dict[str, Any]) -> list[int]:
    """Read the array's ids out of what the driver keeps with a volume or snapshot; the third word is the cluster."""
    return [int(word) for word in update["provider_id"].split()[:2]]


def refused(act: Callable[[], Any]) -> str:
    """Name the exception that a call ends with, and tell what it says."""
    try:
        act()
    except Exception as error:  # noqa: BLE001  the driver's choice of exceptions is what we are curious about
        return f"{type(error).__name__}: {error}"[:300]
    return ""


def statistics(doors: list[dict[str, Any]]) -> Any:
    """Set the driver up and read the statistics of the scheduler."""
    driver = driver_of(doors)
    created(driver, 1)
    return driver.get_volume_stats(refresh=True)


def capacity(doors: list[dict[str, Any]]) -> Any:
    """Read the statistics, nothing else."""
    return driver_of(doors).get_volume_stats()


def retried_errors(doors: list[dict[str, Any]]) -> Any:
    """Name the errors of the array after which the driver tries again."""
    return sorted(driver_of(doors).retryable_errors)


def grow(doors: list[dict[str, Any]]) -> None:
    """Create a volume and extend it."""
    driver = driver_of(doors)
    driver.extend_volume(created(driver, 1), 3)


def life(doors: list[dict[str, Any]]) -> Any:
    """Create two volumes, extend, attach by CHAP and delete one."""
    driver = driver_of(doors)
    one, two = created(driver, 1), created(driver, 2, volume_type_id=FAST)
    driver.extend_volume(one, 3)
    connection = driver.initialize_connection(one, {"initiator": HOST})
    driver.terminate_connection(one, {"initiator": HOST}, force=False)
    driver.delete_volume(one)
    return {
        "ids": [numbers({"provider_id": record.provider_id}) for record in (one, two)],
        "location": one.provider_location,
        "connection": {name: value for name, value in connection["data"].items() if name != "auth_password"},
        "secret_length": len(connection["data"]["auth_password"]),
        "twice": refused(lambda: driver.create_volume(two)),
    }


def take(doors: list[dict[str, Any]]) -> Any:
    """Create a volume and take two snapshots."""
    driver = driver_of(doors)
    one = created(driver, 1)
    taken = [driver.create_snapshot(snapshot(number, one)) for number in (1, 2)]
    return [numbers(update) for update in taken]


def revert(doors: list[dict[str, Any]]) -> None:
    """Revert the volume to the first snapshot and delete the second."""
    driver = driver_of(doors)
    driver.revert_to_snapshot(ADMIN, volume(1), snapshot(1, volume(1)))
    driver.delete_snapshot(snapshot(2, volume(1)))


def copies(doors: list[dict[str, Any]]) -> Any:
    """Clone the volume, larger, and make a volume of its first snapshot."""
    driver = driver_of(doors)
    clone = driver.create_cloned_volume(volume(3, size=2), volume(1))
    restored = driver.create_volume_from_snapshot(volume(4), snapshot(1, volume(1)))
    return [numbers(clone), numbers(restored)]


def remove(doors: list[dict[str, Any]], numbers_of_volumes: list[int]) -> None:
    """Delete volumes by their number, without knowing their id on the array."""
    driver = driver_of(doors)
    for number in numbers_of_volumes:
        driver.delete_volume(volume(number))


def housekeeping(doors: list[dict[str, Any]], foreign: int) -> Any:
    """Adopt a volume of others, let it go, retype one, and hand one over to another project."""
    driver = driver_of(doors)
    one = created(driver, 1)
    reference = {"source-id": foreign, "name": "by-hand"}
    size = driver.manage_existing_get_size(volume(2), reference)
    adopted = driver.manage_existing(volume(2), reference)
    driver.unmanage(volume(2))
    retyped, _ = driver.retype(ADMIN, one, {"id": FAST}, {}, None)
    driver.accept_transfer(ADMIN, one, "user", "another-project")
    updates, _ = driver.update_provider_info([one], [])
    return {
        "size": size,
        "adopted": numbers(adopted),
        "retyped": retyped,
        "known": [numbers(update) for update in updates],
    }


def access(doors: list[dict[str, Any]]) -> Any:
    """Attach two volumes to a host through its access group, then detach them."""
    driver = driver_of(doors, sf_enable_vag=True)
    one, two = created(driver, 1), created(driver, 2)
    for record in (one, two):
        driver.initialize_connection(record, {"initiator": HOST})
    found = [driver._get_vags_by_name(HOST)]
    for record in (one, two):
        driver.terminate_connection(record, {"initiator": HOST}, force=False)
        found.append(driver._get_vags_by_name(HOST))
    return [[[group["initiators"], group["volumes"]] for group in listed] for listed in found]


def detach_from_all(doors: list[dict[str, Any]]) -> Any:
    """Attach a volume, detach it without saying from which host."""
    driver = driver_of(doors, sf_enable_vag=True)
    one = created(driver, 1)
    driver.initialize_connection(one, {"initiator": HOST})
    return refused(lambda: driver.terminate_connection(one, None, force=True))


def groups(doors: list[dict[str, Any]]) -> Any:
    """Snapshot a group of two volumes, make a group of the snapshot and one of the group, delete the snapshot."""
    driver = driver_of(doors)
    group = objects.Group(ADMIN, id="00000000-0000-4000-a000-000000000001", group_type_id=REPLICATED)
    made = driver.create_group(ADMIN, group)
    members = [created(driver, number) for number in (1, 2)]
    taken = objects.GroupSnapshot(
        ADMIN, id="00000000-0000-4000-b000-000000000001", group_id=group.id, group_type_id=REPLICATED
    )
    parts = [snapshot(number, member, group_snapshot_id=taken.id) for number, member in enumerate(members, 1)]
    driver.create_group_snapshot(ADMIN, taken, parts)
    of_snapshot, from_snapshot = driver.create_group_from_src(
        ADMIN, group, [volume(3), volume(4)], group_snapshots=taken, snapshots=parts
    )
    sources = [volume(5, source_volid=members[0].id), volume(6, source_volid=members[1].id)]
    _, from_group = driver.create_group_from_src(ADMIN, group, sources, source_group=group, source_vols=members)
    single = driver.create_volume_from_snapshot(volume(7), parts[1])
    listed = driver._list_group_snapshots()
    driver.delete_group_snapshot(ADMIN, taken, parts)
    driver.delete_group(ADMIN, group, [volume(5), volume(6)])
    return {
        "made": made,
        "of_snapshot": of_snapshot,
        "members": [[member["volumeID"], member["snapshotID"]] for member in listed[0]["members"]],
        "group_snapshots": len(listed),
        "copies": [numbers(model) for model in (*from_snapshot, *from_group, single)],
    }


def replicate(doors: list[dict[str, Any]]) -> Any:
    """Pair two clusters, replicate a volume, fail over, fail back, and delete it at both places."""
    driver = replicating(doors)
    one = created(driver, 1, volume_type_id=REPLICATED)
    driver.extend_volume(one, 2)
    one.size = 2
    driver.create_snapshot(snapshot(1, one))
    away, updates, _ = driver.failover_host(ADMIN, [one], secondary_id="second")
    during = driver.get_volume_stats(refresh=True)["active_cluster_mvip"]
    back, restored, _ = driver.failover_host(ADMIN, [one], secondary_id="default")
    driver.delete_volume(one)
    return {
        "enabled": one.replication_status,
        "away": away,
        "moved": updates[0]["updates"]["replication_status"],
        "moved_to": updates[0]["updates"]["provider_location"],
        "during": during,
        "back": back,
        "restored": restored[0]["updates"]["replication_status"],
    }


def failed_over(doors: list[dict[str, Any]]) -> Any:
    """Replicate a volume and leave it failed over."""
    driver = replicating(doors)
    one = created(driver, 1, volume_type_id=REPLICATED)
    pairs = driver._get_sfvol_by_cinder_vref(one)["volumePairs"]
    driver.failover_host(ADMIN, [one])
    return len(pairs)


def migrate(doors: list[dict[str, Any]]) -> Any:
    """Let the first cluster move a volume that is there already to the second one."""
    driver = driver_of(doors, section("second", doors[1]))
    one = volume(1, host="node@element#pool", volume_type=None)
    kept(one, driver._get_model_info(driver._get_sfaccount(PROJECT), 1))
    moved, update = driver.migrate_volume(ADMIN, one, {"host": "node@second#pool"})
    return {"moved": moved, "id": numbers(update)}


def outcome(doors: list[dict[str, Any]], act: str) -> Any:
    """Do one thing while something is wrong with the array: tell how it ended for the driver."""
    driver = driver_of(doors)
    acts = {
        "CreateVolume": lambda: driver.create_volume(volume(1)),
        "CreateSnapshot": lambda: driver.create_snapshot(snapshot(1, volume(1))),
        "CloneVolume": lambda: driver.create_cloned_volume(volume(2), volume(1)),
        "DeleteVolume": lambda: driver.delete_volume(volume(1)),
    }
    try:
        update = acts[act]()
    except Exception as error:  # noqa: BLE001  the driver's choice of exceptions is what we are curious about
        return f"{type(error).__name__}: {error}"[:300]
    return numbers(update) if update else None


surround()
PARTS = {
    part.__name__: part
    for part in (
        access, capacity, copies, detach_from_all, failed_over, groups, grow, housekeeping, life, migrate, outcome,
        remove, replicate, retried_errors, revert, statistics, take,
    )
}  # fmt: skip
