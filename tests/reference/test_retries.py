"""When the orchestrator asks again, how often, and when it gives up: counted at the seam, judged on the array."""

from collections import Counter

import pytest

from snapproof.campaign.invariants import violations
from snapproof.driver import BackendError, UnavailableError
from snapproof.fixtures.caller import Caller
from snapproof.lab import Outcome
from snapproof.reference_impl.adapters.element_errors import MEANINGS, Meaning
from snapproof.reference_impl.connecting import connect
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.ports import Ports
from snapproof.reference_impl.settings import SettingError, Settings
from snapproof.simulators.clock import Transition
from snapproof.simulators.solidfire.errors import ERRORS
from snapproof.vocabulary import LocationType, Snapshot, SnapshotState

SETTINGS = Settings()
TRANSIENT = sorted(name for name, meaning in MEANINGS.items() if meaning is Meaning.TRANSIENT)
AMBIGUOUS = sorted(name for name, meaning in MEANINGS.items() if meaning is Meaning.AMBIGUOUS)
FINAL = sorted(name for name, known in ERRORS.items() if name not in MEANINGS and known.http == 200)


class HastyDriver(ReferenceDriver):
    """A reference driver that waits for no copy longer than half a second."""

    def ports(self) -> Ports:
        return connect(self.site, lambda: Settings(copy_timeout_s=0.5))


def counted(caller: Caller, call: str) -> int:
    return Counter(label.partition("#")[0] for label in caller.lab.calls())[call]


def backup(caller: Caller, call: str, fault: str) -> Outcome[Snapshot]:
    """Back up while every such call meets the fault."""
    volume = caller.used_volume()
    caller.lab.watch_calls()
    caller.lab.break_service(call, fault)
    return caller.take("take", volume.id, LocationType.SECONDARY)


def assert_taken_back(caller: Caller) -> None:
    caller.lab.repair()
    caller.lab.settle()
    assert violations(caller.lab) == ()
    assert [s.state for s in caller.lab.driver.list_snapshots()] == [SnapshotState.ERROR]


@pytest.mark.parametrize("name", TRANSIENT)
def test_a_refusal_that_may_pass_is_met_with_patience_and_an_end(caller: Caller, name: str) -> None:
    before_s = caller.lab._world.clock.time()
    outcome = backup(caller, "array.CloneVolume", f"refused:{name}")
    assert type(outcome.error) is UnavailableError
    assert counted(caller, "array.CloneVolume") == SETTINGS.attempts_max
    waited_s = sum(SETTINGS.backoff_s * 2**number for number in range(SETTINGS.attempts_max - 1))
    took_s = caller.lab._world.clock.time() - before_s
    assert 0.5 * waited_s <= took_s <= 1.5 * waited_s
    assert took_s != waited_s, "The pauses do not vary."
    assert_taken_back(caller)


@pytest.mark.parametrize("name", FINAL[::4])
def test_a_final_refusal_is_not_tried_again(caller: Caller, name: str) -> None:
    outcome = backup(caller, "array.CloneVolume", f"refused:{name}")
    assert type(outcome.error) is BackendError
    assert name in str(outcome.error)
    assert counted(caller, "array.CloneVolume") == 1
    assert_taken_back(caller)


@pytest.mark.parametrize("name", ["", *AMBIGUOUS])
@pytest.mark.parametrize("call", ["array.CreateSnapshot", "array.CloneVolume"])
def test_an_error_after_the_effect_is_looked_into_and_makes_no_second_object(
    caller: Caller, call: str, name: str
) -> None:
    volume = caller.used_volume()
    caller.lab.watch_calls()
    caller.lab.arm(f"{call}#1", f"error_after:{name}" if name else "lost_after")
    assert caller.take("take", volume.id, LocationType.SECONDARY).error is None
    assert violations(caller.lab) == ()
    created = [e for e in caller.lab._world.journal if e.event == "snapshot created" and e.side == "array"]
    assert len(created) == 2  # other people's, and ours


