"""The vendor's command line, unmodified: one process a command, its `-j` answer and what the array then holds."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.clients

GB = 1_000_000_000
COMMAND_S = 60


@pytest.fixture
def run_sfcli(
    programs_of: Callable[[str], Path], client_environment: dict[str, str], site: Any
) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs one command. Without --nocache it would write the password into its own installation."""
    program = programs_of("sfcli") / "sfcli"
    door = site.doors()[0]
    login = ("-m", door["host"], "-q", str(door["port"]), "-u", door["username"], "-p", door["password"])

    def run(*words: str, options: tuple[str, ...] = ("-j",)) -> "subprocess.CompletedProcess[str]":
        command = [str(program), *options, "--nocache", *login, *words]
        return subprocess.run(
            command, env=client_environment, capture_output=True, text=True, timeout=COMMAND_S, check=False
        )

    return run


@pytest.fixture
def sfcli(run_sfcli: Callable[..., "subprocess.CompletedProcess[str]"]) -> Callable[..., Any]:
    """Runs one command and reads its answer."""

    def ask(*words: str) -> Any:
        done = run_sfcli(*words)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout[done.stdout.index("{") :])

    return ask


def test_a_snapshot_is_taken_cloned_rolled_back_to_and_deleted_by_command(sfcli: Callable[..., Any], site: Any) -> None:
    account = sfcli("account", "add", "--username", "tenant")["result"]["accountID"]
    volume = sfcli(
        "volume", "create", "--name", "disk", "--accountid", str(account), "--totalsize", str(GB), "--enable512e",
        "true", "--miniops", "100",
    )["result"]  # fmt: skip
    snapshot = sfcli("snapshot", "create", "--volumeid", "1", "--name", "first")["result"]
    clone = sfcli("volume", "clone", "--volumeid", "1", "--name", "copy", "--snapshotid", "1")["result"]
    site.world.clock.advance(60)
    finished = sfcli("async", "getresult", "--asynchandle", str(clone["asyncHandle"]), "--keepresult", "true")["result"]
    kept = sfcli(
        "snapshot", "rollbackto", "--volumeid", "1", "--snapshotid", "1", "--savecurrentstate", "true", "--name", "kept"
    )["result"]
    assert site.left() == [
        "snapshot 1 of volume 1 first", "snapshot 2 of volume 1 kept", "volume 1 disk active", "volume 2 copy active",
    ]  # fmt: skip
    assert (volume["volumeID"], volume["volume"]["qos"]["minIOPS"]) == (1, 100)
    assert (snapshot["snapshotID"], kept["snapshot"]["name"], clone["volumeID"]) == (1, "kept", 2)
    assert (finished["status"], finished["result"]["volumeID"]) == ("complete", 2)

    sfcli("snapshot", "delete", "--snapshotid", "1")
    sfcli("volume", "delete", "--volumeid", "2")
    sfcli("volume", "purgedeleted", "--volumeid", "2")
    assert site.left() == ["snapshot 2 of volume 1 kept", "volume 1 disk active"]


def test_access_groups_are_made_by_command(sfcli: Callable[..., Any], site: Any) -> None:
    sfcli("account", "add", "--username", "tenant")
    sfcli("volume", "create", "--name", "disk", "--accountid", "1", "--totalsize", str(GB), "--enable512e", "false")
    host = "iqn.1994-05.com.redhat:cli"
    made = sfcli("volumeaccessgroup", "create", "--name", "hosts", "--initiators", host, "--volumes", "1")["result"]
    listed = sfcli("volumeaccessgroup", "list")["result"]["volumeAccessGroups"]
    group = made["volumeAccessGroupID"]
    assert [row["volumes"] for row in listed if row["volumeAccessGroupID"] == group] == [[1]]
    assert f"access group {group} hosts volumes [1] initiators ['{host}']" in site.left()
    sfcli("volumeaccessgroup", "delete", "--volumeaccessgroupid", str(group))
    assert site.left() == ["volume 1 disk active"]


def test_a_refusal_is_printed_raw_with_j_and_as_its_message_without(
    run_sfcli: Callable[..., "subprocess.CompletedProcess[str]"],
) -> None:
    raw = run_sfcli("account", "getbyname", "--username", "nobody")
    assert raw.returncode == 0
    assert json.loads(raw.stdout[raw.stdout.index("{") :])["error"]["name"] == "xUnknownAccount"
    plain = run_sfcli("volume", "delete", "--volumeid", "99", options=())
    assert "VolumeID 99 does not exist." in plain.stdout + plain.stderr


def test_any_method_can_be_invoked_by_name(
    run_sfcli: Callable[..., "subprocess.CompletedProcess[str]"], site: Any
) -> None:
    done = run_sfcli("sfapi", "invoke", "--method", "AddAccount", "--parameters", '{"username": "x"}', options=())
    assert done.returncode == 0, done.stderr
    assert "accountID" in done.stdout
    assert "AddAccount" in site.asked()
    assert [account.row.username for account in site.array.accounts] == ["x"]
