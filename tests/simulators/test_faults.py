"""The seam alone: which faults can be armed where, in which order they strike, and what the caller meets."""

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapproof.fixtures.services import DIALECTS, calls
from snapproof.simulators.clock import EPOCH_S, VirtualClock
from snapproof.simulators.faults import (
    DOWN_S,
    FAULTS,
    HANG_S,
    LATE_S,
    SERVER_FAILURE,
    AnswerCutError,
    AnswerHangsError,
    AnswerLostError,
    CrashedError,
    Dialect,
    Moment,
    UnfitFaultError,
    fault_named,
)
from snapproof.simulators.journal import Journal
from snapproof.simulators.seam import Seam

CALL = "array.CreateSnapshot"


class Rig:
    """A seam, and a service of one method that counts its effects."""

    def __init__(self, **options: Dialect) -> None:
        self.clock = VirtualClock()
        self.journal = Journal(self.clock.time)
        anything = {"array": Dialect(check_damage=lambda _method, _name: None)}
        self.seam = Seam(self.journal, dialects=anything | options, wait=self.clock.advance)
        self.effects = 0

    def act(self) -> str:
        self.effects += 1
        return "done"

    def call(self) -> str:
        service, _, method = CALL.partition(".")
        refuse, damage = (lambda name: f"refused {name}"), (lambda name: f"damaged {name}")
        return self.seam.cross(service, method, self.act, refuse=refuse, damage=damage)

    def met(self) -> str:
        """Call once and say in a word what the caller met."""
        try:
            return self.call()
        except (AnswerLostError, CrashedError) as error:
            return type(error).__name__


class FailingFirst(Rig):
    """Its first effect ends with an error."""

    def act(self) -> str:
        super().act()
        if self.effects == 1:
            raise FileExistsError("It is there already.")
        return "done"


MET = {
    "refused": "refused ",
    "error_after": "refused ",
    "lost_before": "AnswerLostError",
    "lost_after": "AnswerLostError",
    "hang_before": "AnswerHangsError",
    "hang_after": "AnswerHangsError",
    "truncated": "AnswerCutError",
    "http500_before": f"refused {SERVER_FAILURE}",
    "http500_after": f"refused {SERVER_FAILURE}",
    "lost_late": "AnswerLostError",
    "twice": "done",
    "crash_before": "CrashedError",
    "crash_after": "CrashedError",
    "damaged:answer-cut": "damaged answer-cut",
}
FAULTS_AS_ARMED = ["damaged:answer-cut" if word == "damaged" else word for word in FAULTS if word != "down"]
EFFECTS = {Moment.AFTER: 1, Moment.TWICE: 2}
"""How often a call has taken effect when its caller is told; others not, or not yet."""


@pytest.mark.parametrize("word", FAULTS_AS_ARMED)
def test_a_fault_strikes_one_call_and_its_moment_decides_the_effect(word: str) -> None:
    rig = Rig()
    rig.seam.arm(f"{CALL}#2", fault_named(word))
    assert [rig.met() for _ in range(3)] == ["done", MET[word], "done"]
    assert rig.effects == 2 + EFFECTS.get(fault_named(word).moment, 0)
    assert rig.clock.time() - EPOCH_S == (HANG_S if word.startswith("hang") else 0)
    assert rig.seam.unspent() == ()
    assert [(fired.event, fired.facts["call"]) for fired in rig.seam.fired()] == [(word, f"{CALL}#2")]


def test_a_late_call_takes_effect_when_its_time_has_come_and_nobody_hears_of_it() -> None:
    rig = Rig()
    rig.seam.arm(f"{CALL}#1", fault_named("lost_late"))
    assert rig.met() == "AnswerLostError"
    rig.clock.advance(LATE_S - 1)
    assert (rig.met(), rig.effects) == ("done", 1)
    rig.clock.advance(1)
    assert (rig.met(), rig.effects) == ("done", 3)
    rig.seam.arrive(at_once=True)
    assert rig.effects == 3
    assert [entry.event for entry in rig.journal if entry.side == "late"] == [f"{CALL}#1"]


def test_what_is_late_can_be_let_arrive_at_once_and_survives_repair() -> None:
    rig = Rig()
    rig.seam.arm(f"{CALL}#1", fault_named("lost_late"))
    rig.met()
    rig.seam.disarm()
    rig.seam.arrive()
    assert rig.effects == 0
    rig.seam.arrive(at_once=True)
    assert rig.effects == 1


