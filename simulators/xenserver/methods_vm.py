"""Rules of VMs and VBDs, as few as a guest needs that reads and writes the bytes of a VDI. Snapshots: snapshots.py."""

from collections.abc import Callable, Mapping

from snapproof.simulators.xenserver.chains import VdiView
from snapproof.simulators.xenserver.copying import require_idle
from snapproof.simulators.xenserver.failures import XapiError
from snapproof.simulators.xenserver.luns import LunAttachment
from snapproof.simulators.xenserver.methods_pbd import require_up
from snapproof.simulators.xenserver.parameters import given, ref_field, text_field
from snapproof.simulators.xenserver.rows import Host, PowerState, Vbd, Vdi, Vm
from snapproof.simulators.xenserver.shapes import NULL
from snapproof.simulators.xenserver.state import State

DEVICES = [str(number) for number in range(16)]


def create_vm(state: State, name: str) -> Vm:
    """Make a VM, with the metrics that every VM has."""
    vm = state.vms.add(Vm(ref=state.new_ref(), uuid=state.new_uuid(), name_label=name))
    for field, kind in (("metrics", "VM_metrics"), ("guest_metrics", "VM_guest_metrics")):
        vm.kept[field] = state.plain[kind].add(state.new_row({})).ref
    state.record("vm created", vm=name)
    return vm


def start_vm(state: State, vm: Vm, *_flags: bool) -> None:
    """Run the VM on the master with its VBDs plugged; if one cannot be, it stays halted."""
    start_on(state, vm, state.master)


def start_on(state: State, vm: Vm, host: Host, *_flags: bool) -> None:
    """Run the VM on a host."""
    if vm.is_a_snapshot:
        raise XapiError("VM_IS_SNAPSHOT", vm.ref, "start")
    _require(vm, PowerState.HALTED)
    require_up(host)
    if not host.enabled:
        raise XapiError("HOST_DISABLED", host.ref)
    vm.resident_on, vm.power_state, vm.boots = host, PowerState.RUNNING, vm.boots + 1
    try:
        for vbd in [vbd for vbd in state.vbds if vbd.vm is vm and vbd.vdi]:
            plug_vbd(state, vbd)
    except (XapiError, OSError):
        halt(state, vm)
        raise
    state.record("vm started", vm=vm.name_label, host=host.name_label)


def halt(state: State, vm: Vm) -> None:
    for vbd in state.vbds:
        if vbd.vm is vm:
            vbd.attached = False
    vm.resident_on, vm.power_state = None, PowerState.HALTED
    state.record("vm halted", vm=vm.name_label)


def create_vbd(state: State, vm: Vm, vdi: Vdi | None, *, mode: str, userdevice: str = "0") -> Vbd:
    if userdevice not in DEVICES:
        raise XapiError("INVALID_DEVICE", userdevice)
    if any(vbd.vm is vm and vbd.userdevice == userdevice for vbd in state.vbds):
        raise XapiError("DEVICE_ALREADY_EXISTS", userdevice)
    vbd = Vbd(ref=state.new_ref(), uuid=state.new_uuid(), vm=vm, vdi=vdi, userdevice=userdevice, mode=mode)
    state.record("vbd created", vm=vm.name_label, vdi=vdi.uuid if vdi else None)
    return state.vbds.add(vbd)


def plug_vbd(state: State, vbd: Vbd) -> None:
    _require(vbd.vm, PowerState.RUNNING)
    if vbd.attached:
        raise XapiError("DEVICE_ALREADY_ATTACHED", vbd.ref)
    if vbd.vdi is None:
        raise XapiError("VBD_IS_EMPTY", vbd.ref)
    if not vbd.vdi.managed:
        raise XapiError("VDI_NOT_MANAGED", vbd.vdi.ref)
    if vbd.mode == "RW" and vbd.vdi.is_a_snapshot:
        raise XapiError("VDI_READONLY", vbd.vdi.ref)
    require_idle(state, vbd.vdi)
    if any(other.attached and "RW" in {other.mode, vbd.mode} for other in state.vbds_of(vbd.vdi)):
        raise XapiError("VDI_IN_USE", vbd.vdi.ref, "attach")
    view_of(state, vbd)
    vbd.attached = True
    state.record("vbd plugged", vm=vbd.vm.name_label, vdi=vbd.vdi.uuid)


def unplug_vbd(state: State, vbd: Vbd) -> None:
    _require(vbd.vm, PowerState.RUNNING)
    if not vbd.attached:
        raise XapiError("DEVICE_ALREADY_DETACHED", vbd.ref)
    vbd.attached = False
    state.record("vbd unplugged", vm=vbd.vm.name_label, vdi=_uuid(vbd))


def destroy_vbd(state: State, vbd: Vbd) -> None:
    if vbd.attached:
        raise XapiError("OPERATION_NOT_ALLOWED", f"VBD {vbd.uuid} is plugged; unplug it first")
    state.vbds.remove(vbd)
    state.record("vbd destroyed", vm=vbd.vm.name_label, vdi=_uuid(vbd))


