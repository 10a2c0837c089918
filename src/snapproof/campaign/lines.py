"""Files to which lines are added, by processes that may be killed and people whose editor leaves the last one open."""

import os
from collections.abc import Iterable
from pathlib import Path


def add_lines(path: Path, lines: Iterable[bytes]) -> None:
    """Add lines to a file, below whatever stands there: the first of them is not glued to one that was left open."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.writelines(line + b"\n" for line in lines)
