"""Rules of VDIs: create, copy, rename, forget, destroy. Copies themselves run in copying.py."""

from collections.abc import Mapping

from snapproof.simulators.xenserver.attachments import FoundVdi
from snapproof.simulators.xenserver.copying import advance, require_idle, start_copy
from snapproof.simulators.xenserver.failures import XapiError
from snapproof.simulators.xenserver.parameters import (
    Method,
    a_vdi,
    an_sr,
    field,
    mapping,
    maybe,
    number,
    record,
    text,
)
from snapproof.simulators.xenserver.state import Sr, State, TaskStatus, Vdi


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
    vdi = create_vdi(
        state,
        field(state, fields, "SR", an_sr),
        label=field(state, fields, "name_label", text),
        size_bytes=field(state, fields, "virtual_size", number),
        description=text(state, fields.get("name_description", "")),
    )
    vdi.other_config = mapping(state, fields.get("other_config", {}))
    vdi.sm_config = mapping(state, fields.get("sm_config", {}))
    return vdi.ref


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


def _destroy(state: State, vdi: Vdi) -> None:
    _refuse_use(state, vdi, "destroy")
    state.attachment(vdi.sr).delete(vdi.uuid)
    state.drop_vdi(vdi)
    state.record("vdi destroyed", vdi=vdi.uuid, sr=vdi.sr.uuid)


def _set_name_label(state: State, vdi: Vdi, label: str) -> None:
    state.attachment(vdi.sr).rename(vdi.uuid, label)
    vdi.name_label = label
    state.record("vdi renamed", vdi=vdi.uuid, label=label)


def _refuse_use(state: State, vdi: Vdi, operation: str) -> None:
    require_idle(state, vdi)
    if any(vbd.attached for vbd in state.vbds_of(vdi)):
        raise XapiError("VDI_IN_USE", vdi.ref, operation)


_COPY_OPTIONS = (maybe(an_sr), maybe(a_vdi), maybe(a_vdi))
VDI_METHODS = {
    "VDI.create": Method(perform=_create, kinds=(record,)),
    "VDI.copy": Method(perform=copy_vdi, kinds=(a_vdi,), optional=_COPY_OPTIONS),
    "Async.VDI.copy": Method(perform=copy_vdi_later, kinds=(a_vdi,), optional=_COPY_OPTIONS),
    "VDI.forget": Method(perform=_forget, kinds=(a_vdi,)),
    "VDI.destroy": Method(perform=_destroy, kinds=(a_vdi,)),
    "VDI.set_name_label": Method(perform=_set_name_label, kinds=(a_vdi, text)),
}
