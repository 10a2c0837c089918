"""The engine: brings a job from wherever it stands to its end, journal first, whatever dies on the way.

Intent is written before an effect begins (the job's cursor), its outcome after. After a lost answer or a restart the
engine looks before it acts again. It knows neither what the effects are (performing.py) nor what their records look
like (recording).
"""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TypeVar

from snapproof.driver import (
    BackendError,
    CancelledError,
    ConflictError,
    DriverError,
    InvalidRequestError,
    UnavailableError,
)
from snapproof.reference_impl.catalog.inheriting import adopt, inherited
from snapproof.reference_impl.catalog.leases import Leases
from snapproof.reference_impl.catalog.store import Catalog, Job, OvertakenError, Phase, Session
from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core.effects import Effect, Facts
from snapproof.reference_impl.core.orders import Order
from snapproof.reference_impl.core.plans import Lifetime, Plan, Step, plan_for, steps_before_success
from snapproof.reference_impl.performing import PERFORMERS, Performer, Undo, Workbench
from snapproof.reference_impl.ports import (
    CallError,
    Ports,
    RefusedError,
    StoppedError,
    TransientError,
    UnknownOutcomeError,
)
from snapproof.reference_impl.recording import RECORDERS
from snapproof.reference_impl.recording.recorder import CANCELLED, Recorder, audit
from snapproof.reference_impl.settings import Settings
from snapproof.vocabulary import OperationId

LOG = logging.getLogger("snapproof.orchestrator")

T = TypeVar("T")
FAILURES: Mapping[str, type[DriverError]] = {
    kind.__name__: kind for kind in (BackendError, UnavailableError, ConflictError, CancelledError)
}


MEANINGS: Mapping[type[CallError], type[DriverError]] = {
    StoppedError: CancelledError,
    TransientError: UnavailableError,
    RefusedError: BackendError,
    UnknownOutcomeError: UnavailableError,
}
"""What a failed call means to the caller who waits; the first that fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The three tables that make the orchestrator what it is. A variant of the zoo replaces entries of one of them."""

    plan: Callable[[Order], Plan] = plan_for
    performers: Mapping[type[Effect], Performer] = field(default_factory=lambda: PERFORMERS)
    recorders: Mapping[type[Order], Recorder] = field(default_factory=lambda: RECORDERS)


