"""VDI-per-LUN: attach, clash, re-sign, back up to an export, restore; and what each refusal leaves behind: nothing."""

from typing import Any

import pytest

from snapproof.simulators.xenserver.failures import XapiError

A, B, C = "iqn.2010-01.com.array:a", "iqn.2010-01.com.array:b", "iqn.2010-01.com.array:c"


def test_a_backup_and_a_restore_bring_every_byte_back_and_leave_the_pool_as_it_was(world: Any) -> None:
    world.lun(A)
    guest = world.pool.start_guest(target=A, size_bytes=20 * world.mib, name="web")
    guest.write(0, b"boot" * 1000)
    guest.write(13 * world.mib + 77, b"tail")
    before = world.pool.inventory()

    world.clone(A, B)
    guest.write(0, b"later" * 1000)
    config = world.full_config(B)
    uuid = world.probe(config)
    with pytest.raises(world.refused) as clash:
        world.ask("SR.introduce", uuid, "clone", "", "lvmoiscsi", "user", True, {})
    assert clash.value.description == ["SR_UUID_EXISTS", uuid]

    with pytest.raises(world.refused) as resigned:
        world.create(config, "relvmoiscsi")
    assert resigned.value.code == "SR_BACKEND_FAILURE_1"
    assert "successfully resigned" in str(resigned.value)
    fresh = world.probe(config)
    assert fresh != uuid

    clone = world.attach(fresh, config, f"/{B}/0")
    (vdi,) = world.ask("SR.get_VDIs", clone)
    assert world.ask("VDI.get_uuid", vdi) != guest.vdi_uuid
    folder = world.open_folder()
    backup = world.ask("VDI.get_uuid", world.ask("VDI.copy", vdi, folder))
    world.close_folder(folder)
    world.detach(clone)
    assert world.pool.inventory() == before
    assert world.export.list("snapshots/2/7") == [f"{backup}.vhd"]

    world.lun(C)
    target = world.create(world.full_config(C), label=f"/{C}/0")
    folder = world.open_folder()
    restored = world.ask("VDI.copy", world.ask("VDI.get_by_uuid", backup), target)
    assert world.ask("VDI.get_virtual_size", restored) == str(20 * world.mib)
    world.close_folder(folder)
    world.detach(target)
    assert world.pool.inventory() == before

    again = world.pool.start_guest(target=C, size_bytes=20 * world.mib, name="restored")
    assert again.read(0, 4000) == b"boot" * 1000
    assert again.read(13 * world.mib + 77, 4) == b"tail"
    assert again.read(5 * world.mib, 100) == bytes(100)
    world.pool.stop_guest(again)
    assert world.pool.inventory() == before


def test_a_stopped_guest_is_started_again_from_the_identity_in_its_lun(world: Any) -> None:
    world.lun(A)
    first = world.pool.start_guest(target=A, size_bytes=world.mib, name="web")
    first.write(5, b"kept")
    world.pool.stop_guest(first)
    assert world.pool.inventory() == ()
    second = world.pool.start_guest(target=A, size_bytes=world.mib, name="web")
    assert (second.vdi_uuid, second.read(5, 4)) == (first.vdi_uuid, b"kept")


def test_a_guest_cannot_be_started_on_a_clone_beside_its_parent(world: Any) -> None:
    world.lun(A)
    parent = world.pool.start_guest(target=A, size_bytes=world.mib, name="web")
    world.clone(A, B)
    before = world.pool.inventory()
    with pytest.raises(XapiError, match="re-sign"):
        world.pool.start_guest(target=B, size_bytes=world.mib, name="clone")
    assert world.pool.inventory() == before
    with pytest.raises(world.refused, match="successfully resigned"):
        world.create(world.full_config(B), "relvmoiscsi")
    clone = world.pool.start_guest(target=B, size_bytes=world.mib, name="clone")
    clone.write(0, b"clone")
    assert (parent.read(0, 5), clone.read(0, 5)) == (bytes(5), b"clone")


