"""Every call of the pool in one table, and how one is performed: session, arguments, rule, errors.

Rules of one class live in methods_<class>.py; getters and records are made in generic.py. No wire here.
"""

from collections.abc import Mapping

from snapproof.simulators.xenserver.copying import give_up
from snapproof.simulators.xenserver.failures import XapiError, io_errors
from snapproof.simulators.xenserver.generic import generic_methods
from snapproof.simulators.xenserver.methods_pbd import PBD_METHODS
from snapproof.simulators.xenserver.methods_sr import SR_METHODS
from snapproof.simulators.xenserver.methods_vdi import VDI_METHODS
from snapproof.simulators.xenserver.methods_vm import VM_METHODS
from snapproof.simulators.xenserver.parameters import Method, a_host, a_task, mapping, read_arguments, text
from snapproof.simulators.xenserver.plugins import call_plugin
from snapproof.simulators.xenserver.state import Session, State, Task, TaskStatus

ASYNC = "Async."
_NEVER_ASYNC = ("session.", "task.")


def open_session(state: State, username: str) -> Session:
    """Let a client in whose password was right."""
    session = Session(
        ref=state.new_ref(),
        uuid=state.new_uuid(),
        username=username,
        host=state.master,
        last_active_s=state.clock.time(),
    )
    state.record("session opened", user=username)
    return state.sessions.add(session)


def perform(state: State, methods: Mapping[str, Method], name: str, arguments: tuple[object, ...]) -> object:
    """Perform one call. `arguments` begin with the session. Raises XapiError."""
    of = _find(methods, name)
    if not arguments:
        raise XapiError("MESSAGE_PARAMETER_COUNT_MISMATCH", name, str(len(of.kinds)), "0")
    session = _session(state, arguments[0])
    if name.startswith(ASYNC) and name not in methods:
        return _performed_as_task(state, name, of, session, arguments[1:]).ref
    return _performed(state, name, of, session, arguments[1:])


def all_methods() -> dict[str, Method]:
    """The table of calls; a rule of its own goes before what generic.py makes."""
    return generic_methods() | _SESSION_METHODS | SR_METHODS | PBD_METHODS | VDI_METHODS | VM_METHODS


def _find(methods: Mapping[str, Method], name: str) -> Method:
    inner = name.removeprefix(ASYNC)
    of = methods.get(name) or methods.get(inner)
    if of is None or (inner != name and inner.startswith(_NEVER_ASYNC)):
        raise XapiError("MESSAGE_METHOD_UNKNOWN", name)
    return of


def _session(state: State, ref: object) -> Session:
    try:
        session = state.sessions.find(text(state, ref))
    except XapiError:
        raise XapiError("SESSION_INVALID", str(ref)) from None
    session.last_active_s = state.clock.time()
    return session


def _performed(state: State, name: str, of: Method, session: Session, arguments: tuple[object, ...]) -> object:
    with io_errors():
        return of.perform(state, *read_arguments(name, of, state, session, arguments))


def _performed_as_task(state: State, name: str, of: Method, session: Session, arguments: tuple[object, ...]) -> Task:
    """Calls that take no time of their own are over when their task is first seen."""
    now_s = state.clock.time()
    task = Task(ref=state.new_ref(), uuid=state.new_uuid(), name_label=name, created_s=now_s, finished_s=now_s)
    try:
        answer = _performed(state, name, of, session, arguments)
    except XapiError as error:
        task.status, task.error_info = TaskStatus.FAILURE, error.description
    else:
        task.status, task.result = TaskStatus.SUCCESS, f"<value>{answer}</value>" if answer is not None else ""
    return state.tasks.add(task)


def _log_out(state: State, session: Session) -> None:
    """End the session. Its tasks live on."""
    state.sessions.remove(session)
    state.record("session closed", user=session.username)


def _destroy_task(state: State, task: Task) -> None:
    """Take the task away from its clients; a copy that is under way goes on."""
    state.tasks.remove(task)
    if task.status is TaskStatus.PENDING:
        state.detached.append(task)
    state.record("task destroyed", task=task.name_label, status=task.status.value)


def _cancel(state: State, task: Task) -> None:
    if task.status is not TaskStatus.PENDING:
        raise XapiError("OPERATION_NOT_ALLOWED", f"The task is over: {task.status.value}")
    give_up(state, task, TaskStatus.CANCELLED, ("TASK_CANCELLED", task.ref))


_SESSION_METHODS = {
    "session.logout": Method(perform=_log_out, of_session=True),
    "host.call_plugin": Method(perform=call_plugin, kinds=(a_host, text, text, mapping)),
    "task.destroy": Method(perform=_destroy_task, kinds=(a_task,)),
    "task.cancel": Method(perform=_cancel, kinds=(a_task,)),
}
