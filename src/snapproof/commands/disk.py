"""`snapproof disk`: convert, compare and inspect disk images whose format is declared, never probed.

What a format is, and how it is read and written, is in snapproof/images/.
"""

import argparse
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from snapproof.images.disk import PIECE_BYTES, ImageError, ReadableDisk, pieces
from snapproof.images.formats import ImageFormat, Label, format_named, open_image, write_image
from snapproof.verdict import EXIT_CODES, EXIT_USAGE, Conclusion

EQUAL, DIFFERENT, STOPPED = 0, 1, 130
EPILOG = """\
examples:
  snapproof disk convert --from raw --to qcow2 vm.raw vm.qcow2
  snapproof disk convert --from vhd --to raw backup.vhd restored.raw
  snapproof disk compare --from vhd --to raw backup.vhd vm.raw
  snapproof disk info --sha256 --from qcow2 vm.qcow2

Formats are raw, vhd (dynamic; vpc is another word for it) and qcow2 (version 2 or 3 is read, 3 is written). A file is
read as what you say it is and never probed: the first bytes of a raw disk are its guest's, and may say anything.
Refused are differences from a parent or backing file, compression and encryption. Holes stay holes, runs of zeros
become some, and a target appears under its name only when it is whole.

exit codes: 0 done, or equal; 1 different; 3 no room or no permission; 4 usage, or no such image
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "disk",
        help="convert, compare and inspect disk images",
        description="Convert, compare and inspect raw, VHD and QCOW2 images, without probing them.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    verbs = parser.add_subparsers(dest="verb", metavar="convert | compare | info", required=True)
    convert = verbs.add_parser("convert", help="write an image again in another format", allow_abbrev=False)
    convert.add_argument("--force", action="store_true", help="replace a target that exists")
    compare = verbs.add_parser("compare", help="tell whether two images hold the same disk", allow_abbrev=False)
    shown = verbs.add_parser(
        "info", help="check an image, and tell its size and how much it stores", allow_abbrev=False
    )
    shown.add_argument("--sha256", action="store_true", help="and the digest of all its bytes, which takes its time")
    shown.add_argument("--json", action="store_true", help="print one JSON object")
    for verb in (convert, compare, shown):
        verb.add_argument("--from", dest="source_format", type=_format, required=True, metavar="FORMAT")
        verb.add_argument("source", type=Path, metavar="FILE")
    for verb in (convert, compare):
        verb.add_argument("--to", dest="target_format", type=_format, required=True, metavar="FORMAT")
        verb.add_argument("target", type=Path, metavar="OTHER")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked; the exit code says how it ended."""
    try:
        return _VERBS[arguments.verb](arguments)
    except (ImageError, FileNotFoundError, IsADirectoryError, FileExistsError) as error:
        return _ended_early(str(error), EXIT_USAGE)
    except OSError as error:
        return _ended_early(f"this machine stands in the way: {error}", EXIT_CODES[Conclusion.HARNESS_ERROR])
    except KeyboardInterrupt:
        return _ended_early("stopped; the target was not written.", STOPPED)


def _convert(arguments: argparse.Namespace) -> int:
    target: Path = arguments.target
    if target.exists() and (not arguments.force or target.samefile(arguments.source)):
        cure = "it is the source itself" if target.samefile(arguments.source) else "say --force to replace it"
        raise FileExistsError(f"{target} exists; {cure}.")
    label = Label(uuid=UUID(bytes=os.urandom(16), version=4), time_s=time.time())
    with open_image(arguments.source, arguments.source_format) as source, _bar() as bar:
        task = bar.add_task(target.name, total=None)
        for progress in write_image(source, target, arguments.target_format, label):
            bar.update(task, completed=progress.done_bytes, total=progress.total_bytes)
    return EQUAL


def _compare(arguments: argparse.Namespace) -> int:
    with ExitStack() as opened:
        one = opened.enter_context(open_image(arguments.source, arguments.source_format))
        other = opened.enter_context(open_image(arguments.target, arguments.target_format))
        if one.size_bytes != other.size_bytes:
            sys.stdout.write(f"The disks have {one.size_bytes} and {other.size_bytes} bytes.\n")
            return DIFFERENT
        place = first_difference(one, other)
    sys.stdout.write("The disks are equal.\n" if place is None else f"The disks differ at byte {place}.\n")
    return EQUAL if place is None else DIFFERENT


def _tell(arguments: argparse.Namespace) -> int:
    with open_image(arguments.source, arguments.source_format) as disk:
        found: dict[str, Any] = {
            "size_bytes": disk.size_bytes,
            "stored_bytes": sum(length for _, length in disk.extents()),
        }
        if arguments.sha256:
            found["sha256"] = digest_of(disk)
    if arguments.json:
        sys.stdout.write(json.dumps({"format": str(arguments.source_format), **found}) + "\n")
    else:
        sys.stdout.write("".join(f"{name.replace('_', ' '):<14}{value}\n" for name, value in found.items()))
    return EQUAL


_VERBS = {"convert": _convert, "compare": _compare, "info": _tell}


def digest_of(disk: ReadableDisk) -> str:
    """Hash all bytes of a disk, its zeros included."""
    sha, at, zeros = hashlib.sha256(), 0, bytes(PIECE_BYTES)
    for offset, piece in chain(pieces(disk), [(disk.size_bytes, b"")]):
        for _, step in _steps(at, offset):
            sha.update(memoryview(zeros)[:step])
        sha.update(piece)
        at = offset + len(piece)
    return sha.hexdigest()


def first_difference(one: ReadableDisk, other: ReadableDisk) -> int | None:
    """Find the first byte in which two disks of one size differ; None where they are equal."""
    places = [_differing(first, second) for first, second in ((one, other), (other, one))]
    return min((place for place in places if place is not None), default=None)


def _differing(one: ReadableDisk, other: ReadableDisk) -> int | None:
    """Look only where the first disk stores something; who asks both ways round has looked everywhere."""
    for offset, length in one.extents():
        for start, step in _steps(offset, offset + length):
            left, right = one.read(start, step), other.read(start, step)
            if left != right:
                return start + next(at for at, pair in enumerate(zip(left, right, strict=True)) if pair[0] != pair[1])
    return None


def _steps(start: int, end: int) -> Iterator[tuple[int, int]]:
    for offset in range(start, end, PIECE_BYTES):
        yield offset, min(PIECE_BYTES, end - offset)


@contextmanager
def _bar() -> Iterator[Progress]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as bar:
        yield bar


def _format(text: str) -> ImageFormat:
    try:
        return format_named(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _ended_early(sentence: str, code: int) -> int:
    sys.stderr.write(f"snapproof disk: {sentence}\n")
    return code
