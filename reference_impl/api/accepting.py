"""The driver of a server that answers first and works later: at its door, verbs open their jobs and do no more.

The job's row is the whole truth about it: whoever starts next goes on with what this life has accepted. Who carries
jobs out is in workers.py.
"""

import copy
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

from snapproof.driver import ConflictError
from snapproof.reference_impl.catalog import queries
from snapproof.reference_impl.catalog.queries import Page
from snapproof.reference_impl.catalog.queries.listed import Rows
from snapproof.reference_impl.catalog.queries.ownership import Removal, User
from snapproof.reference_impl.catalog.store import Catalog, Session
from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core.orders import Order, RevertVolume
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.settings import Settings, table
from snapproof.site import Site
from snapproof.vocabulary import (
    AccountId,
    OperationId,
    Policy,
    PolicyId,
    Template,
    TemplateId,
    TemplateRequest,
    Volume,
    VolumeId,
    VolumeRequest,
)

PATIENCE_S = 30.0
"""How long a caller waits for a job that another thread has in hand."""

NOT_YET = ""
"""What is known of a thing's place on array or store while it is being made."""


class Hands:
    """Which jobs are being carried out in this process, and for whom. Whoever takes one up says so first."""

    def __init__(self) -> None:
        self._jobs: dict[OperationId, str] = {}
        self.changed = threading.Condition()

    def jobs(self) -> Mapping[OperationId, str]:
        """The jobs in hand."""
        with self.changed:
            return dict(self._jobs)

    def take(self, job: OperationId, account: str) -> bool:
        """Take a job up, unless somebody has it."""
        with self.changed:
            free = job not in self._jobs
            if free:
                self._jobs[job] = account
            return free

    @contextmanager
    def holding(self, job: OperationId, account: str) -> Iterator[None]:
        """Have a job in hand, once whoever has it now is done with it."""
        with self.changed:
            if not self.changed.wait_for(lambda: self.take(job, account), PATIENCE_S):
                raise ConflictError(f"Job {job} is still being carried out; ask again.")
        try:
            yield
        finally:
            self.let_go(job)

    def let_go(self, job: OperationId) -> None:
        """Be done with a job, for now or for good."""
        with self.changed:
            self._jobs.pop(job, None)
            self.changed.notify_all()