def test_a_lun_too_small_for_the_guest_is_not_formatted(world: Any) -> None:
    world.lun(A, 5 * world.mib)
    with pytest.raises(XapiError, match="SR_FULL"):
        world.pool.start_guest(target=A, size_bytes=2 * world.mib, name="web")
    assert world.probe(world.full_config(A)) == ""
    assert world.pool.inventory() == ()


def test_creating_an_sr_on_a_lun_that_holds_one_destroys_it_and_says_so_in_the_journal(world: Any) -> None:
    world.lun(A)
    guest = world.pool.start_guest(target=A, size_bytes=world.mib, name="web")
    guest.write(0, b"precious")
    world.clone(A, B)
    config = world.full_config(B)
    lost = world.probe(config)
    sr = world.create(config)
    assert world.ask("SR.get_VDIs", sr) == []
    (entry,) = [entry for entry in world.journal if entry.event == "lun formatted" and entry.facts["target"] == B]
    assert entry.facts["destroyed_sr"] == lost
    vdi = world.ask("VDI.create", {"name_label": "x", "SR": sr, "virtual_size": str(world.mib), "type": "user"})
    world.detach(sr)
    assert bytes(8) == world.pool.start_guest(target=B, size_bytes=world.mib, name="x").read(0, 8), vdi


@pytest.mark.parametrize("of_type", ["lvmoiscsi", "relvmoiscsi"])
def test_a_lun_in_use_is_neither_formatted_nor_resigned(world: Any, of_type: str) -> None:
    world.lun(A)
    guest = world.pool.start_guest(target=A, size_bytes=world.mib, name="web")
    guest.write(0, b"precious")
    config = world.full_config(A)
    with pytest.raises(world.refused) as refusal:
        world.create(config, of_type)
    assert refusal.value.code == "SR_BACKEND_FAILURE_16"
    assert guest.read(0, 8) == b"precious"


def test_an_sr_cannot_be_plugged_from_a_clone_while_a_host_has_the_original(world: Any) -> None:
    world.lun(A)
    guest = world.pool.start_guest(target=A, size_bytes=world.mib, name="web")
    sr = world.ask("SR.get_by_uuid", world.probe(world.full_config(A)))
    other = world.ask("SR.get_PBDs", sr)[1]
    world.ask("PBD.unplug", other)
    world.ask("PBD.destroy", other)
    world.clone(A, B)
    record = {"host": world.hosts[1], "SR": sr, "device_config": world.full_config(B)}
    pbd = world.ask("PBD.create", record)
    with pytest.raises(world.refused) as refusal:
        world.ask("PBD.plug", pbd)
    assert refusal.value.code == "SR_BACKEND_FAILURE_47"
    assert world.ask("PBD.get_currently_attached", pbd) is False
    assert guest.name == "web"


def test_a_pbd_cannot_be_plugged_into_a_lun_that_holds_another_sr(world: Any) -> None:
    world.lun(A)
    world.pool.stop_guest(world.pool.start_guest(target=A, size_bytes=world.mib, name="web"))
    with pytest.raises(world.refused) as refusal:
        world.attach("0c0ffee0-0000-4000-8000-00000000000a", world.full_config(A), "wrong")
    assert refusal.value.code == "SR_BACKEND_FAILURE_47"


def test_resigning_a_lun_without_an_sr_fails_without_the_words_of_success(world: Any) -> None:
    world.lun(A)
    with pytest.raises(world.refused) as refusal:
        world.create(world.full_config(A), "relvmoiscsi")
    assert refusal.value.code == "SR_BACKEND_FAILURE_47"
    assert "successfully resigned" not in str(refusal.value)
    assert world.probe(world.full_config(A)) == ""


def test_a_pool_without_the_plug_in_neither_lists_nor_runs_resigning(new_world: Any) -> None:
    world = new_world(resign=False)
    world.lun(A)
    with pytest.raises(world.refused) as refusal:
        world.create(world.full_config(A), "relvmoiscsi")
    assert refusal.value.description == ["SR_UNKNOWN_DRIVER", "relvmoiscsi"]
    assert "resigning of duplicates" not in str(world.ask("SM.get_all_records"))
    assert "resigning of duplicates" in str(new_world().ask("SM.get_all_records"))


