"""Hosts that die, once and for good, in the middle of what they do; and what is there when they are back."""

from typing import Any

import pytest

from snapproof.simulators.faults import AnswerLostError, fault_named

A = "iqn.2010-01.com.array:a"
MIB = 2**20


@pytest.fixture
def copying(world: Any) -> Any:
    """A world in which a copy of 24 MiB to the export has begun."""
    world.lun(A)
    world.sr = world.create(world.full_config(A))
    world.vdi = world.ask("VDI.create", {"name_label": "disk", "SR": world.sr, "virtual_size": str(24 * MIB)})
    for offset in range(0, 24, 2):
        world.fabric.luns[A].write((4 + offset) * MIB, bytes([offset + 1]) * 4096)
    world.folder_sr = world.open_folder()
    world.task = world.ask("Async.VDI.copy", world.vdi, world.folder_sr)
    assert world.ask("task.get_status", world.task) == "pending"
    return world


def refusal(world: Any, name: str, *arguments: Any) -> list[str]:
    with pytest.raises(world.refused) as refused:
        world.ask(name, *arguments)
    return list(refused.value.description)


@pytest.mark.parametrize("fault", ["refused:HOST_DIES", "refused:POWER_CUT"])
def test_a_fault_kills_the_master_at_a_call_and_the_half_written_file_stays(copying: Any, fault: str) -> None:
    copying.seam.arm_next("host.task.get_status", fault_named(fault))
    with pytest.raises(AnswerLostError):
        copying.ask("task.get_status", copying.task)
    copying.pool.restore_power(0)
    assert copying.ask("task.get_status", copying.task) == "failure"
    assert copying.ask("task.get_error_info", copying.task) == ["HOST_OFFLINE", copying.hosts[0]]
    (name,) = copying.export.list("snapshots/2/7")
    assert 0 < copying.export.size(f"snapshots/2/7/{name}") < 24 * MIB + 4096
    assert copying.ask("host.get_enabled", copying.hosts[0]) is True
    assert copying.seam.unspent() == ()


def test_a_master_without_power_answers_nobody_until_it_is_back_with_its_luns(copying: Any) -> None:
    copying.pool.cut_power(0)
    for _ in range(2):
        with pytest.raises(AnswerLostError):
            copying.ask("host.get_all")
    copying.pool.cut_power(0)
    copying.pool.restore_power(0)
    copying.pool.restore_power(0)
    attached = {
        copying.ask("PBD.get_SR", pbd): record["currently_attached"]
        for pbd, record in copying.ask("PBD.get_all_records").items()
        if record["host"] == copying.hosts[0]
    }
    assert attached == {copying.sr: True, copying.folder_sr: False}
    told = copying.ask("message.get_all_records").values()
    assert [notice["name"] for notice in told] == ["PBD_PLUG_FAILED_ON_SERVER_START"]


def test_a_slave_without_power_takes_no_work(world: Any) -> None:
    world.lun(A)
    sr = world.create(world.full_config(A))
    slave = world.hosts[1]
    (pbd,) = [pbd for pbd in world.ask("SR.get_PBDs", sr) if world.ask("PBD.get_host", pbd) == slave]
    world.pool.cut_power(1)
    assert world.ask("PBD.get_currently_attached", pbd) is False
    assert world.ask("host_metrics.get_live", world.ask("host.get_metrics", slave)) is False
    plugin = ("cloud-plugin-storage", "makeDirectory", {"path": "/x"})
    calls: tuple[tuple[Any, ...], ...] = (
        ("PBD.plug", pbd),
        ("host.call_plugin", slave, *plugin),
        ("host.disable", slave),
        ("host.get_servertime", slave),
        ("SR.probe", slave, world.config(A), "lvmoiscsi", {}),
        ("pool.designate_new_master", slave),
    )
    for name, *arguments in calls:
        assert refusal(world, name, *arguments) == ["HOST_OFFLINE", slave]
    world.pool.restore_power(1)
    assert world.ask("PBD.get_currently_attached", pbd) is True
    assert world.ask("pool.recover_slaves") == [slave]


def test_a_guest_dies_with_its_host_and_starts_on_another(world: Any) -> None:
    world.lun(A)
    guest = world.pool.start_guest(target=A, size_bytes=MIB, name="web")
    guest.write(0, b"kept")
    world.pool.cut_power(0)
    world.pool.restore_power(0)
    vm = guest.vbd.vm.ref
    assert world.ask("VM.get_power_state", vm) == "Halted"
    assert set(world.ask("VM.get_possible_hosts", vm)) == set(world.hosts)
    world.ask("VM.start_on", vm, world.hosts[1], False, False)
    assert world.ask("VM.get_resident_on", vm) == world.hosts[1]
    assert guest.read(0, 4) == b"kept"


def test_a_disabled_host_starts_no_guest(world: Any) -> None:
    world.lun(A)
    guest = world.pool.start_guest(target=A, size_bytes=MIB, name="web")
    vm = guest.vbd.vm.ref
    world.ask("VM.hard_shutdown", vm)
    world.ask("host.disable", world.hosts[0])
    assert refusal(world, "VM.start", vm, False, False) == ["HOST_DISABLED", world.hosts[0]]
    world.ask("host.enable", world.hosts[0])
    world.ask("VM.start", vm, False, False)
    assert refusal(world, "pool.designate_new_master", world.hosts[0]) == ["HOST_IS_MASTER", world.hosts[0]]
