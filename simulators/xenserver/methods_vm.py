"""Rules of VMs and VBDs, as few as a guest needs that reads and writes the bytes of a VDI."""

from collections.abc import Mapping

from snapproof.simulators.xenserver.copying import require_idle
from snapproof.simulators.xenserver.failures import XapiError
from snapproof.simulators.xenserver.lun import VdiView
from snapproof.simulators.xenserver.luns import LunAttachment
from snapproof.simulators.xenserver.parameters import Method, a_vbd, a_vdi, a_vm, field, flag, record, text
from snapproof.simulators.xenserver.state import PowerState, State, Vbd, Vdi, Vm

MODES = ("RO", "RW")
DEVICES = [str(number) for number in range(16)]


def create_vm(state: State, name: str) -> Vm:
    vm = state.vms.add(Vm(ref=state.new_ref(), uuid=state.new_uuid(), name_label=name))
    state.record("vm created", vm=name)
    return vm


def start_vm(state: State, vm: Vm, *_flags: bool) -> None:
    """Run the VM on the master with its VBDs plugged; if one cannot be, it stays halted."""
    _require(vm, PowerState.HALTED)
    vm.resident_on, vm.power_state = state.master, PowerState.RUNNING
    try:
        for vbd in [vbd for vbd in state.vbds if vbd.vm is vm]:
            plug_vbd(state, vbd)
    except (XapiError, OSError):
        halt(state, vm)
        raise
    state.record("vm started", vm=vm.name_label, host=state.master.name_label)


def halt(state: State, vm: Vm) -> None:
    for vbd in state.vbds:
        if vbd.vm is vm:
            vbd.attached = False
    vm.resident_on, vm.power_state = None, PowerState.HALTED
    state.record("vm halted", vm=vm.name_label)


def create_vbd(state: State, vm: Vm, vdi: Vdi, *, mode: str, userdevice: str = "0") -> Vbd:
    if mode not in MODES:
        raise XapiError("FIELD_TYPE_ERROR", "mode")
    if userdevice not in DEVICES:
        raise XapiError("INVALID_DEVICE", userdevice)
    if any(vbd.vm is vm and vbd.userdevice == userdevice for vbd in state.vbds):
        raise XapiError("DEVICE_ALREADY_EXISTS", userdevice)
    vbd = Vbd(ref=state.new_ref(), uuid=state.new_uuid(), vm=vm, vdi=vdi, userdevice=userdevice, mode=mode)
    state.record("vbd created", vm=vm.name_label, vdi=vdi.uuid)
    return state.vbds.add(vbd)


def plug_vbd(state: State, vbd: Vbd) -> None:
    _require(vbd.vm, PowerState.RUNNING)
    if vbd.attached:
        raise XapiError("DEVICE_ALREADY_ATTACHED", vbd.ref)
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
    state.record("vbd unplugged", vm=vbd.vm.name_label, vdi=vbd.vdi.uuid)


def destroy_vbd(state: State, vbd: Vbd) -> None:
    if vbd.attached:
        raise XapiError("OPERATION_NOT_ALLOWED", f"VBD {vbd.uuid} is plugged; unplug it first")
    state.vbds.remove(vbd)
    state.record("vbd destroyed", vm=vbd.vm.name_label, vdi=vbd.vdi.uuid)


def destroy_vm(state: State, vm: Vm) -> None:
    _require(vm, PowerState.HALTED)
    for vbd in [vbd for vbd in state.vbds if vbd.vm is vm]:
        destroy_vbd(state, vbd)
    state.vms.remove(vm)
    state.record("vm destroyed", vm=vm.name_label)


def view_of(state: State, vbd: Vbd) -> VdiView:
    """The bytes behind a VBD, through the host on which the VM runs. Only VDIs on LUNs can be guests' disks here."""
    attachment = state.attachment(vbd.vdi.sr, vbd.vm.resident_on)
    if not isinstance(attachment, LunAttachment):
        raise XapiError("SR_OPERATION_NOT_SUPPORTED", f"A guest cannot run on SR {vbd.vdi.sr.uuid} of this type")
    return attachment.view(vbd.vdi.uuid)


def _require(vm: Vm, wanted: PowerState) -> None:
    if vm.power_state is not wanted:
        raise XapiError("VM_BAD_POWER_STATE", vm.ref, wanted.value.lower(), vm.power_state.value.lower())


def _create_vm(state: State, fields: Mapping[str, object]) -> str:
    return create_vm(state, field(state, fields, "name_label", text)).ref


def _create_vbd(state: State, fields: Mapping[str, object]) -> str:
    vm, vdi = field(state, fields, "VM", a_vm), field(state, fields, "VDI", a_vdi)
    mode = text(state, fields.get("mode", "RW"))
    return create_vbd(state, vm, vdi, mode=mode, userdevice=text(state, fields.get("userdevice", "0"))).ref


def _shut_down(state: State, vm: Vm) -> None:
    _require(vm, PowerState.RUNNING)
    halt(state, vm)


VM_METHODS = {
    "VM.create": Method(perform=_create_vm, kinds=(record,)),
    "VM.start": Method(perform=start_vm, kinds=(a_vm, flag, flag)),
    "VM.clean_shutdown": Method(perform=_shut_down, kinds=(a_vm,)),
    "VM.hard_shutdown": Method(perform=_shut_down, kinds=(a_vm,)),
    "VM.destroy": Method(perform=destroy_vm, kinds=(a_vm,)),
    "VBD.create": Method(perform=_create_vbd, kinds=(record,)),
    "VBD.plug": Method(perform=plug_vbd, kinds=(a_vbd,)),
    "VBD.unplug": Method(perform=unplug_vbd, kinds=(a_vbd,)),
    "VBD.destroy": Method(perform=destroy_vbd, kinds=(a_vbd,)),
}
