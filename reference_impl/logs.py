"""The log as operators read it: one JSON object a line, with the job and the snapshot that it is about.

Only the fields of a list are written, so that nothing gets in by accident, and whatever a name holds stays in its line.
When something is logged is decided where it happens.
"""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import Any, TypeVar

from snapproof.driver import (
    ConflictError,
    DeniedError,
    DriverError,
    DriverUnderTest,
    InvalidRequestError,
    NotFoundError,
)
from snapproof.reference_impl.catalog.store import Job
from snapproof.reference_impl.core.effects import Effect, Facts

LOG = logging.getLogger("snapproof.requests")

T = TypeVar("T")

ARRAY_IDS = ("array_snapshot", "lun", "target")
"""What effects find out that finds their objects on the array again."""

FIELDS = (
    *(
        "job",
        "order",
        "snapshot",
        "volume",
        "template",
        "account",
        "phase",
        "outcome",
        "duration_ms",
        "attempt",
        "cause",
        "verb",
    ),
    *ARRAY_IDS,
)
"""All that a line may hold beside its message."""

CALLERS_FAULT = (InvalidRequestError, NotFoundError, DeniedError, ConflictError)


class JsonLines(logging.Formatter):
    """One record, one line, in ASCII: a line feed or a terminal code in a name is escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the fields in their order."""
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        told |= {name: getattr(record, name) for name in FIELDS if getattr(record, name, None) is not None}
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=True, default=str)


def about(job: Job) -> dict[str, Any]:
    """Say which job a line is about. The snapshot's uuid is what the API answers with and what the array is told."""
    order = job.order
    return {
        "job": str(job.uuid),
        "order": type(order).__name__,
        "snapshot": getattr(order, "snapshot", None) or getattr(order, "from_snapshot", None),
        "volume": getattr(order, "volume", None),
        "template": getattr(order, "template", None),
        "account": order.account,
    }


def tell_phase(log: logging.Logger, job: Job, effect: Effect, facts: Facts, *, seconds: float, outcome: str) -> None:
    """Write the one line of a phase that came to its end."""
    ids = {name: facts[name] for name in ARRAY_IDS if name in facts}
    named = about(job)
    log.info(
        "job %s: %s %s for %s in %d ms%s",
        job.uuid,
        type(effect).__name__,
        outcome,
        named["snapshot"] or named["volume"] or named["template"],
        seconds * 1000,
        "".join(f" {name}={value}" for name, value in ids.items()),
        extra={
            **named,
            **ids,
            "phase": type(effect).__name__,
            "outcome": outcome,
            "duration_ms": int(seconds * 1000),
        },
    )


def telling_failures(kind: type[T]) -> type[T]:
    """Let a driver's class log every failure that its callers see, whoever's fault it is."""
    for name in vars(DriverUnderTest):
        verb = getattr(kind, name, None)
        if not name.startswith("_") and callable(verb):
            setattr(kind, name, _told(name, verb))
    return kind


def _told(name: str, verb: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(verb)
    def asked(*given: Any, **named: Any) -> Any:
        try:
            return verb(*given, **named)
        except DriverError as error:
            level = logging.INFO if isinstance(error, CALLERS_FAULT) else logging.WARNING
            told: Mapping[str, str] = {"verb": name, "outcome": type(error).__name__, "cause": str(error)}
            LOG.log(level, "%s ended with %s: %s", name, type(error).__name__, _one_line(error), extra=told)
            raise

    return asked


def _one_line(error: Exception) -> str:
    """A handler of somebody else's may write the message as it is."""
    return str(error).encode("unicode_escape").decode("ascii")
