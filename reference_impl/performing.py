"""How each effect is performed, looked for and undone: one table over the ports. When that happens is running.py.

`do` may find its own earlier half behind it; `settle` looks for it by name after a lost answer or a restart, and either
adopts it (gives facts) or clears it away (gives None). `undo` works from names and owner tags alone, since a dead
process remembers nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from snapproof.reference_impl.bench import Workbench
from snapproof.reference_impl.copying import (
    copy_disk,
    drop_disk_snapshots,
    grow_disk,
    grow_lun,
    inherit_copied_disk,
    let_go_of_disk,
    let_go_of_source,
    look_at_source,
    reach_source,
    require_formatted,
    require_one_disk,
    settle_copied_disk,
    snapshot_disk,
)
from snapproof.reference_impl.core import effects as fx
from snapproof.reference_impl.core.effects import ENCRYPTED_WITH, Effect, Facts
from snapproof.reference_impl.ports import GoneError, Image, Lun, Owner, RefusedError
from snapproof.reference_impl.waiting import pause_s

ALREADY_GONE = "already_gone"
"""The fact that an array snapshot was not there when it was to be deleted for the first time."""

Perform: TypeAlias = Callable[[Workbench, Any, Facts], Facts]
Settle: TypeAlias = Callable[[Workbench, Any, Facts], Facts | None]
Undo: TypeAlias = Callable[[Workbench, Any, Facts], None]


def start_over(_bench: Workbench, _effect: Effect, _facts: Facts) -> None:
    """Settle an effect that may simply be done again."""


def leave(_bench: Workbench, _effect: Effect, _facts: Facts) -> None:
    """Undo an effect that leaves nothing behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Performer:
    """The verbs of one kind of effect. What is irrevocable cannot be undone once it has happened, or may have.

    `inherit` settles what an earlier life has begun, where that asks for more care than what this one began itself.
    """

    do: Perform
    settle: Settle = start_over
    inherit: Settle | None = None
    undo: Undo = leave
    irrevocable: bool = False


def take_array_snapshot(bench: Workbench, effect: fx.TakeArraySnapshot, _facts: Facts) -> Facts:
    """Take it; the array's id is all that later effects need."""
    return {"array_snapshot": bench.ports.array.take_snapshot(effect.lun_id, name=effect.name, owner=effect.owner)}


def settle_array_snapshot(bench: Workbench, effect: fx.TakeArraySnapshot, _facts: Facts) -> Facts | None:
    """Adopt the one that a lost call made. Were there two, the first is it and the others are deleted."""
    array = bench.ports.array
    found = array.find_snapshots(effect.lun_id, name=effect.name, owner=effect.owner)
    for surplus in found[1:]:
        array.delete_snapshot(surplus)
    return {"array_snapshot": found[0]} if found else None


def undo_array_snapshot(bench: Workbench, effect: fx.TakeArraySnapshot, _facts: Facts) -> None:
    """Delete every snapshot of that name and owner."""
    array = bench.ports.array
    for snapshot in array.find_snapshots(effect.lun_id, name=effect.name, owner=effect.owner):
        _unless_gone(array.delete_snapshot, snapshot)


def clone_to_lun(bench: Workbench, effect: fx.CloneToLun, facts: Facts) -> Facts:
    """Start the clone and wait for its end; a clone that failed is an error here, not a finished one (hazard C4)."""
    snapshot = int(facts["array_snapshot"]) if effect.snapshot_id is None else effect.snapshot_id
    lun, handle = bench.ports.array.start_clone(
        effect.lun_id, snapshot, account=effect.account, name=effect.name, owner=effect.owner
    )
    wait_for_clone(bench, lun, handle)
    return {"lun": lun.id, "target": lun.target}


def settle_clone(bench: Workbench, effect: fx.CloneToLun, _facts: Facts) -> Facts | None:
    """Adopt a clone that is still under way; one whose handle is gone may be half a disk, so it is cleared away."""
    array = bench.ports.array
    adopted: Facts | None = None
    for lun in array.find_luns(name=effect.name, owner=effect.owner):
        handle = None if lun.deleted or adopted else array.clone_handle(lun)
        if handle is None:
            _remove_lun(bench, lun)
            continue
        wait_for_clone(bench, lun, handle)
        adopted = {"lun": lun.id, "target": lun.target}
    return adopted


