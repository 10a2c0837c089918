"""`snapproof demo`: a real filesystem on its way through every floor, as a readable story. Says who judged it.

What happens is in fixtures/demonstration.py; here are options, the terminal, JSON and a clean end.
"""

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from snapproof import __version__
from snapproof.commands.telling import Terminal, print_disk, print_end
from snapproof.fixtures.demonstration import Chapter, Stage, demonstrate
from snapproof.fixtures.disks import Disk, DiskError, given_disk, own_disk
from snapproof.fixtures.judges import Find, installed
from snapproof.fixtures.site import STORES
from snapproof.images.formats import ImageFormat
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.verdict import EXIT_CODES, EXIT_USAGE, Conclusion

AGREED, DISAGREED, STOPPED = 0, 1, 130
EPILOG = """\
examples:
  snapproof demo                        an ext4 filesystem, with backups on NFS and then on S3
  snapproof demo --store s3             S3 only
  snapproof demo --disk my-vm.raw       your own raw image; it is only read
  snapproof demo --disk my-vm.qcow2 --disk-format qcow2
  snapproof demo --keep images          keep the disks, the backups and the journals to look at:
                                          qemu-img info images/nfs/backup.vhd
                                          e2fsck -fn images/nfs/restored-secondary.raw
  snapproof demo --json | jq .verdict   one object for programs

Everything that was written to the disk is held in memory several times over, so give images with at most some hundred
MiB of data; the zeros beside it cost about a second per GiB. qemu-img and e2fsck judge where they are installed; where
they are not, the story says so, and our own comparison has judged alone.
exit codes: 0 every judge who was present agreed, 1 one did not, 3 no room or no permission, 4 usage
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "demo",
        help="send a real filesystem through every floor and have it judged",
        description="Send a real ext4 filesystem through snapshot, backup and restore while its guest\n"
        "keeps writing, and have the results judged by us, by qemu-img and by e2fsck.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--store", choices=(*STORES, "both"), default="both", help="where backups go (default both)")
    parser.add_argument("--disk", type=Path, metavar="FILE", help="a disk image (default: an ext4 made for this)")
    parser.add_argument(
        "--disk-format",
        choices=tuple(ImageFormat),
        type=ImageFormat,
        default=ImageFormat.RAW,
        help="what the disk image is; it is never probed (default raw)",
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep images, backups and journals here")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="draw ids and contents from N (default 1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the story")


def run(arguments: argparse.Namespace) -> int:
    """Tell the story; the exit code says whether every judge who was present agreed."""
    console = Console(quiet=arguments.json, highlight=False)
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory(prefix="snapproof-demo-") as scratch:
            disk, chapters = tell(arguments, Path(scratch), console, installed)
    except DiskError as error:
        return _ended_early(str(error), EXIT_USAGE)
    except OSError as error:
        return _ended_early(f"this machine stands in the way: {error}", EXIT_CODES[Conclusion.HARNESS_ERROR])
    except KeyboardInterrupt:
        return _ended_early("stopped; its temporary files are removed.", STOPPED)
    finally:
        signal.signal(signal.SIGTERM, previous)
    agreed = all(chapter.agreed for chapter in chapters)
    if arguments.json:
        sys.stdout.write(json.dumps(summary(arguments, disk, chapters, agreed=agreed)) + "\n")
    else:
        print_end(console, chapters, arguments.keep)
    return AGREED if agreed else DISAGREED


def tell(arguments: argparse.Namespace, scratch: Path, console: Console, find: Find) -> tuple[Disk, Sequence[Chapter]]:
    """Prepare the disk and play a chapter for each store."""
    images: Path = arguments.keep or scratch / "images"
    images.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    if arguments.disk:
        refuse_disk_within(arguments.disk, arguments.keep)
        disk = given_disk(arguments.disk, find, form=arguments.disk_format, copy=images / "disk.raw")
    else:
        disk = own_disk(images / "disk.raw", find, scratch=scratch, seed=arguments.seed)
    print_disk(console, disk, time.monotonic() - began)
    chapters = []
    for store in STORES if arguments.store == "both" else (arguments.store,):
        for folder in (images / store, scratch / store):
            folder.mkdir(exist_ok=True)
        stage = Stage(
            factory=ReferenceDriver,
            disk=disk,
            images=images / store,
            scratch=scratch / store,
            seed=arguments.seed,
            find=find,
            now=time.monotonic,
        )
        with Terminal.telling(console, store) as narrator:
            chapters.append(demonstrate(stage, store, narrator))
    return disk, chapters


def refuse_disk_within(disk: Path, keep: Path | None) -> None:
    """What is kept overwrites what was kept before, and the user's disk is only ever read."""
    if keep and disk.resolve().is_relative_to(keep.resolve()):
        raise DiskError(f"{disk} lies in {keep}, where files are overwritten; keep the images in another directory.")


def summary(arguments: argparse.Namespace, disk: Disk, chapters: Sequence[Chapter], *, agreed: bool) -> dict[str, Any]:
    """Put into one object what the story told."""
    return {
        "snapproof": __version__,
        "seed": arguments.seed,
        "verdict": "agreed" if agreed else "disagreed",
        "disk": {
            "origin": disk.origin,
            "size_bytes": disk.content.size_bytes,
            "written_blocks": len(disk.content.blocks),
            "log_blocks": len(disk.log_places),
        },
        "stores": [{**msgspec.to_builtins(chapter), "agreed": chapter.agreed} for chapter in chapters],
    }


def _ended_early(sentence: str, code: int) -> int:
    sys.stderr.write(f"snapproof demo: {sentence}\n")
    return code
