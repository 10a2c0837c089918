"""Cases forked from one arrangement are the cases of worlds of their own; and faults strike in recovery too."""

from pathlib import Path

import pytest

from snapproof.campaign.exploring import explore, require_clean
from snapproof.campaign.running import run
from snapproof.campaign.schedule import Schedule, read_schedule
from snapproof.campaign.strategies import closure
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.fixtures.durable import digest_of
from snapproof.fixtures.forked_cases import CaseDiedError, ForkedCases, KeptFiles
from snapproof.inventory import Inventory
from snapproof.reference_impl.driver import ReferenceDriver

OPEN = lab_opener(ReferenceDriver)
IN_RECOVERY = "take-secondary/v1 store=nfs seed=4 :: host.SR.forget#1=crash_before; array.DeleteVolume#1=lost_after"
TEXTS = (
    "delete-secondary/v1 store=nfs seed=4",
    "delete-secondary/v1 store=nfs seed=4 :: nfs.delete#1=crash_after",
    "delete-secondary/v1 store=nfs seed=4 :: nfs.delete#1=crash_after; nfs.delete#2=refused; catalog.commit#3=refused",
    "delete-secondary/v1 store=s3 seed=4 :: s3.DeleteObject#1=lost_after",
    IN_RECOVERY,
)


@pytest.mark.parametrize("text", TEXTS)
def test_a_forked_case_is_the_case_of_a_world_of_its_own(forked: ForkedCases, text: str) -> None:
    schedule = read_schedule(text)
    first = forked(schedule)
    assert first == run(schedule, OPEN)
    assert first == forked(schedule)  # what it left in files was put back
    assert not first.violations


def test_a_second_fault_strikes_in_the_recovery(forked: ForkedCases) -> None:
    case = forked(read_schedule(IN_RECOVERY))
    assert case.ending == "crashed"
    assert "array.DeleteVolume#1" not in case.calls
    labels = [crossing.label for crossing in case.crossings]
    assert labels.index("host.SR.forget#1") < labels.index("array.DeleteVolume#1")
    assert [crossing.label for crossing in case.after_last_fault()] == labels[
        labels.index("array.DeleteVolume#1") + 1 :
    ]


def test_a_sweep_is_part_of_every_case(forked: ForkedCases) -> None:
    case = forked(read_schedule(TEXTS[0]))
    assert set(case.calls) < {crossing.label for crossing in case.crossings}
    assert case.crossings[-1].label.startswith("array.ListSnapshots#")  # what the sweep looks for last


def test_a_case_that_dies_is_told(forked: ForkedCases) -> None:
    with pytest.raises(CaseDiedError, match="CloneVolume#1=nonsense ended without telling how"):
        forked(
            Schedule(workflow="delete-secondary", store="nfs", seed=4, faults=(("array.CloneVolume#1", "nonsense"),))
        )


def test_deaths_lead_to_known_states_until_nothing_is_new(forked: ForkedCases) -> None:
    clean = require_clean(forked(read_schedule("delete-secondary/v1 store=nfs seed=4 guest=still"), states=True))
    states = {crossing.state for crossing in clean.crossings}
    cases = list(explore(clean, closure(0), lambda part: (forked(one, states=True) for one in part)))
    assert 1 < len(states) <= len(cases) < 30
    assert not any(case.violations for case in cases)


def test_a_schedule_of_a_closure_is_replayed_without_looking_at_states(forked: ForkedCases) -> None:
    schedule = read_schedule("delete-secondary/v1 store=nfs seed=4 guest=still :: nfs.delete#1=crash_before")
    looked, plain = forked(schedule, states=True), forked(schedule)
    assert all(crossing.state for crossing in looked.crossings)
    assert (looked.digest, [c.label for c in looked.crossings]) == (plain.digest, [c.label for c in plain.crossings])


def test_files_are_put_back_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    for name in ("same", "changed", "gone"):
        (tmp_path / "kept" / name).write_text(name)
    kept = KeptFiles(tmp_path)
    (tmp_path / "kept" / "changed").write_text("something else")
    (tmp_path / "kept" / "gone").rename(tmp_path / "moved")
    (tmp_path / "new" / "below").mkdir(parents=True)
    (tmp_path / "new" / "below" / "file").touch()
    inode = (tmp_path / "kept" / "same").stat().st_ino
    kept.put_back()
    found = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {f"kept/{name}": name for name in ("same", "changed", "gone")}
    assert not (tmp_path / "new").exists()
    assert (tmp_path / "kept" / "same").stat().st_ino == inode


def test_a_state_leaves_out_what_hosts_draw_by_lot_and_nothing_else(tmp_path: Path) -> None:
    def digest(*lines: str) -> str:
        return digest_of(Inventory({"pool": lines}), tmp_path)

    drawn, other = "f107ed60-4084-47e0-a195-336cffa53fcd", "b22983dd-c017-47c3-9733-2504e12c1504"
    derived = "7975b117-f08e-5636-a06c-4bb9ff077739"
    assert digest(f"sr {drawn} plugged") == digest(f"sr {other} plugged")
    assert digest(f"sr {drawn} plugged") != digest(f"sr {derived} plugged")
    assert digest("a", "b") == digest("b", "a")
    assert digest("a") != digest("a", "a")
    before = digest("a")
    (tmp_path / "notes.txt").write_text("something")
    assert digest("a") != before
