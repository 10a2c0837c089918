"""CSI drivers by the bridge: its messages byte by byte, and a controller of our own judged through a socket."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from snapproof.commands.forked import in_a_child
from snapproof.drivers.csi.messages import Messages
from snapproof.naming import UnknownDriverError, load_driver
from snapproof.report.ledger import read_ledger
from snapproof.report.records import ScenarioFinished
from snapproof.verdict import State

SERVER = Path(__file__).with_name("csi_server.py")
MESSAGES = Messages()
SECRETS = {"secrets": {"a": "b"}}
CREATE_VOLUME = {
    "name": "n",
    "capacity_range": {"required_bytes": 300},
    "volume_capabilities": [{"block": {}, "access_mode": {"mode": 1}}],
    "parameters": {"p": "q"},
    "volume_content_source": {"snapshot": {"snapshot_id": "7"}},
    **SECRETS,
}
VOLUME = {"capacity_bytes": 1, "volume_id": "v", "volume_context": {"a": "b"}}
SNAPSHOT = {"size_bytes": 1, "snapshot_id": "7", "source_volume_id": "v", "ready_to_use": True}


@pytest.mark.parametrize(
    ("message", "value", "text"),
    [
        ("GetPluginInfoRequest", {}, ""),
        ("GetPluginInfoResponse", {"name": "n", "vendor_version": "1"}, "0a016e 120131"),
        ("ControllerGetCapabilitiesResponse", {"capabilities": [{"rpc": {"type": 5}}] * 2}, "0a040a020805" * 2),
        (
            "CreateVolumeRequest",
            CREATE_VOLUME,
            "0a016e 120308ac02 1a06 0a00 1a020801 2206 0a0170 120171 2a06 0a0161 120162 3205 0a03 0a0137",
        ),
        ("CreateVolumeResponse", {"volume": VOLUME}, "0a0d 0801 120176 1a06 0a0161 120162"),
        ("DeleteVolumeRequest", {"volume_id": "v", **SECRETS}, "0a0176 1206 0a0161 120162"),
        ("CreateSnapshotRequest", {"source_volume_id": "v", "name": "n"}, "0a0176 12016e"),
        ("CreateSnapshotRequest", {"parameters": {"p": "q"}, **SECRETS}, "1a06 0a0161 120162 2206 0a0170 120171"),
        ("CreateSnapshotResponse", {"snapshot": SNAPSHOT}, "0a0a 0801 120137 1a0176 2801"),
        ("DeleteSnapshotRequest", {"snapshot_id": "7", **SECRETS}, "0a0137 1206 0a0161 120162"),
        ("DeleteSnapshotResponse", {}, ""),
        ("CapacityRange", {"limit_bytes": -1}, "10ffffffffffffffffff01"),
    ],
)
def test_messages_are_written_as_protocol_buffers_say(message: str, value: dict[str, object], text: str) -> None:
    assert MESSAGES.written(message, value) == bytes.fromhex(text)
    assert MESSAGES.written(message, dict(reversed(value.items()))) == bytes.fromhex(text)


def test_fields_that_nobody_here_knows_are_skipped() -> None:
    later = bytes.fromhex("120137 22020801 3206 676f6c64656e 2801 3d01020304 4101020304050607 08")
    assert MESSAGES.read("Snapshot", later).ready_to_use


def test_a_field_of_another_type_is_one_that_nobody_knows() -> None:
    assert not MESSAGES.read("CreateSnapshotRequest", bytes.fromhex("0801")).source_volume_id


@pytest.mark.parametrize("text", ["0a", "0a05", "0a0576", "80", "ffffffffffffffffffffff", "0b", "0a01ff", "1a0176"])
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="bytes are no CreateSnapshotRequest"):
        MESSAGES.read("CreateSnapshotRequest", bytes.fromhex(text))


def test_a_message_with_a_field_that_it_does_not_have_is_not_written() -> None:
    with pytest.raises(ValueError, match="colour"):
        MESSAGES.written("Snapshot", {"colour": "red"})


def judged(folder: Path, *words: str) -> dict[str, ScenarioFinished]:
    command = [sys.executable, "-m", "snapproof", "run", "--driver", f"csi+cmd:{sys.executable} {SERVER} {words[0]}"]
    chosen = [*command, "--report", str(folder / "report"), *words[1:]]
    done = subprocess.run(chosen, env=os.environ, check=False, capture_output=True, text=True, cwd=folder)
    assert (folder / "report" / "results.ndjson").exists(), done.stderr
    records = [record for record in read_ledger(folder / "report") if isinstance(record, ScenarioFinished)]
    return {f"{each.scenario.name} {each.scenario.example}": each for each in records}


def test_a_controller_is_judged_by_what_csi_has_words_for(tmp_path: Path) -> None:
    pytest.importorskip("grpc", reason="gRPC is not installed (snapproof[csi]).")
    found = judged(tmp_path, "", "features/take/primary.feature", "-k", "not lost_before")
    assert {each.state for each in found.values()} == {State.PASS}
    assert {each.driver.name for each in found.values() if each.driver} == {"csi.mini.example"}


def test_a_controller_that_does_not_look_before_it_acts_again_is_caught(tmp_path: Path) -> None:
    pytest.importorskip("grpc", reason="gRPC is not installed (snapproof[csi]).")
    found = judged(tmp_path, "--careless", "features/take/primary.feature", "-k", "lost_after")
    ((_, result),) = found.items()
    assert result.state is State.FAIL
    assert "is an orphan" in result.reason or "1 more array snapshot" in result.reason or "2 more" in result.reason


@pytest.mark.parametrize(
    ("uri", "words"), [("csi+unix:csi.sock", "names no socket"), ("csi+cmd: ", "names no command")]
)
def test_what_names_no_controller_is_refused(uri: str, words: str) -> None:
    with pytest.raises(UnknownDriverError, match=words):
        load_driver(uri)


def complaint_without(module: str) -> str:
    """Say what a child of this process is told that has no such module."""

    def told() -> bytes:
        for name in [name for name in sys.modules if name.startswith(("snapproof.drivers.csi", module))]:
            del sys.modules[name]
        sys.modules[module] = None  # type: ignore[assignment]  # which is how an import of it fails
        with pytest.raises(UnknownDriverError) as refused:
            load_driver("csi+unix:///run/csi.sock")
        return str(refused.value).encode()

    return in_a_child(told).decode()


@pytest.mark.parametrize("module", ["grpc", "google.protobuf"])
def test_where_the_extra_is_not_installed_the_cure_is_told(module: str) -> None:
    assert "pip install 'snapproof[csi]'" in complaint_without(module)
