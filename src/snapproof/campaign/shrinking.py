"""Shrinking: a schedule that breaks a driver is made as short and as plain as it can be while it breaks the same thing.

First faults are taken away (as ddmin does), then all that are left must strike, the guest is kept still, and kinds are
made simpler. What a schedule breaks are invariants by name; a fault that no longer fires is no reproduction.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import product

from snapproof.campaign.applicability import FAULT_KINDS, FINAL, kinds_for
from snapproof.campaign.running import Case, RunCase
from snapproof.campaign.schedule import Schedule
from snapproof.campaign.turning import HOLDING_UP

UNSPENT = "unspent"


def shrink(broken: Case, run_case: RunCase) -> Case:
    """Give the case of the smallest schedule that was found to break one of the same invariants."""
    wanted = _invariants(broken) - {UNSPENT}

    @cache  # each time that something became plainer, all is tried from the beginning
    def again(schedule: Schedule) -> Case | None:
        case = run_case(schedule)
        found = _invariants(case)
        return case if found & wanted and UNSPENT not in found else None

    smallest, simpler = broken, True
    while simpler:
        smallest, simpler = _with_fewer_faults(smallest, again), False
        for candidate in _plainer_schedules(smallest.schedule):
            if case := again(candidate):
                smallest, simpler = case, True
                break
    return smallest


def _with_fewer_faults(case: Case, again: Callable[[Schedule], Case | None]) -> Case:
    """Take away half of the faults, then less and less at a time; what could be taken away is not asked for again."""
    size = len(case.schedule.faults) // 2
    while size:
        start = 0
        while start < len(faults := case.schedule.faults):
            if found := again(replace(case.schedule, faults=faults[:start] + faults[start + size :])):
                case = found
            else:
                start += size
        size = min(size, len(case.schedule.faults)) // 2
    return case


def _plainer_schedules(schedule: Schedule) -> Iterator[Schedule]:
    """Give those that say less. One final no may do what several passing ones do together."""
    faults = schedule.faults
    if len(faults) > 1:
        for call, final in product([call for call, _ in faults], sorted(FINAL)):
            if final in kinds_for(call):
                yield replace(schedule, faults=((call, final),))
    if schedule.if_met:
        yield replace(schedule, if_met=False)
    if not schedule.still:
        yield replace(schedule, still=True)
    for number, (call, kind) in enumerate(faults):
        for plainer in _plainer(call, kind):
            yield replace(schedule, faults=(*faults[:number], (call, plainer), *faults[number + 1 :]))


def _plainer(call: str, kind: str) -> Iterator[str]:
    """Kinds that say less, the plainest first; every kind that has a name of its own says more than those without."""
    if kind.partition(":")[0] in HOLDING_UP:
        return  # to hold somebody up is no kind of fault, plain or not
    known = kinds_for(call)
    yield from (each for each in FAULT_KINDS[: _rank(kind)] if each in known)


def _rank(kind: str) -> int:
    return FAULT_KINDS.index(kind) if kind in FAULT_KINDS else len(FAULT_KINDS)


def _invariants(case: Case) -> set[str]:
    return {violation.invariant for violation in case.violations}
