"""Measure how many cases a CPU-second of campaigns gives, forked and in worlds of their own, beside the goals.

`python benchmarks/campaign.py [WORKFLOW …]` runs a stride through the cells of workflows on both stores, and a closure.
CPU seconds are those of this process and its children; it prints a table and asserts nothing.
"""

import argparse
import os
from collections.abc import Callable, Sequence

from snapproof.campaign.exploring import explore, require_clean
from snapproof.campaign.running import Case, run
from snapproof.campaign.schedule import Schedule
from snapproof.campaign.strategies import closure, up_to
from snapproof.fixtures.campaign_lab import lab_opener, place_for_labs
from snapproof.fixtures.forked_cases import ForkedCases
from snapproof.fixtures.site import STORES
from snapproof.reference_impl.driver import ReferenceDriver

GOAL = 1_300
"""Cases a CPU-second with a real database and real bytes."""


def cpu_s() -> float:
    """What this process and its children have used."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def per_second(play: Callable[[Schedule], Case], schedules: Sequence[Schedule]) -> float:
    """How many of these schedules a CPU-second gives."""
    began_s = cpu_s()
    for schedule in schedules:
        play(schedule)
    return len(schedules) / (cpu_s() - began_s)


def line(forked: ForkedCases, workflow: str, store: str, cases: int) -> str:
    """One row: cells forked, cells in worlds of their own, and the closure."""
    bare = Schedule(workflow=workflow, store=store, seed=0)
    clean = require_clean(forked(bare))
    cells = list(up_to(1)(clean))
    some = cells[:: max(1, len(cells) // cases)]
    open_lab = lab_opener(ReferenceDriver)
    own = per_second(lambda schedule: run(schedule, open_lab), some)
    fast = per_second(forked, some)
    met = "yes" if fast >= GOAL else "NO"
    return f"| {workflow} | {store} | {len(clean.crossings)} | {len(cells)} | {own:.1f} | {fast:.1f} | {GOAL} | {met} |"


def closed(forked: ForkedCases, workflow: str, store: str) -> str:
    """How long the closure over deaths alone takes."""
    began_s = cpu_s()
    clean = require_clean(forked(Schedule(workflow=workflow, store=store, seed=0, still=True), states=True))
    cases = list(explore(clean, closure(0), lambda part: (forked(one, states=True) for one in part)))
    deepest = max(len(case.schedule.faults) for case in cases)
    broken = sum(bool(case.violations) for case in cases)
    took_s = cpu_s() - began_s
    return f"{workflow} on {store}: {len(cases)} states, {deepest} deaths in a row, {broken} broken, {took_s:.1f} CPU s"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="cases a CPU-second")
    parser.add_argument("workflow", nargs="*", default=["take-secondary", "delete-secondary", "revert"])
    parser.add_argument("--cases", type=int, default=40, help="how many cells of each")
    arguments = parser.parse_args()
    print("| workflow | store | calls and acts | cells | worlds of their own | forked | goal | met |")
    print("|---|---|---|---|---|---|---|---|")
    with place_for_labs() as place:
        forked = ForkedCases(ReferenceDriver, place)
        for workflow in arguments.workflow:
            for store in STORES:
                print(line(forked, workflow, store, arguments.cases), flush=True)
        print(f"\nClosure over deaths: {closed(forked, 'delete-secondary', 'nfs')}")
        forked.close()


if __name__ == "__main__":
    main()
