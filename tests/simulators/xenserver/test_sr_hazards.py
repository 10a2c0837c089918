"""What an SR does to a LUN, and what a pool refuses: C25 in the LUN's own bytes, the count of SRs, the master last."""

from typing import Any

import pytest

A, B, C = "iqn.2010-01.com.array:a", "iqn.2010-01.com.array:b", "iqn.2010-01.com.array:c"
MIB = 2**20


def refusal(world: Any, name: str, *arguments: Any) -> list[str]:
    with pytest.raises(world.refused) as refused:
        world.ask(name, *arguments)
    return list(refused.value.description)


def test_an_unreadable_probe_followed_by_a_create_destroys_a_guests_bytes(world: Any) -> None:
    """Hazard C25: the LUN itself shows the loss, past every record."""
    lun = world.lun(A)
    guest = world.pool.start_guest(target=A, size_bytes=20 * MIB, name="web")
    guest.write(0, b"precious" * 512)
    guest.write(15 * MIB, b"beyond" * 100)
    world.pool.stop_guest(guest)
    assert lun.read(4 * MIB, 8) == b"precious"
    config = world.full_config(A)
    world.create(config)
    assert lun.read(4 * MIB, 6 * MIB) == bytes(6 * MIB)
    assert lun.read(19 * MIB, 6) == b"beyond", "what lies further in is lost to all but the archaeologist"
    assert world.ask("VDI.get_all") == []


def test_a_create_destroys_what_was_never_an_sr_as_well(world: Any) -> None:
    lun = world.lun(A)
    lun.write(0, b"a filesystem" * 1000)
    lun.write(9 * MIB, b"its data" * 1000)
    assert world.probe(world.full_config(A)) == ""
    world.create(world.full_config(A))
    assert lun.read(9 * MIB, 8000) == bytes(8000)
    (entry,) = [entry for entry in world.journal if entry.event == "lun formatted"]
    assert entry.facts["destroyed_sr"] is None


def test_a_lun_that_cannot_hold_an_sr_keeps_its_bytes(world: Any) -> None:
    lun = world.lun(A, 3 * MIB)
    lun.write(0, b"kept")
    with pytest.raises(world.refused) as refused:
        world.create(world.full_config(A))
    assert refused.value.code == "SR_BACKEND_FAILURE_44"
    assert lun.read(0, 4) == b"kept"


def test_a_pool_takes_so_many_srs_on_luns_and_no_more(new_world: Any) -> None:
    world = new_world(sr_count_max=2)
    srs = []
    for target in (A, B):
        world.lun(target)
        srs.append(world.create(world.full_config(target)))
    world.lun(C)
    with pytest.raises(world.refused) as refused:
        world.create(world.full_config(C))
    assert refused.value.code == "SR_ATTACH_FAILED"
    assert set(world.ask("SR.get_all")) == set(srs)
    world.open_folder()
    world.detach(srs[0])
    world.create(world.full_config(C))


def test_the_master_lets_go_of_a_shared_sr_last(world: Any) -> None:
    world.lun(A)
    sr = world.create(world.full_config(A))
    master, slave = world.ask("SR.get_PBDs", sr)
    world.ask("PBD.unplug", master)
    assert refusal(world, "PBD.unplug", slave)[:2] == ["SR_NOT_ATTACHED", sr]
    assert refusal(world, "SR.forget", sr) == ["SR_HAS_PBD", sr]
    world.ask("PBD.plug", master)
    world.ask("PBD.unplug", slave)
    world.ask("PBD.unplug", master)
    world.ask("SR.forget", sr)
    assert world.pool.inventory() == ()


def test_a_probe_can_be_asked_for_records(world: Any) -> None:
    world.lun(A)
    config = world.full_config(A)
    assert world.ask("SR.probe_ext", world.hosts[0], config, "lvmoiscsi", {}) == []
    uuid = world.ask("SR.get_uuid", world.create(config))
    (found,) = world.ask("SR.probe_ext", world.hosts[0], config, "lvmoiscsi", {})
    assert (found["complete"], found["sr"]["uuid"]) == (True, uuid)
    assert "chap-hush-hush" not in str(found)
    assert set(world.ask("SR.get_supported_types")) == {"lvmoiscsi", "relvmoiscsi", "file"}


def test_a_new_device_config_holds_no_password_either(world: Any) -> None:
    world.lun(A)
    (pbd, _) = world.ask("SR.get_PBDs", world.create(world.full_config(A)))
    world.ask("PBD.set_device_config", pbd, world.config(B))
    shown = world.ask("PBD.get_device_config", pbd)
    assert shown["targetIQN"] == B
    assert "chap-hush-hush" not in str(shown)
