"""The timeline of a scenario: both sides in one order, with questions and answers, and no trace in the world."""

from pathlib import Path

import pytest

from snapproof.driver import NotFoundError
from snapproof.fixtures.lab import simulated_lab
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.timeline import Kind, Moment
from snapproof.vocabulary import AccountId, OperationId, SnapshotId, SnapshotRequest, VolumeRequest

MIB = 2**20


@pytest.fixture(scope="module")
def moments(tmp_path_factory: pytest.TempPathFactory) -> list[Moment]:
    """A volume, a snapshot whose answer is lost, an hour, and a snapshot that is not there."""
    volume = VolumeRequest(operation=OperationId("1"), account=AccountId("team"), name="db", size_bytes=MIB)
    with simulated_lab(ReferenceDriver, store="nfs", seed=1, directory=tmp_path_factory.mktemp("lab")) as lab:
        lab.hearing.step("Given a volume")
        made = lab.attempt(lambda driver: driver.create_volume(volume)).result()
        lab.hearing.step("When a snapshot is taken")
        taking = SnapshotRequest(operation=OperationId("2"), volume=made.id, name="nightly", location="PRIMARY")
        lab.watch_calls()
        lab.arm("array.CreateSnapshot#1", "lost_after")
        lab.attempt(lambda driver: driver.take_snapshot(taking)).result()
        lab.advance(3_600)
        lab.attempt(lambda driver: driver.delete_snapshot(OperationId("3"), SnapshotId("nowhere")))
        return list(lab.hearing.moments)


def places(moments: list[Moment], *wanted: tuple[Kind, str]) -> list[int]:
    """Where these moments stand, the first of each."""
    return [next(n for n, each in enumerate(moments) if (each.kind, each.text) == pair) for pair in wanted]


def test_both_sides_stand_in_the_order_in_which_they_happened(moments: list[Moment]) -> None:
    found = places(
        moments,
        (Kind.STEP, "Given a volume"),
        (Kind.VERB, "create_volume"),
        (Kind.CALL, "CreateVolume#1"),
        (Kind.ANSWER, "create_volume"),
        (Kind.STEP, "When a snapshot is taken"),
        (Kind.VERB, "take_snapshot"),
        (Kind.CALL, "CreateSnapshot#1"),
        (Kind.CHANGE, "snapshot created"),
        (Kind.ANSWER, "take_snapshot"),
    )
    taken = next(n for n, each in enumerate(moments) if each.text == "take_snapshot")
    found[7] = next(n for n, each in enumerate(moments) if n > taken and each.text == "snapshot created")
    assert found == sorted(found)


def test_a_fault_is_told_with_the_call_that_it_struck(moments: list[Moment]) -> None:
    assert [each.text for each in moments if each.kind is Kind.FAULT] == ["lost_after at array.CreateSnapshot#1"]


def test_a_refusal_is_an_answer_with_its_class_and_its_words(moments: list[Moment]) -> None:
    answer = moments[-1]
    assert (answer.kind, answer.lane, answer.text) == (Kind.ANSWER, "driver", "delete_snapshot")
    assert answer.facts.startswith(f"{NotFoundError.__name__}: ")


def test_the_clock_only_moves_on(moments: list[Moment]) -> None:
    assert [each.time_s for each in moments] == sorted(each.time_s for each in moments)
    assert moments[0].time_s == 0
    assert moments[-1].time_s >= 3_600


def test_what_is_asked_is_told_without_the_names_of_classes(moments: list[Moment]) -> None:
    asked = next(each for each in moments if each.kind is Kind.VERB)
    assert asked.facts.startswith("operation='1', account='team', name='db', size_bytes=1048576")


def test_hearing_leaves_no_trace_in_the_journal(tmp_path: Path) -> None:
    digests = []
    for name, heard in (("a", True), ("b", False)):
        (tmp_path / name).mkdir()
        with simulated_lab(ReferenceDriver, store="nfs", seed=1, directory=tmp_path / name) as lab:
            if heard:
                lab.hearing.step("a step")
                lab.attempt(lambda driver: driver.list_snapshots())
            else:
                lab.driver.list_snapshots()
            digests.append(lab.journal_digest())
    assert digests[0] == digests[1]