@pytest.mark.parametrize("word", ["lost_late", "twice", *(w for w, f in FAULTS.items() if f.moment is Moment.AFTER)])
def test_an_effect_of_which_nobody_hears_may_fail(word: str) -> None:
    rig = FailingFirst()
    rig.seam.arm(f"{CALL}#1", fault_named(word))
    assert rig.met() == MET[word]
    rig.seam.arrive(at_once=True)
    assert rig.effects == (2 if word == "twice" else 1)


def test_a_service_that_went_down_is_away_for_all_calls_and_comes_back_by_itself() -> None:
    rig = Rig()
    rig.seam.arm(f"{CALL}#1", fault_named("down"))
    other = partial(rig.seam.cross, "host", "VDI.copy", lambda: "done", refuse=lambda _: "refused")
    assert [rig.met(), rig.met(), other()] == ["AnswerLostError", "AnswerLostError", "done"]
    rig.clock.advance(DOWN_S)
    assert (rig.met(), rig.effects) == ("done", 1)
    assert [str(entry.event) for entry in rig.seam.fired()] == ["down", "lost_before"]


def test_a_service_that_is_down_is_repaired_with_all_else() -> None:
    rig = Rig()
    rig.seam.arm(f"{CALL}#1", fault_named("down"))
    rig.met()
    rig.seam.disarm()
    assert rig.met() == "done"


def test_whoever_only_knows_of_lost_answers_treats_hanging_and_cut_ones_alike() -> None:
    assert issubclass(AnswerHangsError, AnswerLostError)
    assert issubclass(AnswerHangsError, TimeoutError)
    assert issubclass(AnswerCutError, AnswerLostError)
    assert issubclass(AnswerLostError, ConnectionError)


@given(st.lists(st.tuples(st.sampled_from(sorted(MET)), st.integers(1, 3), st.integers(0, 3)), max_size=5))
def test_faults_strike_by_order_and_count_and_none_displaces_another(wanted: list[tuple[str, int, int]]) -> None:
    rig = Rig()
    expected: dict[int, str] = {}
    for word, times, skip in wanted:
        numbers = range(1 + skip, 1 + skip + times)
        if taken := expected.keys() & set(numbers):
            with pytest.raises(ValueError, match=f"{CALL}#{min(taken)} meets {expected[min(taken)]} already"):
                rig.seam.arm_next(CALL, fault_named(word), times=times, skip=skip)
        else:
            rig.seam.arm_next(CALL, fault_named(word), times=times, skip=skip)
            expected |= dict.fromkeys(numbers, word)
    assert set(rig.seam.unspent()) == {f"{CALL}#{number}={word}" for number, word in expected.items()}
    assert [rig.met() for _ in range(7)] == [MET[expected[n]] if n in expected else "done" for n in range(1, 8)]
    assert rig.seam.unspent() == ()
    assert [fired.event for fired in rig.seam.fired()] == [expected[number] for number in sorted(expected)]


def test_a_fault_of_its_own_comes_before_the_standing_one() -> None:
    rig = Rig()
    rig.seam.arm_always(CALL, fault_named("refused:xStanding"))
    rig.seam.arm_next(CALL, fault_named("lost_after"), skip=1)
    assert [rig.met() for _ in range(3)] == ["refused xStanding", "AnswerLostError", "refused xStanding"]
    rig.seam.disarm()
    assert rig.met() == "done"
    assert len(rig.seam.fired()) == 3


@pytest.mark.parametrize("label", ["CreateSnapshot#1", "array.CreateSnapshot", "array.CreateSnapshot#0", "array.#1"])
def test_a_label_of_no_call_is_refused(label: str) -> None:
    with pytest.raises(ValueError, match="names no call"):
        Rig().seam.arm(label, FAULTS["refused"])


