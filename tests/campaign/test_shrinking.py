"""Shrinking ends at the smallest schedule that breaks the same, and what was found is kept and read back."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapproof.campaign.applicability import FAULT_KINDS
from snapproof.campaign.invariants import Violation
from snapproof.campaign.regressions import keep, kept_for
from snapproof.campaign.running import Case
from snapproof.campaign.schedule import Schedule
from snapproof.campaign.shrinking import shrink

BARE = Schedule(workflow="take-secondary", store="nfs", seed=0)
CALLS = [f"array.CloneVolume#{number}" for number in range(1, 7)]
FAULTS = st.lists(
    st.tuples(st.sampled_from(CALLS), st.sampled_from([*FAULT_KINDS, "error_after"])),
    min_size=1,
    max_size=6,
    unique_by=lambda fault: fault[0],
)


def broken(schedule: Schedule, *invariants: str) -> Case:
    violations = tuple(Violation(invariant, "It broke.") for invariant in invariants)
    return Case(schedule=schedule, ending="", violations=violations, calls=(), acts=(), crossings=(), digest="")


@given(FAULTS, st.data())
def test_what_is_not_needed_is_taken_away(faults: list[tuple[str, str]], data: st.DataObject) -> None:
    culprits = set(data.draw(st.lists(st.sampled_from(faults), min_size=1)))
    ran = []

    def run_case(schedule: Schedule) -> Case:
        ran.append(schedule)
        return broken(schedule, *(["I2"] if culprits <= set(schedule.faults) else []))

    smallest = shrink(broken(replace(BARE, faults=tuple(faults)), "I2", "I4"), run_case)
    assert set(smallest.schedule.faults) == culprits
    assert smallest.schedule.still
    assert len(ran) < 400


@given(st.sets(st.integers(0, 39), min_size=1, max_size=8))
def test_few_faults_of_many_are_found_in_few_runs(culprits: set[int]) -> None:
    pool = tuple((f"array.CloneVolume#{number}", "refused") for number in range(40))
    needed, ran = {pool[number] for number in culprits}, []

    def run_case(schedule: Schedule) -> Case:
        ran.append(schedule)
        return broken(schedule, *(["I2"] if needed <= set(schedule.faults) else []))

    assert set(shrink(broken(replace(BARE, faults=pool, still=True), "I2"), run_case).schedule.faults) == needed
    assert len(ran) <= 10 + 8 * len(needed), "What went once was asked for again."


def test_kinds_become_plainer_as_far_as_it_still_breaks() -> None:
    schedule = replace(BARE, faults=(("s3.PutObject#1", "damaged:stored-cut"), ("array.CloneVolume#1", "crash_after")))

    def run_case(tried: Schedule) -> Case:
        loses = [kind for _, kind in tried.faults if kind.startswith(("lost", "damaged"))]
        dies = [kind for _, kind in tried.faults if kind.startswith("crash")]
        return broken(tried, *(["I2"] if loses and dies else []))

    shrunk = shrink(broken(schedule, "I2"), run_case).schedule
    assert shrunk.faults == (("s3.PutObject#1", "lost_before"), ("array.CloneVolume#1", "crash_before"))


def test_of_a_pool_what_is_left_must_strike_and_a_final_no_stands_for_many() -> None:
    pool = replace(BARE, faults=tuple((call, "refused") for call in CALLS), if_met=True)

    def run_case(tried: Schedule) -> Case:
        refused = sum(kind == "refused" for _, kind in tried.faults)
        final = any(kind == "refused:xPermissionDenied" for _, kind in tried.faults)
        return broken(tried, *(["I2"] if refused >= 5 or final else []))

    shrunk = shrink(broken(pool, "I2"), run_case).schedule
    ((_, kind),) = shrunk.faults
    assert kind == "refused:xPermissionDenied"
    assert (shrunk.if_met, shrunk.still) == (False, True)


def test_another_violation_is_no_reproduction_and_neither_is_a_fault_that_never_fires() -> None:
    schedule = replace(BARE, faults=((CALLS[0], "refused"), (CALLS[1], "refused")))
    assert shrink(broken(schedule, "I2"), lambda tried: broken(tried, "I4")).schedule == schedule
    assert shrink(broken(schedule, "I2"), lambda tried: broken(tried, "I2", "unspent")).schedule == schedule


def test_what_is_kept_is_read_back_for_its_driver_alone(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "regressions"
    first, second = replace(BARE, faults=((CALLS[0], "refused"),)), replace(BARE, still=True)
    assert kept_for("reference", path) == ()
    assert keep("reference", first, ["I2: one\ntwo"], path)
    assert keep("reference", second, [], path)
    assert keep("acme.driver:Driver", first, [], path)
    assert not keep("reference", first, ["I2: again"], path)
    assert kept_for("reference", path) == (first, second)
    assert kept_for("acme.driver:Driver", path) == (first,)
    assert keep("cmd:./driver --fast", second, [], path)
    assert not keep("cmd:./driver --fast", second, [], path)
    assert kept_for("cmd:./driver --fast", path) == (second,)
    assert kept_for("cmd:./driver", path) == ()
    assert path.read_text().startswith("# I2: one two\nreference take-secondary/v1 ")


def test_a_line_that_is_no_schedule_is_named(tmp_path: Path) -> None:
    path = tmp_path / "regressions"
    path.write_text("# a remark\n\nreference nonsense\n")
    with pytest.raises(ValueError, match="regressions, line 3: 'nonsense' is no schedule; one reads:"):
        kept_for("reference", path)
