"""What a client may read of the pool, its hosts, their storage plug-ins and its own session, field by field."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from snapproof.simulators.xenserver.datamodel import Role
from snapproof.simulators.xenserver.kinds import Kind
from snapproof.simulators.xenserver.rows import Host, PoolRecord, Row, Session, Sm
from snapproof.simulators.xenserver.shapes import NULL
from snapproof.simulators.xenserver.state import State

API_VERSION = (2, 21)
SOFTWARE = {
    "product_brand": "XenServer",
    "product_version": "8.4.0",
    "platform_name": "XCP",
    "platform_version": "3.4.0",
    "xapi": "26.1",
}
_FEATURES = ("VDI_CLONE", "VDI_CREATE", "VDI_DELETE", "VDI_SNAPSHOT")


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _metrics_of(state: State, host: Host) -> str:
    return next((row.ref for row in state.host_metrics if row.kept["host"] is host), NULL)


def _host_of(row: Row) -> Host:
    host = row.kept["host"]
    assert isinstance(host, Host)
    return host


def _pifs(state: State, host: Host) -> list[str]:
    return [row.ref for row in state.plain["PIF"] if row.kept["host"] == host.ref]


def _user(state: State) -> str:
    return next((row.ref for row in state.plain["user"]), NULL)


def _set_iqn(_state: State, host: Host, iqn: str) -> None:
    host.iqn = iqn
    config: Any = host.kept.get("other_config", {})
    host.kept["other_config"] = {**config, "iscsi_iqn": iqn}


_POOL: dict[str, Callable[[State, PoolRecord], object]] = {
    "uuid": lambda _, pool: pool.uuid,
    "name_label": lambda _, pool: pool.name_label,
    "master": lambda _, pool: pool.master.ref,
}
_HOST: dict[str, Callable[[State, Host], object]] = {
    "uuid": lambda _, host: host.uuid,
    "name_label": lambda _, host: host.name_label,
    "address": lambda _, host: host.address,
    "enabled": lambda _, host: host.enabled and host.up_s is not None,
    "metrics": _metrics_of,
    "PIFs": _pifs,
    "API_version_major": lambda _, _host: API_VERSION[0],
    "API_version_minor": lambda _, _host: API_VERSION[1],
    "API_version_vendor": lambda _, _host: "snapproof",
    "software_version": lambda _, _host: SOFTWARE,
    "iscsi_iqn": lambda _, host: host.iqn,
    "PBDs": lambda state, host: [pbd.ref for pbd in state.pbds if pbd.host is host],
    "resident_VMs": lambda state, host: [vm.ref for vm in state.vms if vm.resident_on is host],
}
_HOST_METRICS: dict[str, Callable[[State, Row], object]] = {
    "uuid": lambda _, row: row.uuid,
    "live": lambda _, row: _host_of(row).up_s is not None,
    "memory_total": lambda _, _row: 64 * 2**30,
    "last_updated": lambda state, _row: _moment(state.clock.time()),
}
_SM: dict[str, Callable[[State, Sm], object]] = {
    "uuid": lambda _, sm: sm.uuid,
    "name_label": lambda _, sm: sm.name_label,
    "type": lambda _, sm: sm.type,
    "vendor": lambda _, _sm: "snapproof",
    "required_api_version": lambda _, _sm: "1.1",
    "features": lambda _, sm: dict.fromkeys(_FEATURES, 1) if "iscsi" in sm.type else {"VDI_CREATE": 1},
    "capabilities": lambda _, sm: list(_FEATURES) if "iscsi" in sm.type else ["VDI_CREATE"],
}
_SESSION: dict[str, Callable[[State, Session], object]] = {
    "uuid": lambda _, session: session.uuid,
    "this_host": lambda _, session: session.host.ref,
    "this_user": lambda state, _session: _user(state),
    "auth_user_name": lambda _, session: session.username,
    "auth_user_sid": lambda _, _session: "",
    "is_local_superuser": lambda _, session: session.role is Role.ROOT,
    "last_active": lambda _, session: _moment(session.last_active_s),
    "validation_time": lambda _, session: _moment(session.opened_s),
}

HOST_KINDS = (
    Kind(name="pool", fields=_POOL),
    Kind(name="host", fields=_HOST, puts={"iscsi_iqn": _set_iqn}),
    Kind(name="host_metrics", fields=_HOST_METRICS),
    Kind(name="SM", fields=_SM),
    Kind(name="session", fields=_SESSION),
)
