"""Measure how many cases a CPU-second of campaigns gives, beside the goal.

`python benchmarks/campaign.py [WORKFLOW …]` runs a stride through the cells of workflows on both stores, and a closure.
CPU seconds are those of this process; it prints a table and asserts nothing.
"""

import argparse
import gc
import time
from functools import partial

from snapproof.campaign.exploring import explore, require_clean
from snapproof.campaign.running import run
from snapproof.campaign.strategies import closure, up_to
from snapproof.campaign.together import bare
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.fixtures.site import STORES
from snapproof.reference_impl.driver import ReferenceDriver

GOAL = 1_300
"""Cases a CPU-second with a real database and real bytes."""


play = partial(run, open_lab=lab_opener(ReferenceDriver))


def line(workflow: str, store: str, most: int) -> str:
    """One row: how many cells there are, and how many of a stride through them a CPU-second gives."""
    clean = require_clean(play(bare(workflow, store)))
    cells = list(up_to(1)(clean))
    some = cells[:: max(1, len(cells) // most)]
    gc.collect()
    gc.freeze()
    began_s = time.process_time()
    for cell in some:
        play(cell)
    rate = len(some) / (time.process_time() - began_s)
    met = "yes" if rate >= GOAL else "NO"
    return f"| {workflow} | {store} | {len(clean.crossings)} | {len(cells)} | {rate:.1f} | {GOAL} | {met} |"


def closed(workflow: str, store: str) -> str:
    """How long the closure over deaths alone takes."""
    began_s = time.process_time()
    clean = require_clean(play(bare(workflow, store, still=True), states=True))
    cases = list(explore(clean, closure(0), lambda part: (play(one, states=True) for one in part)))
    deepest = max(len(case.schedule.faults) for case in cases)
    broken = sum(bool(case.violations) for case in cases)
    took_s = time.process_time() - began_s
    return f"{workflow} on {store}: {len(cases)} states, {deepest} deaths in a row, {broken} broken, {took_s:.1f} CPU s"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="cases a CPU-second")
    parser.add_argument("workflow", nargs="*", default=["take-secondary", "delete-secondary", "revert"])
    parser.add_argument("--cases", type=int, default=40, help="how many cells of each")
    arguments = parser.parse_args()
    print("| workflow | store | calls and acts | cells | cases a CPU-second | goal | met |")
    print("|---|---|---|---|---|---|---|")
    for workflow in arguments.workflow:
        for store in STORES:
            print(line(workflow, store, arguments.cases), flush=True)
    print(f"\nClosure over deaths: {closed('delete-secondary', 'nfs')}")


if __name__ == "__main__":
    main()
