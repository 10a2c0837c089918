"""What befalls guests while somebody works on their disks: reboots, moves, snapshots by their own host.

A lab causes these past the API, as a pool's own administrators would; the rules of the API hold all the same.
"""

from collections.abc import Callable, Mapping

from snapproof.simulators.xenserver.failures import XapiError
from snapproof.simulators.xenserver.methods_vm import destroy_vm, halt, start_on
from snapproof.simulators.xenserver.rows import Vm
from snapproof.simulators.xenserver.snapshots import snapshot_vm
from snapproof.simulators.xenserver.state import State


def boot(state: State, vm: Vm) -> None:
    """Run the guest where the pool likes it."""
    start_on(state, vm, state.master)


def reboot(state: State, vm: Vm) -> None:
    """Halt and run again, on the same host."""
    host = vm.resident_on or state.master
    halt(state, vm)
    start_on(state, vm, host)


def migrate(state: State, vm: Vm) -> None:
    """Move the running guest to another host, which has its disks already. Nothing of what it does is lost."""
    host = next((host for host in state.hosts if host is not vm.resident_on and host.up_s is not None), None)
    if host is None:
        raise XapiError("HOST_OFFLINE", "")
    for vbd in state.vbds:
        if vbd.vm is vm and vbd.vdi:
            state.attachment(vbd.vdi.sr, host)
    vm.resident_on = host
    state.record("vm migrated", vm=vm.name_label, host=host.name_label)


def snapshot(state: State, vm: Vm) -> None:
    """Snapshot the guest's disk within its SR, as an administrator of the pool does."""
    snapshot_vm(state, vm, f"{vm.name_label}, by its host")


def forget_snapshots(state: State, vm: Vm) -> None:
    """Let the pool forget a guest's snapshots; on the LUN their disks stay."""
    for other in list(state.vms):
        if other.snapshot_of is vm:
            destroy_vm(state, other)


UPHEAVALS: Mapping[str, Callable[[State, Vm], None]] = {
    "halt": halt,
    "boot": boot,
    "reboot": reboot,
    "migrate": migrate,
    "snapshot": snapshot,
}
"""What can befall a guest, by name."""
