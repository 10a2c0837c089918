"""The door to jobs: opens them, finds those that wait, and turns their ends into answers. How one runs: running.py."""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from datetime import timedelta
from functools import partial
from typing import TypeVar

import msgspec

from snapproof.driver import (
    BackendError,
    CancelledError,
    ConflictError,
    DriverError,
    InvalidRequestError,
    UnavailableError,
)
from snapproof.reference_impl.admitting import Admission
from snapproof.reference_impl.bench import Workbench
from snapproof.reference_impl.catalog import queries
from snapproof.reference_impl.catalog.inheriting import adopt, inherited
from snapproof.reference_impl.catalog.leases import Leases
from snapproof.reference_impl.catalog.store import OVER, Catalog, Job, OvertakenError, Phase, Session
from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core.admission import Limits
from snapproof.reference_impl.core.effects import CopyDisk, CopyIn, CopyOut
from snapproof.reference_impl.core.orders import Order
from snapproof.reference_impl.core.plans import Plan
from snapproof.reference_impl.insisting import Patience, Writer
from snapproof.reference_impl.latecomers import Latecomers
from snapproof.reference_impl.logs import about
from snapproof.reference_impl.pacing import Turns
from snapproof.reference_impl.ports import CallError, Ports
from snapproof.reference_impl.recording.recorder import BEGINNING, audit
from snapproof.reference_impl.rules import Rules
from snapproof.reference_impl.running import Runner
from snapproof.reference_impl.settings import Settings
from snapproof.reference_impl.staging import StagingRoom, require_staging, staged_bytes
from snapproof.vocabulary import Alert, OperationId

LOG = logging.getLogger("snapproof.orchestrator")

T = TypeVar("T")
COPIES = (CopyOut, CopyIn, CopyDisk)
"""The effects that there are turns for."""

FAILURES: Mapping[str, type[DriverError]] = {
    kind.__name__: kind for kind in (BackendError, UnavailableError, ConflictError, CancelledError)
}


