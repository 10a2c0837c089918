"""Results of campaigns in files, a line a case: shards of any machine and day can be joined, each case counted once."""

import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from snapproof.campaign.applicability import is_of_a_store
from snapproof.campaign.exploring import RunAll
from snapproof.campaign.invariants import Violation
from snapproof.campaign.lines import add_lines
from snapproof.campaign.running import Case
from snapproof.campaign.schedule import Schedule
from snapproof.lab import Crossing
from snapproof.naming import full_name

_BEGINNING = b'{"case":"'
"""How every line begins."""


class UnreadableResultsError(Exception):
    """A file holds no results; the message says which line."""


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept of a case. `reached` are the calls and acts of a case without faults, by name.

    `ahead` is what was crossed after the last fault, packed, where further faults may follow: an exploration that was
    interrupted goes on from there. Of callers who act at once it is not kept: such a case is run again. `driver` is
    a full name, that of the reference where a line names none; in a `storeless` case no store was seen to be called.
    """

    case: str
    ending: str
    driver: str = full_name("reference")
    broken: tuple[str, ...] = ()
    reached: tuple[str, ...] = ()
    storeless: bool = False
    ahead: bytes = b""


def told(case: Case, *, driver: str = "reference", leads_on: bool = False) -> Told:
    """Keep what joins; and what is ahead, if further faults may follow."""
    names = sorted({crossing.label.partition("#")[0] for crossing in case.crossings})
    return Told(
        case=str(case.schedule),
        ending=case.ending,
        driver=full_name(driver),
        broken=tuple(map(str, case.violations)),
        reached=() if case.schedule.faults else tuple(names),
        storeless=not any(map(is_of_a_store, names)),
        ahead=_packed(case.after_last_fault()) if leads_on and not case.chances else b"",
    )


def unclean(schedule: Schedule, reason: str, *, driver: str) -> Told:
    """Keep that a workflow fails without any fault, or cannot even be arranged."""
    broken = (f"unclean: {reason}",)
    return Told(case=str(schedule), ending="NotCleanError", driver=full_name(driver), broken=broken)


def restored(schedule: Schedule, found: Told) -> Case:
    """Give a case back as far as it was told: how it ended, what broke, and what is ahead."""
    struck = tuple(Crossing(call) for call, _ in schedule.faults[-1:])
    return Case(
        schedule=schedule,
        ending=found.ending,
        violations=tuple(Violation(*text.split(": ", 1)) for text in found.broken),
        calls=(),
        acts=(),
        crossings=(*struck, *_unpacked(found.ahead)),
        digest="",
    )


def resuming(run_all: RunAll, known: Mapping[str, Told], leads_on: Callable[[Schedule], bool]) -> RunAll:
    """Run only what is not known well enough to go on from; the rest is given as it was told, in its place."""

    def told_of(schedule: Schedule) -> Told | None:
        found = known.get(str(schedule))
        return found if found and (found.ahead or not leads_on(schedule)) else None

    def run(schedules: Sequence[Schedule]) -> Iterator[Case]:
        fresh = iter(run_all([schedule for schedule in schedules if told_of(schedule) is None]))
        for schedule in schedules:
            found = told_of(schedule)
            yield next(fresh) if found is None else restored(schedule, found)

    return run


def _packed(crossings: Sequence[Crossing]) -> bytes:
    return zlib.compress(msgspec.json.encode([(crossing.label, crossing.state) for crossing in crossings]))


def _unpacked(packed: bytes) -> tuple[Crossing, ...]:
    if not packed:
        return ()
    pairs = msgspec.json.decode(zlib.decompress(packed), type=list[tuple[str, str]])
    return tuple(Crossing(label, state) for label, state in pairs)


def append(path: Path, cases: Iterable[Told]) -> None:
    """Add lines to a file."""
    add_lines(path, map(msgspec.json.encode, cases))


def joined(paths: Iterable[Path]) -> Collection[Told]:
    """Join files by driver and schedule. A case that broke in any of them is broken. Raises UnreadableResultsError."""
    found: dict[tuple[str, str], Told] = {}
    for path in paths:
        for each in _read(path):
            before = found.get((each.driver, each.case))
            if before is None or _weight(each) >= _weight(before):
                found[each.driver, each.case] = each
    return found.values()


def known_of(driver: str, path: Path) -> Mapping[str, Told]:
    """Give what a file tells of a driver, by schedule. Raises UnreadableResultsError."""
    return {each.case: each for each in joined([path]) if each.driver == full_name(driver)}


def _weight(found: Told) -> tuple[bool, bool]:
    """What broke counts most; then, what an exploration can go on from."""
    return bool(found.broken), bool(found.ahead)


def _read(path: Path) -> Iterable[Told]:
    """Read a file. A line that was torn as its writer was killed tells nothing; its case is simply not told."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise UnreadableResultsError(f"{path} cannot be read ({error.strerror}).") from error
    for number, line in enumerate(lines, 1):
        try:
            yield msgspec.json.decode(line, type=Told)
        except msgspec.MsgspecError as error:
            if _is_torn(line, error):
                continue
            raise UnreadableResultsError(f"{path}, line {number}, is no result of a campaign: {error}.") from error


def _is_torn(line: bytes, error: msgspec.MsgspecError) -> bool:
    """Say whether a line begins as ours do and is no JSON to its end."""
    return _BEGINNING.startswith(line[: len(_BEGINNING)]) and not isinstance(error, msgspec.ValidationError)
