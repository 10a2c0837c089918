"""Hosts that die, at once and in the middle of whatever they do: with power back in no time, or when it is restored.

A dead host leaves half-written files where it was copying to, and whoever asked is told HOST_OFFLINE.
"""

from contextlib import suppress

from snapproof.simulators.xenserver.copying import begin, give_up
from snapproof.simulators.xenserver.failures import XapiError
from snapproof.simulators.xenserver.methods_pbd import plug
from snapproof.simulators.xenserver.methods_vm import halt
from snapproof.simulators.xenserver.notices import tell
from snapproof.simulators.xenserver.rows import Host, Pbd, TaskStatus
from snapproof.simulators.xenserver.state import State

PRIORITY = 1


def crash(state: State, number: int) -> None:
    """Die and come back."""
    host = list(state.hosts)[number]
    lost = _die(state, host)
    _boot(state, host, lost)


def cut(state: State, number: int) -> None:
    """Die and stay dead. Doing it again does nothing."""
    host = list(state.hosts)[number]
    if host.up_s is None:
        return
    _die(state, host)
    host.up_s = None
    state.record("host powered off", host=host.name_label)


def restore(state: State, number: int) -> None:
    """Boot a host whose power was cut. Doing it to one that runs does nothing."""
    host = list(state.hosts)[number]
    if host.up_s is not None:
        return
    host.up_s = state.clock.time()
    state.record("host powered on", host=host.name_label)
    _boot(state, host, [pbd for pbd in state.pbds if pbd.host is host])


def _die(state: State, host: Host) -> list[Pbd]:
    """Break everything off; answers which PBDs were plugged."""
    state.record("host died", host=host.name_label)
    for task in state.unfinished():
        if task.copy and task.copy.host is host:
            begin(task.copy)
            give_up(state, task, TaskStatus.FAILURE, ("HOST_OFFLINE", host.ref), leave_partial=True)
        elif task.work and host is state.master:
            give_up(state, task, TaskStatus.FAILURE, ("HOST_OFFLINE", host.ref))
    for vm in state.vms:
        if vm.resident_on is host:
            halt(state, vm)
    plugged = [pbd for pbd in state.pbds if pbd.host is host and pbd.attachment]
    for pbd in plugged:
        pbd.attachment = None
    host.mounts.clear()
    return plugged


def _boot(state: State, host: Host, pbds: list[Pbd]) -> None:
    """Plug again what was plugged, as far as it can be reached; what cannot is told."""
    for pbd in pbds:
        with suppress(XapiError, OSError):
            plug(state, pbd)
        if not pbd.attachment:
            body = f"PBD {pbd.uuid} of SR {pbd.sr.uuid} could not be plugged on {host.name_label}"
            tell(state, "PBD_PLUG_FAILED_ON_SERVER_START", priority=PRIORITY, cls="Host", obj_uuid=host.uuid, body=body)
