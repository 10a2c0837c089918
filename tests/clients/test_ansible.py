"""Ansible's collection for Element, unmodified: playbooks of our own, and what the arrays hold afterwards.

Every task is a process that logs in anew. The JSON that Ansible prints tells which tasks changed something.
"""

import contextlib
import json
import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from snapproof.simulators.solidfire.calls import call

pytestmark = pytest.mark.clients

PLAYBOOKS = Path(__file__).parent / "playbooks"
PLAYBOOK_S = 120
GB, MIB = 1_000_000_000, 1 << 20
CLUSTER_PORT, NODE_PORT = 443, 442
SETTINGS = {
    "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
    "ANSIBLE_PIPELINING": "1",
    "ANSIBLE_LOCALHOST_WARNING": "0",
    "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
    "ANSIBLE_DEPRECATION_WARNINGS": "0",
    "ANSIBLE_NOCOLOR": "1",
}


@pytest.fixture
def play(
    programs_of: Callable[[str], Path], client_environment: dict[str, str], tmp_path: Path
) -> Callable[..., dict[str, Any]]:
    """Runs a playbook against the clusters of a site and tells the result of each task by its name."""
    programs = programs_of("ansible")

    def run(playbook: str, site: Any) -> dict[str, Any]:
        known: dict[str, str] = {"ansible_python_interpreter": str(programs / "python")}
        for name, door in zip(("first", "second"), site.doors(), strict=False):
            port = "" if door["port"] == CLUSTER_PORT else f":{door['port']}"
            known |= {
                name: f"{door['host']}{port}",
                f"{name}_username": door["username"],
                f"{name}_password": door["password"],
            }
        variables = tmp_path / "variables.json"
        variables.write_text(json.dumps(known))
        command = [
            str(programs / "ansible-playbook"), "-i", "localhost,", "-c", "local", "-e", f"@{variables}",
            str(PLAYBOOKS / playbook),
        ]  # fmt: skip
        environment = {**client_environment, **SETTINGS, "ANSIBLE_HOME": str(tmp_path / "ansible")}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PLAYBOOK_S, check=False)
        assert "{" in done.stdout, done.stderr
        report = json.loads(done.stdout[done.stdout.index("{") :])
        tasks = {task["task"]["name"]: task["hosts"]["localhost"] for task in report["plays"][0]["tasks"]}
        for name, result in tasks.items():
            if result.get("failed"):
                told = [result.get(member, "") for member in ("msg", "exception", "module_stderr")]
                pytest.fail(f"{name}: " + "\n".join(told), pytrace=False)
        return tasks

    return run


def changed(tasks: dict[str, Any]) -> dict[str, bool]:
    return {name: result["changed"] for name, result in tasks.items()}


def every_second_time(tasks: dict[str, Any]) -> dict[str, bool]:
    """A task changes something, but not again."""
    return {name: not name.endswith("again") for name in tasks}


def test_an_administrator_of_storage_finds_all_that_is_needed(play: Callable[..., Any], site: Any) -> None:
    tasks = play("storage.yml", site)
    assert changed(tasks) == every_second_time(tasks)
    site.world.clock.advance(60)
    assert site.left() == [
        "access group 2 hosts volumes [3] initiators []",
        "snapshot 1 of volume 1 first",
        "volume 1 disk active",
        "volume 3 copy active",
    ]
    disk, copy = (record.row for record in site.array.volumes)
    assert (disk.total_size, copy.total_size) == (2_000_683_008, 3_001_024_512)
    assert (disk.qos.min_iops, disk.qos.burst_iops) == (100, 5000)
    assert site.array.snapshot(1).row.expiration_time == "2099-01-01T00:00:00Z"
    assert [account.row.username for account in site.array.accounts] == ["renamed"]