def wait_for_clone(bench: Workbench, lun: Lun, handle: int) -> None:
    """Ask until the clone is complete, no longer than the settings allow. Raises RefusedError."""
    clock, settings = bench.ports.clock, bench.settings
    began = clock.time()
    deadline = began + settings.clone_timeout_s
    while not bench.ports.array.clone_finished(handle):
        if clock.time() >= deadline:
            raise RefusedError(f"LUN {lun.id} ({lun.name}) was not cloned within {settings.clone_timeout_s:g} s.")
        clock.sleep(pause_s(clock, began_s=began, deadline_s=deadline, least_s=settings.clone_poll_s))


def create_lun(bench: Workbench, effect: fx.CreateLun, _facts: Facts) -> Facts:
    """Make the LUN."""
    lun = bench.ports.array.create_lun(
        account=effect.account, name=effect.name, size_bytes=effect.size_bytes, qos=effect.qos, owner=effect.owner
    )
    return _made(lun)


def settle_lun(bench: Workbench, effect: fx.CreateLun, _facts: Facts) -> Facts | None:
    """Adopt the LUN that a lost call made; it is as blank as a new one."""
    luns = [lun for lun in bench.ports.array.find_luns(name=effect.name, owner=effect.owner) if not lun.deleted]
    for surplus in luns[1:]:
        _remove_lun(bench, surplus)
    return _made(luns[0]) if luns else None


def _made(lun: Lun) -> Facts:
    return {"lun": lun.id, "target": lun.target, "lun_size": lun.size_bytes}


def undo_lun(bench: Workbench, effect: fx.CloneToLun | fx.CreateLun, _facts: Facts) -> None:
    """Remove every LUN of that name and owner for good: no user has ever seen it."""
    for lun in bench.ports.array.find_luns(name=effect.name, owner=effect.owner):
        _remove_lun(bench, lun)


def set_qos(bench: Workbench, effect: fx.SetQos, facts: Facts) -> Facts:
    """Setting the same twice is setting it once."""
    bench.ports.array.set_qos(int(facts["lun"]), effect.qos)
    return {}


def grant_hosts(bench: Workbench, _effect: fx.GrantHosts, facts: Facts) -> Facts:
    """Granting twice is granting once."""
    bench.ports.array.grant(int(facts["lun"]))
    return {}


def undo_grant(bench: Workbench, effect: fx.GrantHosts, _facts: Facts) -> None:
    """Revoke whatever LUN of that name and owner there is."""
    for lun in _live_luns(bench, effect.name, effect.owner):
        bench.ports.array.revoke(lun.id)


def resign_disk(bench: Workbench, _effect: fx.ResignDisk, facts: Facts) -> Facts:
    """Signing twice gives a second new identity, which is as good as the first."""
    bench.ports.hypervisor.resign(str(facts["target"]))
    return {}


def attach_disk(bench: Workbench, _effect: fx.AttachDisk, facts: Facts) -> Facts:
    """Attaching finds what an earlier attempt left half-attached."""
    bench.ports.hypervisor.attach(str(facts["target"]))
    return {}


def undo_attach(bench: Workbench, effect: fx.AttachDisk | fx.CopyIn | fx.CopyDisk, _facts: Facts) -> None:
    """Detach whatever LUN of that name and owner there is."""
    for lun in _live_luns(bench, effect.name, effect.owner):
        bench.ports.hypervisor.detach(lun.target)


def copy_out(bench: Workbench, effect: fx.CopyOut, facts: Facts) -> Facts:
    """Let a host write the image."""
    file = bench.ports.hypervisor.copy_out(_copied_from(effect, facts), effect.staging)
    return {"staged": f"{effect.staging}/{file}"}


def clear_copy_out(bench: Workbench, effect: fx.CopyOut, facts: Facts) -> None:
    """End a copy that may still run, then remove what it wrote: half an image is worth nothing."""
    if "target" in facts:
        bench.ports.hypervisor.detach(str(facts["target"]))
    bench.ports.hypervisor.detach_export(effect.staging)
    bench.ports.store.clear_staging(effect.staging)


def settle_copy_out(bench: Workbench, effect: fx.CopyOut, facts: Facts) -> None:
    """Start over, from a disk that is attached."""
    clear_copy_out(bench, effect, facts)
    bench.ports.hypervisor.attach(_copied_from(effect, facts))


