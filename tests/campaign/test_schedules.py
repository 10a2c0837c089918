"""Schedules: what is written is read back, what is no schedule is told so, and so is what is no shard."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapproof.campaign.applicability import FAULT_KINDS, S3_KINDS, kinds_for
from snapproof.campaign.exploring import Shard
from snapproof.campaign.schedule import Schedule, read_schedule
from snapproof.fixtures.services import DIALECTS, calls
from snapproof.simulators.faults import FAULTS, fault_named
from snapproof.simulators.journal import Journal
from snapproof.simulators.seam import Seam

NAMES = st.text(string.ascii_letters + string.digits + "_", min_size=1)
LABELS = st.builds("{}#{}".format, st.sampled_from([*sorted(calls()), "catalog.commit"]), st.integers(1, 999))
KINDS = st.one_of(
    st.sampled_from(FAULT_KINDS),
    st.builds(
        "{}:{}".format,
        st.sampled_from(["refused", "error_after"]),
        st.sampled_from(["xDBVersionMismatch", "InternalError-in-200", "SR_BACKEND_FAILURE_107", "ESTALE", "EMPTY"]),
    ),
)
SCHEDULES = st.builds(
    Schedule,
    workflow=st.text(string.ascii_lowercase + "-", min_size=1),
    version=st.integers(0, 99),
    store=NAMES,
    seed=st.integers(0, 2**63),
    still=st.booleans(),
    if_met=st.booleans(),
    faults=st.lists(st.tuples(LABELS, KINDS), max_size=4).map(tuple),
)


@given(SCHEDULES)
def test_a_schedule_is_read_back_as_it_was_written(schedule: Schedule) -> None:
    assert read_schedule(str(schedule)) == schedule
    assert read_schedule(f"  {schedule}\n") == schedule


def test_a_call_of_one_of_several_arrays_is_read_back() -> None:
    text = "take-secondary/v1 store=nfs seed=0 :: array-2.CloneVolume#1=lost_after"
    assert str(read_schedule(text)) == text


@given(st.text())
def test_any_other_text_is_refused_with_the_form_or_is_a_schedule(text: str) -> None:
    try:
        schedule = read_schedule(text)
    except ValueError as error:
        assert "is no schedule; one reads: take-secondary/v1 store=nfs seed=0 :: " in str(error)  # noqa: PT017  either outcome is fine
    else:
        assert read_schedule(str(schedule)) == schedule


@pytest.mark.parametrize(
    "text",
    [
        "",
        "take-secondary",
        "take-secondary/v1 store=nfs",
        "take-secondary/v1 store=nfs seed=-1",
        "take-secondary/v1 store=nfs seed=٣",
        "take-secondary/v1 store=nfs seed=0 :: array.CloneVolume=lost_after",
        "take-secondary/v1 store=nfs seed=0 :: array.CloneVolume#1",
        "take-secondary/v1 store=nfs seed=0 :: array.CloneVolume#1=lost after",
        "take-secondary/v1 store=nfs seed=0 :: a.B#1=refused; ; a.B=x",
    ],
)
def test_what_is_no_schedule_is_told_so(text: str) -> None:
    with pytest.raises(ValueError, match="is no schedule; one reads:"):
        read_schedule(text)


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_every_kind_of_the_sweep_is_a_fault_of_the_seam(kind: str) -> None:
    assert fault_named(kind) == FAULTS[kind]


@pytest.mark.parametrize("call", S3_KINDS)
def test_every_kind_of_a_call_of_s3_can_be_armed_and_none_twice(call: str) -> None:
    seam = Seam(Journal(lambda: 0.0), dialects=DIALECTS)
    kinds = kinds_for(f"{call}#1")
    for number, kind in enumerate(kinds, 1):
        seam.arm(f"{call}#{number}", fault_named(kind))
    assert len(seam.unspent()) == len(set(kinds))
    assert call in calls()


@pytest.mark.parametrize(("index", "count"), [(-1, 2), (2, 2), (0, 0), (5, 1)])
def test_a_shard_that_nobody_would_run_is_refused(index: int, count: int) -> None:
    with pytest.raises(ValueError, match=f"Shard {index} of {count} does not exist"):
        Shard(index, count)