def destroy_vm(state: State, vm: Vm) -> None:
    _require(vm, PowerState.HALTED)
    for vbd in [vbd for vbd in state.vbds if vbd.vm is vm]:
        destroy_vbd(state, vbd)
    for kind in ("VM_metrics", "VM_guest_metrics"):
        for row in state.plain[kind]:
            if row.ref in vm.kept.values():
                state.plain[kind].remove(row)
    for other in state.vms:
        if other.snapshot_of is vm:
            other.snapshot_of = None
    state.vms.remove(vm)
    state.record("vm destroyed", vm=vm.name_label)


def view_of(state: State, vbd: Vbd) -> VdiView:
    """The bytes behind a VBD, through the host on which the VM runs. Only VDIs on LUNs can be guests' disks here."""
    if vbd.vdi is None:
        raise XapiError("VBD_IS_EMPTY", vbd.ref)
    attachment = state.attachment(vbd.vdi.sr, vbd.vm.resident_on)
    if not isinstance(attachment, LunAttachment):
        raise XapiError("SR_OPERATION_NOT_SUPPORTED", f"A guest cannot run on SR {vbd.vdi.sr.uuid} of this type")
    return attachment.view(vbd.vdi.uuid)


def _require(vm: Vm, wanted: PowerState) -> None:
    if vm.power_state is not wanted:
        raise XapiError("VM_BAD_POWER_STATE", vm.ref, wanted.value.lower(), vm.power_state.value.lower())


def _uuid(vbd: Vbd) -> str | None:
    return vbd.vdi.uuid if vbd.vdi else None


def _create_vm(state: State, fields: Mapping[str, object]) -> str:
    kept = given(state, "VM", fields, but=("name_label", "is_a_snapshot", "power_state"))
    vm = create_vm(state, text_field(state, "VM", fields, "name_label"))
    vm.kept = {**kept, **vm.kept}
    return vm.ref


def _create_vbd(state: State, fields: Mapping[str, object]) -> str:
    vm = ref_field(state, "VBD", fields, "VM", state.vms)
    empty = fields.get("VDI") in (None, "", NULL) and "VDI" in fields
    vdi = None if empty else ref_field(state, "VBD", fields, "VDI", state.vdis)
    mode = text_field(state, "VBD", fields, "mode", "RW")
    userdevice = text_field(state, "VBD", fields, "userdevice", "0")
    of_type = text_field(state, "VBD", fields, "type", "Disk")
    kept = given(state, "VBD", fields, but=("VM", "VDI", "mode", "userdevice", "type", "empty"))
    if vdi is None and of_type != "CD":
        raise XapiError("VBD_NOT_REMOVABLE_MEDIA", NULL)
    vbd = create_vbd(state, vm, vdi, mode=mode, userdevice=userdevice)
    vbd.kept, vbd.type = kept, of_type
    return vbd.ref


def _shut_down(state: State, vm: Vm) -> None:
    _require(vm, PowerState.RUNNING)
    halt(state, vm)


def _reboot(state: State, vm: Vm) -> None:
    _require(vm, PowerState.RUNNING)
    host = vm.resident_on or state.master
    halt(state, vm)
    start_on(state, vm, host)


def _eject(_state: State, vbd: Vbd) -> None:
    _require_removable(vbd)
    if vbd.vdi is None:
        raise XapiError("VBD_IS_EMPTY", vbd.ref)
    vbd.vdi, vbd.attached = None, False


def _insert(state: State, vbd: Vbd, vdi: Vdi) -> None:
    _require_removable(vbd)
    if vbd.vdi is not None:
        raise XapiError("VBD_NOT_EMPTY", vbd.ref)
    vbd.vdi = vdi
    if vbd.vm.power_state is PowerState.RUNNING:
        plug_vbd(state, vbd)


def _require_removable(vbd: Vbd) -> None:
    if vbd.type != "CD":
        raise XapiError("VBD_NOT_REMOVABLE_MEDIA", vbd.ref)


def _free_devices(state: State, vm: Vm) -> list[str]:
    taken = {vbd.userdevice for vbd in state.vbds if vbd.vm is vm}
    return [device for device in DEVICES if device not in taken]


VM_RULES: Mapping[str, Callable[..., object]] = {
    "VM.create": _create_vm,
    "VM.start": start_vm,
    "VM.start_on": start_on,
    "VM.clean_shutdown": _shut_down,
    "VM.hard_shutdown": _shut_down,
    "VM.shutdown": _shut_down,
    "VM.clean_reboot": _reboot,
    "VM.hard_reboot": _reboot,
    "VM.destroy": destroy_vm,
    "VM.get_possible_hosts": lambda state, _vm: [host.ref for host in state.hosts if host.up_s is not None],
    "VM.get_allowed_VBD_devices": _free_devices,
    "VM.update_allowed_operations": lambda _state, _vm: None,
    "VBD.create": _create_vbd,
    "VBD.plug": plug_vbd,
    "VBD.unplug": unplug_vbd,
    "VBD.unplug_force": unplug_vbd,
    "VBD.eject": _eject,
    "VBD.insert": _insert,
    "VBD.destroy": destroy_vbd,
}
