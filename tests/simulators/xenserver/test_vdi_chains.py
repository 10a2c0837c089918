"""Chains on a LUN: snapshots and clones of a disk that a guest writes, what they hold, and how chains become short."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from snapproof.simulators.blocks import BlockStore
from snapproof.simulators.xenserver.attachments import Fork
from snapproof.simulators.xenserver.chains import VdiImage, VdiView, coalesce, fork, vdi_of
from snapproof.simulators.xenserver.lun import Layout, LayoutError, read_layout, write_layout

A, B = "iqn.2010-01.com.array:a", "iqn.2010-01.com.array:b"
MIB = 2**20
SIZE = 50_001
"""Twelve blocks and a piece of one: no multiple of anything."""


class Chains(RuleBasedStateMachine):
    """A LUN with a tree of VDIs against bytes that are simply kept apart."""

    @initialize()
    def format(self) -> None:
        self.lun = BlockStore().create(200 * MIB)
        self.numbers = 1
        layout = Layout(sr_uuid=self.uuid()).placed(
            uuid=self.uuid(), label="disk", size_bytes=SIZE, lun_bytes=self.lun.size_bytes
        )
        write_layout(self.lun, layout)
        self.disks = {layout.vdis[0].uuid: bytearray(SIZE)}
        self.snapshots: dict[str, bytearray] = {}

    def uuid(self) -> str:
        self.numbers += 1
        return f"00000000-0000-4000-8000-{self.numbers:012x}"

    def layout(self) -> Layout:
        layout = read_layout(self.lun)
        assert layout is not None
        return layout

    def pick(self, number: int, among: dict[str, bytearray]) -> str:
        return sorted(among)[number % len(among)]

    @rule(which=st.integers(0, 9), offset=st.integers(0, SIZE - 1), text=st.binary(min_size=1, max_size=9000))
    def write(self, which: int, offset: int, text: bytes) -> None:
        if not self.disks:
            return
        uuid, piece = self.pick(which, self.disks), text[: SIZE - offset]
        VdiView(self.lun, self.layout(), uuid).write(offset, piece)
        self.disks[uuid][offset : offset + len(piece)] = piece

    @rule(which=st.integers(0, 9), writable=st.booleans())
    def fork(self, which: int, writable: bool) -> None:  # noqa: FBT001  a rule's argument
        everything = {**self.disks, **self.snapshots}
        if not everything or len(everything) > 8:
            return
        uuid, new = self.pick(which, everything), self.uuid()
        wanted = Fork(uuid=new, label="new", base_uuid=self.uuid(), time_s=1.0, writable=writable)
        before = self.layout()
        after = fork(before, uuid, wanted, lun_bytes=self.lun.size_bytes)
        for entry in after.vdis:
            if entry.taken_bytes and entry.offset not in {other.offset for other in before.vdis}:
                self.lun.write(entry.offset, bytes(entry.taken_bytes))
        write_layout(self.lun, after)
        (self.disks if writable else self.snapshots)[new] = bytearray(everything[uuid])

    @rule(which=st.integers(0, 9))
    def delete(self, which: int) -> None:
        if not (self.disks or self.snapshots):
            return
        uuid = self.pick(which, {**self.disks, **self.snapshots})
        write_layout(self.lun, self.layout().without(uuid))
        self.disks.pop(uuid, None)
        self.snapshots.pop(uuid, None)

    @rule()
    def collect(self) -> None:
        layout = coalesce(self.lun, self.layout())
        while layout:
            layout = coalesce(self.lun, layout)
        counts = {entry.uuid: len(self.layout().children(entry.uuid)) for entry in self.layout().vdis if entry.hidden}
        assert all(count > 1 for count in counts.values()), "only a parent of several is needed"

    @rule()
    def resign(self) -> None:
        before = self.layout()
        after = before.resigned(self.uuid)
        write_layout(self.lun, after)
        fresh = {old.uuid: new.uuid for old, new in zip(before.vdis, after.vdis, strict=True)}
        self.disks = {fresh[uuid]: text for uuid, text in self.disks.items()}
        self.snapshots = {fresh[uuid]: text for uuid, text in self.snapshots.items()}

    @invariant()
    def every_disk_and_snapshot_reads_as_it_should(self) -> None:
        layout = self.layout()
        shown = {entry.uuid for entry in layout.vdis if not entry.hidden}
        assert shown == self.disks.keys() | self.snapshots.keys()
        for uuid, text in (*self.disks.items(), *self.snapshots.items()):
            image = VdiImage(self.lun, layout, uuid)
            assert image.read(0, SIZE) == bytes(text)
            assert image.read(4000, 5000) == bytes(text[4000:9000])
            sparse = bytearray(SIZE)
            ranges = list(image.extents())
            for offset, length in ranges:
                sparse[offset : offset + length] = image.read(offset, length)
            assert sparse == text
            assert all(
                end < begin
                for (end, begin) in zip([o + n for o, n in ranges], [o for o, _ in ranges[1:]], strict=False)
            )


TestChains = Chains.TestCase
TestChains.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


@pytest.fixture
def guest(world: Any) -> Any:
    """A guest with a disk of 1 MiB and a piece on a LUN that has room for several such."""
    world.lun(A, 64 * MIB)
    world.guest = world.pool.start_guest(target=A, size_bytes=MIB + 77, name="web")
    world.vm = world.guest.vbd.vm.ref
    world.vdi = world.ask("VDI.get_by_uuid", world.guest.vdi_uuid)
    world.sr = world.ask("VDI.get_SR", world.vdi)
    return world.guest


def refusal(world: Any, name: str, *arguments: Any) -> list[str]:
    with pytest.raises(world.refused) as refused:
        world.ask(name, *arguments)
    return list(refused.value.description)


def bytes_of(world: Any, vdi: str) -> bytes:
    layout = read_layout(world.fabric.luns[A])
    assert layout is not None
    image = VdiImage(world.fabric.luns[A], layout, world.ask("VDI.get_uuid", vdi))
    return image.read(0, image.size_bytes)


def test_a_snapshot_of_a_running_guests_disk_keeps_that_moment(world: Any, guest: Any) -> None:
    guest.write(5, b"before")
    snapshot = world.ask("VDI.snapshot", world.vdi)
    guest.write(7, b"after!")
    assert bytes_of(world, snapshot)[5:11] == b"before"
    assert guest.read(5, 8) == b"beafter!"
    record = world.ask("VDI.get_record", snapshot)
    assert (record["is_a_snapshot"], record["snapshot_of"], record["managed"]) == (True, world.vdi, True)
    assert str(record["snapshot_time"]) == "20260101T00:00:00Z"
    assert world.ask("VDI.get_snapshots", world.vdi) == [snapshot]
    (parent,) = {world.ask("VDI.get_parent", vdi) for vdi in (world.vdi, snapshot)}
    hidden = world.ask("VDI.get_record", parent)
    assert (hidden["managed"], hidden["name_label"]) == (False, "base copy")
    assert record["sm_config"] == {"vhd-parent": hidden["uuid"]}
    assert refusal(world, "VDI.destroy", parent) == ["VDI_NOT_MANAGED", parent]
    assert refusal(world, "VDI.snapshot", parent) == ["VDI_NOT_MANAGED", parent]


def test_a_snapshot_needs_room_for_a_second_disk_and_leaves_all_as_it_was_without(world: Any) -> None:
    world.lun(A, 6 * MIB)
    guest = world.pool.start_guest(target=A, size_bytes=2 * MIB, name="web")
    guest.write(0, b"precious")
    before = world.pool.inventory()
    vdi = world.ask("VDI.get_by_uuid", guest.vdi_uuid)
    for call, argument in (("VDI.snapshot", vdi), ("VDI.clone", vdi)):
        assert refusal(world, call, argument)[0] == "SR_BACKEND_FAILURE_44"
    assert refusal(world, "VM.snapshot", guest.vbd.vm.ref, "s")[0] == "SR_BACKEND_FAILURE_44"
    assert world.pool.inventory() == before
    assert guest.read(0, 8) == b"precious"


def test_a_chain_is_coalesced_in_the_background_when_its_snapshot_is_gone(world: Any, guest: Any) -> None:
    guest.write(0, b"one" * 3000)
    snapshot = world.ask("VDI.snapshot", world.vdi)
    guest.write(4000, b"two" * 3000)
    guest.write(MIB + 70, b"the end")
    world.ask("VDI.destroy", snapshot)
    assert len(world.ask("SR.get_VDIs", world.sr)) == 2, "the hidden parent is still there"
    world.clock.advance(29)
    assert len(world.ask("SR.get_VDIs", world.sr)) == 2
    world.clock.advance(1)
    assert world.ask("SR.get_VDIs", world.sr) == [world.vdi]
    assert world.ask("VDI.get_sm_config", world.vdi) == {}
    assert guest.read(0, 4000) == (b"one" * 3000)[:4000]
    assert guest.read(4000, 9000) == b"two" * 3000
    assert guest.read(MIB + 70, 7) == b"the end"
    assert vdi_of(world.fabric.luns[A]).size_bytes == MIB + 77
    guest.write(0, b"goes on")
    assert [entry.event for entry in world.journal if entry.event == "chain coalesced"]


def test_the_collector_waits_for_copies_and_for_luns_out_of_reach(world: Any, guest: Any) -> None:
    world.pool.stop_guest(guest)
    again = world.pool.start_guest(target=A, size_bytes=MIB + 77, name="web")
    vdi = world.ask("VDI.get_by_uuid", again.vdi_uuid)
    one, two = world.ask("VDI.snapshot", vdi), world.ask("VDI.snapshot", vdi)
    task = world.ask("Async.VDI.copy", one, world.open_folder())
    world.ask("VDI.destroy", two)
    world.clock.advance(31)
    sr = world.ask("VDI.get_SR", vdi)
    assert len(world.ask("SR.get_VDIs", sr)) == 4
    while world.ask("task.get_status", task) == "pending":
        pass
    world.fabric.closed |= {(initiator, A) for initiator in world.pool.initiators()}
    world.clock.advance(31)
    assert len(world.ask("SR.get_VDIs", sr)) == 4
    world.fabric.closed.clear()
    world.clock.advance(31)
    assert len(world.ask("SR.get_VDIs", sr)) == 3


def test_a_clone_is_written_without_its_parent_noticing(world: Any, guest: Any) -> None:
    guest.write(0, b"parent")
    clone = world.ask("VDI.clone", world.vdi)
    vm = world.ask("VM.create", {"name_label": "second"})
    world.ask("VBD.create", {"VM": vm, "VDI": clone, "userdevice": "0", "mode": "RW", "type": "Disk"})
    world.ask("VM.start", vm, False, False)
    assert bytes_of(world, clone)[:6] == b"parent"
    assert world.ask("VDI.get_is_a_snapshot", clone) is False
    snapshot = world.ask("VDI.snapshot", clone)
    again = world.ask("VDI.clone", snapshot)
    assert bytes_of(world, again)[:6] == b"parent"


@pytest.mark.usefixtures("guest")
def test_a_snapshot_is_read_only(world: Any) -> None:
    snapshot = world.ask("VDI.snapshot", world.vdi)
    vm = world.ask("VM.create", {"name_label": "second"})
    world.ask("VBD.create", {"VM": vm, "VDI": snapshot, "userdevice": "0", "mode": "RW", "type": "Disk"})
    assert refusal(world, "VM.start", vm, False, False) == ["VDI_READONLY", snapshot]
    hidden = world.ask("VDI.get_parent", snapshot)
    world.ask("VBD.create", {"VM": vm, "VDI": hidden, "userdevice": "1", "mode": "RO", "type": "Disk"})
    assert refusal(world, "VM.start", vm, False, False)[0] in {"VDI_READONLY", "VDI_NOT_MANAGED"}


def test_the_backup_of_a_snapshot_is_that_moment_though_the_guest_writes_on(world: Any, guest: Any) -> None:
    guest.write(0, b"boot" * 1000)
    snapshot = world.ask("VDI.snapshot", world.vdi)
    guest.write(0, b"late" * 1000)
    backup = world.ask("VDI.copy", snapshot, world.open_folder())
    world.lun(B)
    world.ask("VDI.copy", backup, world.create(world.full_config(B)))
    assert vdi_of(world.fabric.luns[B]).read(0, 4000) == b"boot" * 1000


def test_chains_live_in_the_lun_and_survive_being_forgotten_and_re_signed(world: Any, guest: Any) -> None:
    guest.write(0, b"first")
    world.ask("VDI.snapshot", world.vdi)
    guest.write(0, b"later")
    world.clone(A, B)
    world.pool.stop_guest(guest)
    with pytest.raises(world.refused, match="successfully resigned"):
        world.create(world.full_config(B), "relvmoiscsi")
    config = world.full_config(B)
    sr = world.attach(world.probe(config), config, "clone")
    records = {record["uuid"]: record for record in world.ask("VDI.get_all_records").values() if record["SR"] == sr}
    assert sorted((record["managed"], record["is_a_snapshot"]) for record in records.values()) == [
        (False, False), (True, False), (True, True),
    ]  # fmt: skip
    (snapshot,) = [record for record in records.values() if record["is_a_snapshot"]]
    assert world.ask("VDI.get_uuid", snapshot["snapshot_of"]) in records
    assert snapshot["sm_config"]["vhd-parent"] in records
    assert world.guest.vdi_uuid not in records


def test_a_crash_consistent_snapshot_lacks_what_the_guest_held_and_a_quiesced_one_has_it(
    world: Any, guest: Any
) -> None:
    guest.write(0, b"on disk")
    guest.write_later(3, b"held")
    assert guest.read(0, 7) == b"on held"
    crash = world.ask("VM.snapshot", world.vm, "crash")
    assert refusal(world, "VM.snapshot_with_quiesce", world.vm, "q")[0] == "VM_SNAPSHOT_WITH_QUIESCE_NOT_SUPPORTED"
    guest.install_tools()
    quiet = world.ask("VM.snapshot_with_quiesce", world.vm, "quiet")

    def disk(snapshot: str) -> bytes:
        (vbd,) = world.ask("VM.get_VBDs", snapshot)
        return bytes_of(world, world.ask("VBD.get_VDI", vbd))[:7]

    assert (disk(crash), disk(quiet)) == (b"on disk", b"on held")
    record = world.ask("VM.get_record", crash)
    assert (record["is_a_snapshot"], record["snapshot_of"], record["power_state"]) == (True, world.vm, "Halted")
    assert set(world.ask("VM.get_snapshots", world.vm)) == {crash, quiet}
    assert refusal(world, "VM.start", crash, False, False)[0] == "VM_IS_SNAPSHOT"


def test_a_guest_that_cannot_write_out_fails_the_quiesced_snapshot_only(world: Any, guest: Any) -> None:
    guest.install_tools()
    guest.write_later(0, b"held")
    world.fabric.closed |= {(initiator, A) for initiator in world.pool.initiators()}
    before = world.pool.inventory()
    assert refusal(world, "VM.snapshot_with_quiesce", world.vm, "q") == ["VM_SNAPSHOT_WITH_QUIESCE_FAILED", world.vm]
    world.fabric.closed.clear()
    assert world.pool.inventory() == before
    world.ask("VM.hard_shutdown", world.vm)
    assert refusal(world, "VM.snapshot_with_quiesce", world.vm, "q")[0] == "VM_BAD_POWER_STATE"


def test_what_a_guest_held_dies_with_it(world: Any, guest: Any) -> None:
    guest.write(0, b"on disk")
    guest.write_later(3, b"held")
    world.ask("VM.hard_reboot", world.vm)
    assert guest.read(0, 7) == b"on disk"
    guest.flush()
    assert guest.read(0, 7) == b"on disk"
    with pytest.raises(ValueError, match="outside"):
        guest.write_later(guest.size_bytes, b"x")


def test_going_back_to_a_snapshot_brings_the_disk_back_and_halts_the_guest(world: Any, guest: Any) -> None:
    guest.write(0, b"good")
    snapshot = world.ask("VM.snapshot", world.vm, "good")
    guest.write(0, b"evil")
    world.ask("VM.revert", snapshot)
    record = world.ask("VM.get_record", world.vm)
    assert record["power_state"] == "Halted"
    (vbd,) = record["VBDs"]
    assert bytes_of(world, world.ask("VBD.get_VDI", vbd))[:4] == b"good"
    world.ask("VM.start", world.vm, False, False)
    assert refusal(world, "VM.revert", world.vm) == ["VM_IS_NOT_SNAPSHOT", world.vm]


def test_a_file_sr_has_no_chains(world: Any) -> None:
    folder = world.open_folder()
    vdi = world.ask("VDI.create", {"name_label": "x", "SR": folder, "virtual_size": str(MIB)})
    assert refusal(world, "VDI.snapshot", vdi)[0] == "SR_OPERATION_NOT_SUPPORTED"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)
@given(parent=st.integers(0, 2), bit=st.integers(0, 3))
def test_a_chain_that_eats_its_own_tail_is_refused(parent: int, bit: int) -> None:
    lun = BlockStore().create(64 * MIB)
    uuids = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(3)]
    layout = Layout(sr_uuid=uuids[0])
    for number, uuid in enumerate(uuids):
        layout = layout.placed(
            uuid=uuid, label="", size_bytes=100, lun_bytes=lun.size_bytes, parent=uuids[(number + parent) % 3]
        )
    write_layout(lun, layout)
    with pytest.raises(LayoutError, match="own ancestor"):
        VdiImage(lun, layout, uuids[bit % 3])
