"""What a client may read of each class: one table of fields, from which getters, records and look-ups are served.

The names are those of xapi's datamodel, the part of it that snapshots need. Fields of no bearing are left out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic

from snapproof.simulators.xenserver.copying import advance, progress
from snapproof.simulators.xenserver.failures import XapiError
from snapproof.simulators.xenserver.state import (
    NULL,
    Host,
    Pbd,
    PoolRecord,
    R,
    Session,
    Sm,
    Sr,
    State,
    Table,
    Task,
    TaskStatus,
    Vbd,
    Vdi,
    Vm,
)

API_VERSION = (2, 21)


@dataclass(frozen=True, slots=True, kw_only=True)
class Class(Generic[R]):
    """One class of the API: where its objects are, what its fields hold, and what happens when one is looked at."""

    table: Callable[[State], Table[R]]
    fields: Mapping[str, Callable[[State, R], object]]
    writable: frozenset[str] = frozenset({"other_config"})
    look: Callable[[State, R], None] = lambda _state, _row: None

    def record(self, state: State, row: R) -> dict[str, object]:
        return {name: read(state, row) for name, read in self.fields.items()}


def _fixed(value: object) -> Callable[[State, object], object]:
    """A field that holds the same for every object."""
    return lambda _state, _row: value


def _refs(rows: list[Any]) -> list[str]:
    return [row.ref for row in rows]


def moment(seconds: float) -> datetime:
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


_POOL: dict[str, Callable[[State, PoolRecord], object]] = {
    "uuid": lambda _, pool: pool.uuid,
    "name_label": lambda _, pool: pool.name_label,
    "name_description": _fixed(""),
    "master": lambda _, pool: pool.master.ref,
    "default_SR": _fixed(NULL),
    "other_config": lambda _, pool: pool.other_config,
}
_HOST: dict[str, Callable[[State, Host], object]] = {
    "uuid": lambda _, host: host.uuid,
    "name_label": lambda _, host: host.name_label,
    "name_description": _fixed(""),
    "hostname": lambda _, host: host.name_label,
    "address": lambda _, host: host.address,
    "enabled": _fixed(True),
    "API_version_major": _fixed(API_VERSION[0]),
    "API_version_minor": _fixed(API_VERSION[1]),
    "API_version_vendor": _fixed("snapproof"),
    "software_version": _fixed({"product_brand": "XenServer", "product_version": "8.4.0"}),
    "iscsi_iqn": lambda _, host: host.iqn,
    "other_config": lambda _, host: {"iscsi_iqn": host.iqn},
    "PBDs": lambda state, host: _refs([pbd for pbd in state.pbds if pbd.host is host]),
    "resident_VMs": lambda state, host: _refs([vm for vm in state.vms if vm.resident_on is host]),
}
_SM: dict[str, Callable[[State, Sm], object]] = {
    "uuid": lambda _, sm: sm.uuid,
    "name_label": lambda _, sm: sm.name_label,
    "name_description": _fixed(""),
    "type": lambda _, sm: sm.type,
}
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
    "other_config": lambda _, sr: sr.other_config,
}
_PBD: dict[str, Callable[[State, Pbd], object]] = {
    "uuid": lambda _, pbd: pbd.uuid,
    "host": lambda _, pbd: pbd.host.ref,
    "SR": lambda _, pbd: pbd.sr.ref,
    "device_config": lambda _, pbd: pbd.device_config,
    "currently_attached": lambda _, pbd: pbd.attachment is not None,
    "other_config": lambda _, pbd: pbd.other_config,
}


def _operations(state: State, vdi: Vdi) -> dict[str, str]:
    """What is being done to a VDI now, by task: how a client finds a copy whose task reference it has lost."""
    return {
        task.ref: "copy" for task in state.unfinished() if task.copy and vdi in (task.copy.source, task.copy.target)
    }


_VDI: dict[str, Callable[[State, Vdi], object]] = {
    "uuid": lambda _, vdi: vdi.uuid,
    "name_label": lambda _, vdi: vdi.name_label,
    "name_description": lambda _, vdi: vdi.name_description,
    "SR": lambda _, vdi: vdi.sr.ref,
    "VBDs": lambda state, vdi: _refs(state.vbds_of(vdi)),
    "virtual_size": lambda _, vdi: vdi.virtual_size,
    "physical_utilisation": _utilisation,
    "type": _fixed("user"),
    "current_operations": _operations,
    "sharable": _fixed(False),
    "read_only": _fixed(False),
    "location": lambda _, vdi: vdi.uuid,
    "managed": _fixed(True),
    "missing": _fixed(False),
    "is_a_snapshot": _fixed(False),
    "snapshot_of": _fixed(NULL),
    "snapshots": _fixed([]),
    "sm_config": lambda _, vdi: vdi.sm_config,
    "other_config": lambda _, vdi: vdi.other_config,
}
_VBD: dict[str, Callable[[State, Vbd], object]] = {
    "uuid": lambda _, vbd: vbd.uuid,
    "VM": lambda _, vbd: vbd.vm.ref,
    "VDI": lambda _, vbd: vbd.vdi.ref,
    "device": lambda _, vbd: f"xvd{chr(ord('a') + int(vbd.userdevice))}",
    "userdevice": lambda _, vbd: vbd.userdevice,
    "mode": lambda _, vbd: vbd.mode,
    "type": _fixed("Disk"),
    "bootable": _fixed(False),
    "empty": _fixed(False),
    "currently_attached": lambda _, vbd: vbd.attached,
    "other_config": lambda _, vbd: vbd.other_config,
}
_VM: dict[str, Callable[[State, Vm], object]] = {
    "uuid": lambda _, vm: vm.uuid,
    "name_label": lambda _, vm: vm.name_label,
    "name_description": _fixed(""),
    "power_state": lambda _, vm: vm.power_state.value,
    "is_a_template": _fixed(False),
    "is_a_snapshot": _fixed(False),
    "is_control_domain": _fixed(False),
    "resident_on": lambda _, vm: vm.resident_on.ref if vm.resident_on else NULL,
    "VBDs": lambda state, vm: _refs([vbd for vbd in state.vbds if vbd.vm is vm]),
    "other_config": lambda _, vm: vm.other_config,
}
_TASK: dict[str, Callable[[State, Task], object]] = {
    "uuid": lambda _, task: task.uuid,
    "name_label": lambda _, task: task.name_label,
    "name_description": _fixed(""),
    "created": lambda _, task: moment(task.created_s),
    "finished": lambda _, task: moment(task.finished_s or 0.0),
    "status": lambda _, task: task.status.value,
    "resident_on": lambda state, task: (task.copy.host if task.copy else state.master).ref,
    "progress": lambda _, task: progress(task),
    "type": _fixed("<none/>"),
    "result": lambda _, task: task.result,
    "error_info": lambda _, task: list(task.error_info),
    "allowed_operations": lambda _, task: ["cancel"] if task.status is TaskStatus.PENDING else [],
    "other_config": lambda _, task: task.other_config,
    "subtask_of": _fixed(NULL),
    "subtasks": _fixed([]),
}
_SESSION: dict[str, Callable[[State, Session], object]] = {
    "uuid": lambda _, session: session.uuid,
    "this_host": lambda _, session: session.host.ref,
    "this_user": _fixed(NULL),
    "auth_user_name": lambda _, session: session.username,
    "is_local_superuser": _fixed(True),
    "last_active": lambda _, session: moment(session.last_active_s),
    "pool": _fixed(False),
}

_NAMED = frozenset({"other_config", "name_label"})
_DESCRIBED = frozenset({"other_config", "name_label", "name_description"})
CLASSES: dict[str, Class[Any]] = {
    "pool": Class(table=lambda state: state.pools, fields=_POOL, writable=_NAMED),
    "host": Class(table=lambda state: state.hosts, fields=_HOST, writable=frozenset()),
    "SM": Class(table=lambda state: state.sms, fields=_SM, writable=frozenset()),
    "SR": Class(table=lambda state: state.srs, fields=_SR, writable=_DESCRIBED),
    "PBD": Class(table=lambda state: state.pbds, fields=_PBD),
    "VDI": Class(table=lambda state: state.vdis, fields=_VDI, writable=_DESCRIBED),
    "VBD": Class(table=lambda state: state.vbds, fields=_VBD),
    "VM": Class(table=lambda state: state.vms, fields=_VM, writable=_NAMED),
    "task": Class(table=lambda state: state.tasks, fields=_TASK, look=advance),
    "session": Class(table=lambda state: state.sessions, fields=_SESSION, writable=frozenset()),
}
