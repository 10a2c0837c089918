"""Rules of PBDs: how a host comes to see an SR and lets go of it, and what stops it."""

from collections.abc import Callable, Mapping

from snapproof.simulators.xenserver.attachments import Attachment
from snapproof.simulators.xenserver.copying import require_idle
from snapproof.simulators.xenserver.failures import Backend, XapiError, backend
from snapproof.simulators.xenserver.folders import FolderAttachment
from snapproof.simulators.xenserver.luns import LunAttachment, open_lun, require_scsi_id
from snapproof.simulators.xenserver.parameters import field, given, ref_field
from snapproof.simulators.xenserver.plugins import NotMountedError, locate
from snapproof.simulators.xenserver.rows import Host, Pbd, Sr
from snapproof.simulators.xenserver.state import State

LUN_TYPE = "lvmoiscsi"
RESIGN_TYPE = "relvmoiscsi"
FILE_TYPE = "file"


def add_pbd(state: State, host: Host, sr: Sr, device_config: Mapping[str, str]) -> Pbd:
    """Tell a host how to reach an SR. Passwords do not enter the record: xapi keeps them apart, as secrets."""
    for other in state.pbds_of(sr):
        if other.host is host:
            raise XapiError("PBD_EXISTS", sr.ref, host.ref, other.ref)
    pbd = Pbd(
        ref=state.new_ref(),
        uuid=state.new_uuid(),
        host=host,
        sr=sr,
        device_config=_without_secrets(state, device_config),
    )
    state.record("pbd created", sr=sr.uuid, host=host.name_label)
    return state.pbds.add(pbd)


def shown_config(state: State, pbd: Pbd, device_config: Mapping[str, str]) -> None:
    """Change how a host reaches an SR, from the next plug on."""
    pbd.device_config = _without_secrets(state, device_config)


def _without_secrets(state: State, device_config: Mapping[str, str]) -> dict[str, str]:
    shown = {key: value for key, value in device_config.items() if not key.endswith("password")}
    return shown | {f"{key}_secret": state.new_uuid() for key in device_config if key.endswith("password")}


def plug(state: State, pbd: Pbd) -> None:
    """Attach the SR to the host; plugging what is plugged is fine."""
    if pbd.attachment:
        return
    if pbd.sr.type not in _ATTACH:
        raise XapiError("SR_UNKNOWN_DRIVER", pbd.sr.type)
    require_up(pbd.host)
    attached = {other.sr.ref for other in state.pbds if other.attachment and other.sr.type == LUN_TYPE}
    if pbd.sr.type == LUN_TYPE and pbd.sr.ref not in attached and len(attached) >= state.sr_count_max:
        raise XapiError("SR_ATTACH_FAILED", pbd.sr.ref, f"The pool holds {len(attached)} SRs on LUNs, it takes no more")
    pbd.attachment = _ATTACH[pbd.sr.type](state, pbd)
    state.record("pbd plugged", sr=pbd.sr.uuid, host=pbd.host.name_label)


def unplug(state: State, pbd: Pbd) -> None:
    """Detach the SR from the host, unless a guest or a copy still uses it there."""
    if not pbd.attachment:
        return
    for vbd in state.vbds:
        if vbd.attached and vbd.vdi and vbd.vdi.sr is pbd.sr and vbd.vm.resident_on is pbd.host:
            raise XapiError("VDI_IN_USE", vbd.vdi.ref, "unplug")
    for copy in state.copies():
        if copy.host is pbd.host and pbd.sr in (copy.source.sr, copy.target.sr):
            require_idle(state, copy.source if copy.source.sr is pbd.sr else copy.target)
    if pbd.host is not state.master and pbd.sr.shared and not _master_attached(state, pbd.sr):
        raise XapiError("SR_NOT_ATTACHED", pbd.sr.ref, "The master, which must let go last, is not plugged")
    pbd.attachment = None
    state.record("pbd unplugged", sr=pbd.sr.uuid, host=pbd.host.name_label)


def destroy_pbd(state: State, pbd: Pbd) -> None:
    if pbd.attachment:
        raise XapiError("OPERATION_NOT_ALLOWED", f"PBD {pbd.uuid} is plugged; unplug it first")
    state.pbds.remove(pbd)
    state.record("pbd destroyed", sr=pbd.sr.uuid, host=pbd.host.name_label)


def _master_attached(state: State, sr: Sr) -> bool:
    """Say whether the master has the SR, or has no PBD for it at all."""
    own = [pbd for pbd in state.pbds_of(sr) if pbd.host is state.master]
    return not own or own[0].attachment is not None


def require_up(host: Host) -> None:
    """Refuse work on a host whose power is off."""
    if host.up_s is None:
        raise XapiError("HOST_OFFLINE", host.ref)


def _create(state: State, fields: Mapping[str, object]) -> str:
    host, sr = ref_field(state, "PBD", fields, "host", state.hosts), ref_field(state, "PBD", fields, "SR", state.srs)
    config = field(state, "PBD", fields, "device_config")
    assert isinstance(config, dict)
    pbd = add_pbd(state, host, sr, config)
    pbd.kept = given(state, "PBD", fields, but=("host", "SR", "device_config"))
    return pbd.ref


def _attach_lun(state: State, pbd: Pbd) -> Attachment:
    """The LUN must hold this very SR, and no host may reach the SR through another LUN: that would be a clone."""
    lun = open_lun(state.fabric, pbd.host.iqn, pbd.device_config)
    require_scsi_id(lun, pbd.device_config)
    for other in state.pbds_of(pbd.sr):
        if isinstance(other.attachment, LunAttachment) and other.attachment.lun.target != lun.target:
            elsewhere = f"{other.host.name_label} has SR {pbd.sr.uuid} from {other.attachment.lun.target}"
            raise backend(Backend.UNAVAILABLE, f"duplicate SR: {elsewhere}; re-sign one of the LUNs")
    return LunAttachment(lun, sr_uuid=pbd.sr.uuid)


def _attach_folder(_state: State, pbd: Pbd) -> Attachment:
    local = pbd.device_config.get("location", "")
    if not local:
        raise backend(Backend.NO_LOCATION)
    try:
        directory, path = locate(pbd.host, local)
    except NotMountedError as error:
        raise backend(Backend.UNAVAILABLE, str(error)) from error
    return FolderAttachment(directory, path, local=local)


_ATTACH: Mapping[str, Callable[[State, Pbd], Attachment]] = {LUN_TYPE: _attach_lun, FILE_TYPE: _attach_folder}

PBD_RULES: Mapping[str, Callable[..., object]] = {
    "PBD.create": _create,
    "PBD.plug": plug,
    "PBD.unplug": unplug,
    "PBD.destroy": destroy_pbd,
}
