"""Ranges of a volume over HTTP for who has a bulk volume job's key: a form of ours, for the real one is not told.

`GET|PUT|DELETE <url><key>?lba=<first block>&blocks=<count>` reads, writes or clears a range; a body holds the blocks as
the job's format writes them. The key is all the authority that is needed.
"""

import re
from urllib.parse import parse_qs

from snapproof.simulators.blocks import BLOCK_BYTES
from snapproof.simulators.serving import Answer
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.bulk import READ, ScriptError
from snapproof.simulators.solidfire.bulk_layout import RANGE_BLOCKS_MAX, pack, unpack
from snapproof.simulators.solidfire.bulk_records import BulkJob

_TARGET = re.compile(r"/(?P<key>[0-9a-f]{32})(?:\?(?P<query>.*))?", re.ASCII)
_METHODS = {"GET", "PUT", "DELETE"}
_OCTETS = {"content-type": "application/octet-stream"}
_TEXT = {"content-type": "text/plain; charset=utf-8"}


def is_range(target: str) -> bool:
    """Say whether a request is for a range of some job."""
    return _TARGET.fullmatch(target) is not None


def answer(array: Array, method: str, target: str, body: bytes) -> Answer:
    """Read, write or clear a range. The caller holds the array's lock."""
    found = _TARGET.fullmatch(target)
    array.settle()
    job = array.bulk.by_key.get(found["key"]) if found else None
    if found is None or job is None or job.completed:
        return _said(404, "No bulk volume job that is under way has this key.")
    if method not in _METHODS or (method == "GET") is not (job.kind == READ):
        return _said(405, f"This job is a {job.kind}: GET belongs to a read, PUT and DELETE to a write.")
    if job.script:
        return _said(409, "A script of the cluster does this job.")
    lba, blocks = _range(found["query"] or "")
    last = job.lba + job.blocks
    if lba < job.lba or blocks < 1 or lba + blocks > last or (method != "DELETE" and blocks > RANGE_BLOCKS_MAX):
        return _said(416, f"Give lba and blocks within {job.lba} to {last}, at most {RANGE_BLOCKS_MAX} blocks at once.")
    try:
        return _moved(array, job, method, lba, blocks, body)
    except (ScriptError, ValueError) as error:
        wrong = isinstance(error, ScriptError)
        return _said(400, str(error)) if wrong else _said(416, "The volume has become smaller than its job's range.")


def _range(query: str) -> tuple[int, int]:
    told = parse_qs(query)
    lba, blocks = (told.get(name, [""])[0] for name in ("lba", "blocks"))
    if not (lba.isascii() and lba.isdigit() and blocks.isascii() and blocks.isdigit()) or len(lba + blocks) > 30:
        return -1, 0
    return int(lba), int(blocks)


def _moved(array: Array, job: BulkJob, method: str, lba: int, blocks: int, body: bytes) -> Answer:
    offset, length = lba * BLOCK_BYTES, blocks * BLOCK_BYTES
    octets = b""
    if method == "GET":
        octets = pack(array.snapshots[job.snapshot_id].image.read(offset, length), job.format)
    elif method == "PUT":
        array.volumes[job.volume_id].disk.write(offset, unpack(body, job.format, length=length))
    else:
        array.volumes[job.volume_id].disk.discard(offset, length)
    job.done_blocks = max(job.done_blocks, lba + blocks - job.lba)
    job.status, job.update_time = "running", array.stamp()
    return 200, _OCTETS, octets


def _said(status: int, sentence: str) -> Answer:
    return status, _TEXT, f"{sentence}\n".encode()