class Orchestrator:
    """Runs jobs. One instance is one life; all that outlives it is in the catalog."""

    def __init__(
        self,
        catalog: Catalog,
        ports: Ports,
        *,
        leases: Leases,
        settings: Callable[[], Settings],
        rules: Rules,
        limits: Callable[[], Limits],
        dice: random.Random,
    ) -> None:
        self._catalog = catalog
        self._ports = ports
        self._leases = leases
        self._settings = settings
        self._rules = rules
        self._patience = Patience(settings, ports.clock, dice)
        self._writer = Writer(catalog, self._patience)
        bench = Workbench(ports=ports, live=settings)
        self.turns = Turns(ports.clock, lambda: settings().backup_parallel)
        self.latecomers = Latecomers(catalog, self._writer, bench, rules)
        self._staging = StagingRoom(ports.clock, lambda: settings().staging_bytes)
        self._admission = Admission(ports.clock, limits)
        self._runner = Runner(
            catalog, bench, writer=self._writer, patience=self._patience, rules=rules, admission=self._admission
        )

    def submit(
        self, order: Order, *, volume: str | None, snapshot: str | None, check: Callable[[Session], None]
    ) -> Job:
        """Open a job and run it to its end; the same job id again gives the same end. Raises DriverError.

        `check` runs in the opening transaction and raises a DriverError if the order has become impossible.
        """
        known = self._catalog.job(OperationId(order.job))
        try:
            job = known or self._open(order, volume, snapshot, check)
            return self._concluded(self._run(job, begun=known is not None))
        except OvertakenError as error:
            raise ConflictError(f"Somebody else carries out job {order.job} at this moment; ask again.") from error

    def accept(
        self, order: Order, *, volume: str | None, snapshot: str | None, check: Callable[[Session], None]
    ) -> None:
        """Open a job for `resume_job` to run, once; the same job id again is fine. Raises DriverError."""
        try:
            if self._catalog.job(OperationId(order.job)) is None:
                self._open(order, volume, snapshot, check)
        except OvertakenError as error:
            raise ConflictError(f"Somebody else opens job {order.job} at this moment; ask again.") from error

    def finish(self, uuid: OperationId) -> Job:
        """Bring an accepted job to its end, and raise what its caller would have been told. Raises DriverError."""
        job = self._catalog.job(uuid)
        assert job is not None, f"There is no job {uuid}."
        try:
            return self._concluded(self._run(job, begun=True))
        except OvertakenError as error:
            raise ConflictError(f"Somebody else carries out job {uuid} at this moment; ask again.") from error

    def resume(self) -> None:
        """Bring every unfinished job to its end. One that still cannot end keeps its leak record for next time.

        Jobs may open others behind them; those have their turn too, unless they were put off.
        """
        self.adopt_inherited()
        tried: set[OperationId] = set()
        while due := [job.uuid for job in self._catalog.unfinished_jobs() if job.uuid not in tried]:
            tried.update(due)
            for uuid in due:
                self.resume_job(uuid)

    def queue(self) -> Sequence[str]:
        """The jobs that wait for their turn: those that have begun already first."""
        return [*self._admission.queue(), *self._staging.queue(), *self.turns.queue()]

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
            LOG.warning("job %s is carried out by another life; it is left alone", uuid, extra=about(job))
        else:
            LOG.info("job %s resumed at %s, now %s", uuid, job.phase, ended.phase, extra=about(ended))

    def adopt_inherited(self) -> None:
        """Open jobs for snapshots that an older release left on the way."""
        before = self._catalog.now() - timedelta(seconds=self._settings().stuck_after_s)

        def left() -> Sequence[str]:
            with self._catalog.reading() as session:
                return inherited(session, before=before)

        def adopted(uuid: str) -> str | None:
            return None if uuid in left() else uuid

        for uuid in left():
            LOG.warning("snapshot %s was left on the way and is taken up", uuid, extra={"snapshot": uuid})
            self.write(partial(adopt, uuid), partial(adopted, uuid))

    def _open(self, order: Order, volume: str | None, snapshot: str | None, check: Callable[[Session], None]) -> Job:
        try:
            plan = self._rules.plan(order)
        except ValueError as error:
            raise InvalidRequestError(str(error)) from error
        require_staging(self._staged_bytes(order, plan), self._settings().staging_bytes)

        recorder = self._rules.recorders[type(order)]

        def write(session: Session, tx: Transaction) -> None:
            check(session)
            tx.open_job(order, volume=volume, snapshot=snapshot)
            recorder.begin(tx, order)
            for phase in BEGINNING:
                tx.audit(audit(recorder, order, phase))

        def written() -> Job | None:
            return self._catalog.job(OperationId(order.job))

        job = self.write(write, written)
        LOG.info("job %s opened: %s of %s", job.uuid, type(order).__name__, recorder.subject(order), extra=about(job))
        return job

    def _staged_bytes(self, order: Order, plan: Plan) -> int:
        store = self._ports.at(order.pool, order.image_store).store
        return staged_bytes(order, plan, downloads=store.stages_backups)

    def _run(self, job: Job, *, begun: bool) -> Job:
        """Bring a job to its end while its lease is ours, and as far as that goes. Raises OvertakenError."""
        if job.phase in OVER:
            return job
        plan = self._rules.plan(job.order)
        copies = any(isinstance(step.effect, COPIES) for step in plan)
        staged = self._staged_bytes(job.order, plan)
        try:
            with (
                self.turns.turn(job.uuid) if copies else nullcontext(),
                self._staging.room(job.uuid, job.order.image_store, staged),
                self._leases.holding(job, begun=begun, insist=self._patience.insist) as held,
            ):
                return self._runner.carry_on(held, begun=begun)
        except OvertakenError:
            if job.phase is not Phase.CLEANING:
                raise
            LOG.info("somebody else cleans up behind job %s", job.uuid, extra=about(job))
            return job
        except CallError as error:
            raise UnavailableError(f"The catalog cannot be written: {error}") from error

    def write(self, change: Callable[[Session, Transaction], None], changed: Callable[[], T | None]) -> T:
        """Commit one change that belongs to no job."""
        return self._writer.write(change, changed)

    def alert(self, alert: Alert) -> None:
        """Tell who operates this, once, though the commit may be done without an answer."""

        def told() -> bool | None:
            with self._catalog.reading() as session:
                known = queries.messages(session, "alert")
            return any(msgspec.json.decode(message, type=Alert).text == alert.text for message in known) or None

        self.write(lambda _session, tx: tx.alert(alert), told)

    def _concluded(self, job: Job) -> Job:
        """Turn a job's end into the caller's answer."""
        if job.phase in {Phase.DONE, Phase.CLEANING}:
            return job
        if job.phase is Phase.FAILED:
            raise FAILURES.get(job.error_kind or "", BackendError)(job.error or "The job failed.")
        if job.phase is Phase.RUNNING:
            raise UnavailableError(f"Job {job.uuid} could not yet be finished; reconcile tries again.")
        raise UnavailableError(f"Job {job.uuid} could not yet be taken back ({job.error}); reconcile tries again.")
