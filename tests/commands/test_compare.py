"""What a real cluster answered is held against what ours answers: every difference is told, and no other."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import urllib3

from snapproof.cli import main
from snapproof.commands.compare import differences
from snapproof.commands.record import Forward, Keeper
from snapproof.fixtures.recordings import recording
from snapproof.fixtures.world import World
from snapproof.simulators.certificates import certificate
from snapproof.simulators.clock import VirtualClock
from snapproof.simulators.serving import Wire, serve
from snapproof.simulators.solidfire.surface.shapes import version

EXAMPLE = Path(__file__).parents[2] / "docs" / "recordings" / "older-cluster.ndjson"


def told(wire: Wire, headers: Mapping[str, str]) -> None:
    """A client's story: an account, volumes, snapshots, a clone, and a refusal."""

    def ask(method: str, **params: Any) -> Any:
        body = json.dumps({"method": method, "params": params, "id": 7}).encode()
        return json.loads(wire("POST", "/json-rpc/9.0", headers, body)[2]).get("result")

    account = ask("AddAccount", username="acme", initiatorSecret="a-secret-of-16-c")["accountID"]
    size = {"totalSize": 10**9, "enable512e": True}
    volumes = [ask("CreateVolume", name=name, accountID=account, **size)["volumeID"] for name in ("one", "two")]
    snapshot = ask("CreateSnapshot", volumeID=volumes[1], name="nightly")["snapshotID"]
    clone = ask("CloneVolume", volumeID=volumes[1], snapshotID=snapshot, name="three")
    ask("GetAsyncResult", asyncHandle=clone["asyncHandle"])
    ask("ListVolumes", volumeIDs=volumes)
    ask("ListSnapshots", volumeID=volumes[1])
    ask("DeleteSnapshot", snapshotID=987)
    ask("GetAPI")


def recorded(tmp_path: Path, *, newest: str | None = None, earlier: int = 0) -> Path:
    """Record a cluster: of this release or an older one, fresh or with volumes that were made before."""
    path = tmp_path / "recording.ndjson"
    folder = tmp_path / "export"
    folder.mkdir()
    with World.build(seed=5, clock=VirtualClock(), directory=folder) as world, path.open("w", encoding="utf-8") as file:
        world.arrays[0].newest_api = version(newest) if newest else None
        login = world.secrets.clusters[0]
        basic = base64.b64encode(f"{login.username}:{login.password}".encode()).decode()
        headers, door = {"authorization": f"Basic {basic}"}, world.wires().clusters[0]
        for number in range(earlier):
            body = json.dumps({"method": "AddAccount", "params": {"username": f"earlier-{number}"}}).encode()
            door("POST", "/json-rpc/9.0", headers, body)
        told(recording(door, Keeper(file)), headers)
    return path


def test_a_cluster_like_ours_differs_in_nothing_whatever_numbers_things_have_there(tmp_path: Path) -> None:
    path = recorded(tmp_path, earlier=3)
    assert len(path.read_text().splitlines()) == 10
    assert [str(each) for each in differences(path)] == []


def test_no_secret_is_recorded(tmp_path: Path) -> None:
    text = recorded(tmp_path).read_text()
    assert '"initiatorSecret": "***"' in text
    assert "a-secret" not in text
    assert "Basic" not in text


@pytest.mark.requirement(id="R-123")
def test_every_difference_of_another_release_is_told() -> None:
    found = [str(each) for each in differences(EXAMPLE)]
    assert any("memberOfAnotherRelease: only recorded" in line for line in found)
    assert any("only simulated" in line for line in found)
    assert all(line[0].isdigit() and ": " in line for line in found)
    strange = EXAMPLE.read_text(encoding="utf-8").count("memberOfAnotherRelease")
    assert sum("memberOfAnotherRelease" in line for line in found) >= strange // 2


@pytest.mark.requirement(id="R-123")
@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("CreateSnapshot", {"status": 500}, "status: recorded 500, simulated 200"),
        ("DeleteSnapshot", {"error": {"name": "xUnknown"}}, "error.name: recorded xUnknown, simulated xSnapshotID"),
        ("ListVolumes", {"result": {"volumes": []}}, "result.volumes: recorded 0 entries, simulated 2"),
        ("AddAccount", {"result": {"accountID": "1"}}, "accountID: recorded a text, simulated a number"),
        ("GetAsyncResult", {"result": {"status": "complete"}}, "only simulated"),
    ],
)
def test_a_planted_difference_is_told(tmp_path: Path, name: str, change: Mapping[str, Any], words: str) -> None:
    path = recorded(tmp_path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    changed = [{**line, **change} if line["method"] == name else line for line in lines]
    path.write_text("\n".join(map(json.dumps, changed)))
    assert any(words in str(each) and name in str(each) for each in differences(path))


def test_the_command_tells_how_many_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(recorded(tmp_path))]) == 0
    assert main(["compare", str(EXAMPLE)]) == 1
    assert main(["compare", str(tmp_path / "nowhere")]) == 4
    assert "0 differences." in capsys.readouterr().out


def test_the_proxy_passes_calls_on_and_keeps_them(tmp_path: Path) -> None:
    issued, path = certificate(), tmp_path / "recording.ndjson"
    authority = tmp_path / "ca.pem"
    authority.write_bytes(issued.authority_pem)
    folder = tmp_path / "export"
    folder.mkdir()
    with World.build(seed=5, clock=VirtualClock(), directory=folder) as world, path.open("w", encoding="utf-8") as file:
        login = world.secrets.clusters[0]
        with (
            serve(world.wires().clusters[0], tls=issued.context) as cluster,
            serve(recording(Forward(cluster.url, authority), Keeper(file)), blocking=True) as proxy,
            urllib3.PoolManager() as client,
        ):
            headers = urllib3.make_headers(basic_auth=f"{login.username}:{login.password}")
            body = b'{"method": "GetAPI", "id": 1}'
            answers = [client.request("POST", f"{proxy.url}/json-rpc/9.0", headers=headers, body=body) for _ in "12"]
    assert [answer.status for answer in answers] == [200, 200]
    assert [json.loads(line)["method"] for line in path.read_text().splitlines()] == ["GetAPI", "GetAPI"]
