"""The engine: brings one job from wherever it stands to its end, journal first, whatever dies on the way.

Intent is written before an effect begins (the job's cursor), its outcome after. After a lost answer or a restart the
engine looks before it acts again. It knows neither what the effects are (performing.py) nor what their records look
like (recording.py).
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType

from snapproof.driver import BackendError, CancelledError, DriverError, UnavailableError
from snapproof.reference_impl.admitting import Admission
from snapproof.reference_impl.bench import Workbench
from snapproof.reference_impl.catalog.store import Catalog, Job, OvertakenError, Phase
from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core.effects import UNHEARD, Effect, Facts
from snapproof.reference_impl.core.plans import Lifetime, Plan, Step, steps_before_success
from snapproof.reference_impl.insisting import Patience, Writer
from snapproof.reference_impl.logs import about, tell_phase
from snapproof.reference_impl.performing import Undo, leave
from snapproof.reference_impl.ports import (
    CallError,
    FullError,
    RefusedError,
    StoppedError,
    TransientError,
    UnknownOutcomeError,
)
from snapproof.reference_impl.recording.recorder import CANCELLED, FULL, Recorder, audit
from snapproof.reference_impl.rules import Rules
from snapproof.vocabulary import OperationId

LOG = logging.getLogger("snapproof.orchestrator")

MEANINGS: Mapping[type[CallError], type[DriverError]] = {
    StoppedError: CancelledError,
    TransientError: UnavailableError,
    RefusedError: BackendError,
    UnknownOutcomeError: UnavailableError,
}
"""What a failed call means to the caller who waits; the first that fits."""

WHY: Mapping[type[CallError], Facts] = {StoppedError: {CANCELLED: 1}, FullError: {FULL: 1}}
"""Why a job failed, where its records tell of it."""


class Runner:
    """Runs jobs whose lease its life holds."""

    def __init__(
        self,
        catalog: Catalog,
        bench: Workbench,
        *,
        writer: Writer,
        patience: Patience,
        rules: Rules,
        admission: Admission,
    ) -> None:
        self._catalog = catalog
        self._bench = bench
        self._writer = writer
        self._patience = patience
        self._rules = rules
        self._admission = admission
        self._in_doubt: set[OperationId] = set()

    def carry_on(self, job: Job, *, begun: bool) -> Job:
        """Bring a job to its end, as far as that goes; `begun` says that an earlier life may have touched its step."""
        plan = self._rules.plan(job.order)
        if begun:
            self._in_doubt.add(job.uuid)
        try:
            return self._carried_on(job, plan, begun=begun)
        finally:
            self._in_doubt.discard(job.uuid)

    def _carried_on(self, job: Job, plan: Plan, *, begun: bool) -> Job:
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
                    facts = self._facts(job, self._perform(job, effect, begun=begun))
                begun = False
                write = partial(recorder.step, order=job.order, effect=effect, facts=facts)
                job = self._writer.move(job, Phase.RUNNING, cursor=number + 1, facts=facts, write=write)
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

        return self._writer.move(job, Phase.CLEANING if spent else Phase.DONE, facts=self._facts(job), write=write)

    def _fail(self, job: Job, error: CallError) -> Job:
        """Give up for good: from here on the job only goes back."""
        steps = steps_before_success(self._rules.plan(job.order))[job.cursor :]
        phase = type(steps[0].effect).__name__ if steps else "CleanUp"
        told = {**about(job), "phase": phase, "outcome": "failed", "cause": str(error)}
        subject = told["snapshot"] or told["volume"] or told["template"]
        LOG.warning("job %s: %s failed for %s: %s", job.uuid, phase, subject, error, extra=told)
        meaning = next(kind for error_kind, kind in MEANINGS.items() if isinstance(error, error_kind))
        facts = self._facts(job, next((fact for kind, fact in WHY.items() if isinstance(error, kind)), {}))
        return self._writer.move(job, Phase.UNDOING, facts=facts, error=meaning(str(error)))

    def _released(self, job: Job, plan: Plan) -> Job:
        """Clean up behind a success, unless somebody else does by now: the success stands either way."""
        try:
            return self._release(job, plan)
        except OvertakenError:
            LOG.info("somebody else cleans up behind job %s", job.uuid, extra=about(job))
            return job

    def _release(self, job: Job, plan: Plan) -> Job:
        """Clean up behind a success. What cannot be cleaned now is a leak on record; the success stands."""
        recorder = self._rules.recorders[type(job.order)]
        try:
            self._undo_steps(job, [step for step in plan if step.lifetime is Lifetime.SPENT])
            for step in plan[len(steps_before_success(plan)) :]:
                self._perform(job, step.effect, begun=True)
        except CallError as error:
            return self._leak(job, error)

        def write(tx: Transaction) -> None:
            recorder.cleaned(tx, job.order, job.facts)
            tx.clear_leak(job)

        return self._writer.move(job, Phase.DONE, facts=self._facts(job), write=write)

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

        return self._writer.move(job, Phase.FAILED, facts=self._facts(job), write=write)

    @contextmanager
    def _hearing(self, job: Job) -> Iterator[None]:
        """Remember of a job that an answer was lost."""
        try:
            yield
        except UnknownOutcomeError:
            self._in_doubt.add(job.uuid)
            raise

    def _facts(self, job: Job, found: Facts = MappingProxyType({})) -> Facts:
        """What is known of a job, and whether it is known for certain: an answer that was lost may be a late effect."""
        return {**job.facts, **found, **({UNHEARD: 1} if job.uuid in self._in_doubt else {})}

    def _leak(self, job: Job, error: CallError) -> Job:
        subject = self._rules.recorders[type(job.order)].subject(job.order)
        told = {**about(job), "outcome": "left behind", "cause": str(error)}
        LOG.warning("job %s left something behind while %s: %s", job.uuid, job.phase, error, extra=told)
        return self._writer.move(job, job.phase, write=lambda tx: tx.record_leak(job, subject, str(error)))

    def _perform(self, job: Job, effect: Effect, *, begun: bool) -> Facts:
        """Perform one effect; look for what an earlier try left behind before every try but the very first."""
        performer = self._rules.performers[type(effect)]
        bench, facts, doubtful, inherited = self._bench.at(job.order), job.facts, begun, begun

        def attempt(*, again: bool) -> Facts:
            nonlocal doubtful, inherited
            settle = performer.inherit if inherited and performer.inherit else performer.settle
            adopted = settle(bench, effect, facts) if inherited or again else None
            inherited = False
            if adopted is not None:
                return adopted
            try:
                with self._hearing(job):
                    return performer.do(bench, effect, facts)
            except UnknownOutcomeError:
                doubtful = True
                raise

        try:
            with self._admission.admitted(job.uuid, effect, job.order.pool), self._timed(job, effect, "done") as found:
                found.update(self._patience.insist(attempt, about(job)))
        except RefusedError as error:
            if performer.irrevocable and doubtful:
                raise UnknownOutcomeError(f"An earlier attempt may have succeeded: {error}") from error
            raise
        return found

    @contextmanager
    def _timed(self, job: Job, effect: Effect, outcome: str) -> Iterator[dict[str, str | int]]:
        """Tell how long it took, with what was found out, if it ends well."""
        clock = self._bench.ports.clock
        started, found = clock.time(), dict[str, str | int]()
        yield found
        if outcome:
            seconds = clock.time() - started
            tell_phase(LOG, job, effect, {**job.facts, **found}, seconds=seconds, outcome=outcome)

    def _undo_steps(self, job: Job, steps: Sequence[Step]) -> None:
        bench = self._bench.at(job.order)
        for step in reversed(steps):
            undo = self._rules.performers[type(step.effect)].undo

            def attempt(undo: Undo = undo, effect: Effect = step.effect, **_again: bool) -> None:
                with self._hearing(job):
                    undo(bench, effect, job.facts)

            with self._timed(job, step.effect, "undone" if undo is not leave else ""):
                self._patience.insist(attempt, about(job))
