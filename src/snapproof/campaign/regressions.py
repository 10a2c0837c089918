"""Regressions: schedules that broke a driver, kept in a file, a line each, to be replayed before anything else.

The file is text that people may edit and commit: a driver's name and a schedule a line, `#` before remarks.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from snapproof.campaign.lines import add_lines
from snapproof.campaign.schedule import Schedule, ScheduleError, read_schedule

USUAL = Path(".snapproof/regressions")
_LINE = re.compile(r"(?P<driver>.+) (?P<schedule>[a-z-]+/v\d+ .*)", re.ASCII)
"""A driver that is a command has blanks in its name."""


def kept_for(driver: str, path: Path) -> tuple[Schedule, ...]:
    """Read the schedules that broke this driver. Raises ScheduleError, with the file, for a line that holds none."""
    if not path.exists():
        return ()
    found = []
    for number, line in enumerate(map(str.strip, path.read_text(encoding="utf-8").splitlines()), 1):
        parts = _LINE.fullmatch(line)
        if not line or line.startswith("#") or (parts and parts["driver"] != driver):
            continue
        try:
            found.append(read_schedule(parts["schedule"] if parts else line.partition(" ")[2]))
        except ScheduleError as error:
            raise ScheduleError(f"{path}, line {number}: {error}") from error
    return tuple(found)


def keep(driver: str, schedule: Schedule, remarks: Iterable[str], path: Path) -> bool:
    """Append a schedule, with what it broke; say whether it is new."""
    if schedule in kept_for(driver, path):
        return False
    told = [f"# {' '.join(remark.split())}" for remark in remarks]
    add_lines(path, map(str.encode, [*told, f"{driver} {schedule}"]))
    return True