def _copied_from(effect: fx.CopyOut, facts: Facts) -> str:
    return str(facts["source_target" if effect.of_source else "target"])


def inspect_image(bench: Workbench, effect: fx.InspectImage, facts: Facts) -> Facts:
    """The digest of what was read here is what the published image must have."""
    image = bench.ports.store.inspect(str(facts["staged"]), size_bytes=effect.size_bytes)
    assert image.manifest is not None, f"{image.path} was inspected without a digest of each chunk."
    whole: Facts = {"digest": image.digest, "physical_size": image.physical_size_bytes}
    return {**whole, "chunk_bytes": image.manifest.chunk_bytes, "chunk_digests": image.manifest.digests}


def publish_image(bench: Workbench, effect: fx.PublishImage, facts: Facts) -> Facts:
    """Let it appear under its own path."""
    bench.ports.store.publish(str(facts["staged"]), _image(effect, facts))
    return _encrypted(bench)


def _encrypted(bench: Workbench) -> Facts:
    """The fact by which key the store encrypts, where it does."""
    return {ENCRYPTED_WITH: bench.ports.store.key_id} if bench.ports.store.key_id else {}


def settle_published(bench: Workbench, effect: fx.PublishImage, facts: Facts) -> Facts | None:
    """Adopt the image if it lies there whole; else it is overwritten, for a deletion may come late."""
    if bench.ports.store.published(effect.path) == _image(effect, facts):
        return _encrypted(bench)
    bench.ports.store.drop_unfinished(effect.path)
    return None


def delete_backup(bench: Workbench, effect: fx.DeleteBackup, _facts: Facts) -> Facts:
    """Deleting what is gone is fine."""
    bench.ports.store.delete(effect.path)
    return {}


def undo_publish(bench: Workbench, effect: fx.PublishImage, _facts: Facts) -> None:
    """Take it away again."""
    bench.ports.store.delete(effect.path)


def fetch_image(bench: Workbench, effect: fx.FetchImage, _facts: Facts) -> Facts:
    """Stage it for the hosts."""
    image = Image(path=effect.path, physical_size_bytes=effect.physical_size_bytes, digest=effect.digest)
    return {"staged": bench.ports.store.fetch(image, effect.staging)}


def clear_fetched(bench: Workbench, effect: fx.FetchImage, _facts: Facts) -> None:
    """Remove the staging directory."""
    bench.ports.store.clear_staging(effect.staging)


def stage_image(bench: Workbench, effect: fx.StageImage, _facts: Facts) -> Facts:
    """Copy the file."""
    image = Image(path=effect.path, physical_size_bytes=effect.physical_size_bytes, digest=effect.digest)
    return {"staged": bench.ports.store.stage(image, effect.staging)}


def clear_staged(bench: Workbench, effect: fx.StageImage, _facts: Facts) -> None:
    """Remove the staging directory, with what may be half a file."""
    bench.ports.store.clear_staging(effect.staging)


def copy_in(bench: Workbench, effect: fx.CopyIn, facts: Facts) -> Facts:
    """Let a host write the disk."""
    directory, _, file = str(facts["staged"]).rpartition("/")
    bench.ports.hypervisor.copy_in(directory, file, str(facts["target"]), size_bytes=effect.size_bytes)
    return {}


def settle_copy_in(bench: Workbench, _effect: fx.CopyIn, facts: Facts) -> None:
    """Start over, on a LUN that is blank again."""
    bench.ports.hypervisor.wipe(str(facts["target"]))
    bench.ports.hypervisor.detach_export(str(facts["staged"]).rpartition("/")[0])


def inherit_copy_in(bench: Workbench, effect: fx.CopyIn, facts: Facts) -> None:
    """Start over, unless the LUN may yet be formatted."""
    require_formatted(bench, facts)
    settle_copy_in(bench, effect, facts)


def clear_copy_in(bench: Workbench, effect: fx.CopyIn, facts: Facts) -> None:
    """End a copy that may still run and let go of both sides."""
    undo_attach(bench, effect, facts)
    bench.ports.hypervisor.detach_export(str(facts["staged"]).rpartition("/")[0])


def delete_array_snapshot(bench: Workbench, effect: fx.DeleteArraySnapshot, _facts: Facts) -> Facts:
    """Deleting what is gone is fine (hazard C28), but somebody else must have been at work: this is the first try."""
    try:
        bench.ports.array.delete_snapshot(effect.snapshot_id)
    except GoneError:
        return {ALREADY_GONE: 1}
    return {}


