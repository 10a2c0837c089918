"""Copies between LUNs and exports: chunk by chunk, in the face of full, lost and dying places."""

import errno
from typing import Any

import pytest

A, B = "iqn.2010-01.com.array:a", "iqn.2010-01.com.array:b"


@pytest.fixture
def running(world: Any) -> Any:
    """A world where a 24 MiB disk of an attached LUN is written all over and the folder of backups is open."""
    world.lun(A)
    world.sr = world.create(world.full_config(A))
    record = {"name_label": "disk", "SR": world.sr, "virtual_size": str(24 * world.mib)}
    world.vdi = world.ask("VDI.create", record)
    for offset in range(0, 24, 2):
        world.fabric.luns[A].write((4 + offset) * world.mib, bytes([offset + 1]) * 4096)
    world.folder_sr = world.open_folder()
    world.before = world.pool.inventory()
    return world


def start(world: Any) -> Any:
    return world.ask("Async.VDI.copy", world.vdi, world.folder_sr, "OpaqueRef:NULL", "OpaqueRef:NULL")


def poll(world: Any, task: str) -> list[str]:
    """Ask until the task is over; answers the states that were seen."""
    seen: list[str] = []
    while not seen or seen[-1] == "pending":
        seen.append(world.ask("task.get_status", task))
    return seen


def test_a_copy_goes_on_only_while_it_is_looked_at_and_its_progress_grows(running: Any) -> None:
    task = start(running)
    progress = [running.ask("task.get_progress", task) for _ in range(3)]
    assert progress == sorted(set(progress))
    assert 0 < progress[0] < progress[-1] < 1
    assert any(line.startswith("task ") for line in running.pool.inventory())
    assert poll(running, task)[-1] == "success"
    assert running.ask("task.get_progress", task) == 1.0
    result = running.ask("task.get_result", task)
    copied = result.removeprefix("<value>").removesuffix("</value>")
    name = f"{running.ask('VDI.get_uuid', copied)}.vhd"
    assert running.export.list("snapshots/2/7") == [name]
    assert running.ask("VDI.get_physical_utilisation", copied) == str(running.export.size(f"snapshots/2/7/{name}"))


def test_what_a_disk_holds_when_its_block_is_reached_is_what_is_copied(running: Any) -> None:
    """The race that a snapshot prevents: bytes written behind a running copy are lost to it, those ahead are not."""
    task = start(running)
    running.ask("task.get_status", task)
    running.fabric.luns[A].write(4 * running.mib, b"behind")
    running.fabric.luns[A].write((4 + 22) * running.mib, b"ahead!")
    assert poll(running, task)[-1] == "success"
    copied = running.ask("task.get_result", task).removeprefix("<value>").removesuffix("</value>")
    target = restored(running, copied)
    assert target.read(4 * running.mib, 6) == b"\1" * 6
    assert target.read((4 + 22) * running.mib, 6) == b"ahead!"


def restored(world: Any, vdi: str) -> Any:
    lun = world.lun(B)
    world.ask("VDI.copy", vdi, world.create(world.full_config(B)))
    return lun


def test_a_copy_outlives_the_session_and_the_task_that_its_client_took_away(running: Any) -> None:
    task = start(running)
    running.ask("task.destroy", task)
    running.ask("session.logout")
    assert any(line.startswith("task ") for line in running.pool.inventory())
    running.pool.advance_tasks()
    assert not any(line.startswith("task ") for line in running.pool.inventory())
    assert len(running.export.list("snapshots/2/7")) == 1


def test_a_cancelled_copy_leaves_no_record_and_no_file(running: Any) -> None:
    task = start(running)
    running.ask("task.get_status", task)
    assert len(running.export.list("snapshots/2/7")) == 1
    running.ask("task.cancel", task)
    assert running.ask("task.get_status", task) == "cancelled"
    assert running.pool.inventory() == running.before
    assert running.export.list("snapshots/2/7") == []


