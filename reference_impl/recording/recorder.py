"""The five moments of a job at which the catalog is written, and what audit and usage events look like."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core.effects import Effect, Facts
from snapproof.reference_impl.core.orders import Asked, DeleteSnapshot, Order, TakeSnapshot
from snapproof.vocabulary import AccountId, AuditEvent, LocationType, OperationId, PolicyId, UsageEvent

BY_POLICY = (TakeSnapshot, DeleteSnapshot)
"""What a policy may have asked for."""

FULL = "full"
"""The fact that a job failed because secondary storage has no more room."""

CANCELLED = "cancelled"
"""The fact that a job failed because somebody wanted it to."""

Write: TypeAlias = Callable[[Transaction, Any], None]

WriteFacts: TypeAlias = Callable[[Transaction, Any, Facts], None]


class WriteStep(Protocol):
    """Write what one step of an order means to users."""

    def __call__(self, tx: Transaction, /, order: Any, effect: Effect, facts: Facts) -> None:
        """Write it."""


def of_snapshot(order: Any) -> str:
    """The subject of whatever is about a snapshot."""
    return str(order.snapshot)


def of_volume(order: Any) -> str:
    """The subject of whatever is about a volume."""
    return str(order.volume)


def of_template(order: Any) -> str:
    """The subject of whatever is about a template."""
    return str(order.template)


def nothing(_tx: Transaction, _order: Order, _facts: Facts | None = None) -> None:
    """Write nothing."""


def no_step(_tx: Transaction, /, order: Order, effect: Effect, facts: Facts) -> None:
    """Write nothing about single steps."""


BEGINNING = ("Created", "Started")
"""The phases of audit events with which every job begins, as CloudStack writes them for its asynchronous commands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """The five moments of a job. `audit` is the type of its audit events, `subject` names what they are about."""

    audit: str
    subject: Callable[[Any], str]
    begin: Write = nothing
    step: WriteStep = no_step
    succeed: WriteFacts = nothing
    cleaned: WriteFacts = nothing
    fail: WriteFacts = nothing


def audit(recorder: Recorder, order: Order, phase: str, *, failed: bool = False) -> AuditEvent:
    """The audit event of a job's beginning (Created, Started) or end (Completed)."""
    return AuditEvent(
        operation=OperationId(order.job),
        type=recorder.audit,
        phase=phase,
        level="ERROR" if failed else "INFO",
        account=AccountId(order.account),
        subject=recorder.subject(order),
        policy=PolicyId(order.policy) if isinstance(order, BY_POLICY) and order.policy else None,
        caller=AccountId(order.caller) if isinstance(order, Asked) and order.caller else None,
    )


def usage(kind: str, account: str, subject: str, size_bytes: int, location: LocationType | None = None) -> UsageEvent:
    """The usage event of something that has happened to a subject."""
    return UsageEvent(type=kind, account=AccountId(account), subject=subject, size_bytes=size_bytes, location=location)