def test_a_lost_create_makes_one_volume(caller: Caller) -> None:
    caller.lab.watch_calls()
    caller.lab.arm("array.CreateVolume#1", "lost_after")
    caller.create("volume").result()
    assert counted(caller, "array.CreateVolume") == 1
    assert len(caller.lab.array_volumes()) == 1


def test_a_snapshot_whose_answers_are_always_lost_is_made_once_and_adopted(caller: Caller) -> None:
    volume = caller.used_volume()
    caller.lab.watch_calls()
    caller.lab.break_service("array.CreateSnapshot", "lost_after")
    caller.take("take", volume.id).result()
    assert counted(caller, "array.CreateSnapshot") == 1
    assert len(caller.lab.array_snapshots()) == 1


@pytest.mark.parametrize(("polls", "why"), [(0, "has no volume"), (3, "could not clone a volume")])
def test_a_clone_that_fails_later_is_no_finished_clone(caller: Caller, polls: int, why: str) -> None:
    volume = caller.used_volume()
    array = caller.lab._world.arrays[0]
    array.clone_time = Transition(polls=polls)
    array.doom_next_clone("xSliceNotRegistered")
    outcome = caller.take("take", volume.id, LocationType.SECONDARY)
    assert type(outcome.error) is BackendError
    assert why in str(outcome.error)
    assert_taken_back(caller)


def test_a_clone_that_never_ends_is_waited_for_no_longer_than_the_settings_say(caller: Caller) -> None:
    volume = caller.used_volume()
    caller.lab._world.arrays[0].clone_time = Transition(seconds=10 * SETTINGS.clone_timeout_s)
    before_s = caller.lab._world.clock.time()
    outcome = caller.take("take", volume.id, LocationType.SECONDARY)
    assert type(outcome.error) is BackendError
    assert f"not cloned within {SETTINGS.clone_timeout_s:g} s" in str(outcome.error)
    assert caller.lab._world.clock.time() - before_s <= SETTINGS.clone_timeout_s + SETTINGS.clone_poll_s
    assert_taken_back(caller)


def losing_an_answer_of_a_clone(caller: Caller, clone_time: Transition, lost: str) -> int:
    """Back up while the answer of one call gets lost, and count the clones that were ordered."""
    volume = caller.used_volume()
    caller.lab._world.arrays[0].clone_time = clone_time
    caller.lab.watch_calls()
    caller.lab.arm(lost, "lost_after")
    assert caller.take("take", volume.id, LocationType.SECONDARY).error is None
    assert violations(caller.lab) == ()
    return counted(caller, "array.CloneVolume")


def test_a_slow_clone_whose_answers_get_lost_is_the_only_clone(caller: Caller) -> None:
    assert losing_an_answer_of_a_clone(caller, Transition(seconds=30), "array.GetAsyncResult#3") == 1


def test_a_clone_whose_result_was_read_and_then_lost_is_cleared_away_and_made_anew(any_caller: Caller) -> None:
    assert losing_an_answer_of_a_clone(any_caller, Transition(polls=0), "array.GetAsyncResult#1") == 2


def test_a_copy_that_never_ends_is_cancelled_and_taken_back(caller: Caller) -> None:
    caller.lab._world.pool._state.chunk_bytes = 1
    caller.lab._factory = HastyDriver
    caller.lab.restart_driver()
    outcome = caller.take("take", caller.used_volume().id, LocationType.SECONDARY)
    assert type(outcome.error) is BackendError
    assert "did not end within 0.5 s and was cancelled" in str(outcome.error)
    assert_taken_back(caller)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("attempts_max", 0),
        ("backoff_s", 0),
        ("clone_poll_s", -1),
        ("clone_timeout_s", 0),
        ("copy_poll_s", float("nan")),
        ("copy_timeout_s", -0.5),
    ],
)
def test_a_bound_that_could_never_work_is_refused(setting: str, value: float) -> None:
    with pytest.raises(SettingError, match=f" is {value}; it must be from "):
        Settings(**{setting: value})  # type: ignore[arg-type]  # names and values come from the table above