def test_a_full_export_fails_the_copy_and_leaves_no_record_and_no_file(running: Any) -> None:
    running.export.capacity_bytes = 6 * running.mib
    task = start(running)
    assert poll(running, task)[-1] == "failure"
    assert running.ask("task.get_error_info", task) == ["VDI_IO_ERROR", "No space left on device"]
    with pytest.raises(running.refused) as refusal:
        running.ask("VDI.copy", running.vdi, running.folder_sr)
    assert refusal.value.code == "VDI_IO_ERROR"
    assert running.pool.inventory() == running.before
    assert running.export.list("snapshots/2/7") == []


def test_a_lun_that_is_lost_in_mid_copy_fails_it_with_an_io_error(running: Any) -> None:
    task = start(running)
    running.ask("task.get_status", task)
    running.fabric.closed |= {(initiator, A) for initiator in running.pool.initiators()}
    assert poll(running, task)[-1] == "failure"
    assert running.ask("task.get_error_info", task)[0] == "VDI_IO_ERROR"
    assert running.export.list("snapshots/2/7") == []


def test_a_host_that_dies_leaves_the_partial_file_and_no_record(running: Any) -> None:
    task = start(running)
    running.ask("task.get_status", task)
    running.pool.crash_host()
    assert running.ask("task.get_status", task) == "failure"
    assert running.ask("task.get_error_info", task)[0] == "HOST_OFFLINE"
    assert len(running.export.list("snapshots/2/7")) == 1
    inventory = running.pool.inventory()
    assert not any(line.startswith(("mount ", "task ")) for line in inventory)
    assert [line for line in inventory if line.startswith("vdi ")] == [
        line for line in running.before if line.startswith("vdi ")
    ]
    running.plugin("mountNfsSecondaryStorage", localDir=running.mounted, remoteDir=running.remote)
    running.ask("PBD.plug", running.ask("SR.get_PBDs", running.folder_sr)[0])
    running.ask("SR.scan", running.folder_sr)
    assert running.ask("SR.get_VDIs", running.folder_sr) == []


def test_a_lun_that_is_too_small_refuses_the_restore_and_stays_empty(running: Any) -> None:
    backup = running.ask("VDI.copy", running.vdi, running.folder_sr)
    running.lun(B, 8 * running.mib)
    small = running.create(running.full_config(B))
    before = running.pool.inventory()
    with pytest.raises(running.refused) as refusal:
        running.ask("VDI.copy", backup, small)
    assert refusal.value.code == "SR_BACKEND_FAILURE_44"
    assert running.pool.inventory() == before
    running.ask("SR.scan", small)
    assert running.ask("SR.get_VDIs", small) == []


def test_a_restore_over_an_existing_vdi_replaces_what_was_there(running: Any) -> None:
    backup = running.ask("VDI.copy", running.vdi, running.folder_sr)
    lun = running.lun(B)
    sr = running.create(running.full_config(B))
    into = running.ask("VDI.create", {"name_label": "n", "SR": sr, "virtual_size": str(25 * running.mib)})
    lun.write(5 * running.mib, b"old")
    assert running.ask("VDI.copy", backup, "OpaqueRef:NULL", "OpaqueRef:NULL", into) == into
    assert lun.read(5 * running.mib, 3) == bytes(3)
    assert lun.read(6 * running.mib, 3) == b"\3" * 3
    small = running.ask("VDI.create", {"name_label": "s", "SR": sr, "virtual_size": "512"})
    with pytest.raises(running.refused) as refusal:
        running.ask("VDI.copy", backup, "OpaqueRef:NULL", "OpaqueRef:NULL", small)
    assert refusal.value.code == "VDI_TOO_SMALL"


