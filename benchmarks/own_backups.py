"""Our own acts of benchmarks/backups.py, each in a process of its own, so that its memory can be told.

`python own_backups.py ACT DISK SECOND FOLDER TARGET` prints what the act says of itself, without the start of Python.
"""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from uuid import UUID

from snapproof.digests import digest_of
from snapproof.images.files import InputFile
from snapproof.images.formats import ImageFormat, Label, RawImage, write_image
from snapproof.simulators.blocks import BlockImage, BlockStore
from snapproof.simulators.changes import write_changes
from snapproof.simulators.clock import EPOCH_S, VirtualClock
from snapproof.simulators.journal import Journal
from snapproof.simulators.secondary.nfs import NfsExport
from snapproof.simulators.xenserver.vhd import read_dynamic, write_dynamic

MIB, TIB = 1 << 20, 1 << 40
ACCESS_KEY, SECRET_KEY = "benchmark", "of-no-use-elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """The disk, the disk a day later, where backups lie, where a restore goes: for S3 the server's address."""

    disk: Path
    second: Path
    folder: Path
    target: Path


@contextmanager
def timed() -> Iterator[None]:
    """Print how long it took, and the most memory it took."""
    started, cpu_before_s = time.perf_counter(), time.process_time()
    yield
    seconds, cpu_s = time.perf_counter() - started, time.process_time() - cpu_before_s
    print(json.dumps({"seconds": seconds, "cpu_s": cpu_s, "peak_mib": peak_mib()}))


def peak_mib() -> float:
    """The most memory that this process ever had; what the kernel tells a parent counts the parent's own as well."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) / 1024


@dataclass(frozen=True, slots=True)
class Export:
    """An NFS export with nobody but us, and what it noted."""

    folder: Path
    journal: Journal = field(default_factory=lambda: Journal(VirtualClock().time))

    def opened(self) -> NfsExport:
        return NfsExport(self.folder, journal=self.journal)

    def noted_digest(self) -> str:
        """The digest of the last file that was closed, reckoned while it was written."""
        return str(list(self.journal)[-1].facts["digest"])


def write_vhd(disk: Path, export: NfsExport, path: str) -> None:
    """Export a disk as hosts do."""
    source, sink = InputFile(disk), export.create(path)
    for _ in write_dynamic(RawImage(source), sink, uuid=UUID(int=1), time_s=EPOCH_S):
        pass
    sink.close()
    source.close()


def full(paths: Paths) -> None:
    export = Export(paths.folder)
    with timed():
        write_vhd(paths.disk, export.opened(), "backup.vhd")
    (paths.folder / "digest").write_text(export.noted_digest())


def read_back(paths: Paths) -> None:
    """Write it as a host does, inspect it, publish it and read it back: an orchestrated backup to an export."""
    from snapproof.reference_impl.adapters.nfs import NfsStore

    export = Export(paths.folder).opened()
    export.make_directories("staging")
    store = NfsStore(export)
    with timed():
        write_vhd(paths.disk, export, "staging/backup.vhd")
        image = store.inspect("staging/backup.vhd", size_bytes=paths.disk.stat().st_size)
        store.publish("staging/backup.vhd", replace(image, path="backup.vhd"))


def restore(paths: Paths) -> None:
    """Verify the whole backup, then make a raw image of it."""
    file = Export(paths.folder).opened().open("backup.vhd")
    with timed():
        if digest_of(file) != (paths.folder / "digest").read_text():
            sys.exit("The backup is not what was written.")
        label = Label(uuid=UUID(int=1), time_s=EPOCH_S)
        for _ in write_image(read_dynamic(file), paths.target, ImageFormat.RAW, label):
            pass


def increment(paths: Paths) -> None:
    """Export what changed between two snapshots of a LUN: of the disk's own size, and of a TiB with as much on it."""
    extents = json.loads((paths.folder / "changes.json").read_text())
    export, source, second = (
        Export(paths.folder).opened(),
        RawImage(InputFile(paths.disk)),
        RawImage(InputFile(paths.second)),
    )
    spent: dict[int, list[tuple[float, float]]] = {}
    written = 0
    for size_bytes in (source.size_bytes, TIB) * 3:
        before, after = two_snapshots(source, second, extents, size_bytes)
        started, cpu_before_s = time.perf_counter(), time.process_time()
        sink = export.create("changes.rbd")
        for _ in write_changes(before, after, sink, names=("before", "after")):
            pass
        sink.close()
        seconds, cpu_s = time.perf_counter() - started, time.process_time() - cpu_before_s
        spent.setdefault(size_bytes, []).append((seconds, cpu_s))
        written = (paths.folder / "changes.rbd").stat().st_size
        (paths.folder / "changes.rbd").unlink()
    (seconds, cpu_s), (_, cpu_of_a_tib_s) = (map(median, zip(*found, strict=True)) for found in spent.values())
    facts = {"cpu_of_a_tib_s": cpu_of_a_tib_s, "written": written, "changed": sum(length for _, length in extents)}
    print(json.dumps({"seconds": seconds, "cpu_s": cpu_s, **facts}))


def two_snapshots(
    source: RawImage, second: RawImage, extents: list[tuple[int, int]], size_bytes: int
) -> tuple[BlockImage, BlockImage]:
    """Put the disk on a LUN and change it; on a larger LUN everything lies as much further apart."""
    volume, stretch = BlockStore().create(size_bytes), size_bytes // source.size_bytes
    for offset, length in source.extents():
        for at in range(offset, offset + length, MIB):
            volume.write(at * stretch, source.read(at, min(MIB, offset + length - at)))
    before = volume.snapshot()
    for offset, length in extents:
        volume.write(offset * stretch, second.read(offset, length))
    return before, volume.snapshot()


def into_bucket(paths: Paths) -> None:
    """Inspect a staged image, upload it and read it back."""
    from snapproof.reference_impl.adapters.s3 import S3Bucket, S3Store
    from snapproof.site import Endpoint, S3Place
    from snapproof.vocabulary import Secret

    server = Endpoint(url=f"http://{paths.target}", username=ACCESS_KEY, password=Secret(SECRET_KEY))
    export = Export(paths.folder).opened()
    with timed():
        write_vhd(paths.disk, export, "staged.vhd")
        store = S3Store(export, S3Bucket(S3Place(endpoint=server, bucket="backups")))
        image = store.inspect("staged.vhd", size_bytes=paths.disk.stat().st_size)
        store.publish("staged.vhd", replace(image, path="backup.vhd"))


def serve_bucket(_: Paths) -> None:
    """Be the S3 store, until killed."""
    from snapproof.simulators.secondary.s3 import S3Store
    from snapproof.simulators.serving import serve

    clock = VirtualClock()
    store = S3Store(
        journal=Journal(clock.time), clock=clock, bucket="backups", access_key=ACCESS_KEY, secret_key=SECRET_KEY
    )
    print(f"127.0.0.1:{serve(store, blocking=True).port}", flush=True)
    threading.Event().wait()


ACTS: Mapping[str, Callable[[Paths], None]] = {
    "full": full,
    "read-back": read_back,
    "restore": restore,
    "increment": increment,
    "into-bucket": into_bucket,
    "serve-bucket": serve_bucket,
}


if __name__ == "__main__":
    ACTS[sys.argv[1]](Paths(**dict(zip(("disk", "second", "folder", "target"), map(Path, sys.argv[2:]), strict=True))))
