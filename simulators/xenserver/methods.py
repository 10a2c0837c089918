"""Every call of the pool in one table, and how one is performed: session, rights, arguments, rule, errors.

Which calls there are is in the datamodel; rules of one class live in methods_<class>.py, what follows from the fields
is made in generic.py. No wire here.
"""

from collections.abc import Callable, Mapping
from functools import cache

from snapproof.simulators.xenserver.coalescing import collect
from snapproof.simulators.xenserver.datamodel import Role, datamodel
from snapproof.simulators.xenserver.events import EVENT_RULES
from snapproof.simulators.xenserver.failures import XapiError, io_errors
from snapproof.simulators.xenserver.generic import generic
from snapproof.simulators.xenserver.methods_host import HOST_RULES
from snapproof.simulators.xenserver.methods_pbd import PBD_RULES
from snapproof.simulators.xenserver.methods_sr import SR_RULES
from snapproof.simulators.xenserver.methods_task import TASK_RULES, task_of
from snapproof.simulators.xenserver.methods_vdi import ASYNC_RULES, VDI_RULES
from snapproof.simulators.xenserver.methods_vm import VM_RULES
from snapproof.simulators.xenserver.notices import NOTICE_RULES
from snapproof.simulators.xenserver.parameters import Method, OfSession, counted, read_arguments
from snapproof.simulators.xenserver.rows import Session
from snapproof.simulators.xenserver.snapshots import SNAPSHOT_RULES
from snapproof.simulators.xenserver.state import State

ASYNC = "Async."
LOGINS = ("session.login_with_password", "session.slave_local_login_with_password")
"""Calls that a wire answers itself: it knows the passwords."""
LIST_METHODS = "system.listMethods"
_NEVER_ASYNC = ("session.", "task.", "event.", "system.")


def open_session(state: State, username: str, role: Role = Role.ROOT) -> Session:
    """Let a client in whose password was right."""
    session = Session(
        ref=state.new_ref(),
        uuid=state.new_uuid(),
        username=username,
        host=state.master,
        last_active_s=state.clock.time(),
        opened_s=state.clock.time(),
        role=role,
    )
    state.record("session opened", user=username)
    return state.sessions.add(session)


def perform(state: State, methods: Mapping[str, Method], name: str, arguments: tuple[object, ...]) -> object:
    """Perform one call. `arguments` begin with the session. Raises XapiError."""
    if name == LIST_METHODS:
        return sorted([*methods, *LOGINS, LIST_METHODS])
    of = _find(methods, name)
    if not arguments:
        raise XapiError("MESSAGE_PARAMETER_COUNT_MISMATCH", name, str(len(of.entry.takes)), "0")
    counted(of, arguments[1:])
    session = _session(state, arguments[0])
    _require_role(session, of)
    collect(state)
    if name.startswith(ASYNC):
        return _performed_as_task(state, of, session, arguments[1:])
    return _performed(state, of, of.perform, session, arguments[1:])


@cache
def all_methods() -> Mapping[str, Method]:
    """The table of calls; a rule of its own goes before what generic.py makes. It is made once and never changes."""
    methods = {}
    for name, entry in datamodel().messages().items():
        if name in LOGINS:
            continue
        rule = RULES.get(name)
        perform = rule.perform if isinstance(rule, OfSession) else rule or generic(name, entry) or _unknown_to_us(name)
        methods[name] = Method(
            name=name,
            entry=entry,
            perform=perform,
            of_session=isinstance(rule, OfSession),
            plain=rule is None,
        )
    return methods


def _unknown_to_us(name: str) -> Callable[..., object]:
    """Answer a call that xapi has and this pool does not, once its arguments are known to be right."""

    def perform(_state: State, *_arguments: object) -> object:
        raise XapiError("NOT_IMPLEMENTED", name)

    return perform


def _find(methods: Mapping[str, Method], name: str) -> Method:
    inner = name.removeprefix(ASYNC)
    of = methods.get(inner)
    if of is None and _removed(inner):
        raise XapiError("MESSAGE_REMOVED")
    if of is None or (inner != name and inner.startswith(_NEVER_ASYNC)):
        raise XapiError("MESSAGE_METHOD_UNKNOWN", name)
    return of


def _removed(name: str) -> bool:
    kind, _, verb = name.partition(".")
    known = datamodel().classes.get(kind)
    return known is not None and verb in known.removed


def _session(state: State, ref: object) -> Session:
    session = next((session for session in state.sessions if session.ref == ref), None)
    if session is None:
        raise XapiError("SESSION_INVALID", str(ref))
    session.last_active_s = state.clock.time()
    return session


def _require_role(session: Session, of: Method) -> None:
    if not session.role.includes(of.entry.role):
        sentence = f"No role of user {session.username} permits this call; it takes {of.entry.role}"
        raise XapiError("RBAC_PERMISSION_DENIED", of.name, sentence)


def _performed(
    state: State, of: Method, rule: Callable[..., object], session: Session, arguments: tuple[object, ...]
) -> object:
    read = read_arguments(of, state, arguments)
    with io_errors():
        return rule(state, session, *read) if of.of_session else rule(state, *read)


def _performed_as_task(state: State, of: Method, session: Session, arguments: tuple[object, ...]) -> object:
    """Types are checked at once; whatever else goes wrong, an object that is gone too, is the task's failure."""
    if of.name in ASYNC_RULES:
        return _performed(state, of, ASYNC_RULES[of.name], session, arguments)
    try:
        read_arguments(of, state, arguments)
    except XapiError as error:
        if error.code != "HANDLE_INVALID":
            raise
    return task_of(
        state,
        f"{ASYNC}{of.name}",
        lambda: _performed(state, of, of.perform, session, arguments),
        gives=of.entry.gives,
    ).ref


def _log_out(state: State, session: Session) -> None:
    """End the session. Its tasks live on."""
    state.sessions.remove(session)
    state.record("session closed", user=session.username)


RULES: Mapping[str, Callable[..., object] | OfSession] = {
    "session.logout": OfSession(_log_out),
    "session.local_logout": OfSession(_log_out),
    "session.get_all_subject_identifiers": lambda _state: [],
    "role.get_permissions": lambda _state, _role: [],
    "role.get_permissions_name_label": lambda _state, _role: [],
    **EVENT_RULES,
    **HOST_RULES,
    **NOTICE_RULES,
    **PBD_RULES,
    **SNAPSHOT_RULES,
    **SR_RULES,
    **TASK_RULES,
    **VDI_RULES,
    **VM_RULES,
}
"""What performs each call that needs more than its class's fields."""
