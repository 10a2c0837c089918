"""Regressions: schedules that broke a driver, kept in a file, a line each, to be replayed before anything else.

The file is text that people may edit and commit: a driver's name and a schedule a line, `#` before remarks.
"""

from collections.abc import Iterable
from pathlib import Path

from snapproof.campaign.schedule import Schedule, read_schedule

USUAL = Path(".snapproof/regressions")


def kept_for(driver: str, path: Path) -> tuple[Schedule, ...]:
    """Read the schedules that broke this driver. Raises ValueError, with the file, for a line that holds none."""
    if not path.exists():
        return ()
    found = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        name, _, text = line.strip().partition(" ")
        if name == driver:
            try:
                found.append(read_schedule(text))
            except ValueError as error:
                raise ValueError(f"{path}, line {number}: {error}") from error
    return tuple(found)


def keep(driver: str, schedule: Schedule, remarks: Iterable[str], path: Path) -> bool:
    """Append a schedule, with what it broke; say whether it is new."""
    if schedule in kept_for(driver, path):
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    told = "".join(f"# {' '.join(remark.split())}\n" for remark in remarks)
    with path.open("a") as file:
        file.write(f"{told}{driver} {schedule}\n")
    return True
