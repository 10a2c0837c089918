"""Rules of VDIs: create, snapshot, clone, copy, rename, forget, destroy. Copies themselves run in copying.py."""

from collections.abc import Callable, Mapping

from snapproof.simulators.xenserver.attachments import Fork, FoundVdi
from snapproof.simulators.xenserver.coalescing import tell_vdis, tidy_later
from snapproof.simulators.xenserver.copying import advance, require_idle, start_copy
from snapproof.simulators.xenserver.failures import XapiError
from snapproof.simulators.xenserver.parameters import field, given, number_field, ref_field, text_field
from snapproof.simulators.xenserver.rows import Sr, TaskStatus, Vdi
from snapproof.simulators.xenserver.state import State


def create_vdi(state: State, sr: Sr, *, label: str, size_bytes: int, description: str = "") -> Vdi:
    """Make a VDI that reads as zeros."""
    if size_bytes <= 0:
        raise XapiError("VALUE_NOT_SUPPORTED", "virtual_size", str(size_bytes), "A VDI has at least one byte")
    found = FoundVdi(uuid=state.new_uuid(), label=label, size_bytes=size_bytes)
    state.attachment(sr).create(found, time_s=state.clock.time())
    state.record("vdi created", vdi=found.uuid, sr=sr.uuid, size_bytes=size_bytes)
    return state.vdis.add(
        Vdi(
            ref=state.new_ref(),
            uuid=found.uuid,
            name_label=label,
            name_description=description,
            sr=sr,
            virtual_size=size_bytes,
        )
    )


def _create(state: State, fields: Mapping[str, object]) -> str:
    sr = ref_field(state, "VDI", fields, "SR", state.srs)
    label = text_field(state, "VDI", fields, "name_label")
    size_bytes = number_field(state, "VDI", fields, "virtual_size")
    kept = given(state, "VDI", fields, but=("SR", "name_label", "name_description", "virtual_size", "sm_config"))
    config = field(state, "VDI", fields, "sm_config") if "sm_config" in fields else {}
    assert isinstance(config, dict)
    description = text_field(state, "VDI", fields, "name_description", "")
    vdi = create_vdi(state, sr, label=label, size_bytes=size_bytes, description=description)
    vdi.kept, vdi.sm_config = kept, config
    return vdi.ref


def fork_vdi(state: State, vdi: Vdi, *, label: str, writable: bool) -> Vdi:
    """Snapshot or clone a VDI, at once, whatever a guest is doing to it."""
    require_idle(state, vdi)
    if not vdi.managed:
        raise XapiError("VDI_NOT_MANAGED", vdi.ref)
    wanted = Fork(
        uuid=state.new_uuid(),
        label=label,
        base_uuid=state.new_uuid(),
        time_s=state.clock.time(),
        writable=writable,
    )
    attachment = state.attachment(vdi.sr)
    attachment.fork(vdi.uuid, wanted)
    state.record("vdi cloned" if writable else "vdi snapshot taken", vdi=vdi.uuid, new=wanted.uuid, sr=vdi.sr.uuid)
    tell_vdis(state, vdi.sr, {found.uuid: found for found in attachment.found()})
    made = state.vdis.of_uuid(wanted.uuid)
    assert made is not None
    made.name_label, made.name_description = label, vdi.name_description
    made.kept = dict(vdi.kept)
    tidy_later(state, vdi.sr)
    return made


def _snapshot(state: State, vdi: Vdi, _driver_params: Mapping[str, str] | None = None) -> str:
    return fork_vdi(state, vdi, label=vdi.name_label, writable=False).ref


def _clone(state: State, vdi: Vdi, _driver_params: Mapping[str, str] | None = None) -> str:
    return fork_vdi(state, vdi, label=vdi.name_label, writable=True).ref


def copy_vdi(state: State, source: Vdi, sr: Sr | None = None, base: Vdi | None = None, into: Vdi | None = None) -> str:
    """Copy a VDI and answer the copy's ref when all of it is there."""
    _refuse_base(base)
    task = start_copy(state, source, sr, into, "VDI.copy")
    advance(state, task, to_the_end=True)
    state.tasks.remove(task)
    if task.status is not TaskStatus.SUCCESS or task.copy is None:
        raise XapiError(*task.error_info)
    return task.copy.target.ref


def copy_vdi_later(
    state: State, source: Vdi, sr: Sr | None = None, base: Vdi | None = None, into: Vdi | None = None
) -> str:
    """Begin a copy and answer its task, which goes on a chunk each time somebody looks at it."""
    _refuse_base(base)
    return start_copy(state, source, sr, into, "Async.VDI.copy").ref


def _refuse_base(base: Vdi | None) -> None:
    if base is not None:
        raise XapiError("SR_OPERATION_NOT_SUPPORTED", "Only full copies are made here, base_vdi must be NULL")


def _forget(state: State, vdi: Vdi) -> None:
    """Forget the record; the bytes stay, and the next scan of the SR finds them again."""
    _refuse_use(state, vdi, "forget")
    state.drop_vdi(vdi)
    state.record("vdi forgotten", vdi=vdi.uuid, sr=vdi.sr.uuid)


def destroy_vdi(state: State, vdi: Vdi) -> None:
    """Delete a VDI and its bytes. What only its chain needed goes later."""
    _refuse_use(state, vdi, "destroy")
    if not vdi.managed:
        raise XapiError("VDI_NOT_MANAGED", vdi.ref)
    state.attachment(vdi.sr).delete(vdi.uuid)
    state.drop_vdi(vdi)
    state.record("vdi destroyed", vdi=vdi.uuid, sr=vdi.sr.uuid)
    tidy_later(state, vdi.sr)


def rename(state: State, vdi: Vdi, label: str) -> None:
    """Change a label, in the SR's own bytes as well."""
    state.attachment(vdi.sr).rename(vdi.uuid, label)
    vdi.name_label = label
    state.record("vdi renamed", vdi=vdi.uuid, label=label)


def _resize(state: State, vdi: Vdi, size_bytes: int) -> None:
    """Make a disk longer that no guest has open. It never gets shorter."""
    _refuse_use(state, vdi, "resize")
    if size_bytes < vdi.virtual_size:
        raise XapiError("VALUE_NOT_SUPPORTED", "size", str(size_bytes), "A VDI never shrinks")
    state.attachment(vdi.sr).grow(vdi.uuid, size_bytes)
    vdi.virtual_size = size_bytes
    state.record("vdi resized", vdi=vdi.uuid, size_bytes=size_bytes)


def _update(state: State, vdi: Vdi) -> None:
    """Refresh what the VDI says of itself: here it is always read anew."""
    state.attachment(vdi.sr)


def _refuse_use(state: State, vdi: Vdi, operation: str) -> None:
    require_idle(state, vdi)
    if any(vbd.attached for vbd in state.vbds_of(vdi)):
        raise XapiError("VDI_IN_USE", vdi.ref, operation)


VDI_RULES: Mapping[str, Callable[..., object]] = {
    "VDI.create": _create,
    "VDI.snapshot": _snapshot,
    "VDI.clone": _clone,
    "VDI.copy": copy_vdi,
    "VDI.resize": _resize,
    "VDI.update": _update,
    "VDI.forget": _forget,
    "VDI.destroy": destroy_vdi,
}
ASYNC_RULES: Mapping[str, Callable[..., object]] = {"VDI.copy": copy_vdi_later}
"""Calls that make tasks of their own."""
