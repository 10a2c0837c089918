"""Faults strike in recovery and sweep too, deaths lead to no more than known states, a world that is over is gone."""

import gc
import weakref

from snapproof.campaign.exploring import explore, require_clean
from snapproof.campaign.running import arrange, run
from snapproof.campaign.schedule import read_schedule
from snapproof.campaign.strategies import closure
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.reference_impl.driver import ReferenceDriver

OPEN = lab_opener(ReferenceDriver)
IN_RECOVERY = "take-secondary/v1 store=nfs seed=4 :: host.SR.forget#1=crash_before; array.DeleteVolume#1=lost_after"


def test_a_second_fault_strikes_in_the_recovery() -> None:
    case = run(read_schedule(IN_RECOVERY), OPEN)
    assert case.ending == "crashed"
    assert "array.DeleteVolume#1" not in case.calls
    labels = [crossing.label for crossing in case.crossings]
    assert labels.index("host.SR.forget#1") < labels.index("array.DeleteVolume#1")
    assert [crossing.label for crossing in case.after_last_fault()] == labels[
        labels.index("array.DeleteVolume#1") + 1 :
    ]


def test_a_sweep_is_part_of_every_case() -> None:
    case = run(read_schedule("delete-secondary/v1 store=nfs seed=4"), OPEN)
    assert set(case.calls) < {crossing.label for crossing in case.crossings}
    assert case.crossings[-1].label.startswith("array.ListSnapshots#")  # what the sweep looks for last


def test_deaths_lead_to_known_states_until_nothing_is_new() -> None:
    clean = require_clean(run(read_schedule("delete-secondary/v1 store=nfs seed=4 guest=still"), OPEN, states=True))
    states = {crossing.state for crossing in clean.crossings}
    cases = list(explore(clean, closure(0), lambda part: (run(one, OPEN, states=True) for one in part)))
    assert 1 < len(states) <= len(cases) < 30
    assert not any(case.violations for case in cases)


def test_a_schedule_of_a_closure_is_replayed_without_looking_at_states() -> None:
    schedule = read_schedule("delete-secondary/v1 store=nfs seed=4 guest=still :: nfs.delete#1=crash_before")
    looked, plain = run(schedule, OPEN, states=True), run(schedule, OPEN)
    assert all(crossing.state for crossing in looked.after_last_fault())
    assert not any(crossing.state for crossing in looked.crossings[: -len(looked.after_last_fault())])
    assert (looked.digest, [c.label for c in looked.crossings]) == (plain.digest, [c.label for c in plain.crossings])


def test_a_state_says_what_is_under_way_as_long_as_it_is() -> None:
    late, away, clock = "array.CreateSnapshot#1=lost_late", "array.CreateSnapshot#1=down", "catalog.commit#1=clock_back"
    said = {"array.CreateSnapshot#1 is late": late, "array is away": away, "the clock is set by -3600 s": clock}
    for words, fault in said.items():
        case = run(read_schedule(f"take-primary/v1 store=nfs seed=4 guest=still :: {fault}"), OPEN, states=True)
        told = [words in crossing.state for crossing in case.crossings]
        assert not told[0]
        assert any(told)
        assert told[-1] is (fault is clock), "what is late arrives, who is away comes back; a clock stays as it is set"


def test_a_backup_with_another_content_is_another_state() -> None:
    schedule = read_schedule("take-secondary/v1 store=s3 seed=4")
    with OPEN(schedule) as lab:
        arrange(schedule, lab)
        before = lab.durable_state()
        (backup,) = lab.backups()
        lab.tamper_with(backup.path, "a flipped bit")
        assert lab.durable_state() != before
        lab.undo_harm()
        assert lab.durable_state() == before


def test_of_a_world_that_is_over_nothing_is_left() -> None:
    """A campaign plays thousands in one process: what leads in a circle must be of kinds that the collector sees."""
    with OPEN(read_schedule("take-secondary/v1 store=s3 seed=4")) as lab:
        over = weakref.ref(lab)
        arrange(read_schedule("take-secondary/v1 store=s3 seed=4"), lab)
    del lab
    gc.collect()
    assert over() is None
