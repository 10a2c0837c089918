"""CSI drivers by the bridge: its messages byte by byte, and a controller of our own judged through a socket."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapproof.drivers.csi.messages import MESSAGES, Field, read, written
from snapproof.fixtures.forked_cases import in_a_child
from snapproof.report.ledger import read_ledger
from snapproof.report.records import ScenarioFinished
from snapproof.selection import load_driver
from snapproof.verdict import State

SERVER = Path(__file__).with_name("csi_server.py")
TEXTS = st.text(max_size=20)


def values(message: str) -> st.SearchStrategy[dict[str, object]]:
    """Anything that a message may hold."""
    return st.fixed_dictionaries({field.name: value_of(field) for field in MESSAGES[message]})


def value_of(field: Field) -> st.SearchStrategy[object]:
    plain = {
        "string": TEXTS,
        "int": st.integers(-(2**63), 2**63 - 1),
        "bool": st.booleans(),
        "map": st.dictionaries(TEXTS, TEXTS, max_size=3),
    }
    if field.kind in plain:
        return plain[field.kind]
    return st.lists(values(field.kind), max_size=2) if field.repeated else st.none() | values(field.kind)


@pytest.mark.parametrize("message", MESSAGES)
def test_every_message_arrives_as_it_was(message: str) -> None:
    @given(value=values(message))
    def arrives(value: dict[str, object]) -> None:
        assert read(message, written(message, value)) == value

    arrives()


@pytest.mark.parametrize(
    ("message", "value", "text"),
    [
        ("CreateSnapshotRequest", {"source_volume_id": "v", "name": "n"}, "0a0176 12016e"),
        ("CapacityRange", {"required_bytes": 300}, "08ac02"),
        ("CapacityRange", {"limit_bytes": -1}, "10ffffffffffffffffff01"),
        ("DeleteVolumeRequest", {"secrets": {"a": "b"}}, "1206 0a0161 120162"),
        ("VolumeCapability", {"block": {}, "access_mode": {"mode": 1}}, "0a00 1a02 0801"),
        ("Snapshot", {"snapshot_id": "7", "ready_to_use": True}, "120137 2801"),
    ],
)
def test_messages_are_written_as_protocol_buffers_say(message: str, value: dict[str, object], text: str) -> None:
    assert written(message, value) == bytes.fromhex(text)


def test_fields_that_nobody_here_knows_are_skipped() -> None:
    later = bytes.fromhex("120137 22020801 3206 676f6c64656e 2801 3d01020304 4101020304050607 08")
    assert read("Snapshot", later)["ready_to_use"]


@pytest.mark.parametrize("text", ["0a", "0a05", "0a0576", "80", "ffffffffffffffffffffff", "0b", "0801", "1a0176"])
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"byte \d+|wire type"):
        read("CreateSnapshotRequest", bytes.fromhex(text))
    with pytest.raises(ValueError, match="has no fields colour"):
        written("Snapshot", {"colour": "red"})


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
    with pytest.raises(pytest.UsageError, match=words):
        load_driver(uri)


def complaint_without(module: str) -> str:
    """Say what a child of this process is told that has no such module."""

    def told() -> bytes:
        for name in [name for name in sys.modules if name.startswith(("snapproof.drivers.csi", module))]:
            del sys.modules[name]
        sys.modules[module] = None  # type: ignore[assignment]  # which is how an import of it fails
        with pytest.raises(pytest.UsageError) as refused:
            load_driver("csi+unix:///run/csi.sock")
        return str(refused.value).encode()

    return in_a_child(told).decode()


def test_where_the_extra_is_not_installed_the_cure_is_told() -> None:
    assert "pip install 'snapproof[csi]'" in complaint_without("grpc")
