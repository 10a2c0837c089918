"""Disks that grow: what was there stays, what is new reads as zeros, and no refusal changes anything."""

from typing import Any

import pytest

A = "iqn.2010-01.com.array:a"


def made(world: Any, size_bytes: int) -> str:
    """A VDI of so many bytes on a LUN of its own, with bytes on it that a guest wrote."""
    world.lun(A)
    guest = world.pool.start_guest(target=A, size_bytes=size_bytes, name="web")
    guest.write(0, b"boot")
    guest.write(size_bytes - 4, b"tail")
    world.pool.stop_guest(guest)
    config = world.full_config(A)
    sr = world.attach(world.probe(config), config, f"/{A}/0")
    (vdi,) = world.ask("SR.get_VDIs", sr)
    return str(vdi)


def test_a_disk_that_grows_keeps_its_bytes_and_is_empty_behind_them(world: Any) -> None:
    vdi = made(world, 4 * world.mib)
    for _ in range(2):
        world.ask("VDI.resize", vdi, str(6 * world.mib))
        assert world.ask("VDI.get_virtual_size", vdi) == str(6 * world.mib)
    world.detach(world.ask("VDI.get_SR", vdi))
    guest = world.pool.start_guest(target=A, size_bytes=6 * world.mib, name="web")
    assert guest.size_bytes == 6 * world.mib
    assert guest.read(0, 4) + guest.read(4 * world.mib - 4, 4) == b"boottail"
    assert guest.read(4 * world.mib, 2 * world.mib) == bytes(2 * world.mib)


@pytest.mark.parametrize("size_mib", [1, 100_000])
def test_a_disk_neither_shrinks_nor_leaves_its_lun(world: Any, size_mib: int) -> None:
    vdi = made(world, 4 * world.mib)
    with pytest.raises(world.refused):
        world.ask("VDI.resize", vdi, str(size_mib * world.mib))
    assert world.ask("VDI.get_virtual_size", vdi) == str(4 * world.mib)


def test_a_disk_that_has_a_snapshot_does_not_grow(world: Any) -> None:
    vdi = made(world, 4 * world.mib)
    world.ask("VDI.snapshot", vdi, {})
    with pytest.raises(world.refused) as chained:
        world.ask("VDI.resize", vdi, str(6 * world.mib))
    assert chained.value.code == "SR_BACKEND_FAILURE_44"
    assert world.ask("VDI.get_virtual_size", vdi) == str(4 * world.mib)
