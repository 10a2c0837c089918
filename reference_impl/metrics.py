"""What Prometheus scrapes, as one table: names, what they mean, and the attribute of an MBean that would say the same.

The page docs/metrics.md: `python -m snapproof.reference_impl.metrics`. Where the figures come from is not known here.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from snapproof.reference_impl.catalog.queries.measures import Measures
from snapproof.vocabulary import SnapshotState

ABOUT = """\
# Metrics

Written by `python -m snapproof.reference_impl.metrics` from the table in `reference_impl/metrics.py`.

`ReferenceDriver.metrics()` gives the text that Prometheus scrapes. `snapproof host` serves it at `/metrics`, and so
does `snapproof serve` beside CloudStack's API where that is on loopback, to anybody on the machine: no name of an
account, a volume or a snapshot stands in it. Gauges are counted from the catalog and from what runs at that moment, so
they return to what they were when a load is over; counters begin anew with each life.

CloudStack has no MBean for snapshots: it exposes active jobs (`AsyncJobManager`), locks (`Locks`), transactions,
database connections and the management cluster, none of which tells snapshots apart. The right column is the attribute
that an MBean `com.cloud:type=Snapshots` would have for the same figure, for whoever moves a dashboard from one to
the other.
"""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""What the text is, as Prometheus has it."""

MBEAN = "com.cloud:type=Snapshots"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What is known of one life at one moment."""

    catalog: Measures
    turns_taken: int
    turns_waiting: int
    moved_bytes: int
    bytes_per_second: float
    array_errors: Mapping[str, int]
    left_alone: Mapping[str, bool]
    orphans: int


Values = Mapping[str, float]
"""By the value of the one label; without a label, under an empty one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One metric. A counter only ever grows in one life."""

    name: str
    text: str
    attribute: str
    read: Callable[[Figures], Values]
    label: str = ""
    counter: bool = False


def _plain(read: Callable[[Figures], float]) -> Callable[[Figures], Values]:
    return lambda figures: {"": read(figures)}


TABLE = (
    Measure(
        name="snapproof_snapshots",
        text="Snapshots that were not removed, by state.",
        attribute="CountByState[state]",
        label="state",
        read=lambda figures: {state: figures.catalog.snapshots.get(state, 0) for state in SnapshotState},
    ),
    Measure(
        name="snapproof_unfinished_jobs",
        text="Jobs that are not over, by phase.",
        attribute="UnfinishedJobs[phase] (AsyncJobManager has active jobs of all kinds)",
        label="phase",
        read=lambda figures: {
            phase: figures.catalog.jobs.get(phase, 0) for phase in ("running", "cleaning", "undoing")
        },
    ),
    Measure(
        name="snapproof_backups_in_flight",
        text="Snapshots that are BackingUp and whose job is not put off.",
        attribute="BackupsInFlight",
        read=_plain(lambda figures: figures.catalog.backups_in_flight),
    ),
    Measure(
        name="snapproof_retry_queue_length",
        text="Jobs that are put off until a later moment, backups that are tried again among them.",
        attribute="RetryQueueLength",
        read=_plain(lambda figures: figures.catalog.retries_waiting),
    ),
    Measure(
        name="snapproof_oldest_backing_up_seconds",
        text="Age of the oldest snapshot that is BackingUp; 0 where there is none.",
        attribute="OldestBackingUpSeconds",
        read=_plain(lambda figures: figures.catalog.oldest_backing_up_s),
    ),
    Measure(
        name="snapproof_copies_in_turn",
        text="Copies that this server carries out.",
        attribute="CopiesInTurn",
        read=_plain(lambda figures: figures.turns_taken),
    ),
    Measure(
        name="snapproof_copies_waiting",
        text="Copies that wait for their turn on this server.",
        attribute="CopiesWaiting",
        read=_plain(lambda figures: figures.turns_waiting),
    ),
    Measure(
        name="snapproof_bytes_per_second",
        text="Bytes that this server moved from and to secondary storage, by the second, over the last minute.",
        attribute="BytesPerSecond",
        read=_plain(lambda figures: figures.bytes_per_second),
    ),
    Measure(
        name="snapproof_moved_bytes_total",
        text="Bytes that this server moved from and to secondary storage.",
        attribute="MovedBytes",
        counter=True,
        read=_plain(lambda figures: figures.moved_bytes),
    ),
    Measure(
        name="snapproof_array_errors_total",
        text="Calls to the array that failed, by the array's name for it.",
        attribute="ArrayErrors[name]",
        label="name",
        counter=True,
        read=lambda figures: figures.array_errors,
    ),
    Measure(
        name="snapproof_store_left_alone",
        text="1 while a verb of the secondary store is left alone because it keeps failing.",
        attribute="StoreLeftAlone[verb]",
        label="verb",
        read=lambda figures: figures.left_alone,
    ),
    Measure(
        name="snapproof_leaks",
        text="Jobs that could not clean up yet.",
        attribute="Leaks",
        read=_plain(lambda figures: figures.catalog.leaks),
    ),
    Measure(
        name="snapproof_backups_damaged",
        text="Backups that were no longer what was written when they were last read again.",
        attribute="BackupsDamaged",
        read=_plain(lambda figures: figures.catalog.backups_damaged),
    ),
    Measure(
        name="snapproof_orphans",
        text="Objects on the array that are ours and that nobody needs, when the last sweep had looked.",
        attribute="Orphans",
        read=_plain(lambda figures: figures.orphans),
    ),
    Measure(
        name="snapproof_policies_overdue",
        text="Policies whose slot has come and that have not run yet.",
        attribute="PoliciesOverdue",
        read=_plain(lambda figures: figures.catalog.policies_overdue),
    ),
    Measure(
        name="snapproof_most_overdue_seconds",
        text="How long the most overdue of them waits.",
        attribute="MostOverdueSeconds",
        read=_plain(lambda figures: figures.catalog.most_overdue_s),
    ),
)


class _Scraped:
    """The collector of one scrape."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        for measure in TABLE:
            labels = [measure.label] if measure.label else []
            kind: Any = CounterMetricFamily if measure.counter else GaugeMetricFamily
            family = kind(measure.name, measure.text, labels=labels)
            for label, value in sorted(measure.read(self._figures).items()):
                family.add_metric([label] if measure.label else [], value)
            yield family


def exposition(figures: Figures) -> bytes:
    """Write the text of one scrape."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Scraped(figures))
    return generate_latest(registry)


def page() -> str:
    """Write the page."""
    lines = [ABOUT, f"| metric | kind | label | what it says | attribute of `{MBEAN}` |", "|---|---|---|---|---|"]
    for measure in TABLE:
        kind = "counter" if measure.counter else "gauge"
        lines.append(f"| `{measure.name}` | {kind} | {measure.label} | {measure.text} | {measure.attribute} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.stdout.write(page())
