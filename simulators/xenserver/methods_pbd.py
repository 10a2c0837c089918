"""Rules of PBDs: how a host comes to see an SR and lets go of it, and what stops it."""

from collections.abc import Callable, Mapping

from snapproof.simulators.xenserver.attachments import Attachment
from snapproof.simulators.xenserver.copying import require_idle
from snapproof.simulators.xenserver.failures import Backend, XapiError, backend
from snapproof.simulators.xenserver.folders import FolderAttachment
from snapproof.simulators.xenserver.luns import LunAttachment, open_lun, require_scsi_id
from snapproof.simulators.xenserver.parameters import Method, a_host, a_pbd, an_sr, field, mapping, record
from snapproof.simulators.xenserver.plugins import NotMountedError, locate
from snapproof.simulators.xenserver.state import Host, Pbd, Sr, State

LUN_TYPE = "lvmoiscsi"
RESIGN_TYPE = "relvmoiscsi"
FILE_TYPE = "file"


def add_pbd(state: State, host: Host, sr: Sr, device_config: Mapping[str, str]) -> Pbd:
    """Tell a host how to reach an SR. Passwords do not enter the record: xapi keeps them apart, as secrets."""
    for other in state.pbds_of(sr):
        if other.host is host:
            raise XapiError("PBD_EXISTS", sr.ref, host.ref, other.ref)
    shown = {key: value for key, value in device_config.items() if not key.endswith("password")}
    shown |= {f"{key}_secret": state.new_uuid() for key in device_config if key.endswith("password")}
    pbd = Pbd(ref=state.new_ref(), uuid=state.new_uuid(), host=host, sr=sr, device_config=shown)
    state.record("pbd created", sr=sr.uuid, host=host.name_label)
    return state.pbds.add(pbd)


def plug(state: State, pbd: Pbd) -> None:
    """Attach the SR to the host; plugging what is plugged is fine."""
    if pbd.attachment:
        return
    if pbd.sr.type not in _ATTACH:
        raise XapiError("SR_UNKNOWN_DRIVER", pbd.sr.type)
    pbd.attachment = _ATTACH[pbd.sr.type](state, pbd)
    state.record("pbd plugged", sr=pbd.sr.uuid, host=pbd.host.name_label)


def unplug(state: State, pbd: Pbd) -> None:
    """Detach the SR from the host, unless a guest or a copy still uses it there."""
    if not pbd.attachment:
        return
    for vbd in state.vbds:
        if vbd.attached and vbd.vdi.sr is pbd.sr and vbd.vm.resident_on is pbd.host:
            raise XapiError("VDI_IN_USE", vbd.vdi.ref, "unplug")
    for copy in state.copies():
        if copy.host is pbd.host and pbd.sr in (copy.source.sr, copy.target.sr):
            require_idle(state, copy.source if copy.source.sr is pbd.sr else copy.target)
    pbd.attachment = None
    state.record("pbd unplugged", sr=pbd.sr.uuid, host=pbd.host.name_label)


def destroy_pbd(state: State, pbd: Pbd) -> None:
    if pbd.attachment:
        raise XapiError("OPERATION_NOT_ALLOWED", f"PBD {pbd.uuid} is plugged; unplug it first")
    state.pbds.remove(pbd)
    state.record("pbd destroyed", sr=pbd.sr.uuid, host=pbd.host.name_label)


def _create(state: State, fields: Mapping[str, object]) -> str:
    host, sr = field(state, fields, "host", a_host), field(state, fields, "SR", an_sr)
    return add_pbd(state, host, sr, field(state, fields, "device_config", mapping)).ref


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

PBD_METHODS = {
    "PBD.create": Method(perform=_create, kinds=(record,)),
    "PBD.plug": Method(perform=plug, kinds=(a_pbd,)),
    "PBD.unplug": Method(perform=unplug, kinds=(a_pbd,)),
    "PBD.destroy": Method(perform=destroy_pbd, kinds=(a_pbd,)),
}
