"""How fast what the reference itself copies goes, by a clock on which nothing costs time but the two ends; and in how
much memory. What hosts copy goes at their own speed.
"""

import os
import tracemalloc
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from snapproof.reference_impl.adapters.mounted import MountedDirectory
from snapproof.reference_impl.adapters.s3 import PART_BYTES, S3Bucket
from snapproof.reference_impl.pacing import Pace, paced
from snapproof.simulators.clock import VirtualClock
from snapproof.site import Answer, Directory, Endpoint, ReadableFile, S3Place
from snapproof.vocabulary import Secret

MB = 10**6
SHARE_LEAST = 0.8
MEMORY_BYTES_MAX = 256 * 2**20
PATH = "snapshots/blue/v/s.vhd"


@dataclass(kw_only=True)
class Bucket:
    """A bucket that takes what it is sent at its own speed, and forgets it."""

    clock: VirtualClock
    bytes_per_second: int
    taken_bytes: int = 0

    def __call__(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.clock.sleep(len(body) / self.bytes_per_second)
        if method == "PUT":
            self.taken_bytes += len(body)
        name = "InitiateMultipartUploadResult" if "uploads" in target else "CompleteMultipartUploadResult"
        return 200, {"ETag": "etag"}, f"<{name}><UploadId>7</UploadId></{name}>".encode()

    def opened(self) -> S3Bucket:
        """As the reference reaches it."""
        here = Endpoint(url="http://store", username="key", password=Secret("of-no-use"), wire=self)
        return S3Bucket(S3Place(endpoint=here, bucket="backups"))


@pytest.fixture
def export(tmp_path: Path) -> Directory:
    """An export with an image of some parts on it, which takes no room."""
    with (tmp_path / "staged.vhd").open("wb") as file:
        file.truncate(3 * PART_BYTES + 1)
    return MountedDirectory(tmp_path)


def share_of_the_slower_end(export: Directory, source: int, sink: int) -> float:
    """Upload the image between ends of such speeds; how much of the slower one's it reached."""
    clock = VirtualClock()
    bucket = Bucket(clock=clock, bytes_per_second=sink)
    file = paced(export, Pace(clock, lambda: source)).open("staged.vhd")
    began_s = clock.time()
    bucket.opened().put_in_parts(PATH, file, digest="none")
    file.close()
    assert bucket.taken_bytes == file.size_bytes
    return file.size_bytes / (clock.time() - began_s) / min(source, sink)


@pytest.mark.requirement(id="R-131")
@pytest.mark.parametrize(("source", "sink"), [(50 * MB, 500 * MB), (500 * MB, 50 * MB), (5_000 * MB, 900 * MB)])
def test_an_upload_reaches_most_of_what_the_slower_end_can_do(export: Directory, source: int, sink: int) -> None:
    assert share_of_the_slower_end(export, source, sink) >= SHARE_LEAST


def test_an_upload_that_reads_everything_twice_does_not(export: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    careless = S3Bucket.put_in_parts

    def twice(bucket: S3Bucket, key: str, file: ReadableFile, *, digest: str) -> None:
        for offset in range(0, file.size_bytes, PART_BYTES):
            file.read_at(offset, PART_BYTES)
        careless(bucket, key, file, digest=digest)

    monkeypatch.setattr(S3Bucket, "put_in_parts", twice)
    assert share_of_the_slower_end(export, 50 * MB, 500 * MB) < SHARE_LEAST


@pytest.mark.requirement(id="R-131")
def test_while_a_piece_is_sent_the_system_fetches_the_next(export: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[tuple[int, int]] = []
    advise = os.posix_fadvise

    def told(file: int, offset: int, length: int, advice: int) -> None:
        assert advice == os.POSIX_FADV_WILLNEED
        fetched.append((offset, length))
        advise(file, offset, length, advice)

    monkeypatch.setattr(os, "posix_fadvise", told)
    bucket = Bucket(clock=VirtualClock(), bytes_per_second=MB)
    file = export.open("staged.vhd")
    bucket.opened().put_in_parts(PATH, file, digest="none")
    file.close()
    assert fetched == [(number * PART_BYTES, PART_BYTES) for number in (1, 2, 3)]


@pytest.mark.requirement(id="R-131")
def test_memory_does_not_grow_with_the_image(tmp_path: Path) -> None:
    peaks = []
    for parts in (2, 6):
        with (tmp_path / f"{parts}.vhd").open("wb") as file:
            file.truncate(parts * PART_BYTES)
        bucket = Bucket(clock=VirtualClock(), bytes_per_second=MB).opened()
        opened = MountedDirectory(tmp_path).open(f"{parts}.vhd")
        tracemalloc.start()
        bucket.put_in_parts(PATH, opened, digest="none")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        opened.close()
    assert max(peaks) < MEMORY_BYTES_MAX
    assert peaks[1] - peaks[0] < PART_BYTES
