"""The state tables as a page with diagrams: `python -m snapproof.reference_impl.picturing`.

Mermaid draws the diagrams where Markdown is shown; the tables below them say the same in words.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from snapproof.reference_impl.core.states import (
    COPY_TRANSITIONS,
    SNAPSHOT_TRANSITIONS,
    VOLUME_TRANSITIONS,
    CopyState,
    VolumeState,
)
from snapproof.vocabulary import SnapshotState

ABOUT = """\
# The states of snapshots, copies and volumes

Written by `python -m snapproof.reference_impl.picturing` from the tables that the reference implementation walks
(`reference_impl/core/states.py`). Whatever is not in a table raises, and changes nothing. The tables are CloudStack's;
where a gap of its own was closed, the file says which and why.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One table under its title; `start` is where everything begins."""

    title: str
    table: Mapping[tuple[Any, Any], Any]
    start: StrEnum
    ends: tuple[StrEnum, ...] = ()


PICTURES = (
    Picture(
        title="A snapshot",
        table=SNAPSHOT_TRANSITIONS,
        start=SnapshotState.ALLOCATED,
        ends=(SnapshotState.DESTROYED,),
    ),
    Picture(
        title="A copy of a snapshot", table=COPY_TRANSITIONS, start=CopyState.ALLOCATED, ends=(CopyState.DESTROYED,)
    ),
    Picture(title="A volume, as far as snapshots touch it", table=VOLUME_TRANSITIONS, start=VolumeState.READY),
)


def page() -> str:
    """Write the page."""
    return "\n".join([ABOUT, *(_section(picture) for picture in PICTURES)])


def _section(picture: Picture) -> str:
    lines = [f"## {picture.title}", "", "```mermaid", "stateDiagram-v2", f"    [*] --> {picture.start}"]
    lines += [f"    {before} --> {after}: {event}" for (before, event), after in picture.table.items()]
    lines += [f"    {end} --> [*]" for end in picture.ends]
    lines += ["```", "", "| from | event | to |", "|---|---|---|"]
    lines += [f"| {before} | {event} | {after} |" for (before, event), after in picture.table.items()]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.stdout.write(page())
