"""Results of campaigns in files, a line a case: shards of any machine and day can be joined, each case counted once."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from snapproof.campaign.running import Case


class UnreadableResultsError(Exception):
    """A file holds no results; the message says which line."""


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept of a case. `reached` are the calls and acts of a case without faults, by name."""

    case: str
    ending: str
    broken: tuple[str, ...] = ()
    reached: tuple[str, ...] = ()


def told(case: Case) -> Told:
    """Keep what joins."""
    names = sorted({crossing.label.partition("#")[0] for crossing in case.crossings})
    return Told(
        case=str(case.schedule),
        ending=case.ending,
        broken=tuple(map(str, case.violations)),
        reached=() if case.schedule.faults else tuple(names),
    )


def append(path: Path, cases: Iterable[Told]) -> None:
    """Add lines to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.writelines(msgspec.json.encode(each) + b"\n" for each in cases)


def joined(paths: Iterable[Path]) -> Mapping[str, Told]:
    """Join files by schedule. One that broke in any of them is broken. Raises UnreadableResultsError."""
    found: dict[str, Told] = {}
    for path in paths:
        for each in _read(path):
            before = found.get(each.case)
            if before is None or not before.broken:
                found[each.case] = each
    return found


def _read(path: Path) -> Iterable[Told]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise UnreadableResultsError(f"{path} cannot be read ({error.strerror}).") from error
    for number, line in enumerate(lines, 1):
        try:
            yield msgspec.json.decode(line, type=Told)
        except msgspec.MsgspecError as error:
            raise UnreadableResultsError(f"{path}, line {number}, is no result of a campaign: {error}.") from error
