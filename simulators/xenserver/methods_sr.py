"""Rules of SRs, VDI-per-LUN above all: create (which formats, probes or re-signs), probe, introduce, scan, forget.

What a LUN or a directory holds is read by luns.py and folders.py; PBDs are methods_pbd.py's.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress

from snapproof.simulators.xenserver.coalescing import tell_vdis, tidy_later
from snapproof.simulators.xenserver.failures import Backend, XapiError, backend
from snapproof.simulators.xenserver.folders import make_folder
from snapproof.simulators.xenserver.luns import (
    LunAttachment,
    LunPath,
    format_lun,
    open_lun,
    probe,
    require_scsi_id,
    resign,
    wipe,
)
from snapproof.simulators.xenserver.methods_pbd import (
    FILE_TYPE,
    LUN_TYPE,
    RESIGN_TYPE,
    add_pbd,
    destroy_pbd,
    plug,
    require_up,
)
from snapproof.simulators.xenserver.plugins import NotMountedError, locate
from snapproof.simulators.xenserver.rows import Host, Sr
from snapproof.simulators.xenserver.state import State


def create_sr(
    state: State,
    host: Host,
    device_config: dict[str, str],
    _physical_size: int,
    name_label: str,
    name_description: str,
    of_type: str,
    content_type: str,
    shared: bool,  # noqa: FBT001  xapi's order of arguments
    sm_config: Mapping[str, str] | None = None,
) -> str:
    """Make an SR and attach it. On a LUN this destroys what is there; type relvmoiscsi re-signs and always raises."""
    _require_driver(state, of_type)
    require_up(host)
    if of_type == RESIGN_TYPE:
        raise _resigned(state, host, device_config)
    uuid = state.new_uuid()
    _MAKE[of_type](state, host, device_config, uuid)
    sr = _add(state, uuid, name_label, name_description, of_type, content_type, shared=shared, sm_config=sm_config)
    try:
        plug(state, add_pbd(state, host, sr, device_config))
    except (XapiError, OSError):
        _drop(state, sr)
        raise
    state.record("sr created", sr=uuid, label=name_label, type=of_type)
    for other in state.hosts:
        if shared and other is not host:
            pbd = add_pbd(state, other, sr, device_config)
            with suppress(XapiError, OSError):  # xapi only warns when a further host cannot attach
                plug(state, pbd)
    return sr.ref


def introduce(
    state: State,
    uuid: str,
    name_label: str,
    name_description: str,
    of_type: str,
    content_type: str,
    shared: bool,  # noqa: FBT001  xapi's order of arguments
    sm_config: Mapping[str, str] | None = None,
) -> str:
    """Make known an SR that exists already; PBDs must still be created and plugged."""
    _require_driver(state, of_type)
    if state.srs.of_uuid(uuid):
        raise XapiError("SR_UUID_EXISTS", uuid)
    sr = _add(state, uuid, name_label, name_description, of_type, content_type, shared=shared, sm_config=sm_config)
    state.record("sr introduced", sr=uuid, label=name_label, type=of_type)
    return sr.ref


def scan(state: State, sr: Sr) -> None:
    """Make the VDI records agree with what the SR's own bytes say now."""
    found = {vdi.uuid: vdi for vdi in state.attachment(sr).found()}
    for uuid in found:
        known = state.vdis.of_uuid(uuid)
        if known and known.sr is not sr:
            raise XapiError("DB_UNIQUENESS_CONSTRAINT_VIOLATION", "VDI", "uuid", uuid)
    tell_vdis(state, sr, found)
    tidy_later(state, sr)


def forget(state: State, sr: Sr) -> None:
    """Forget an SR, its VDIs and its unplugged PBDs; nothing is deleted from the storage."""
    _refuse_plugged(state, sr)
    _drop(state, sr)
    state.record("sr forgotten", sr=sr.uuid, label=sr.name_label)


def destroy(state: State, sr: Sr) -> None:
    """Wipe the identity of an empty SR from its storage and forget it."""
    _refuse_plugged(state, sr)
    if state.vdis_of(sr):
        raise XapiError("SR_NOT_EMPTY", sr.ref)
    pbds = state.pbds_of(sr)
    if not pbds:
        raise XapiError("SR_HAS_NO_PBDS", sr.ref)
    if sr.type == LUN_TYPE:
        lun = open_lun(state.fabric, pbds[0].host.iqn, pbds[0].device_config)
        LunAttachment(lun, sr_uuid=sr.uuid)  # raises unless the LUN holds this very SR
        wipe(lun)
    _drop(state, sr)
    state.record("sr destroyed", sr=sr.uuid, label=sr.name_label)