def test_what_is_being_copied_is_left_alone(running: Any) -> None:
    start(running)
    pbds = running.ask("SR.get_PBDs", running.sr)
    for call, argument in (("VDI.destroy", running.vdi), ("VDI.forget", running.vdi), ("PBD.unplug", pbds[0])):
        with pytest.raises(running.refused) as refusal:
            running.ask(call, argument)
        assert refusal.value.code == "OTHER_OPERATION_IN_PROGRESS"
    running.ask("SR.scan", running.folder_sr)
    running.pool.advance_tasks()
    assert len(running.ask("SR.get_VDIs", running.folder_sr)) == 1


def test_the_disk_of_a_running_guest_is_not_copied(world: Any) -> None:
    world.lun(A)
    guest = world.pool.start_guest(target=A, size_bytes=world.mib, name="web")
    folder = world.open_folder()
    with pytest.raises(world.refused) as refusal:
        world.ask("VDI.copy", world.ask("VDI.get_by_uuid", guest.vdi_uuid), folder)
    assert refusal.value.code == "VDI_IN_USE"


def test_a_scan_finds_backups_that_are_there_and_passes_over_what_is_no_vhd(running: Any) -> None:
    backup = running.ask("VDI.get_uuid", running.ask("VDI.copy", running.vdi, running.folder_sr))
    running.close_folder(running.folder_sr)
    for name in ("readme.vhd", "0c0ffee0-0000-4000-8000-0000000000ff.vhd", "notes.txt"):
        file = running.export.create(f"snapshots/2/7/{name}")
        file.write(b"not a disk")
        file.close()
    folder = running.open_folder()
    assert [running.ask("VDI.get_uuid", vdi) for vdi in running.ask("SR.get_VDIs", folder)] == [backup]
    (vdi,) = running.ask("SR.get_VDIs", folder)
    running.ask("VDI.destroy", vdi)
    assert f"{backup}.vhd" not in running.export.list("snapshots/2/7")
    assert len(running.export.list("snapshots/2/7")) == 3


def test_two_srs_on_one_directory_cannot_both_claim_its_files(running: Any) -> None:
    running.ask("VDI.copy", running.vdi, running.folder_sr)
    sr = running.ask("SR.introduce", "0c0ffee0-0000-4000-8000-00000000000b", "twin", "", "file", "file", False, {})
    record = {"host": running.hosts[0], "SR": sr, "device_config": {"location": running.folder}}
    running.ask("PBD.plug", running.ask("PBD.create", record))
    with pytest.raises(running.refused) as refusal:
        running.ask("SR.scan", sr)
    assert refusal.value.code == "DB_UNIQUENESS_CONSTRAINT_VIOLATION"
    assert running.ask("SR.get_VDIs", sr) == []


def test_a_file_sr_is_created_in_a_new_directory_and_refused_in_a_full_one(running: Any) -> None:
    config = {"location": f"{running.mounted}/fresh"}
    arguments: tuple[Any, ...] = ("0", "fresh", "", "file", "file", False, {})
    sr = running.ask("SR.create", running.hosts[0], config, *arguments)
    assert running.export.list("fresh") == []
    running.ask("VDI.create", {"name_label": "empty", "SR": sr, "virtual_size": str(running.mib)})
    running.detach(sr)
    with pytest.raises(running.refused) as refusal:
        running.ask("SR.create", running.hosts[0], config, *arguments)
    assert refusal.value.code == "SR_BACKEND_FAILURE_42"


def test_an_export_that_went_stale_fails_the_copy_and_keeps_the_record_away(running: Any) -> None:
    class Stale:
        def __getattr__(self, name: str) -> Any:
            raise OSError(errno.ESTALE, "stale")

    (pbd,) = [pbd for pbd in running.pool._state.pbds if pbd.sr.ref == running.folder_sr]
    healthy, pbd.attachment._directory = pbd.attachment._directory, Stale()
    task = start(running)
    assert poll(running, task)[-1] == "failure"
    assert running.ask("task.get_error_info", task) == ["VDI_IO_ERROR", "Stale file handle"]
    pbd.attachment._directory = healthy
    assert running.pool.inventory() == running.before
