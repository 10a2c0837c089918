"""Copies of VDIs, and other tasks: started, advanced by looks, finished, given up. They outlive whoever asked.

How bytes travel is the attachments' business (luns.py, folders.py).
"""

from contextlib import suppress

from snapproof.simulators.xenserver.attachments import CopySteps, FoundVdi
from snapproof.simulators.xenserver.failures import XapiError, io_errors
from snapproof.simulators.xenserver.rows import Copy, Host, Sr, Task, TaskStatus, Vdi, Work
from snapproof.simulators.xenserver.state import State


def start_copy(state: State, source: Vdi, sr: Sr | None, into: Vdi | None, name: str) -> Task:
    """Begin to copy `source` into a new VDI of `sr`, or over the VDI `into`; nothing is read yet."""
    _refuse_copy_in_use(state, source)
    target_sr = _target_sr(state, source, sr, into)
    host = _host_of_both(state, source.sr, target_sr)
    copy = Copy(
        source=source, target=into or _new_target(state, source, target_sr), host=host, into_existing=bool(into)
    )
    copy.steps = _steps(state, copy)
    task = state.tasks.add(
        Task(ref=state.new_ref(), uuid=state.new_uuid(), name_label=name, created_s=state.clock.time(), copy=copy)
    )
    state.record("copy started", vdi=source.uuid, into=copy.target.uuid, sr=target_sr.uuid, host=host.name_label)
    return task


def advance(state: State, task: Task, *, to_the_end: bool = False) -> None:
    """Let a task go on: a copy for one chunk, or to its end. What goes wrong becomes the failure of the task."""
    if task.status is not TaskStatus.PENDING or (state.copies_held and task.copy and not to_the_end):
        return
    try:
        with io_errors():
            if task.work:
                _work(state, task, task.work, to_the_end=to_the_end)
            elif task.copy and _run(task.copy, None if to_the_end else state.chunk_bytes):
                _copied(state, task, task.copy)
    except XapiError as error:
        give_up(state, task, TaskStatus.FAILURE, error.description)


def _work(state: State, task: Task, work: Work, *, to_the_end: bool) -> None:
    work.looks += 1
    now_s = state.clock.time()
    if to_the_end or work.pace.finished(started_s=task.created_s, now_s=now_s, polls=work.looks - 1):
        task.result = str(work.perform())
        _end(state, task, TaskStatus.SUCCESS)
        return
    parts = [(now_s - task.created_s) / work.pace.seconds] if work.pace.seconds else []
    parts += [work.looks / (work.pace.polls + 1)] if work.pace.polls else []
    task.progress = min(0.99, *parts) if parts else 0.0


def _copied(state: State, task: Task, copy: Copy) -> None:
    _end(state, task, TaskStatus.SUCCESS)
    task.result = f"<value>{copy.target.ref}</value>"
    state.record("copy finished", vdi=copy.source.uuid, into=copy.target.uuid, bytes=copy.done_bytes)


def give_up(
    state: State, task: Task, status: TaskStatus, reason: tuple[str, ...], *, leave_partial: bool = False
) -> None:
    """End a task without a result. A half-written VDI is deleted, unless the host that should do so is dead."""
    copy = task.copy
    _end(state, task, status)
    task.error_info = reason
    if copy is None:
        return
    if copy.steps:
        _close(copy.steps)
    copy.steps = None
    partial = leave_partial or not _discarded(state, copy)
    if not copy.into_existing:
        state.drop_vdi(copy.target)
    state.record("copy given up", vdi=copy.source.uuid, into=copy.target.uuid, why=reason[0], partial_left=partial)


def begin(copy: Copy) -> None:
    """Let a copy take one step, the first if it has not begun: what a host leaves that dies in the middle."""
    steps, copy.steps = copy.steps, None
    if steps is not None:
        with suppress(OSError, XapiError):
            copy.done_bytes = next(steps, copy.done_bytes)
        copy.steps = steps


