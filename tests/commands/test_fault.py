"""`snapproof fault` against a served world: it arms, lists and clears, and explains every mistake."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from snapproof.cli import main
from snapproof.fixtures.world import World
from snapproof.simulators.clock import VirtualClock
from snapproof.simulators.faults import FAULTS, Shape
from snapproof.simulators.serving import serve


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world whose control API is where the environment says."""
    with World.build(seed=1, clock=VirtualClock(), directory=tmp_path) as world, serve(world.wires().control) as door:
        monkeypatch.setenv("SNAPPROOF_CONTROL_URL", door.url)
        monkeypatch.setenv("SNAPPROOF_CONTROL_TOKEN", world.secrets.token)
        yield world


def lists(world: World) -> list[str]:
    login = world.secrets.clusters[0]
    with serve(world.wires().clusters[0]) as cluster:
        seen = []
        for _ in range(4):
            answer = requests.post(
                f"{cluster.url}/json-rpc/9.0",
                json={"method": "ListAccounts"},
                auth=(login.username, login.password),
                timeout=10,
            )
            seen.append(answer.json().get("error", {}).get("name", "ok"))
        return seen


def test_what_is_armed_strikes_and_is_told(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fault", "arm", "array.ListAccounts", "refused:xDBConnectionLoss", "--times", "2", "--skip", "1"]) == 0
    assert capsys.readouterr().out == (
        "unspent   array.ListAccounts#2=refused:xDBConnectionLoss\n"
        "unspent   array.ListAccounts#3=refused:xDBConnectionLoss\n"
    )
    assert main(["fault", "list"]) == 1, "something is unspent"
    assert lists(world) == ["ok", "xDBConnectionLoss", "xDBConnectionLoss", "ok"]
    capsys.readouterr()
    assert main(["fault", "list", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [fired["call"] for fired in told["fired"]] == ["array.ListAccounts#2", "array.ListAccounts#3"]


def test_what_stands_is_cleared(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    main(["fault", "arm", "array.ListAccounts", "refused", "--always"])
    main(["fault", "arm", "nfs.list", "hang_after"])
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "unspent   nfs.list#1=hang_after",
        "standing  array.ListAccounts=refused",
    ]
    assert main(["fault", "clear"]) == 0
    assert capsys.readouterr().out == "No fault is armed and none has fired.\n"
    assert lists(world) == ["ok"] * 4


@pytest.mark.parametrize(("arguments", "sentence"), [
    (["arm", "array.CreateSnapshto", "refused"], "Did you mean array.CreateSnapshot or"),
    (["arm", "array.CreateSnapshot", "lost_aftre"], "Did you mean lost_after or"),
    (["arm", "array.CreateSnapshot", "refused:xNotReadyForIo"], "Did you mean xNotReadyForIO"),
    (["arm", "nfs.list", "truncated"], "nfs.list cannot meet truncated"),
    (["arm", "array.CreateSnapshot", "crash_after"], "another process; write lost_after"),
    (["arm", "array.CreateSnapshot", "refused", "--times", "0"], "times"),
    (["list", "--token", "wrong"], "token that the world was started with"),
    (["list", "--token", ""], "SNAPPROOF_CONTROL_TOKEN is not set; paste what `snapproof serve` printed"),
    (["list", "--url", ""], "SNAPPROOF_CONTROL_URL is not set"),
    (["list", "--url", "127.0.0.1:1"], "it begins with http://127.0.0.1:"),
])  # fmt: skip
def test_a_mistake_is_explained_and_is_usage(
    world: World, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert main(["fault", *arguments]) == 4
    out, err = capsys.readouterr()
    assert (out, err.startswith("snapproof fault: "), sentence in err) == ("", True, True), err
    assert world.seam.unspent() == ()
    assert world.secrets.token not in err


def test_a_world_that_is_gone_has_a_code_of_its_own(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    with serve(world.wires().control) as door:
        url = door.url
    assert main(["fault", "list", "--url", url]) == 3
    assert f"No control API answers at {url}; is `snapproof serve` still running?" in capsys.readouterr().err


def test_the_help_teaches_every_fault_and_both_variables(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["fault", "--help"])
    told = capsys.readouterr().out
    assert left.value.code == 0
    shown = {word for word, fault in FAULTS.items() if fault.shape is not Shape.CRASH}
    stems = {word.removesuffix("_before").removesuffix("_after") for word in shown} | {"error_after"}
    assert [stem for stem in stems - {"error"} if stem not in told] == []
    assert "SNAPPROOF_CONTROL_URL" in told
    assert "SNAPPROOF_CONTROL_TOKEN" in told
