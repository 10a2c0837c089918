"""`snapproof serve` as a process: it says when it is ready, its doors work, and it leaves nothing behind."""

import contextlib
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import xmlrpc.client
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError

from snapproof.fixtures.ground import NFS_URL
from snapproof.fixtures.secrets import secrets_of

PATIENCE_S = 30


@contextlib.contextmanager
def serving(scratch: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the command; give the process and the first line it prints. It is killed if the test did not end it."""
    environment = {**os.environ, "TMPDIR": str(scratch)}
    with subprocess.Popen(
        [sys.executable, "-m", "snapproof.commands.serve", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline()
        finally:
            process.kill()


def ended(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str, str]:
    process.send_signal(number)
    assert process.stdout is not None
    assert process.stderr is not None
    return process.wait(PATIENCE_S), process.stdout.read(), process.stderr.read()


def element(cluster: dict[str, str], method: str, authority: str, **params: object) -> Any:
    answer = requests.post(
        f"{cluster['url']}/json-rpc/12.3",
        json={"method": method, "params": params, "id": 1},
        auth=(cluster["username"], cluster["password"]),
        verify=authority,
        timeout=PATIENCE_S,
    )
    return answer.json()["result"]


def control(ready: dict[str, Any], method: str, path: str, body: object = None) -> Any:
    door = ready["control"]
    headers = {"Authorization": f"Bearer {door['token']}"}
    return requests.request(method, door["url"] + path, json=body, headers=headers, timeout=PATIENCE_S).json()


def client_of(store: dict[str, str]) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=store["url"],
        region_name="us-east-1",
        aws_access_key_id=store["access_key"],
        aws_secret_access_key=store["secret_key"],
        config=Config(retries={"total_max_attempts": 1}),
    )


def test_every_door_works_and_nothing_is_left(tmp_path: Path) -> None:
    with serving(tmp_path, "--json", "--clusters", "2", "--port-node", "0") as (process, line):
        ready = json.loads(line)["ready"]
        clusters, authority = ready["solidfire"], ready["authority"]
        names = [element(cluster, "GetClusterInfo", authority)["clusterInfo"]["name"] for cluster in clusters]
        assert names == ["cluster-1", "cluster-2"]
        assert len({cluster["password"] for cluster in clusters}) == 2
        node = requests.get(clusters[0]["node_url"] + "/json-rpc/12.3", verify=authority, timeout=PATIENCE_S)
        assert node.status_code == 401

        pool = ready["xenserver"][0]
        with xmlrpc.client.ServerProxy(pool["url"]) as xapi:
            answer: Any = xapi.session.login_with_password(pool["username"], pool["password"])
        assert answer["Status"] == "Success"

        store = client_of(ready["s3"])
        store.put_object(Bucket=ready["s3"]["bucket"], Key="k", Body=b"content")
        (Path(ready["nfs"]["path"]) / "file").write_bytes(b"12345")
        inventory = control(ready, "GET", "/inventory")
        assert inventory["s3"] == [f"{ready['s3']['bucket']}/k 7 bytes"]
        assert inventory["nfs"] == ["file 5 bytes"]
        assert "CloudStack-" in inventory["array cluster-1"][0]

        control(ready, "POST", "/faults", {"call": "s3.PutObject", "fault": "lost_after"})
        with pytest.raises(ConnectionClosedError):
            store.put_object(Bucket=ready["s3"]["bucket"], Key="lost", Body=b"")
        store.close()
        assert [fired["fault"] for fired in control(ready, "GET", "/faults")["fired"]] == ["lost_after"]

        assert ended(process, signal.SIGTERM) == (0, "", "")
        doors = [clusters[0], clusters[1], pool, ready["s3"], ready["control"]]
        for door in doors:
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", int(door["url"].rpartition(":")[2])), timeout=1)
    assert list(tmp_path.iterdir()) == []


def test_what_it_prints_can_be_pasted_into_a_shell(tmp_path: Path) -> None:
    (tmp_path / "an export").mkdir()
    with serving(tmp_path, "--directory", str(tmp_path / "an export"), "--seed", "7") as (process, first):
        assert first.startswith("#")
        code, rest, _ = ended(process, signal.SIGINT)
    assert code == 0
    exported = dict(shlex.split(line)[1].split("=", 1) for line in rest.splitlines())
    assert exported["SNAPPROOF_NFS_PATH"] == str(tmp_path / "an export")
    assert exported["SNAPPROOF_S3_SECRET_KEY"] == secrets_of(7, clusters=1).secret_key
    assert exported["SNAPPROOF_SOLIDFIRE_1_URL"].startswith("https://127.0.0.1:")
    assert {"SNAPPROOF_XENSERVER_1_PASSWORD", "SNAPPROOF_CONTROL_TOKEN"} <= exported.keys()
    assert [path.name for path in tmp_path.iterdir()] == ["an export"]


def test_clusters_on_a_fixed_port_have_addresses_of_their_own(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with serving(tmp_path, "--json", "--clusters", "2", "--port-solidfire", str(port)) as (process, line):
        ready = json.loads(line)["ready"]
        assert [cluster["url"] for cluster in ready["solidfire"]] == [
            f"https://127.0.0.1:{port}",
            f"https://127.0.0.2:{port}",
        ]
        told = element(ready["solidfire"][1], "GetClusterInfo", ready["authority"])
        assert told["clusterInfo"]["mvip"] == "127.0.0.2"
        assert ended(process, signal.SIGTERM)[0] == 0


def test_a_simulator_listens_in_several_places(tmp_path: Path) -> None:
    with contextlib.ExitStack() as probes:
        free = [probes.enter_context(socket.create_server((f"127.0.0.{n}", 0))) for n in (1, 2, 3)]
        here, there, elsewhere = (probe.getsockname()[1] for probe in free)
    places = ("--port-solidfire", f"{here},127.0.0.2:{there}", "--port-s3", f"127.0.0.3:{elsewhere},{there}")
    with serving(tmp_path, "--json", *places) as (process, line):
        ready = json.loads(line)["ready"]
        cluster, store = ready["solidfire"][0], ready["s3"]
        assert cluster["urls"] == [f"https://127.0.0.1:{here}", f"https://127.0.0.2:{there}"]
        for url in cluster["urls"]:
            assert element(cluster | {"url": url}, "GetClusterInfo", ready["authority"])["clusterInfo"]["name"]
        assert store["urls"] == [f"http://127.0.0.3:{elsewhere}", f"http://127.0.0.1:{there}"]
        client = client_of(store)
        client.put_object(Bucket=store["bucket"], Key="k", Body=b"content")
        other = client_of(store | {"url": store["urls"][1]})
        assert other.get_object(Bucket=store["bucket"], Key="k")["Body"].read() == b"content"
        client.close()
        other.close()
        assert ended(process, signal.SIGTERM) == (0, "", "")


def test_hosts_log_in_to_volumes_and_mount_the_export_where_that_is_asked_for(tmp_path: Path) -> None:
    with serving(tmp_path, "--json", "--port-iscsi", "0", "--port-nfs", "0") as (process, line):
        ready = json.loads(line)["ready"]
        cluster, export = ready["solidfire"][0], ready["nfs"]
        portal = element(cluster, "GetClusterInfo", ready["authority"])["clusterInfo"]["svip"]
        assert cluster["iscsi"] == f"iscsi://{portal}"
        assert export["url"].startswith("nfs://127.0.0.1/")
        assert export["mounted_as"] == NFS_URL
        for url in (cluster["iscsi"], f"//127.0.0.1:{export['url'].rpartition('=')[2]}"):
            socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=PATIENCE_S).close()
        control(ready, "POST", "/reset")
        assert element(cluster, "GetClusterInfo", ready["authority"])["clusterInfo"]["svip"] == portal
        assert ended(process, signal.SIGTERM) == (0, "", "")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--port-s3", "80,http"], "'80,http' is no list of ports or IP:PORT; write 443, or 443,127.0.0.2:8443"),
        (["--port-s3", "65536"], "'65536' is no list of ports"),
        (["--port-s3", "0,8080"], "asks for any port among others; give each its number"),
        (
            ["--port-solidfire", "127.0.0.9:443", "--clusters", "2"],
            "takes ports alone where there are several clusters",
        ),
        (["--address", "0.0.0.0"], "can be reached from other machines"),
        (["--port-s3", "TAKEN"], "is taken by another program; choose another port, or 0"),
        (["--directory", "/nonexistent/export"], "/nonexistent/export"),
        (["--clusters", "0"], "0 is not a number from 1 on"),
    ],
)
def test_what_cannot_be_served_is_said_in_a_sentence(tmp_path: Path, options: list[str], sentence: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        options = [str(taken.getsockname()[1]) if option == "TAKEN" else option for option in options]
        with serving(tmp_path, "--json", *options) as (process, line):
            _, err = process.communicate(timeout=PATIENCE_S)
    assert (line, process.returncode not in {0, 1}) == ("", True)
    assert sentence in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_without_a_seed_every_run_has_other_credentials(tmp_path: Path) -> None:
    with serving(tmp_path, "--json") as (one, first), serving(tmp_path, "--json") as (two, second):
        stores = [json.loads(line)["ready"]["s3"] for line in (first, second)]
        assert ended(one, signal.SIGTERM)[0] == ended(two, signal.SIGTERM)[0] == 0
    assert stores[0]["secret_key"] != stores[1]["secret_key"]
    assert list(tmp_path.iterdir()) == []
