"""How disks are copied from LUN to LUN by hosts, where the array cannot help: the performers of those effects.

A source that hosts could reach before is somebody's, unless it is kept for a snapshot: it is neither attached nor let
go of. That is written down before anything is done to it, so that the next life knows it too.
"""

from snapproof.reference_impl.bench import Workbench
from snapproof.reference_impl.core import effects as fx
from snapproof.reference_impl.core.effects import Facts
from snapproof.reference_impl.ports import GoneError, RefusedError


def look_at_source(bench: Workbench, effect: fx.LookAtSource, _facts: Facts) -> Facts:
    """Read only."""
    lun = bench.ports.array.get_lun(effect.lun_id)
    return {"source_target": lun.target, "source_shared": int(lun.shared and not effect.kept)}


def reach_source(bench: Workbench, effect: fx.ReachSource, facts: Facts) -> Facts:
    """Granting and attaching twice is doing it once."""
    if not facts["source_shared"]:
        bench.ports.array.grant(effect.lun_id)
        bench.ports.hypervisor.attach(str(facts["source_target"]))
    return {}


def let_go_of_source(bench: Workbench, effect: fx.ReachSource, facts: Facts) -> None:
    """Nothing, if it is somebody's or was never looked at."""
    if not facts.get("source_shared", 1):
        bench.ports.hypervisor.detach(str(facts["source_target"]))
        bench.ports.array.revoke(effect.lun_id)


def snapshot_disk(bench: Workbench, _effect: fx.SnapshotDisk, facts: Facts) -> Facts:
    """This is the moment that the snapshot is of."""
    return {"disk_snapshot": bench.ports.hypervisor.snapshot_disk(str(facts["source_target"]))}


def drop_disk_snapshots(bench: Workbench, _effect: fx.SnapshotDisk, facts: Facts) -> None:
    """There was none when the job began, for a disk with snapshots of its own is refused; so they are all the job's."""
    bench.ports.hypervisor.drop_disk_snapshots(str(facts["source_target"]))


def copy_disk(bench: Workbench, _effect: fx.CopyDisk, facts: Facts) -> Facts:
    """Let a host copy."""
    disk = facts.get("disk_snapshot")
    copied = bench.ports.hypervisor.copy_disk(
        str(facts["source_target"]), None if disk is None else str(disk), str(facts["target"])
    )
    return {"disk": copied}


def settle_copied_disk(bench: Workbench, _effect: fx.CopyDisk, facts: Facts) -> None:
    """Start over, on a LUN that is blank again."""
    bench.ports.hypervisor.wipe(str(facts["target"]))


def inherit_copied_disk(bench: Workbench, effect: fx.CopyDisk, facts: Facts) -> None:
    """Start over, unless the LUN may yet be formatted."""
    require_formatted(bench, facts)
    settle_copied_disk(bench, effect, facts)


def require_formatted(bench: Workbench, facts: Facts) -> None:
    """Give up a LUN on which an earlier life may have asked for a format that has not come. Raises RefusedError."""
    target = str(facts["target"])
    if not bench.ports.hypervisor.is_formatted(target):
        raise RefusedError(f"{target} may yet be formatted by what a life that died asked for; it is given up.")


def grow_lun(bench: Workbench, effect: fx.GrowLun, _facts: Facts) -> Facts:
    """Ask for it only where it is too small: an array refuses to make volumes smaller."""
    if bench.ports.array.get_lun(effect.lun_id).size_bytes < effect.size_bytes:
        bench.ports.array.resize_lun(effect.lun_id, effect.size_bytes)
    return {}


def grow_disk(bench: Workbench, effect: fx.GrowDisk, facts: Facts) -> Facts:
    """Growing twice is growing once."""
    bench.ports.hypervisor.grow_disk(str(facts["source_target"]), effect.size_bytes)
    return {}


def require_one_disk(bench: Workbench, effect: fx.RequireOneDisk, facts: Facts) -> Facts:
    """Attaching refuses a LUN with more than one."""
    lun = bench.ports.array.get_lun(effect.lun_id)
    bench.ports.array.grant(lun.id)
    bench.ports.hypervisor.attach(lun.target)
    let_go_of_disk(bench, effect, facts)
    return {}


def let_go_of_disk(bench: Workbench, effect: fx.RequireOneDisk, _facts: Facts) -> None:
    """Detach and revoke; both are harmless when repeated."""
    try:
        lun = bench.ports.array.get_lun(effect.lun_id)
    except GoneError:
        return
    bench.ports.hypervisor.detach(lun.target)
    bench.ports.array.revoke(lun.id)
