"""The drill of docs/repair.md on the simulators: find orphans, bring a deleted volume back, and see its bytes again."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from snapproof.cli import main
from snapproof.drivers.contract import message_of
from snapproof.fixtures.caller import Caller
from snapproof.fixtures.doors import Doors
from snapproof.fixtures.lab import SimulatedLab, simulated_lab
from snapproof.reference_impl.adapters.element_owners import OWNER_MARK
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.repairing import KIND
from snapproof.simulators.solidfire.calls import call

PROCEDURE = Path(__file__).parents[2] / "docs" / "repair.md"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[SimulatedLab]:
    folder = tmp_path / "lab"
    folder.mkdir()
    with simulated_lab(ReferenceDriver, store="nfs", seed=4, directory=folder) as opened:
        yield opened


@pytest.fixture
def site(lab: SimulatedLab, tmp_path: Path) -> Iterator[str]:
    """The file that says where the lab's services listen."""
    with ExitStack() as opened:
        doors = opened.enter_context(Doors(lab._site, on_crash=lambda _crash: None))
        path = tmp_path / "site.json"
        path.write_bytes(msgspec.json.encode(message_of(doors.site)))
        yield str(path)


@pytest.mark.requirement(id="R-099")
def test_a_volume_that_was_deleted_by_mistake_is_back_with_its_bytes(
    lab: SimulatedLab, site: str, capsys: pytest.CaptureFixture[str]
) -> None:
    caller = Caller(lab)
    volume = caller.used_volume()
    content = lab.content_of(volume)
    assert content.blocks, "A volume without bytes would prove nothing."
    caller.discard("mistake", volume.id).raise_if_failed()
    assert lab.driver.list_volumes() == []
    for _ in range(2):
        assert main(["repair", "--site", site, "recover", volume.id]) == 0
    assert f"Volume {volume.id} of team-blue is there" in capsys.readouterr().out
    assert lab.driver.list_volumes() == [volume]
    assert lab.content_of(volume) == content
    recovered = [event.phase for event in lab.driver.audit_events() if event.type == KIND]
    assert recovered == ["Created", "Started", "Completed"]
    assert caller.take("after", volume.id).error is None


@pytest.mark.requirement(id="R-099")
def test_orphans_are_found_and_explained(lab: SimulatedLab, site: str, capsys: pytest.CaptureFixture[str]) -> None:
    caller = Caller(lab)
    taken = caller.take("take", caller.used_volume().id).result()
    assert main(["repair", "--site", site, "orphans"]) == 0
    tag = {"owner": OWNER_MARK, "job": "take", "subject": taken.id}
    call(lab._world.arrays[0], "CreateSnapshot", volumeID=71_002, name="late", attributes=tag)
    assert main(["repair", "--site", site, "orphans"]) == 1
    assert f"snapshot 82003 late of {taken.id} by job take" in capsys.readouterr().out
    assert main(["explain", "--site", site, taken.id]) == 1
    assert "MISMATCH     Array snapshot 82003 (late) is of it, and no record speaks of it." in capsys.readouterr().out


def test_what_the_array_has_purged_is_not_pretended_to_be_back(
    lab: SimulatedLab, site: str, capsys: pytest.CaptureFixture[str]
) -> None:
    caller = Caller(lab)
    volume = caller.used_volume()
    caller.discard("mistake", volume.id).raise_if_failed()
    call(lab._world.arrays[0], "PurgeDeletedVolume", volumeID=int(volume.target.rpartition(".")[2]))
    assert main(["repair", "--site", site, "recover", volume.id]) == 1
    assert "cannot be brought back on the array" in capsys.readouterr().err
    assert lab.driver.list_volumes() == []


def test_a_volume_of_somebody_else_under_that_number_is_left_alone(
    lab: SimulatedLab, site: str, capsys: pytest.CaptureFixture[str]
) -> None:
    caller = Caller(lab)
    volume = caller.used_volume()
    caller.discard("mistake", volume.id).raise_if_failed()
    array, number = lab._world.arrays[0], int(volume.target.rpartition(".")[2])
    call(array, "RestoreDeletedVolume", volumeID=number)
    call(array, "ModifyVolume", volumeID=number, attributes={"owner": "somebody"})
    before = lab.inventory()
    assert main(["repair", "--site", site, "recover", volume.id]) == 1
    assert "is not what was volume" in capsys.readouterr().err
    assert lab.inventory() == before


def test_a_volume_that_never_was_is_said_so(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["repair", "--site", site, "recover", "nobody"]) == 1
    assert "There is no volume nobody, nor was there one." in capsys.readouterr().err


@pytest.mark.requirement(id="R-099")
def test_the_written_procedure_names_commands_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    named = set(re.findall(r"`snapproof (\w+) --site site\.json (\w+)", PROCEDURE.read_text(encoding="utf-8")))
    assert named == {("explain", "SNAPSHOT"), ("repair", "orphans"), ("repair", "recover")}
    for command, _ in named:
        with pytest.raises(SystemExit):
            main([command, "--help"])
        assert "--site FILE" in capsys.readouterr().out
