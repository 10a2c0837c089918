"""Snapshots of guests: crash-consistent, or quiesced where guest tools run; and going back to one.

A guest may hold writes in memory. A crash-consistent snapshot is what its disks hold at that moment, as after a power
cut; before a quiesced one the tools write everything out.
"""

from collections.abc import Callable, Mapping, Sequence

from snapproof.simulators.xenserver.failures import XapiError
from snapproof.simulators.xenserver.methods_vdi import destroy_vdi, fork_vdi
from snapproof.simulators.xenserver.methods_vm import create_vbd, create_vm, halt
from snapproof.simulators.xenserver.rows import PowerState, Vdi, Vm
from snapproof.simulators.xenserver.state import State


def snapshot_vm(state: State, vm: Vm, name: str, ignored: Sequence[Vdi] = ()) -> str:
    """Snapshot every disk of a VM in one moment, and the VM itself. Where one disk cannot, none is left behind."""
    disks = [vbd for vbd in state.vbds if vbd.vm is vm and vbd.vdi and vbd.type == "Disk" and vbd.vdi not in ignored]
    made: list[Vdi] = []
    try:
        for vbd in disks:
            assert vbd.vdi is not None
            made.append(fork_vdi(state, vbd.vdi, label=vbd.vdi.name_label, writable=False))
    except (XapiError, OSError):
        for vdi in made:
            destroy_vdi(state, vdi)
        raise
    snapshot = create_vm(state, name)
    snapshot.is_a_snapshot, snapshot.snapshot_of, snapshot.snapshot_s = True, vm, state.clock.time()
    for vbd, vdi in zip(disks, made, strict=True):
        create_vbd(state, snapshot, vdi, mode=vbd.mode, userdevice=vbd.userdevice)
    state.record("vm snapshot taken", vm=vm.name_label, snapshot=name, disks=len(made))
    return snapshot.ref


def snapshot_quiesced(state: State, vm: Vm, name: str) -> str:
    """Let the guest's tools write out what it holds in memory, then snapshot it."""
    if vm.power_state is not PowerState.RUNNING:
        raise XapiError("VM_BAD_POWER_STATE", vm.ref, "running", vm.power_state.value.lower())
    if vm.flush is None:
        raise XapiError("VM_SNAPSHOT_WITH_QUIESCE_NOT_SUPPORTED", vm.ref, "No guest tools run in this VM")
    try:
        vm.flush()
    except OSError as error:
        raise XapiError("VM_SNAPSHOT_WITH_QUIESCE_FAILED", vm.ref) from error
    return snapshot_vm(state, vm, name)


def revert(state: State, snapshot: Vm) -> None:
    """Give a VM the disks of one of its snapshots. It is halted, and its present disks are destroyed."""
    if not snapshot.is_a_snapshot:
        raise XapiError("VM_IS_NOT_SNAPSHOT", snapshot.ref)
    vm = snapshot.snapshot_of
    if vm is None:
        raise XapiError("VM_REVERT_FAILED", snapshot.ref, "The VM that it was taken of is gone")
    kept = [(vbd.userdevice, vbd.mode, vbd.vdi) for vbd in state.vbds if vbd.vm is snapshot and vbd.vdi]
    fresh = [(device, mode, fork_vdi(state, vdi, label=vdi.name_label, writable=True)) for device, mode, vdi in kept]
    halt(state, vm)
    for vbd in [vbd for vbd in state.vbds if vbd.vm is vm and vbd.type == "Disk"]:
        state.vbds.remove(vbd)
        if vbd.vdi and not state.vbds_of(vbd.vdi):
            destroy_vdi(state, vbd.vdi)
    for userdevice, mode, vdi in fresh:
        create_vbd(state, vm, vdi, mode=mode, userdevice=userdevice)
    state.record("vm reverted", vm=vm.name_label, snapshot=snapshot.name_label)


SNAPSHOT_RULES: Mapping[str, Callable[..., object]] = {
    "VM.snapshot": snapshot_vm,
    "VM.snapshot_with_quiesce": snapshot_quiesced,
    "VM.revert": revert,
}