def settle_deleted_snapshot(bench: Workbench, effect: fx.DeleteArraySnapshot, _facts: Facts) -> Facts:
    """Delete what an earlier try may have deleted already."""
    _unless_gone(bench.ports.array.delete_snapshot, effect.snapshot_id)
    return {}


def roll_back_lun(bench: Workbench, effect: fx.RollBackLun, _facts: Facts) -> Facts:
    """Rolling back twice is rolling back once, as long as nobody uses the LUN."""
    bench.ports.array.roll_back(effect.lun_id, effect.snapshot_id)
    return {}


def release_lun(bench: Workbench, effect: fx.ReleaseLun, _facts: Facts) -> Facts:
    """Delete, never purge: a user's mistake can be taken back for as long as the array keeps the volume."""
    _unless_gone(bench.ports.array.delete_lun, effect.lun_id)
    return {}


def _image(effect: fx.PublishImage, facts: Facts) -> Image:
    size_bytes, digest = int(facts["physical_size"]), str(facts["digest"])
    return Image(path=effect.path, physical_size_bytes=size_bytes, digest=digest, subject=effect.subject)


def _live_luns(bench: Workbench, name: str, owner: Owner) -> list[Lun]:
    return [lun for lun in bench.ports.array.find_luns(name=name, owner=owner) if not lun.deleted]


def _remove_lun(bench: Workbench, lun: Lun) -> None:
    """Delete and purge one LUN that carries our owner tag: `find_luns` gives no other (hazard C1)."""
    if not lun.deleted:
        _unless_gone(bench.ports.array.delete_lun, lun.id)
    _unless_gone(bench.ports.array.purge_lun, lun.id)


def _unless_gone(delete: Callable[[int], None], number: int) -> None:
    try:
        delete(number)
    except GoneError:
        return


PERFORMERS: Mapping[type[Effect], Performer] = {
    fx.TakeArraySnapshot: Performer(do=take_array_snapshot, settle=settle_array_snapshot, undo=undo_array_snapshot),
    fx.CloneToLun: Performer(do=clone_to_lun, settle=settle_clone, undo=undo_lun),
    fx.CreateLun: Performer(do=create_lun, settle=settle_lun, undo=undo_lun),
    fx.SetQos: Performer(do=set_qos),
    fx.GrantHosts: Performer(do=grant_hosts, undo=undo_grant),
    fx.ResignDisk: Performer(do=resign_disk),
    fx.AttachDisk: Performer(do=attach_disk, undo=undo_attach),
    fx.CopyOut: Performer(do=copy_out, settle=settle_copy_out, undo=clear_copy_out),
    fx.LookAtSource: Performer(do=look_at_source),
    fx.ReachSource: Performer(do=reach_source, undo=let_go_of_source),
    fx.SnapshotDisk: Performer(do=snapshot_disk, settle=drop_disk_snapshots, undo=drop_disk_snapshots),
    fx.CopyDisk: Performer(do=copy_disk, settle=settle_copied_disk, inherit=inherit_copied_disk, undo=undo_attach),
    fx.InspectImage: Performer(do=inspect_image),
    fx.PublishImage: Performer(do=publish_image, settle=settle_published, undo=undo_publish),
    fx.FetchImage: Performer(do=fetch_image, settle=clear_fetched, undo=clear_fetched),
    fx.StageImage: Performer(do=stage_image, settle=clear_staged, undo=clear_staged),
    fx.CopyIn: Performer(do=copy_in, settle=settle_copy_in, inherit=inherit_copy_in, undo=clear_copy_in),
    fx.DeleteArraySnapshot: Performer(do=delete_array_snapshot, settle=settle_deleted_snapshot, irrevocable=True),
    fx.GrowLun: Performer(do=grow_lun),
    fx.GrowDisk: Performer(do=grow_disk),
    fx.RequireOneDisk: Performer(do=require_one_disk, undo=let_go_of_disk),
    fx.RollBackLun: Performer(do=roll_back_lun, irrevocable=True),
    fx.DeleteBackup: Performer(do=delete_backup, irrevocable=True),
    fx.ReleaseLun: Performer(do=release_lun, irrevocable=True),
}
"""Performers by kind of effect."""
