"""What a lab does to a pool past its API: start and stop guests, and list what the pool holds."""

from snapproof.simulators.xenserver.datamodel import Role
from snapproof.simulators.xenserver.failures import Backend, XapiError, backend
from snapproof.simulators.xenserver.lun import lun_size_for, read_layout
from snapproof.simulators.xenserver.luns import LunPath, scsi_id
from snapproof.simulators.xenserver.methods_pbd import LUN_TYPE, add_pbd, plug, unplug
from snapproof.simulators.xenserver.methods_sr import create_sr, forget, introduce, scan
from snapproof.simulators.xenserver.methods_vdi import create_vdi
from snapproof.simulators.xenserver.methods_vm import create_vbd, create_vm, destroy_vm, halt, start_vm
from snapproof.simulators.xenserver.rows import PowerState, Sr, Vbd, Vdi
from snapproof.simulators.xenserver.state import State
from snapproof.simulators.xenserver.upheavals import forget_snapshots

PORTAL = "192.0.2.200"


def start_guest(state: State, *, target: str, size_bytes: int, name: str) -> Vbd:
    """Attach the LUN on all hosts, format it if it is new, and run a VM on its one VDI."""
    lun = LunPath(state.fabric, initiator=state.master.iqn, target=target)
    layout = read_layout(lun)
    config = {"target": PORTAL, "targetIQN": target, "SCSIid": scsi_id(target)}
    label = f"/{target}/0"
    if layout is None and lun.size_bytes < lun_size_for(size_bytes):
        raise XapiError("SR_FULL", str(lun_size_for(size_bytes)), str(lun.size_bytes))
    if layout is None:
        sr = state.srs.find(create_sr(state, state.master, config, 0, label, label, LUN_TYPE, "user", shared=True))
        vdi = create_vdi(state, sr, label=name, size_bytes=size_bytes)
    else:
        sr = state.srs.of_uuid(layout.sr_uuid) or _introduced(state, layout.sr_uuid, label)
        _plug_everywhere(state, sr, config)
        vdi = _only_vdi(state, sr)
    vm = create_vm(state, name)
    vbd = create_vbd(state, vm, vdi, mode="RW")
    start_vm(state, vm)
    return vbd


def stop_guest(state: State, vbd: Vbd) -> None:
    """Halt and destroy the VM, unplug the master last, forget the SR."""
    assert vbd.vdi is not None
    sr = vbd.vdi.sr
    if vbd.vm.power_state is PowerState.RUNNING:
        halt(state, vbd.vm)
    if vbd.vm in state.vms:
        forget_snapshots(state, vbd.vm)
        destroy_vm(state, vbd.vm)
    if sr not in state.srs:
        return
    for pbd in sorted(state.pbds_of(sr), key=lambda pbd: pbd.host is state.master):
        unplug(state, pbd)
    forget(state, sr)


def furnish(state: State) -> None:
    """Give the pool what every pool has and no rule touches: a user, roles, a network, and metrics of each host."""
    state.plain["user"].add(state.new_row({"short_name": "root", "fullname": "root"}))
    for role in Role:
        if role is not Role.ROOT:
            state.plain["role"].add(state.new_row({"name_label": role.value}))
    network = state.plain["network"].add(state.new_row({"name_label": "Pool-wide network", "bridge": "xenbr0"}))
    pifs: list[object] = []
    for host in state.hosts:
        state.host_metrics.add(state.new_row({"host": host}))
        kept: dict[str, object] = {"host": host.ref, "network": network.ref, "device": "eth0", "management": True}
        pifs.append(state.plain["PIF"].add(state.new_row({**kept, "IP": host.address})).ref)
    network.kept["PIFs"] = pifs


def inventory(state: State) -> tuple[str, ...]:
    """One line for each thing that a client could leave behind."""
    lines = [f"sr {sr.uuid} {sr.name_label} {sr.type}" for sr in state.srs]
    lines += [
        f"pbd {pbd.sr.uuid} {pbd.host.name_label} {'plugged' if pbd.attachment else 'unplugged'}" for pbd in state.pbds
    ]
    lines += [f"vdi {vdi.uuid} {vdi.name_label} in sr {vdi.sr.uuid}" for vdi in state.vdis]
    lines += [
        f"vbd {vbd.vm.name_label} {vbd.vdi.uuid if vbd.vdi else 'empty'} {'plugged' if vbd.attached else 'unplugged'}"
        for vbd in state.vbds
    ]
    lines += [
        f"mount {host.name_label} {mount.local} {mount.shown}" for host in state.hosts for mount in host.mounts.values()
    ]
    lines += [f"task {copy.source.uuid} to {copy.target.uuid} in sr {copy.target.sr.uuid}" for copy in state.copies()]
    return tuple(sorted(lines))


def _introduced(state: State, uuid: str, label: str) -> Sr:
    return state.srs.find(introduce(state, uuid, label, label, LUN_TYPE, "user", shared=True))


def _plug_everywhere(state: State, sr: Sr, config: dict[str, str]) -> None:
    present = {pbd.host.ref: pbd for pbd in state.pbds_of(sr)}
    if any(pbd.device_config.get("targetIQN") != config["targetIQN"] for pbd in present.values()):
        reason = f"{config['targetIQN']} is a clone of the LUN of SR {sr.uuid}, which the pool has; re-sign it first"
        raise backend(Backend.UNAVAILABLE, reason)
    for host in state.hosts:
        plug(state, present.get(host.ref) or add_pbd(state, host, sr, config))
    scan(state, sr)


def _only_vdi(state: State, sr: Sr) -> Vdi:
    vdis = [vdi for vdi in state.vdis_of(sr) if vdi.managed and not vdi.is_a_snapshot]
    if len(vdis) != 1:
        raise XapiError("SR_OPERATION_NOT_SUPPORTED", f"SR {sr.uuid} holds {len(vdis)} VDIs, a guest needs exactly one")
    return vdis[0]
