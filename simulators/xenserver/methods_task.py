"""Rules of tasks: made by calls or by clients, going on while they are looked at, cancelled, destroyed.

A copy is a task whose steps are in copying.py. Any other call made as a task is over at once, unless the pool was told
that such calls take their time: then nothing of it has happened before the time has come, and it can be cancelled.
"""

from collections.abc import Callable, Mapping
from xml.sax.saxutils import escape

from snapproof.simulators.clock import IMMEDIATE
from snapproof.simulators.xenserver.copying import advance, give_up
from snapproof.simulators.xenserver.failures import XapiError
from snapproof.simulators.xenserver.rows import Task, TaskStatus, Work
from snapproof.simulators.xenserver.state import State


def task_of(state: State, name: str, work: Callable[[], object], *, gives: str) -> Task:
    """Make a task of a call. Without a pace of its own, the call is over when its task is first seen."""

    def perform() -> object:
        answer = work()
        return result_of(answer) if gives != "void" else ""

    task = Task(ref=state.new_ref(), uuid=state.new_uuid(), name_label=name, created_s=state.clock.time())
    pace = state.pace.get(name.removeprefix("Async."), IMMEDIATE)
    task.work = Work(perform=perform, pace=pace)
    state.tasks.add(task)
    if pace == IMMEDIATE:
        advance(state, task)
    return task


def result_of(value: object) -> str:
    """Write the result of a task: the XML-RPC value, as xapi does."""
    return f"<value>{escape(str(value))}</value>"


def _create(state: State, label: str, description: str) -> str:
    task = Task(
        ref=state.new_ref(),
        uuid=state.new_uuid(),
        name_label=label,
        name_description=description,
        created_s=state.clock.time(),
    )
    state.record("task created", task=label)
    return state.tasks.add(task).ref


def _destroy(state: State, task: Task) -> None:
    """Take the task away from its clients; what is under way goes on."""
    state.tasks.remove(task)
    if task.status is TaskStatus.PENDING and (task.copy or task.work):
        state.detached.append(task)
    state.record("task destroyed", task=task.name_label, status=task.status.value)


def _cancel(state: State, task: Task) -> None:
    if task.status is not TaskStatus.PENDING:
        raise XapiError("OPERATION_NOT_ALLOWED", f"The task is over: {task.status.value}")
    give_up(state, task, TaskStatus.CANCELLED, ("TASK_CANCELLED", task.ref))


TASK_RULES: Mapping[str, Callable[..., object]] = {
    "task.create": _create,
    "task.destroy": _destroy,
    "task.cancel": _cancel,
}
