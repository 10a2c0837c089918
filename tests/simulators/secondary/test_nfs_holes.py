"""Zeros that a host writes to an export: a hole of the file, and zeros to every reader."""

from pathlib import Path
from uuid import UUID

from snapproof.simulators.blocks import BlockStore
from snapproof.simulators.clock import EPOCH_S, VirtualClock
from snapproof.simulators.journal import Journal
from snapproof.simulators.secondary.nfs import NfsExport
from snapproof.simulators.xenserver.vhd import read_dynamic, write_dynamic

MIB = 1 << 20


def export_at(root: Path) -> NfsExport:
    return NfsExport(root, journal=Journal(VirtualClock().time))


def test_a_hole_that_a_host_wrote_as_zeros_reads_as_zeros_at_its_size(tmp_path: Path) -> None:
    export = export_at(tmp_path)
    file = export.create("file")
    for part in (b"a", bytes(2 * MIB), bytes(2 * MIB), b"b", bytes(4096)):
        file.write(part)
    assert (tmp_path / "file").stat().st_size == 4 * MIB + 4098
    file.close()
    assert export.read("file") == b"a" + bytes(4 * MIB) + b"b" + bytes(4096)
    assert (tmp_path / "file").stat().st_blocks * 512 < MIB


def test_what_a_vhds_blocks_do_not_hold_takes_no_room_on_the_export(tmp_path: Path) -> None:
    volume, export = BlockStore().create(1 << 30), export_at(tmp_path)
    for block in range(20):
        volume.write(block * 2 * MIB + MIB, b"x" * 4096)
    sink = export.create("disk.vhd")
    for _ in write_dynamic(volume, sink, uuid=UUID(int=1), time_s=EPOCH_S):
        pass
    sink.close()
    found = (tmp_path / "disk.vhd").stat()
    assert found.st_size > 40 * MIB
    assert found.st_blocks * 512 < 2 * MIB
    file = export.open("disk.vhd")
    assert read_dynamic(file).read(0, 40 * MIB) == volume.read(0, 40 * MIB)
    file.close()