class Orchestrator:
    """Runs jobs. One instance is one life; all that outlives it is in the catalog."""

    def __init__(
        self, catalog: Catalog, ports: Ports, *, leases: Leases, settings: Settings, rules: Rules, dice: random.Random
    ) -> None:
        self._dice = dice
        self._catalog = catalog
        self._leases = leases
        self._bench = Workbench(ports=ports, settings=settings)
        self._rules = rules

    def submit(self, order: Order, *, volume: str, snapshot: str | None, check: Callable[[Session], None]) -> Job:
        """Open a job and run it to its end; the same job id again gives the same end. Raises DriverError.

        `check` runs in the opening transaction and raises a DriverError if the order has become impossible.
        """
        known = self._catalog.job(OperationId(order.job))
        try:
            job = known or self._open(order, volume, snapshot, check)
            return self._concluded(self._run(job, begun=known is not None))
        except OvertakenError as error:
            raise ConflictError(f"Somebody else carries out job {order.job} at this moment; ask again.") from error

    def resume(self) -> None:
        """Bring every unfinished job to its end. One that still cannot end keeps its leak record for next time.

        Jobs may open others behind them; those have their turn too, unless they were put off.
        """
        self._adopt_inherited()
        tried: set[OperationId] = set()
        while due := [job.uuid for job in self._catalog.unfinished_jobs() if job.uuid not in tried]:
            tried.update(due)
            for uuid in due:
                self.resume_job(uuid)

    def cancel(self, uuid: OperationId) -> None:
        """Ask a job to stop; whoever runs it learns it at the next wait, or before the next step."""

        def cancelled() -> Job | None:
            job = self._catalog.job(uuid)
            return job if job and job.cancelled else None

        self.write(lambda _session, tx: tx.cancel_job(uuid), cancelled)
        LOG.info("job %s is to be cancelled", uuid)

    def resume_job(self, uuid: OperationId) -> None:
        """Bring one job to its end if that is possible now."""
        job = self._catalog.job(uuid)
        assert job is not None, f"There is no job {uuid}."
        try:
            ended = self._run(job, begun=True)
        except OvertakenError:
            LOG.warning("job %s is carried out by another life; it is left alone", uuid)
        else:
            LOG.info("job %s resumed at %s, now %s", uuid, job.phase, ended.phase)

    def _adopt_inherited(self) -> None:
        """Open jobs for snapshots that an older release left on the way."""
        before = self._catalog.now() - timedelta(seconds=self._bench.settings.stuck_after_s)

        def left() -> Sequence[str]:
            with self._catalog.reading() as session:
                return inherited(session, before=before)

        def adopted(uuid: str) -> str | None:
            return None if uuid in left() else uuid

        for uuid in left():
            LOG.warning("snapshot %s was left on the way and is taken up", uuid)
            self.write(partial(adopt, uuid), partial(adopted, uuid))

    def _open(self, order: Order, volume: str, snapshot: str | None, check: Callable[[Session], None]) -> Job:
        try:
            self._rules.plan(order)
        except ValueError as error:
            raise InvalidRequestError(str(error)) from error

        recorder = self._rules.recorders[type(order)]

        def write(session: Session, tx: Transaction) -> None:
            check(session)
            tx.open_job(order, volume=volume, snapshot=snapshot)
            recorder.begin(tx, order)
            tx.audit(audit(recorder, order, "Started"))

        def written() -> Job | None:
            return self._catalog.job(OperationId(order.job))

        job = self.write(write, written)
        LOG.info("job %s opened: %s of %s", job.uuid, type(order).__name__, snapshot or volume)
        return job

    def _run(self, job: Job, *, begun: bool) -> Job:
        """Bring a job to its end while its lease is ours, and as far as that goes. Raises OvertakenError."""
        if job.phase in {Phase.DONE, Phase.FAILED}:
            return job
        try:
            with self._leases.holding(job, begun=begun, insist=self._insist) as held:
                return self._carry_on(held, begun=begun)
        except OvertakenError:
            if job.phase is not Phase.CLEANING:
                raise
            LOG.info("somebody else cleans up behind job %s", job.uuid)
            return job
        except CallError as error:
            raise UnavailableError(f"The catalog cannot be written: {error}") from error

    def _carry_on(self, job: Job, *, begun: bool) -> Job:
        plan = self._rules.plan(job.order)
        if job.phase is Phase.RUNNING:
            job = self._forward(job, plan, begun=begun)
        if job.phase is Phase.CLEANING:
            job = self._released(job, plan)
        if job.phase is Phase.UNDOING:
            job = self._undo(job, plan)
        return job

    def _forward(self, job: Job, whole: Plan, *, begun: bool) -> Job:
        recorder = self._rules.recorders[type(job.order)]
        plan = steps_before_success(whole)
        try:
            for number in range(job.cursor, len(plan)):
                effect = plan[number].effect
                with self._bench.ports.clock.watched(partial(self._stop_if_cancelled, job)):
                    facts = {**job.facts, **self._perform(effect, job.facts, begun=begun)}
                begun = False
                write = partial(recorder.step, order=job.order, effect=effect, facts=facts)
                job = self._move(job, Phase.RUNNING, cursor=number + 1, facts=facts, write=write)
            self._undo_steps(job, [step for step in plan if step.lifetime is Lifetime.WORK])
        except CallError as error:
            return self._leak(job, error) if self._past_return(job, plan, error) else self._fail(job, error)
        return self._succeed(job, whole, recorder)

    def _stop_if_cancelled(self, job: Job) -> None:
        now = self._catalog.job(job.uuid)
        if now is not None and now.cancelled:
            raise StoppedError(f"Job {job.uuid} was cancelled.")

    def _past_return(self, job: Job, plan: Plan, error: CallError) -> bool:
        """Say whether something was deleted already, or may have been: such a job only goes forward."""
        irrevocable = [self._rules.performers[type(step.effect)].irrevocable for step in plan[: job.cursor + 1]]
        return any(irrevocable[: job.cursor]) or (isinstance(error, UnknownOutcomeError) and any(irrevocable))

    def _succeed(self, job: Job, plan: Plan, recorder: Recorder) -> Job:
        spent = any(step.lifetime in {Lifetime.SPENT, Lifetime.LAST} for step in plan)

        def write(tx: Transaction) -> None:
            recorder.succeed(tx, job.order, job.facts)
            tx.audit(audit(recorder, job.order, "Completed"))
            tx.clear_leak(job)

        return self._move(job, Phase.CLEANING if spent else Phase.DONE, write=write)

    def _fail(self, job: Job, error: CallError) -> Job:
        """Give up for good: from here on the job only goes back."""
        LOG.warning("job %s failed at step %d: %s", job.uuid, job.cursor, error)
        meaning = next(kind for error_kind, kind in MEANINGS.items() if isinstance(error, error_kind))
        facts = {**job.facts, CANCELLED: 1} if meaning is CancelledError else job.facts
        return self._move(job, Phase.UNDOING, facts=facts, error=meaning(str(error)))

    def _released(self, job: Job, plan: Plan) -> Job:
        """Clean up behind a success, unless somebody else does by now: the success stands either way."""
        try:
            return self._release(job, plan)
        except OvertakenError:
            LOG.info("somebody else cleans up behind job %s", job.uuid)
            return job

    def _release(self, job: Job, plan: Plan) -> Job:
        """Clean up behind a success. What cannot be cleaned now is a leak on record; the success stands."""
        recorder = self._rules.recorders[type(job.order)]
        try:
            self._undo_steps(job, [step for step in plan if step.lifetime is Lifetime.SPENT])
            for step in plan[len(steps_before_success(plan)) :]:
                self._perform(step.effect, job.facts, begun=True)
        except CallError as error:
            return self._leak(job, error)

        def write(tx: Transaction) -> None:
            recorder.cleaned(tx, job.order, job.facts)
            tx.clear_leak(job)

        return self._move(job, Phase.DONE, write=write)

    def _undo(self, job: Job, plan: Plan) -> Job:
        """Take back every step that was begun, then say Error, in that order."""
        recorder = self._rules.recorders[type(job.order)]
        try:
            self._undo_steps(job, steps_before_success(plan)[: job.cursor + 1])
        except CallError as error:
            return self._leak(job, error)

        def write(tx: Transaction) -> None:
            recorder.fail(tx, job.order, job.facts)
            tx.audit(audit(recorder, job.order, "Completed", failed=True))
            tx.clear_leak(job)

        return self._move(job, Phase.FAILED, write=write)

    def _leak(self, job: Job, error: CallError) -> Job:
        subject = self._rules.recorders[type(job.order)].subject(job.order)
        LOG.warning("job %s left something behind while %s: %s", job.uuid, job.phase, error)
        return self._move(job, job.phase, write=lambda tx: tx.record_leak(job, subject, str(error)))

    def _perform(self, effect: Effect, facts: Facts, *, begun: bool) -> Facts:
        """Perform one effect; look for what an earlier try left behind before every try but the very first."""
        performer = self._rules.performers[type(effect)]
        doubtful = begun

        def attempt(*, again: bool) -> Facts:
            nonlocal doubtful
            adopted = performer.settle(self._bench, effect, facts) if begun or again else None
            if adopted is not None:
                return adopted
            try:
                return performer.do(self._bench, effect, facts)
            except UnknownOutcomeError:
                doubtful = True
                raise

        try:
            return self._insist(attempt)
        except RefusedError as error:
            if performer.irrevocable and doubtful:
                raise UnknownOutcomeError(f"An earlier attempt may have succeeded: {error}") from error
            raise

    def _undo_steps(self, job: Job, steps: Sequence[Step]) -> None:
        for step in reversed(steps):
            undo = self._rules.performers[type(step.effect)].undo

            def attempt(undo: Undo = undo, effect: Effect = step.effect, **_again: bool) -> None:
                undo(self._bench, effect, job.facts)

            self._insist(attempt)

    def _insist(self, attempt: Callable[..., T]) -> T:
        """Try again after a refusal that may pass and after a lost answer, not after a final no."""
        settings = self._bench.settings
        for number in range(1, settings.attempts_max + 1):
            try:
                return attempt(again=number > 1)
            except (TransientError, UnknownOutcomeError) as error:
                LOG.warning("attempt %d of %d failed: %s", number, settings.attempts_max, error)
                if number == settings.attempts_max:
                    raise
                pause_s = settings.backoff_s * 2 ** (number - 1)
                self._bench.ports.clock.sleep(pause_s * self._dice.uniform(0.5, 1.5))
        raise AssertionError("attempts_max is at least one")

    def _move(
        self,
        job: Job,
        phase: Phase,
        *,
        cursor: int | None = None,
        facts: Facts | None = None,
        error: DriverError | None = None,
        write: Callable[[Transaction], None] = lambda _tx: None,
    ) -> Job:
        place = job.cursor if cursor is None else cursor

        found = job.facts if facts is None else facts

        def change(_session: Session, tx: Transaction) -> None:
            tx.advance_job(job, phase, place, found, error)
            write(tx)

        def changed() -> Job | None:
            now = self._catalog.job(job.uuid)
            ours = (job.version + 1, phase, place, found)
            return now if now and (now.version, now.phase, now.cursor, now.facts) == ours else None

        return self.write(change, changed)

    def write(self, change: Callable[[Session, Transaction], None], changed: Callable[[], T | None]) -> T:
        """Commit one change. A lost answer is no riddle here: the row's version tells whether the change is there."""

        def attempt(*, again: bool) -> T:
            known = changed() if again else None
            if known is not None:
                return known
            with self._catalog.transaction() as session:
                change(session, Transaction(session, self._catalog.now()))
            written = changed()
            if written is None:
                raise OvertakenError("What was committed has been changed again by somebody else.")
            return written

        try:
            return self._insist(attempt)
        except CallError as error:
            raise UnavailableError(f"The catalog cannot be written: {error}") from error

    def _concluded(self, job: Job) -> Job:
        """Turn a job's end into the caller's answer."""
        if job.phase in {Phase.DONE, Phase.CLEANING}:
            return job
        if job.phase is Phase.FAILED:
            raise FAILURES.get(job.error_kind or "", BackendError)(job.error or "The job failed.")
        if job.phase is Phase.RUNNING:
            raise UnavailableError(f"Job {job.uuid} could not yet be finished; reconcile tries again.")
        raise UnavailableError(f"Job {job.uuid} could not yet be taken back ({job.error}); reconcile tries again.")