@pytest.mark.parametrize(("text", "sentence"), [
    ("lost_afer", "No fault is called 'lost_afer'"),
    ("truncated:xNotReadyForIO", "truncated carries no error"),
    ("damaged", "damaged wants to know what is damaged, and how"),
])  # fmt: skip
def test_words_that_are_no_fault_are_refused(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        fault_named(text)


def test_what_a_service_cannot_show_is_refused_when_it_is_armed_with_the_reason() -> None:
    rig = Rig(array=Dialect(unfit={"truncated": "it answers nothing."}))
    arming: tuple[Callable[[], None], ...] = (
        lambda: rig.seam.arm(f"{CALL}#1", FAULTS["truncated"]),
        lambda: rig.seam.arm_next(CALL, FAULTS["truncated"]),
        lambda: rig.seam.arm_always(CALL, FAULTS["truncated"]),
    )
    for arm in arming:
        with pytest.raises(UnfitFaultError, match=r"array.CreateSnapshot cannot meet truncated: it answers nothing\."):
            arm()
    assert (rig.seam.unspent(), rig.seam.standing(), rig.met()) == ((), (), "done")


MISTAKEN = {
    "array.CreateSnapshot": ("refused:xNotReadyForIo", ["xNotReadyForIO"]),
    "host.SR.introduce": ("error_after:SR_HAS_NO_PBD", ["SR_HAS_NO_PBDS"]),
    "host.VDI.copy": ("refused:SR_BACKEND_FAILURE_", ["SR_BACKEND_FAILURE"]),
    "s3.PutObject": ("refused:SlowDwon", ["SlowDown"]),
    "s3.CompleteMultipartUpload": ("refused:InternalEror-in-200", ["InternalError"]),
    "nfs.close": ("refused:ENOSP", ["ENOSPC"]),
}


@pytest.mark.parametrize("call", MISTAKEN)
def test_an_error_that_a_service_does_not_have_is_refused_when_it_is_armed(call: str) -> None:
    fault, near = MISTAKEN[call]
    seam = Seam(Rig().journal, dialects=DIALECTS)
    with pytest.raises(UnfitFaultError) as caught:
        seam.arm_next(call, fault_named(fault))
    assert list(caught.value.near)[:1] == near
    assert near[0] in str(caught.value)
    assert seam.unspent() == ()


def test_only_what_can_fail_late_can_be_made_to() -> None:
    seam = Seam(Rig().journal, dialects=DIALECTS)
    seam.arm_next("s3.CopyObject", fault_named("refused:InternalError-in-200"))
    with pytest.raises(UnfitFaultError, match="PutObject cannot fail inside a 200; only CompleteMultipartUpload"):
        seam.arm_next("s3.PutObject", fault_named("refused:InternalError-in-200"))


DAMAGE_REFUSED = {
    ("catalog.commit", "answer-cut"): r"catalog.commit cannot meet damaged: .*; write refused",
    ("array.CreateSnapshot", "answer-other"): "An array gives no 'answer-other'; there are answer-cut, answer-deep",
    ("host.SR.probe", "answer-of-another"): "A host gives no 'answer-of-another'; there are answer-cut, answer-deep",
    ("nfs.close", "request-cut"): r"nfs.close cannot meet damaged: ",
    ("s3.PutObject", "anser-cut"): "No damage is called 'anser-cut'; there are answer-cut, answer-flipped, request-cut",
    ("s3.PutObject", "answer-cut"): "PutObject has no content to damage in its answer; CompleteMultipartUpload,",
    ("s3.GetObject", "request-cut"): "GetObject has no content to damage in its request; PutObject, UploadPart have",
    ("s3.UploadPart", "stored-cut"): "UploadPart has no content to damage in its stored",
}


@pytest.mark.parametrize(("call", "name"), DAMAGE_REFUSED)
def test_damage_that_cannot_be_is_refused_when_it_is_armed(call: str, name: str) -> None:
    seam = Seam(Rig().journal, dialects=DIALECTS)
    with pytest.raises(UnfitFaultError, match=DAMAGE_REFUSED[call, name]):
        seam.arm_next(call, fault_named(f"damaged:{name}"))
    assert seam.unspent() == ()


def test_every_service_of_a_world_shows_a_fault_or_says_why_not() -> None:
    reasons = {(service, word): text for service, dialect in DIALECTS.items() for word, text in dialect.unfit.items()}
    assert all(text.endswith(".") and " write " in text for text in reasons.values()), "a reason names a cure"
    assert {service for service, _ in reasons} == {"nfs", "export", "iscsi", "catalog", "kvm"}
    assert {call.partition(".")[0] for call in calls()} <= DIALECTS.keys()


def test_whoever_holds_up_hears_of_calls_before_and_behind_them_and_of_points() -> None:
    rig = Rig()
    heard: list[str] = []
    rig.seam.hold_up(
        before=lambda label: heard.append(f"before {label}, {rig.effects} effects"),
        behind=lambda label: heard.append(f"behind {label}, {rig.effects} effects"),
    )
    rig.seam.reach("catalog", "begin")
    rig.call()
    rig.seam.reach("catalog", "begin")
    assert heard == [
        "before catalog.begin#1, 0 effects",
        f"before {CALL}#1, 0 effects",
        f"behind {CALL}#1, 1 effects",
        "before catalog.begin#2, 1 effects",
    ]
    assert rig.seam.labels() == (f"{CALL}#1",)
    assert not rig.seam.counts("catalog")
    rig.seam.hold_up()
    rig.call()
    rig.seam.restart_count()
    rig.seam.hold_up(before=heard.append)
    rig.seam.reach("catalog", "begin")
    assert heard[4:] == ["catalog.begin#1"]
