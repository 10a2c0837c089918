"""Latecomers: what calls left on hosts, in groups and on stores that took effect after their job was over.

A job that lost an answer looks before it acts again, and cleans up what it finds; a call may still arrive behind that.
So a day later somebody looks once more, and takes away what no host has open. LUNs and snapshots that came late carry
owner tags; sweeping.py finds those by themselves.
"""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import TypeGuard

from snapproof.reference_impl.bench import Workbench
from snapproof.reference_impl.catalog import queries
from snapproof.reference_impl.catalog.store import Catalog, Job, Phase
from snapproof.reference_impl.core import effects as fx
from snapproof.reference_impl.core.effects import UNHEARD, Effect, Facts
from snapproof.reference_impl.core.plans import Plan
from snapproof.reference_impl.insisting import Writer
from snapproof.reference_impl.logs import about
from snapproof.reference_impl.ports import CallError, GoneError, Ports
from snapproof.reference_impl.rules import Rules

LOG = logging.getLogger("snapproof.sweep")


class Latecomers:
    """The second looks of one life."""

    def __init__(self, catalog: Catalog, writer: Writer, bench: Workbench, rules: Rules) -> None:
        self._catalog = catalog
        self._writer = writer
        self._bench = bench
        self._rules = rules

    def clear(self) -> None:
        """Look where each job was that is over for as long as a call can be late. Raises DriverError.

        Where one cannot be looked at, the next sweep tries again; it saves no other.
        """
        before = self._catalog.now() - timedelta(seconds=self._bench.settings.sweep_grace_s)
        for job in self._catalog.doubtful_jobs(before=before):
            try:
                self._clear(job)
            except CallError as error:
                told = {**about(job), "outcome": "failed", "cause": str(error)}
                LOG.warning("job %s could not be looked at again yet: %s", job.uuid, error, extra=told)

    def _clear(self, job: Job) -> None:
        bench, plan = self._bench.at(job.order), self._rules.plan(job.order)
        for path in _published(plan) if job.phase is Phase.FAILED else ():
            if not self._is_recorded(path):
                bench.ports.store.delete(path)
        for directory in _directories(plan, job.facts):
            bench.ports.hypervisor.detach_export(directory)
        for target, lun_id in _luns(bench.ports, plan, job.facts):
            if bench.ports.hypervisor.clear_unused(target) and lun_id is not None:
                bench.ports.array.revoke(lun_id)
        facts = {name: fact for name, fact in job.facts.items() if name != UNHEARD}
        self._writer.move(job, job.phase, facts=facts)
        LOG.info("no call of job %s is on its way any more", job.uuid, extra=about(job))

    def _is_recorded(self, path: str) -> bool:
        with self._catalog.reading() as session:
            return queries.is_recorded(session, path)


def _published(plan: Plan) -> Iterator[str]:
    """The paths of images that a job has published."""
    return (step.effect.path for step in plan if isinstance(step.effect, fx.PublishImage))


def _directories(plan: Plan, facts: Facts) -> set[str]:
    """The directories of exports that hosts worked in."""
    staged = {step.effect.staging for step in plan if isinstance(step.effect, fx.CopyOut)}
    if any(isinstance(step.effect, fx.CopyIn) for step in plan) and "staged" in facts:
        staged.add(str(facts["staged"]).rpartition("/")[0])
    return staged


def _luns(ports: Ports, plan: Plan, facts: Facts) -> Iterator[tuple[str, int | None]]:
    """The targets of the LUNs that hosts were let reach, with the number of those that are still there."""
    granted = any(isinstance(step.effect, fx.GrantHosts) for step in plan)
    own = {int(facts["lun"])} if granted and "lun" in facts else set()
    for lun_id in own | {step.effect.lun_id for step in plan if _was_reached(step.effect, facts)}:
        try:
            lun = ports.array.get_lun(lun_id)
        except GoneError:
            if lun_id in own:
                yield str(facts["target"]), None
        else:
            yield lun.target, lun.id if lun.shared and not lun.deleted else None


def _was_reached(effect: Effect, facts: Facts) -> TypeGuard[fx.RequireOneDisk | fx.ReachSource]:
    """Whether the job let hosts reach a LUN that is not its own; one that they could reach before is somebody's."""
    return isinstance(effect, fx.RequireOneDisk) or (
        isinstance(effect, fx.ReachSource) and not facts.get("source_shared", 1)
    )
