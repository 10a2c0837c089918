"""What `bv_internal.py` does: between a volume and a bucket, between a volume and one of another cluster.

A script moves a window, says how far it is, and goes on when asked again; at the end it returns True.
"""

import contextlib
from collections.abc import Callable, Generator, Mapping
from typing import Any, TypeAlias

import msgspec

from snapproof.simulators.blocks import BLOCK_BYTES, BlockImage, BlockVolume
from snapproof.simulators.solidfire import bulk_layout as layout
from snapproof.simulators.solidfire.bulk import READ, ScriptError
from snapproof.simulators.solidfire.bulk_places import Bucket, Remote
from snapproof.simulators.solidfire.bulk_records import BulkJob
from snapproof.simulators.solidfire.state import State

NAME = "bv_internal.py"
Steps: TypeAlias = Generator[int, None, bool]
_PARTS = {READ: "write", "write": "read"}
"""The part of scriptParameters that says where to: a job that reads a volume writes elsewhere."""


def script(state: State, job: BulkJob) -> Steps:
    """Make the script of a job. What is wrong with its parameters, it says when it runs."""
    place = job.parameters.get(_PARTS[job.kind])
    if not isinstance(place, dict):
        return _refuse(f"scriptParameters have no object {_PARTS[job.kind]!r}.")
    over = _ENDPOINTS.get(str(place.get("endpoint")))
    if over is None:
        return _refuse(f"This endpoint is not supported; there are {', '.join(sorted(_ENDPOINTS))}.")
    return over(state, job, place)


def _refuse(sentence: str) -> Steps:
    raise ScriptError(sentence)
    yield 0  # unreachable, but makes the refusal come when the script runs


def _told(place: Mapping[str, Any], name: str) -> str:
    value = place.get(name)
    if not isinstance(value, str) or not value:
        raise ScriptError(f"scriptParameters lack {name}.")
    return value


def _over_s3(state: State, job: BulkJob, place: Mapping[str, Any]) -> Steps:
    bucket = Bucket(
        web=state.web,
        now=state.clock.time,
        host=_told(place, "hostname"),
        bucket=_told(place, "bucket"),
        prefix=_told(place, "prefix"),
        access_key=_told(place, "awsAccessKeyID"),
        secret_key=_told(place, "awsSecretAccessKey"),
    )
    return (yield from _backup(state, job, bucket) if job.kind == READ else _restore(state, job, bucket))


def _backup(state: State, job: BulkJob, bucket: Bucket) -> Steps:
    image, volume = state.snapshots[job.snapshot_id].image, state.volumes[job.volume_id].row
    chunks = []
    for end, extents in layout.windows(image, job.lba, job.blocks, layout.WINDOW_BLOCKS):
        content = layout.content_of(image, extents)
        chunk = layout.chunk_of(extents, content)
        bucket.put(chunk.name, layout.pack(content, job.format))
        chunks.append(chunk)
        yield end - job.lba
    manifest = layout.Manifest(
        format=job.format,
        cluster=state.name,
        volume_id=volume.volume_id,
        volume_name=volume.name,
        size_bytes=image.size_bytes,
        lba=job.lba,
        blocks=job.blocks,
        chunks=tuple(chunks),
    )
    bucket.put(layout.MANIFEST, msgspec.json.encode(manifest))
    yield job.blocks
    return True


def _restore(state: State, job: BulkJob, bucket: Bucket) -> Steps:
    disk = state.volumes[job.volume_id].disk
    manifest = layout.read_manifest(bucket.get(layout.MANIFEST))
    if manifest.format != job.format:
        raise ScriptError(f"The backup is of format {manifest.format}, not {job.format}.")
    if manifest.size_bytes > disk.size_bytes:
        raise ScriptError(f"The backup has {manifest.size_bytes} bytes, the volume only {disk.size_bytes}.")
    first, last = max(job.lba, manifest.lba), min(job.lba + job.blocks, manifest.lba + manifest.blocks)
    job.lba, job.blocks = first, max(0, last - first)
    disk.discard(first * BLOCK_BYTES, job.blocks * BLOCK_BYTES)
    for chunk in manifest.chunks:
        content = layout.checked(chunk, bucket.get(chunk.name), manifest.format)
        _lay_down(disk, chunk.extents, content, first, last)
        yield min(chunk.extents[-1][0] + chunk.extents[-1][1], last) - first
    yield job.blocks
    return True


def _lay_down(disk: BlockVolume, extents: tuple[tuple[int, int], ...], content: bytes, first: int, last: int) -> None:
    at = 0
    for lba, count in extents:
        low, high = max(lba, first), min(lba + count, last)
        if low < high:
            skip = at + (low - lba) * BLOCK_BYTES
            disk.write(low * BLOCK_BYTES, content[skip : skip + (high - low) * BLOCK_BYTES])
        at += count * BLOCK_BYTES


def _over_cluster(state: State, job: BulkJob, place: Mapping[str, Any]) -> Steps:
    remote = Remote(
        web=state.web,
        mvip=_told(place, "mvip"),
        username=_told(place, "username"),
        password=_told(place, "password"),
        key=_told(place, "key"),
    )
    if place.get("format", job.format) != job.format:
        raise ScriptError("Both clusters must use one format.")
    url = remote.report("running")
    try:
        if job.kind == READ:
            yield from _push(state.snapshots[job.snapshot_id].image, job, remote, url)
        else:
            yield from _pull(state.volumes[job.volume_id].disk, job, remote, url)
        remote.report("complete")
    except (ScriptError, OSError):
        with contextlib.suppress(ScriptError, OSError):
            remote.report("failed")
        raise
    return True


def _push(image: BlockImage, job: BulkJob, remote: Remote, url: str) -> Steps:
    """Write what is not zero, window by window, and clear what lies between."""
    at, end = job.lba, job.lba + job.blocks
    for _, extents in layout.windows(image, job.lba, job.blocks, layout.RANGE_BLOCKS_MAX):
        for first, count in extents:
            if at < first:
                remote.range(url, "DELETE", at, first - at)
            content = image.read(first * BLOCK_BYTES, count * BLOCK_BYTES)
            remote.range(url, "PUT", first, count, layout.pack(content, job.format))
            at = first + count
        yield at - job.lba
    if at < end:
        remote.range(url, "DELETE", at, end - at)
    yield job.blocks
    return True


def _pull(disk: BlockVolume, job: BulkJob, remote: Remote, url: str) -> Steps:
    end = job.lba + job.blocks
    for first in range(job.lba, end, layout.RANGE_BLOCKS_MAX):
        count = min(layout.RANGE_BLOCKS_MAX, end - first)
        packed = remote.range(url, "GET", first, count)
        disk.write(first * BLOCK_BYTES, layout.unpack(packed, job.format, length=count * BLOCK_BYTES))
        yield first + count - job.lba
    return True


_ENDPOINTS: Mapping[str, Callable[[State, BulkJob, Mapping[str, Any]], Steps]] = {
    "s3": _over_s3,
    "solidfire": _over_cluster,
}
