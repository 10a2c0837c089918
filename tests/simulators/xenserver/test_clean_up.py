"""A client that dies at any call of a backup can find, by names alone, what it left on the pool, and take it away."""

from contextlib import closing
from typing import Any

import pytest

from snapproof.simulators.faults import CrashedError, fault_named
from snapproof.simulators.xenserver.vhd import read_dynamic

A, B = "iqn.2010-01.com.array:parent", "iqn.2010-01.com.array:clone"
LABEL = f"/{B}/0"
CALLS_OF_A_BACKUP = {
    "SR.create": 2,
    "SR.probe": 1,
    "SR.introduce": 2,
    "PBD.create": 3,
    "PBD.plug": 3,
    "SR.scan": 2,
    "SR.get_VDIs": 1,
    "host.call_plugin": 3,
    "Async.VDI.copy": 1,
    "task.get_status": 3,
    "task.get_result": 1,
    "task.destroy": 1,
    "SR.get_PBDs": 2,
    "PBD.unplug": 3,
    "SR.forget": 2,
}
LABELS = [f"host.{call}#{number}" for call, times in CALLS_OF_A_BACKUP.items() for number in range(1, times + 1)]


def back_up(world: Any) -> None:
    """Attach and re-sign the clone, copy its VDI to the export, and let go of everything."""
    config = world.full_config(B)
    with pytest.raises(world.refused, match="successfully resigned"):
        world.create(config, "relvmoiscsi")
    clone = world.attach(world.probe(config), config, LABEL)
    (vdi,) = world.ask("SR.get_VDIs", clone)
    folder = world.open_folder()
    task = world.ask("Async.VDI.copy", vdi, folder)
    while world.ask("task.get_status", task) == "pending":
        continue
    assert world.ask("task.get_result", task) != ""
    world.ask("task.destroy", task)
    world.close_folder(folder)
    world.detach(clone)


def clean_up(world: Any) -> None:
    """What a client does that knows no more than the names it would have given."""
    world.session = world.call("session.login_with_password", "root", "secret-pw")
    for task, record in world.ask("task.get_all_records").items():
        if record["status"] == "pending":
            world.ask("task.cancel", task)
        world.ask("task.destroy", task)
    for label in (world.folder, LABEL):
        for sr in world.ask("SR.get_by_name_label", label):
            world.detach(sr)
    world.plugin("umountNfsSecondaryStorage", localDir=world.mounted, remoteDir=world.remote)


def backups(world: Any) -> list[str]:
    try:
        return [name for name in world.export.list("snapshots/2/7") if name.endswith(".vhd")]
    except FileNotFoundError:
        return []


@pytest.fixture
def started(world: Any) -> Any:
    """A guest runs and the array has cloned its volume; calls are counted from here."""
    world.lun(A)
    world.guest = world.pool.start_guest(target=A, size_bytes=12 * world.mib, name="web")
    world.guest.write(0, b"kept" * (5 * world.mib // 2))
    world.before = world.pool.inventory()
    world.clone(A, B)
    world.seam.restart_count()
    return world


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("fault", ["crash_before", "crash_after"])
def test_after_a_death_at_any_call_the_pool_is_cleaned_by_names_and_the_backup_made_again(
    started: Any, label: str, fault: str
) -> None:
    started.seam.arm(label, fault_named(fault))
    with pytest.raises(CrashedError):
        back_up(started)
    assert started.seam.unspent() == ()

    clean_up(started)
    assert started.pool.inventory() == started.before
    for name in backups(started):
        with closing(started.export.open(f"snapshots/2/7/{name}")) as file:
            assert read_dynamic(file).size_bytes == 12 * started.mib

    back_up(started)
    assert started.pool.inventory() == started.before
    assert started.guest.read(0, 8) == b"keptkept"


def test_a_backup_makes_the_calls_at_which_deaths_are_tried(started: Any) -> None:
    back_up(started)
    assert sorted(started.seam.labels()) == sorted(LABELS)
