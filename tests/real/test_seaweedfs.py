"""SeaweedFS as a second S3 store, met without our door between: what the reference does there, what it refuses as ours.

The features over it are in test_features_over_real_parts.py.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from snapproof.campaign.invariants import violations
from snapproof.fixtures.caller import Caller
from snapproof.fixtures.ground import BUCKET
from snapproof.fixtures.lab import simulated_lab
from snapproof.fixtures.parts.seaweedfs import ACCESS_KEY, SECRET_KEY, WeedObjects, client_of, weed
from snapproof.fixtures.substitutes import PartMissingError, Substitutes
from snapproof.reference_impl.adapters.s3 import PART_BYTES
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.simulators.clock import VirtualClock
from snapproof.simulators.journal import Journal
from snapproof.simulators.secondary.in_process import in_process_client
from snapproof.simulators.secondary.s3 import S3Store
from snapproof.site import Endpoint, S3Place, Site
from snapproof.vocabulary import LocationType, Secret

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a server and give its address."""
    try:
        with weed(tmp_path_factory.mktemp("real") / "weed") as url:
            yield url
    except PartMissingError as missing:
        pytest.skip(str(missing))


@pytest.fixture
def client(url: str) -> Iterator["S3Client"]:
    with closing(client_of(url)) as client:
        yield client


SIZES = {"in one request": ((3 << 20) + 512, 6), "in parts": (160 << 20, 14)}


@pytest.mark.parametrize("how", SIZES)
def test_a_backup_goes_there_and_comes_back_and_goes_away(
    url: str, client: "S3Client", tmp_path: Path, how: str
) -> None:
    size_bytes, blocks = SIZES[how]
    place = S3Place(endpoint=Endpoint(url=url, username=ACCESS_KEY, password=Secret(SECRET_KEY)), bucket=BUCKET)
    objects = WeedObjects(url, client)

    def factory(site: Site) -> ReferenceDriver:
        return ReferenceDriver(replace(site, bucket=place))

    with simulated_lab(
        factory, store="s3", seed=2, directory=tmp_path, share_of=lambda _: Substitutes(objects=objects)
    ) as lab:
        caller = Caller(lab)
        volume = caller.used_volume(size_bytes=size_bytes, blocks=blocks)
        taken = caller.take("take", volume.id, LocationType.SECONDARY).result()
        assert [image.content for image in lab.backups()] == [lab.content_when_taken(taken)]
        assert (taken.copies[0].physical_size_bytes > PART_BYTES) == (how == "in parts")
        restored = caller.create("restore", source=taken.id, size_bytes=size_bytes).result()
        assert lab.content_of(restored) == lab.content_when_taken(taken)
        assert violations(lab) == ()
        caller.delete("delete", taken.id).raise_if_failed()
        assert objects.inventory() == ()
        assert violations(lab) == ()
    assert not [label for label in lab.calls() if label.startswith("s3.")], "nothing went through our door"


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
def test_both_stores_refuse_the_same_with_the_same_code(client: "S3Client", code: str) -> None:
    clock = VirtualClock()
    with S3Store(
        journal=Journal(clock.time), clock=clock, bucket=BUCKET, access_key="AKIDOURS", secret_key="ours"
    ) as store:
        for asked in (client, in_process_client(store)):
            with pytest.raises(ClientError) as caught:
                REFUSALS[code](asked)
            assert caught.value.response["Error"]["Code"] == code


def test_both_stores_refuse_a_wrong_secret(url: str) -> None:
    with closing(client_of(url, secret="guess")) as stranger, pytest.raises(ClientError) as caught:
        stranger.put_object(Bucket=BUCKET, Key="k", Body=b"1")
    assert caught.value.response["Error"]["Code"] == "SignatureDoesNotMatch"