@pytest.mark.parametrize(
    ("missing", "code"), [("target", "SR_BACKEND_FAILURE_95"), ("targetIQN", "SR_BACKEND_FAILURE_96")]
)
def test_a_device_config_without_a_target_is_refused(world: Any, missing: str, code: str) -> None:
    config = world.config(A)
    del config[missing]
    with pytest.raises(world.refused) as refusal:
        world.create(config)
    assert refusal.value.code == code
    assert world.pool.inventory() == ()


def test_a_host_that_the_array_does_not_know_is_refused_at_login_without_echoing_the_chap_secret(world: Any) -> None:
    world.lun(A)
    world.fabric.closed.add((world.pool.initiators()[0], A))
    with pytest.raises(world.refused) as refusal:
        world.create(world.config(A))
    assert refusal.value.code == "SR_BACKEND_FAILURE_68"
    assert "chap-hush-hush" not in str(refusal.value.description)


def test_no_record_line_or_journal_entry_ever_shows_a_chap_secret(world: Any) -> None:
    world.lun(A)
    sr = world.create(world.full_config(A))
    shown = [world.ask(f"{name}.get_all_records") for name in ("SR", "PBD", "VDI", "host", "task")]
    text = str(shown) + "\n".join(world.pool.inventory()) + "".join(entry.line() for entry in world.journal)
    assert "chap-hush-hush" not in text
    assert "chappassword_secret" in world.ask("PBD.get_device_config", world.ask("SR.get_PBDs", sr)[0])


def test_an_sr_is_forgotten_only_when_no_host_has_it_plugged_and_takes_its_vdis_along(world: Any) -> None:
    world.lun(A)
    sr = world.create(world.full_config(A))
    world.ask("VDI.create", {"name_label": "x", "SR": sr, "virtual_size": "512"})
    first, *others = world.ask("SR.get_PBDs", sr)
    for pbd in others:
        world.ask("PBD.unplug", pbd)
    with pytest.raises(world.refused) as refusal:
        world.ask("SR.forget", sr)
    assert refusal.value.description == ["SR_HAS_PBD", sr]
    world.ask("PBD.unplug", first)
    world.ask("SR.forget", sr)
    assert world.pool.inventory() == ()


def test_a_guest_in_the_way_stops_the_unplugging(world: Any) -> None:
    world.lun(A)
    guest = world.pool.start_guest(target=A, size_bytes=world.mib, name="web")
    before = world.pool.inventory()
    sr = world.ask("SR.get_by_name_label", f"/{A}/0")[0]
    with pytest.raises(world.refused) as refusal:
        world.ask("PBD.unplug", world.ask("SR.get_PBDs", sr)[0])
    assert refusal.value.code == "VDI_IN_USE"
    assert world.pool.inventory() == before
    assert guest.read(0, 1) == b"\0"


def test_a_guest_whose_volume_left_its_access_group_meets_io_errors_at_once(world: Any) -> None:
    world.lun(A)
    guest = world.pool.start_guest(target=A, size_bytes=world.mib, name="web")
    world.fabric.closed.add((world.pool.initiators()[0], A))
    with pytest.raises(OSError, match="lost"):
        guest.read(0, 1)
    with pytest.raises(OSError, match="lost"):
        guest.write(0, b"x")
    world.fabric.closed.clear()
    assert guest.read(0, 1) == b"\0"


def test_a_destroyed_sr_leaves_a_lun_that_holds_none(world: Any) -> None:
    world.lun(A)
    config = world.full_config(A)
    sr = world.create(config)
    with pytest.raises(world.refused):
        world.ask("SR.destroy", sr)
    for pbd in reversed(world.ask("SR.get_PBDs", sr)):
        world.ask("PBD.unplug", pbd)
    world.ask("SR.destroy", sr)
    assert world.probe(config) == ""
    assert world.pool.inventory() == ()