def require_idle(state: State, vdi: Vdi) -> None:
    """Refuse to touch a VDI that is being copied."""
    if any(vdi is copy.source or vdi is copy.target for copy in state.copies()):
        raise XapiError("OTHER_OPERATION_IN_PROGRESS", "VDI", vdi.ref, "copy")


def progress(task: Task) -> float:
    """How far a task is, between 0 and 1; 1 only when it succeeded."""
    if task.status is TaskStatus.SUCCESS:
        return 1.0
    copy = task.copy
    return min(0.99, copy.done_bytes / copy.total_bytes) if copy and copy.total_bytes else task.progress


def _run(copy: Copy, limit_bytes: int | None) -> bool:
    """Iterate the steps until `limit_bytes` moved; True at the end. Steps that died in mid-air never look finished."""
    steps, copy.steps = copy.steps, None
    if steps is None:
        raise XapiError("INTERNAL_ERROR", "The copy died with the process that drove it")
    before = copy.done_bytes
    for copy.done_bytes in steps:
        if limit_bytes is not None and copy.done_bytes - before >= limit_bytes:
            copy.steps = steps
            return False
    return True


def _steps(state: State, copy: Copy) -> CopySteps:
    source = state.attachment(copy.source.sr, copy.host)
    target = state.attachment(copy.target.sr, copy.host)
    with source.source(copy.source.uuid) as content:
        copy.total_bytes = target.planned_bytes(content)
        if copy.into_existing:
            yield from target.overwrite(copy.target.uuid, content)
        else:
            found = FoundVdi(uuid=copy.target.uuid, label=copy.target.name_label, size_bytes=content.size_bytes)
            yield from target.receive(found, content, time_s=state.clock.time())


def _new_target(state: State, source: Vdi, sr: Sr) -> Vdi:
    return state.vdis.add(
        Vdi(
            ref=state.new_ref(),
            uuid=state.new_uuid(),
            name_label=source.name_label,
            name_description=source.name_description,
            sr=sr,
            virtual_size=source.virtual_size,
        )
    )


def _target_sr(state: State, source: Vdi, sr: Sr | None, into: Vdi | None) -> Sr:
    if into is None and sr is not None:
        return sr
    if into is None or sr is not None:
        raise XapiError("VALUE_NOT_SUPPORTED", "sr", "NULL", "Exactly one of sr and into_vdi names the destination")
    _refuse_copy_in_use(state, into)
    if into.virtual_size < source.virtual_size:
        raise XapiError("VDI_TOO_SMALL", into.ref, str(into.virtual_size))
    return into.sr


def _refuse_copy_in_use(state: State, vdi: Vdi) -> None:
    require_idle(state, vdi)
    if any(vbd.attached and vbd.mode == "RW" for vbd in state.vbds_of(vdi)):
        raise XapiError("VDI_IN_USE", vdi.ref, "copy")


def _host_of_both(state: State, one: Sr, other: Sr) -> Host:
    """The host that does the work: it sees both SRs; the master if it can."""
    for sr in (one, other):
        state.attachment(sr)
    seeing = [{pbd.host.ref for pbd in state.pbds_of(sr) if pbd.attachment} for sr in (one, other)]
    both = [host for host in state.hosts if all(host.ref in refs for refs in seeing)]
    if not both:
        raise XapiError("HOST_CANNOT_SEE_SR", state.master.ref, other.ref)
    return state.master if state.master in both else both[0]


def _end(state: State, task: Task, status: TaskStatus) -> None:
    task.status = status
    task.finished_s = state.clock.time()
    if task in state.detached:
        state.detached.remove(task)


def _close(steps: CopySteps) -> None:
    with suppress(OSError):  # a file that cannot even be closed is thrown away all the same
        steps.close()


def _discarded(state: State, copy: Copy) -> bool:
    if copy.into_existing:
        return False
    try:
        state.attachment(copy.target.sr, copy.host).delete(copy.target.uuid)
    except (OSError, XapiError):
        return False
    return True
