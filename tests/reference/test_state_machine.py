"""Random walks of snapshots, copies and volumes in a real catalog: legal steps follow the table, illegal ones raise.

The tables themselves are judged in test_state_tables.py; here it is those who write rows by them.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from sqlalchemy import func, select, update

from snapproof.reference_impl.catalog import snapshot_rows, volume_rows
from snapproof.reference_impl.catalog.schema import OUTBOX, SNAPSHOT_STORE_REF, SNAPSHOTS, VOLUMES, StoreRole
from snapproof.reference_impl.catalog.store import Catalog
from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core.states import (
    COPY_TRANSITIONS,
    SNAPSHOT_TRANSITIONS,
    VOLUME_TRANSITIONS,
    CopyEvent,
    CopyState,
    IllegalTransitionError,
    SnapshotEvent,
    VolumeEvent,
    VolumeState,
)
from snapproof.simulators.clock import VirtualClock
from snapproof.simulators.journal import Journal
from snapproof.simulators.seam import Seam
from snapproof.vocabulary import Qos, SnapshotState

ROLE = StoreRole.PRIMARY
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  where it exists, an fsync costs nothing
TABLES: Mapping[str, Mapping[Any, Any]] = {
    "snapshot": SNAPSHOT_TRANSITIONS,
    "copy": COPY_TRANSITIONS,
    "volume": VOLUME_TRANSITIONS,
}
ROWS: Mapping[str, tuple[Any, Any]] = {
    "snapshot": (SNAPSHOTS, SNAPSHOTS.c.status),
    "copy": (SNAPSHOT_STORE_REF, SNAPSHOT_STORE_REF.c.state),
    "volume": (VOLUMES, VOLUMES.c.state),
}


@contextmanager
def opened(path: Path) -> Iterator[Catalog]:
    """A catalog with one volume, one snapshot of it, and one copy of that."""
    clock = VirtualClock()
    catalog = Catalog(f"sqlite:///{path}", call_point=Seam(Journal(clock.time)), clock=clock)
    with catalog.transaction() as session:
        tx, qos = Transaction(session, catalog.now()), Qos(min_iops=1, max_iops=2, burst_iops=3)
        tx.insert_volume(uuid="v", account="blue", name="v", lun_id=1, target="iqn.v", size_bytes=512, qos=qos)
        tx.insert_snapshot(
            uuid="s", account="blue", volume="v", name="s", size_bytes=512, location="PRIMARY", policy=None
        )
        tx.insert_copy("s", ROLE, path="SfSnapshotId=1", physical_size=512, digest=None)
    yield catalog
    catalog.close()


class Walks(RuleBasedStateMachine):
    """Walks in one catalog, each from whatever states an earlier life may have left."""

    catalog: Catalog

    @initialize(
        snapshot=st.sampled_from(SnapshotState),
        copy=st.sampled_from(CopyState),
        volume=st.sampled_from(VolumeState),
    )
    def begin(self, snapshot: SnapshotState, copy: CopyState, volume: VolumeState) -> None:
        self.states: dict[str, StrEnum] = {"snapshot": snapshot, "copy": copy, "volume": volume}
        with self.catalog.transaction() as session:
            for name, (table, column) in ROWS.items():
                session.execute(update(table).values({column.name: self.states[name]}))

    @rule(event=st.sampled_from(SnapshotEvent))
    def move_snapshot(self, event: SnapshotEvent) -> None:
        told = self.messages()
        legal = self.walk("snapshot", event, lambda tx: tx.move_snapshot("s", event))
        assert self.messages() == told + legal, "Each step is told once, and none that was not made."

    @rule(event=st.sampled_from(CopyEvent))
    def move_copy(self, event: CopyEvent) -> None:
        self.walk("copy", event, lambda tx: tx.move_copy("s", ROLE, event))

    @rule(event=st.sampled_from(VolumeEvent))
    def move_volume(self, event: VolumeEvent) -> None:
        self.walk("volume", event, lambda tx: tx.move_volume("v", event))

    def walk(self, name: str, event: StrEnum, move: Any) -> bool:
        after = TABLES[name].get((self.states[name], event))
        try:
            with self.catalog.transaction() as session:
                move(Transaction(session, self.catalog.now()))
        except IllegalTransitionError:
            assert after is None, f"A {name} that is {self.states[name]} was refused {event}."
        else:
            assert after is not None, f"A {name} that is {self.states[name]} was allowed {event}."
            self.states[name] = after
        assert self.found() == self.states
        return after is not None

    def found(self) -> Mapping[str, str]:
        with self.catalog.reading() as session:
            return {name: session.execute(select(column)).scalar_one() for name, (_, column) in ROWS.items()}

    def messages(self) -> int:
        with self.catalog.reading() as session:
            return session.execute(select(func.count()).where(OUTBOX.c.topic == "state")).scalar_one()


def walk_about() -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder, opened(Path(folder) / "catalog.sqlite") as catalog:
        run_state_machine_as_test(
            type("Here", (Walks,), {"catalog": catalog}),
            settings=settings(
                max_examples=20, stateful_step_count=25, deadline=None, database=None, phases=[Phase.generate]
            ),
        )


def test_every_walk_follows_the_tables_and_no_illegal_step_changes_anything() -> None:
    walk_about()


@pytest.mark.parametrize(
    ("module", "table", "states", "event"),
    [
        (snapshot_rows, "SNAPSHOT_TRANSITIONS", SnapshotState, SnapshotEvent.CREATE_REQUESTED),
        (snapshot_rows, "COPY_TRANSITIONS", CopyState, CopyEvent.CREATE_ONLY_REQUESTED),
        (volume_rows, "VOLUME_TRANSITIONS", VolumeState, VolumeEvent.OPERATION_FAILED),
    ],
    ids=["snapshot", "copy", "volume"],
)
def test_an_event_that_is_taken_in_any_state_is_found(
    monkeypatch: pytest.MonkeyPatch, module: Any, table: str, states: type[StrEnum], event: StrEnum
) -> None:
    planted = {(state, event): state for state in states}
    monkeypatch.setattr(module, table, {**planted, **getattr(module, table)})
    with pytest.raises(AssertionError, match=f"was allowed {event}"):
        walk_about()
