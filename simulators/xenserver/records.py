"""What a client may read of storage and guests: SRs, PBDs, VDIs, VBDs, VMs and tasks, field by field.

The names are those of the datamodel; a field that is not here is kept as it was given. Hosts, pool and sessions are in
records_of_hosts.py, and `KINDS` puts all together.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from snapproof.simulators.xenserver.copying import advance, progress
from snapproof.simulators.xenserver.failures import XapiError
from snapproof.simulators.xenserver.kinds import Kind
from snapproof.simulators.xenserver.methods_pbd import shown_config
from snapproof.simulators.xenserver.methods_vdi import rename
from snapproof.simulators.xenserver.records_of_hosts import HOST_KINDS
from snapproof.simulators.xenserver.rows import Notice, Pbd, Row, Sr, Task, TaskStatus, Vbd, Vdi, Vm
from snapproof.simulators.xenserver.shapes import NULL
from snapproof.simulators.xenserver.state import PLAIN, State


def _refs(rows: list[Any]) -> list[str]:
    return [row.ref for row in rows]


def moment(seconds: float) -> datetime:
    """A time as the API tells it."""
    return datetime.fromtimestamp(seconds, UTC)


def _capacity(state: State, sr: Sr) -> tuple[int, int]:
    """-1 where nobody can look now: an SR that is not plugged, or has lost its storage."""
    try:
        return state.attachment(sr).capacity()
    except (XapiError, OSError):
        return -1, -1


def _utilisation(state: State, vdi: Vdi) -> int:
    try:
        return state.attachment(vdi.sr).utilisation(vdi.uuid)
    except (XapiError, OSError):
        return -1


def _device(vbd: Vbd) -> str:
    return f"xvd{chr(ord('a') + int(vbd.userdevice))}"


_SR: dict[str, Callable[[State, Sr], object]] = {
    "uuid": lambda _, sr: sr.uuid,
    "name_label": lambda _, sr: sr.name_label,
    "name_description": lambda _, sr: sr.name_description,
    "type": lambda _, sr: sr.type,
    "content_type": lambda _, sr: sr.content_type,
    "shared": lambda _, sr: sr.shared,
    "VDIs": lambda state, sr: _refs(state.vdis_of(sr)),
    "PBDs": lambda state, sr: _refs(state.pbds_of(sr)),
    "physical_size": lambda state, sr: _capacity(state, sr)[0],
    "physical_utilisation": lambda state, sr: _capacity(state, sr)[1],
    "virtual_allocation": lambda state, sr: sum(vdi.virtual_size for vdi in state.vdis_of(sr)),
    "sm_config": lambda _, sr: sr.sm_config,
}
_PBD: dict[str, Callable[[State, Pbd], object]] = {
    "uuid": lambda _, pbd: pbd.uuid,
    "host": lambda _, pbd: pbd.host.ref,
    "SR": lambda _, pbd: pbd.sr.ref,
    "device_config": lambda _, pbd: pbd.device_config,
    "currently_attached": lambda _, pbd: pbd.attachment is not None,
}


def _operations(state: State, vdi: Vdi) -> dict[str, str]:
    """What is being done to a VDI now, by task: how a client finds a copy whose task reference it has lost."""
    return {
        task.ref: "copy" for task in state.unfinished() if task.copy and vdi in (task.copy.source, task.copy.target)
    }


def _snapshot_of(state: State, vdi: Vdi) -> str:
    original = state.vdis.of_uuid(vdi.snapshot_of) if vdi.snapshot_of else None
    return original.ref if original else NULL


def _parent(state: State, vdi: Vdi) -> str:
    parent = state.vdis.of_uuid(vdi.parent) if vdi.parent else None
    return parent.ref if parent else NULL


_VDI: dict[str, Callable[[State, Vdi], object]] = {
    "uuid": lambda _, vdi: vdi.uuid,
    "name_label": lambda _, vdi: vdi.name_label,
    "name_description": lambda _, vdi: vdi.name_description,
    "SR": lambda _, vdi: vdi.sr.ref,
    "VBDs": lambda state, vdi: _refs(state.vbds_of(vdi)),
    "virtual_size": lambda _, vdi: vdi.virtual_size,
    "physical_utilisation": _utilisation,
    "type": lambda _, vdi: vdi.kept.get("type", "user"),
    "current_operations": _operations,
    "location": lambda _, vdi: vdi.uuid,
    "managed": lambda _, vdi: vdi.managed,
    "parent": _parent,
    "is_a_snapshot": lambda _, vdi: vdi.is_a_snapshot,
    "snapshot_of": _snapshot_of,
    "snapshots": lambda state, vdi: _refs([other for other in state.vdis if other.snapshot_of == vdi.uuid]),
    "snapshot_time": lambda _, vdi: moment(vdi.snapshot_s),
    "sm_config": lambda _, vdi: vdi.sm_config,
}
_VBD: dict[str, Callable[[State, Vbd], object]] = {
    "uuid": lambda _, vbd: vbd.uuid,
    "VM": lambda _, vbd: vbd.vm.ref,
    "VDI": lambda _, vbd: vbd.vdi.ref if vbd.vdi else NULL,
    "device": lambda _, vbd: _device(vbd),
    "userdevice": lambda _, vbd: vbd.userdevice,
    "mode": lambda _, vbd: vbd.mode,
    "type": lambda _, vbd: vbd.type,
    "empty": lambda _, vbd: vbd.vdi is None,
    "currently_attached": lambda _, vbd: vbd.attached,
}
_VM: dict[str, Callable[[State, Vm], object]] = {
    "uuid": lambda _, vm: vm.uuid,
    "name_label": lambda _, vm: vm.name_label,
    "power_state": lambda _, vm: vm.power_state.value,
    "is_a_snapshot": lambda _, vm: vm.is_a_snapshot,
    "snapshot_of": lambda _, vm: vm.snapshot_of.ref if vm.snapshot_of else NULL,
    "snapshots": lambda state, vm: _refs([other for other in state.vms if other.snapshot_of is vm]),
    "snapshot_time": lambda _, vm: moment(vm.snapshot_s),
    "resident_on": lambda _, vm: vm.resident_on.ref if vm.resident_on else NULL,
    "VBDs": lambda state, vm: _refs([vbd for vbd in state.vbds if vbd.vm is vm]),
    "domid": lambda state, vm: list(state.vms).index(vm) + 1 if vm.resident_on else -1,
}
_TASK: dict[str, Callable[[State, Task], object]] = {
    "uuid": lambda _, task: task.uuid,
    "name_label": lambda _, task: task.name_label,
    "name_description": lambda _, task: task.name_description,
    "created": lambda _, task: moment(task.created_s),
    "finished": lambda _, task: moment(task.finished_s or 0.0),
    "status": lambda _, task: task.status.value,
    "resident_on": lambda state, task: (task.copy.host if task.copy else state.master).ref,
    "progress": lambda _, task: progress(task),
    "type": lambda _, _task: "<none/>",
    "result": lambda _, task: task.result,
    "error_info": lambda _, task: list(task.error_info),
    "allowed_operations": lambda _, task: ["cancel"] if task.status is TaskStatus.PENDING else [],
}


def _set_status(state: State, task: Task, status: str) -> None:
    """Let a client that made a task end it."""
    if status not in {known.value for known in TaskStatus}:
        raise XapiError("VALUE_NOT_SUPPORTED", "status", status, "Only a task that is cancelled is cancelling")
    task.status = TaskStatus(status)
    task.finished_s = None if task.status is TaskStatus.PENDING else state.clock.time()


def _set_error_info(_state: State, task: Task, words: list[str]) -> None:
    task.error_info = tuple(words)


_NOTICE: dict[str, Callable[[State, Notice], object]] = {
    "uuid": lambda _, notice: notice.uuid,
    "name": lambda _, notice: notice.name,
    "priority": lambda _, notice: notice.priority,
    "cls": lambda _, notice: notice.cls,
    "obj_uuid": lambda _, notice: notice.obj_uuid,
    "timestamp": lambda _, notice: moment(notice.time_s),
    "body": lambda _, notice: notice.body,
}
_UUID: dict[str, Callable[[State, Row], object]] = {"uuid": lambda _, row: row.uuid}

_STORAGE_KINDS = (
    Kind(name="SR", fields=_SR),
    Kind(name="PBD", fields=_PBD, puts={"device_config": shown_config}),
    Kind(name="VDI", fields=_VDI, puts={"name_label": rename}),
    Kind(name="VBD", fields=_VBD),
    Kind(name="VM", fields=_VM),
    Kind(name="task", fields=_TASK, look=advance, puts={"status": _set_status, "error_info": _set_error_info}),
    Kind(name="message", fields=_NOTICE),
)
KINDS: dict[str, Kind] = {
    kind.name: kind for kind in (*HOST_KINDS, *_STORAGE_KINDS, *(Kind(name=name, fields=_UUID) for name in PLAIN))
}
"""Every class that has objects, by its name."""
