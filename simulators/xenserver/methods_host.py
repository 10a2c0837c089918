"""Rules of hosts and the pool: plug-ins, time, being enabled, and who is the master."""

from collections.abc import Callable, Mapping

from snapproof.simulators.xenserver.datamodel import datamodel
from snapproof.simulators.xenserver.failures import XapiError
from snapproof.simulators.xenserver.methods_pbd import require_up
from snapproof.simulators.xenserver.plugins import call_plugin
from snapproof.simulators.xenserver.records import moment
from snapproof.simulators.xenserver.rows import Host, Row
from snapproof.simulators.xenserver.state import State


def _plugin(state: State, host: Host, plugin: str, function: str, arguments: Mapping[str, str]) -> str:
    require_up(host)
    return call_plugin(state, host, plugin, function, arguments)


def _enable(state: State, host: Host) -> None:
    require_up(host)
    host.enabled = True
    state.record("host enabled", host=host.name_label)


def _disable(state: State, host: Host) -> None:
    """Let no VM start here any more; those that run go on."""
    require_up(host)
    host.enabled = False
    state.record("host disabled", host=host.name_label)


def _now(state: State, host: Host) -> object:
    require_up(host)
    return moment(state.clock.time())


def designate(state: State, host: Host) -> None:
    """Make a host that runs the master of the pool."""
    require_up(host)
    pool = next(iter(state.pools))
    if pool.master is host:
        raise XapiError("HOST_IS_MASTER", host.ref)
    pool.master = host
    for session in state.sessions:
        session.host = host
    state.record("master designated", host=host.name_label)


def _recover_slaves(state: State, *_pool: Row) -> list[str]:
    return [host.ref for host in state.hosts if host.up_s is not None and host is not state.master]


HOST_RULES: Mapping[str, Callable[..., object]] = {
    "host.call_plugin": _plugin,
    "host.enable": _enable,
    "host.disable": _disable,
    "host.get_servertime": _now,
    "host.get_server_localtime": _now,
    "host.list_methods": lambda _state: sorted(datamodel().messages()),
    "host.has_extension": lambda _state, _host, _name: False,
    "pool.designate_new_master": designate,
    "pool.recover_slaves": _recover_slaves,
    "pool.sync_database": lambda _state: None,
    "pool.has_extension": lambda _state, _pool, _name: False,
}