class ServedDriver(ReferenceDriver):
    """The reference driver in a server. At its door, it answers as soon as what was asked for is certain to end."""

    def __init__(self, site: Site, settings: Settings | None = None) -> None:
        super().__init__(site, settings)
        self._at_the_door = False
        self.hands = Hands()

    def at_the_door(self) -> Self:
        """The same life, whose verbs only open their jobs."""
        twin = copy.copy(self)
        twin._at_the_door = True  # noqa: SLF001  its own, of the same class
        return twin

    @property
    def catalog(self) -> Catalog:
        """Where everything stands."""
        return self._catalog

    def create_volume(self, request: VolumeRequest) -> Volume:
        """At the door: accept it, and say under which id it will be found."""
        if not self._at_the_door:
            return super().create_volume(request)
        order = self._order_volume(request)
        return Volume(
            id=VolumeId(order.volume),
            account=request.account,
            name=order.volume_name,
            size_bytes=order.size_bytes,
            target=NOT_YET,
            qos=order.qos,
        )

    def create_template(self, request: TemplateRequest) -> Template:
        """At the door: accept it, and say under which id it will be found."""
        if not self._at_the_door:
            return super().create_template(request)
        order = self._order_template(request)
        return Template(
            id=TemplateId(order.template),
            account=request.account,
            name=order.template_name,
            size_bytes=order.size_bytes,
            reference=NOT_YET,
            physical_size_bytes=0,
        )

    def change_policy(self, operation: OperationId, policy: Policy) -> Policy:
        """Let a policy be another from now on."""
        return self._policies.change(operation, policy)

    def policy(self, uuid: PolicyId) -> Policy | None:
        """One policy, if it is in force."""
        return next((row for row in self.list_policies() if row.id == uuid), None)

    def page(self, noun: str, **wanted: Any) -> tuple[int, Rows]:
        """One page of what is listed, with tags."""
        with self._catalog.reading() as session:
            total, rows = queries.listed(session, noun, **wanted)
            tags = queries.tags_of(session, [row["uuid"] for row in rows if "uuid" in row])
        told = {uuid: [{"key": key, "value": value} for key, value in pairs] for uuid, pairs in tags.items()}
        return total, [{**row, "tags": told.get(row.get("uuid", ""))} for row in rows]

    def one(self, noun: str, uuid: str) -> Mapping[str, Any] | None:
        """One row of what is listed, whoever owns it."""
        _, rows = self.page(noun, owners=None, exactly={"id": uuid}, page=Page(most=1))
        return rows[0] if rows else None

    def put_tags(self, account: AccountId, kind: str, thing: str, tags: Mapping[str, str]) -> None:
        """Tag a thing that is accepted."""
        if tags:
            self.write(lambda _session, tx: tx.put_tags(account, kind, thing, tags))

    def write(self, change: Callable[[Session, Transaction], None]) -> None:
        """Commit one change that may be committed twice without harm."""
        self._orchestrator.write(change, lambda: True)

    def remove(self, operation: OperationId, account: AccountId) -> None:
        """Begin to delete an account; the rest is due work."""
        if self._read(queries.removal_of, account) is None:
            self._read(queries.account, account)
            self._begin_removal(operation, account)

    def _keep_present(self, order: RevertVolume) -> None:
        """It must be there before the revert is accepted, so even at the door it is taken while the caller waits."""
        inside = copy.copy(self)
        inside._at_the_door = False  # noqa: SLF001  its own, of the same class
        super(ServedDriver, inside)._keep_present(order)

    def carry_on(self, job: OperationId) -> None:
        """Bring an accepted job to its end, as far as that goes now."""
        self._orchestrator.resume_job(job)

    def end(self, job: OperationId) -> None:
        """Carry a job on and wait for its end, whoever has it in hand. Raises DriverError as the job ended."""
        known = self._catalog.job(job)
        assert known is not None, f"Job {job} was never accepted."
        with self.hands.holding(job, known.order.account):
            self._orchestrator.finish(job)

    def has_in_hand(self, job: OperationId) -> bool:
        """Whether somebody in this process is at work on a job at this moment."""
        return job in self.hands.jobs()

    def users(self) -> Sequence[User]:
        """Everybody who has a key."""
        return self._read(queries.users)

    def user_of_key(self, api_key: str) -> User | None:
        """Whose key this is, if his account may act."""
        return self._read(queries.user_of_key, api_key)

    def removal(self, operation: OperationId) -> Removal | None:
        """The deletion of an account that has this job's id."""
        return self._read(queries.removal_by, operation)

    def settings_in_force(self) -> Sequence[Mapping[str, str]]:
        """The settings by their names, as words. What is secret is told as three stars."""
        now = self.live()
        rows = [(rule, getattr(now, each.name)) for each, rule in table()]
        return [
            {"name": rule.name, "value": "" if value is None else str(value), "description": rule.text}
            for rule, value in rows
        ]

    def waiting(self) -> Sequence[tuple[OperationId, str]]:
        """The jobs that are not over, oldest first, each with the account that it is for."""
        return [(job.uuid, job.order.account) for job in self._catalog.unfinished_jobs()]

    def tend(self) -> None:
        """Do what nobody waits for, but for jobs: those are carried out one by one, each by whoever has a hand free."""
        self._configuration.refresh()
        self._orchestrator.adopt_inherited()
        self._tend()

    def _submit(
        self, order: Order, *, volume: str | None, snapshot: str | None, check: Callable[[Session], None]
    ) -> None:
        if self._at_the_door:
            self._orchestrator.accept(order, volume=volume, snapshot=snapshot, check=check)
            return
        with self.hands.holding(OperationId(order.job), order.account):
            super()._submit(order, volume=volume, snapshot=snapshot, check=check)
