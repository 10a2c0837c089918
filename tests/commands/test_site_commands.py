"""`snapproof doctor` and `snapproof explain --site`, asked from outside about a site on sockets."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from snapproof.cli import main
from snapproof.drivers.contract import message_of
from snapproof.fixtures.doors import Doors
from snapproof.fixtures.lab import SimulatedLab, simulated_lab
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.vocabulary import AccountId, OperationId, SnapshotRequest, VolumeRequest


@pytest.fixture
def site_file(tmp_path: Path) -> Iterator[tuple[SimulatedLab, Path]]:
    """A lab whose services listen on sockets, and the file that says where they are."""
    with ExitStack() as opened:
        folder = tmp_path / "lab"
        folder.mkdir()
        lab = opened.enter_context(simulated_lab(ReferenceDriver, store="nfs", seed=4, directory=folder))
        doors = opened.enter_context(Doors(lab._site, on_crash=lambda _crash: None))
        path = tmp_path / "site.json"
        path.write_bytes(msgspec.json.encode(message_of(doors.site)))
        yield lab, path


def test_a_site_is_examined_and_the_exit_code_tells(
    site_file: tuple[SimulatedLab, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    _, path = site_file
    code, lines = main(["doctor", "--site", str(path)]), capsys.readouterr().out.splitlines()
    failing = [line for line in lines if line.startswith("FAIL")]
    assert [line.split(":")[0] for line in failing] == ["FAIL  clocks"], "The lab's clock is not this machine's."
    assert code == 1
    assert "pass  array login: it knows the account" in lines


def test_a_snapshot_is_explained_and_the_exit_code_tells(
    site_file: tuple[SimulatedLab, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    lab, path = site_file
    request = VolumeRequest(operation=OperationId("v"), account=AccountId("blue"), name="db", size_bytes=2**20)
    volume = lab.driver.create_volume(request)
    taken = lab.driver.take_snapshot(SnapshotRequest(operation=OperationId("s"), volume=volume.id, name="nightly"))
    assert main(["explain", "--site", str(path), taken.id]) == 0
    assert "agree" in capsys.readouterr().out
    lab.lose_array_snapshot(int(taken.copies[0].reference.removeprefix("SfSnapshotId=")))
    assert main(["explain", "--site", str(path), taken.id]) == 1
    assert "MISMATCH     Array snapshot 82002 is recorded and is not on the array." in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "{}", json.dumps({"array": {"password": "canary"}})])
@pytest.mark.parametrize("command", [["doctor"], ["explain", "x"]])
def test_a_file_that_says_no_site_is_refused_and_not_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, command: list[str]
) -> None:
    path = tmp_path / "site.json"
    path.write_text(text, encoding="utf-8")
    assert main([*command, "--site", str(path)]) == 4
    said = capsys.readouterr().err
    assert "is not what /v1/begin takes" in said
    assert "canary" not in said


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--site", str(tmp_path / "none")]) == 4
    assert "cannot be read: No such file or directory." in capsys.readouterr().err
