"""The state tables of snapshots and copies: every pair of state and event, every way in, every way out."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Any

import pytest

from snapproof.campaign.transitions import LEGAL, TERMINAL
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
    advance,
)
from snapproof.vocabulary import SnapshotState


@dataclass(frozen=True)
class Machine:
    """A table with all that may stand in it."""

    table: Mapping[Any, Any]
    states: type[StrEnum]
    events: type[StrEnum]
    ends: frozenset[StrEnum]


SNAPSHOT = Machine(
    SNAPSHOT_TRANSITIONS,
    SnapshotState,
    SnapshotEvent,
    frozenset({SnapshotState.BACKED_UP, SnapshotState.ERROR, SnapshotState.DESTROYED}),
)
COPY = Machine(COPY_TRANSITIONS, CopyState, CopyEvent, frozenset({CopyState.READY, CopyState.DESTROYED}))
VOLUME = Machine(VOLUME_TRANSITIONS, VolumeState, VolumeEvent, frozenset({VolumeState.READY}))
SPECIFIED_SNAPSHOT_PAIRS = 18
SPECIFIED_COPY_PAIRS = 15

machines = pytest.mark.parametrize("machine", [SNAPSHOT, COPY, VOLUME], ids=["snapshot", "copy", "volume"])


def reachable(table: Mapping[Any, Any], start: StrEnum) -> set[StrEnum]:
    found, todo = {start}, [start]
    while todo:
        here = todo.pop()
        new = {after for (before, _), after in table.items() if before == here} - found
        found |= new
        todo += new
    return found


@machines
def test_every_pair_walks_as_the_table_says_or_is_refused(machine: Machine) -> None:
    for state, event in product(machine.states, machine.events):
        if (state, event) in machine.table:
            assert advance(machine.table, state, event) == machine.table[state, event]
        else:
            with pytest.raises(IllegalTransitionError, match=f"{state} has no way out by {event}; it has "):
                advance(machine.table, state, event)


@machines
def test_every_state_can_be_reached_from_the_first(machine: Machine) -> None:
    assert reachable(machine.table, next(iter(machine.states))) == set(machine.states)


@machines
def test_an_end_can_be_reached_from_everywhere(machine: Machine) -> None:
    for state in machine.states:
        assert reachable(machine.table, state) & machine.ends, state


@pytest.mark.parametrize("machine", [SNAPSHOT, COPY], ids=["snapshot", "copy"])
def test_everything_that_exists_can_be_destroyed(machine: Machine) -> None:
    assert all(machine.states("Destroyed") in reachable(machine.table, state) for state in machine.states)
    assert not [before for before, _ in machine.table if before == "Destroyed"]


@machines
def test_every_event_is_of_use_somewhere(machine: Machine) -> None:
    assert {event for _, event in machine.table} == set(machine.events)


def test_a_walk_of_several_events_stops_at_the_first_illegal_one() -> None:
    with pytest.raises(IllegalTransitionError, match="Destroyed has no way out by Success; it has none"):
        advance(COPY_TRANSITIONS, CopyState.READY, CopyEvent.DESTROY_REQUESTED, CopyEvent.SUCCESS, CopyEvent.SUCCESS)


def test_a_walk_of_no_event_stays() -> None:
    assert advance(COPY_TRANSITIONS, CopyState.READY) is CopyState.READY


def test_the_references_walks_are_all_legal_to_the_judge() -> None:
    pairs = {(before, after) for (before, _), after in SNAPSHOT_TRANSITIONS.items()}
    assert not {(before, after) for before, after in pairs if after not in LEGAL[before]}


def test_the_judge_knows_every_state_and_no_state_that_is_none() -> None:
    assert set(LEGAL) == set(SnapshotState)
    assert {after for targets in LEGAL.values() for after in targets} <= set(SnapshotState)
    assert SNAPSHOT.ends == TERMINAL


def test_the_tables_are_cloudstacks_and_the_named_additions() -> None:
    added = {
        (SnapshotState.ALLOCATED, SnapshotEvent.OPERATION_FAILED),
        (SnapshotState.CREATED_ON_PRIMARY, SnapshotEvent.OPERATION_FAILED),
        (SnapshotState.ERROR, SnapshotEvent.DESTROY_REQUESTED),
    }
    assert added <= SNAPSHOT_TRANSITIONS.keys()
    assert len(SNAPSHOT_TRANSITIONS) == SPECIFIED_SNAPSHOT_PAIRS + len(added)
    assert len(COPY_TRANSITIONS) == SPECIFIED_COPY_PAIRS + 1
    assert (CopyState.COPYING, CopyEvent.DESTROY_REQUESTED) in COPY_TRANSITIONS
