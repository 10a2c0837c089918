"""Shrinking: a schedule that breaks a driver is made as short and as plain as it can be while it breaks the same thing.

First faults are taken away (ddmin), then their kinds are made simpler, then all that are left must strike, and the
guest is kept still. What a schedule breaks are invariants by name; a fault that no longer fires is no reproduction.
"""

from collections.abc import Iterator
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

    @cache  # each time that something was taken away, the smaller ones are tried from the beginning
    def again(schedule: Schedule) -> Case | None:
        case = run_case(schedule)
        found = _invariants(case)
        return case if found & wanted and UNSPENT not in found else None

    smallest, simpler = broken, True
    while simpler:
        simpler = False
        for candidate in _candidates(smallest.schedule):
            if case := again(candidate):
                smallest, simpler = case, True
                break
    return smallest


def _candidates(schedule: Schedule) -> Iterator[Schedule]:
    """Smaller ones, those that take most away first. One final no may do what several passing ones do together."""
    faults = schedule.faults
    size = len(faults) // 2
    while size:
        for start in range(0, len(faults), size):
            yield replace(schedule, faults=faults[:start] + faults[start + size :])
        size //= 2
    if len(faults) > 1:
        for call, final in product([call for call, _ in faults], sorted(FINAL)):
            if final in kinds_for(call):
                yield replace(schedule, faults=((call, final),))
    for number, (call, kind) in enumerate(faults):
        for plainer in _plainer(call, kind):
            yield replace(schedule, faults=(*faults[:number], (call, plainer), *faults[number + 1 :]))
    if schedule.if_met:
        yield replace(schedule, if_met=False)
    if not schedule.still:
        yield replace(schedule, still=True)


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