def probe_sr(
    state: State, host: Host, device_config: dict[str, str], of_type: str, _sm_config: Mapping[str, str] | None = None
) -> str:
    """Answer as XML which SR a LUN holds; nothing changes."""
    _require_driver(state, of_type)
    require_up(host)
    if of_type != LUN_TYPE:
        raise XapiError("SR_OPERATION_NOT_SUPPORTED", f"probe of type {of_type}")
    lun = open_lun(state.fabric, host.iqn, device_config)
    require_scsi_id(lun, device_config)
    return probe(lun)


def _make_on_lun(state: State, host: Host, device_config: dict[str, str], uuid: str) -> None:
    lun = _lun_out_of_use(state, host, device_config)
    destroyed = format_lun(lun, uuid)
    state.record("lun formatted", target=lun.target, sr=uuid, destroyed_sr=destroyed)


def _make_in_folder(_state: State, host: Host, device_config: dict[str, str], _uuid: str) -> None:
    local = device_config.get("location", "")
    if not local:
        raise backend(Backend.NO_LOCATION)
    try:
        directory, path = locate(host, local)
    except NotMountedError as error:
        raise backend(Backend.FILE_CREATE, str(error)) from error
    make_folder(directory, path, local=local)


_SR_UUID = re.compile(r"<UUID>\s*([0-9a-f-]{36})\s*</UUID>")
_MAKE: Mapping[str, Callable[[State, Host, dict[str, str], str], None]] = {
    LUN_TYPE: _make_on_lun,
    FILE_TYPE: _make_in_folder,
}


def _resigned(state: State, host: Host, device_config: dict[str, str]) -> XapiError:
    """Re-sign, then answer as that plug-in does: with an error that says it went well."""
    lun = _lun_out_of_use(state, host, device_config)
    before, after = resign(lun, state.new_uuid)
    state.record("lun re-signed", target=lun.target, before=before, after=after)
    return backend(Backend.RESIGNED)


def _lun_out_of_use(state: State, host: Host, device_config: dict[str, str]) -> LunPath:
    lun = open_lun(state.fabric, host.iqn, device_config)
    require_scsi_id(lun, device_config)
    for pbd in state.pbds:
        if pbd.attachment and pbd.device_config.get("SCSIid") == lun.scsi_id:
            raise backend(Backend.IN_USE, f"SR {pbd.sr.uuid} is attached from {lun.target}")
    return lun


def _require_driver(state: State, of_type: str) -> None:
    if of_type not in {sm.type for sm in state.sms}:
        raise XapiError("SR_UNKNOWN_DRIVER", of_type)


def _refuse_plugged(state: State, sr: Sr) -> None:
    if any(pbd.attachment for pbd in state.pbds_of(sr)):
        raise XapiError("SR_HAS_PBD", sr.ref)


def _drop(state: State, sr: Sr) -> None:
    for pbd in state.pbds_of(sr):
        destroy_pbd(state, pbd)
    for vdi in state.vdis_of(sr):
        state.drop_vdi(vdi)
    state.srs.remove(sr)


def _add(
    state: State,
    uuid: str,
    name_label: str,
    name_description: str,
    of_type: str,
    content_type: str,
    *,
    shared: bool,
    sm_config: Mapping[str, str] | None,
) -> Sr:
    return state.srs.add(
        Sr(
            ref=state.new_ref(),
            uuid=uuid,
            name_label=name_label,
            name_description=name_description,
            type=of_type,
            content_type=content_type,
            shared=shared,
            sm_config=dict(sm_config or {}),
        )
    )


def _update(state: State, sr: Sr) -> None:
    """Refresh what the SR says of itself: here it is always read anew."""
    state.attachment(sr)


def _probed(
    state: State, host: Host, device_config: dict[str, str], of_type: str, _sm_config: Mapping[str, str] | None = None
) -> list[dict[str, object]]:
    """Answer a probe as records: what SR a LUN holds, whole enough to be attached."""
    found = _SR_UUID.search(probe_sr(state, host, device_config, of_type))
    sr = {"uuid": found[1], "total_space": 0, "free_space": 0} if found else None
    shown = {key: value for key, value in device_config.items() if not key.endswith("password")}
    return [{"configuration": shown, "complete": True, "sr": sr, "extra_info": {}}] if sr else []


SR_RULES: Mapping[str, Callable[..., object]] = {
    "SR.create": create_sr,
    "SR.introduce": introduce,
    "SR.probe": probe_sr,
    "SR.probe_ext": _probed,
    "SR.scan": scan,
    "SR.update": _update,
    "SR.forget": forget,
    "SR.destroy": destroy,
    "SR.get_supported_types": lambda state: [sm.type for sm in state.sms],
}
