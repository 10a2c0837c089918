"""Measure how soon each strategy of the campaign finds each mistake that only faults reveal: the kill matrix.

`python benchmarks/kills.py [--strategies A,B] [--budget-s N] [VARIANT …]` prints a row for each variant of faults.toml:
cases and CPU seconds until the first that broke, and the smallest schedule that breaks the same.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from snapproof.authoring.broken import FaultMistake, fault_mistakes
from snapproof.campaign.exploring import explore, require_clean
from snapproof.campaign.running import Case, run
from snapproof.campaign.shrinking import shrink
from snapproof.campaign.strategies import STRATEGIES
from snapproof.campaign.together import bare
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.naming import load_driver

GOALS_S = {1: 1, 2: 10, 3: 60}
"""CPU seconds of one core in which mistakes of so many faults are to be found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """What became of one variant under one strategy; `found` is the smallest case that broke."""

    cases: int
    cpu_s: float
    found: Case | None


def seek(mistake: FaultMistake, name: str, budget_s: float, *, shrinking: bool = True) -> Kill:
    """Explore until something breaks or the budget is spent. What shrinking costs is not counted."""
    strategy = STRATEGIES[name]
    begun = bare(mistake.workflow, mistake.store, still=strategy.states)
    play = partial(run, open_lab=lab_opener(load_driver(mistake.selector)), states=strategy.states)
    began_s, cases, spent_s = time.process_time(), 0, 0.0
    for case in explore(require_clean(play(begun)), strategy.fresh(1), lambda schedules: map(play, schedules)):
        cases, spent_s = cases + 1, time.process_time() - began_s
        if case.violations:
            return Kill(cases=cases, cpu_s=spent_s, found=shrink(case, play) if shrinking else case)
        if spent_s > budget_s:
            break
    return Kill(cases=cases, cpu_s=spent_s, found=None)


def row(mistake: FaultMistake, name: str, kill: Kill) -> str:
    """One line of the table."""
    goal_s = GOALS_S[mistake.faults]
    if kill.found is None:
        said, line = "not found", ""
    else:
        over = kill.cpu_s / goal_s
        said = "yes" if over <= 1 else f"NO, {over:.1f} times"
        line = f"`{kill.found.schedule}`: {kill.found.violations[0].invariant}"
    figures = f"{kill.cases} | {kill.cpu_s:.1f} | {goal_s} | {said}"
    return f"| {mistake.driver.partition(':')[2]} | {mistake.faults} | {name} | {figures} | {line} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="the kill matrix by strategies")
    parser.add_argument("variant", nargs="*", help="only those whose names begin so")
    parser.add_argument("--strategies", default="hunt,singles,closure,swarm", metavar="A,B")
    parser.add_argument("--budget-s", type=float, default=60.0, help="CPU seconds for each variant and strategy")
    options = parser.parse_args(arguments)
    print("| variant | faults | strategy | cases | CPU s | goal s | met | smallest schedule: what it breaks |")
    print("|---|---|---|---|---|---|---|---|")
    for mistake in fault_mistakes():
        if options.variant and not mistake.driver.partition(":")[2].startswith(tuple(options.variant)):
            continue
        for name in options.strategies.split(","):
            print(row(mistake, name, seek(mistake, name, options.budget_s)), flush=True)


if __name__ == "__main__":
    main()