def test_policies_of_quality_are_kept(play: Callable[..., Any], site: Any) -> None:
    tasks = play("policies.yml", site)
    assert changed(tasks) == every_second_time(tasks)
    row = site.array.volumes[1].row
    assert (row.qos_policy_id, row.qos.min_iops, row.qos.burst_iops) == (1, 500, 20_000)
    assert site.left() == ["qos policy 1 silver of volumes [1]", "volume 1 disk active"]


def test_initiators_are_kept(play: Callable[..., Any], site: Any) -> None:
    tasks = play("initiators.yml", site)
    assert changed(tasks) == every_second_time(tasks)
    (known,) = (row for row in site.array.initiators if row.initiator_name == "iqn.1994-05.com.redhat:one")
    assert known.alias == "first"
    assert site.left() == [f"initiator {known.initiator_id} iqn.1994-05.com.redhat:one in no access group"]


def test_schedules_of_snapshots_are_kept_in_the_shape_that_the_sdk_reads(play: Callable[..., Any], site: Any) -> None:
    tasks = play("schedules.yml", site)
    assert changed(tasks) == every_second_time(tasks)
    site.world.clock.advance(600)
    assert site.left() == [
        "schedule 1 often of volumes [1]",
        "schedule 2 weekly of volumes [1]",
        "volume 1 disk active",
    ]


def test_a_volume_is_backed_up_into_another(play: Callable[..., Any], site: Any) -> None:
    account = call(site.array, "AddAccount", username="tenant")["accountID"]
    for name in ("source", "target"):
        call(site.array, "CreateVolume", name=name, accountID=account, totalSize=GB)
    site.array.volumes[1].disk.write(MIB, b"written by a guest")
    assert changed(play("backup.yml", site)) == {"back up": True}
    assert site.array.image_of_volume(2).read(MIB, 18) == b"written by a guest"
    assert site.left() == ["volume 1 source active", "volume 2 target active"]


@pytest.mark.parametrize("playbook", ["administrators.yml", "cluster.yml", "services.yml", "networks.yml"])
def test_the_cluster_itself_is_configured(play: Callable[..., Any], site: Any, playbook: str) -> None:
    tasks = play(playbook, site)
    assert changed(tasks) == every_second_time(tasks)
    assert site.left() == []


@pytest.fixture
def usual_addresses() -> tuple[str, str]:
    """Two loopback addresses whose usual ports are free; only root may serve them."""
    if os.geteuid() != 0:
        pytest.skip("Only root may serve ports 442 and 443, which these modules do not let one choose.")
    free = [address for address in (f"127.0.0.{number}" for number in range(43, 60)) if is_free(address)]
    if len(free) < 2:
        pytest.skip("Ports 442 and 443 are taken on all loopback addresses from 127.0.0.43 to 127.0.0.59.")
    return free[0], free[1]


def is_free(address: str) -> bool:
    with contextlib.ExitStack() as bound:
        for port in (CLUSTER_PORT, NODE_PORT):
            probe = bound.enter_context(socket.socket())
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


@pytest.fixture
def usual_site(site_of: Callable[..., Any], usual_addresses: tuple[str, str]) -> Any:
    """Two clusters on the usual ports."""
    return site_of(addresses=usual_addresses, port=CLUSTER_PORT, node_port=NODE_PORT)


def test_node_and_cluster_tell_of_themselves_on_their_usual_ports(play: Callable[..., Any], usual_site: Any) -> None:
    told = play("nodes.yml", usual_site)["ask for everything"]["info"]
    assert told["cluster_nodes"]["nodes"][0]["mip"]
    assert told["node_config"]["config"]["cluster"]["cluster"] == usual_site.array.name


def test_clusters_and_volumes_are_paired_and_parted(play: Callable[..., Any], usual_site: Any) -> None:
    tasks = play("pairs.yml", usual_site)
    assert changed(tasks) == every_second_time(tasks)
    assert usual_site.left(0) == ["volume 1 disk active"]
    assert usual_site.left(1) == ["volume 1 twin active"]
    assert not any(array.volumes[1].row.volume_pairs for array in usual_site.world.arrays)
