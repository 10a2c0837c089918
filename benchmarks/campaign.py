"""Measure how many cases a CPU-second of campaigns gives, beside the goal and beside what no case can do without.

`python benchmarks/campaign.py [WORKFLOW …]` runs a stride through the cells of workflows on both stores, and a closure.
Then the statements that these cells had sent to SQLite are sent once more, by Python's own module and by nobody else:
were all the rest of a case free, there would be so many. CPU seconds are those of this process; it prints a table and
asserts nothing.
"""

import argparse
import gc
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any, TypeAlias

from sqlalchemy import Engine, event

from snapproof.campaign.exploring import explore, require_clean
from snapproof.campaign.running import run
from snapproof.campaign.schedule import Schedule
from snapproof.campaign.strategies import closure, up_to
from snapproof.campaign.together import bare
from snapproof.fixtures.campaign_lab import lab_opener, place_for_labs
from snapproof.fixtures.site import STORES
from snapproof.reference_impl.driver import ReferenceDriver

GOAL = 1_300
"""Cases a CPU-second with a real database and real bytes."""

Statement: TypeAlias = tuple[str, Any]
"""What was sent to a database, and with which values."""

play = partial(run, open_lab=lab_opener(ReferenceDriver))


def line(workflow: str, store: str, most: int) -> str:
    """One row: how many cells there are, how many of a stride through them a CPU-second gives, and would at most."""
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
    figures = f"{rate:.1f} | {rate_of_sqlite(some):.0f} | {GOAL} | {met}"
    return f"| {workflow} | {store} | {len(clean.crossings)} | {len(cells)} | {figures} |"


def rate_of_sqlite(cells: Sequence[Schedule]) -> float:
    """How many of these cells a CPU-second would give, did they consist of nothing but SQLite's own work."""
    sent = [statements_of(cell) for cell in cells]
    began_s = time.process_time()
    for statements in sent:
        send(statements)
    return len(cells) / (time.process_time() - began_s)


def statements_of(cell: Schedule) -> Sequence[Statement]:
    """What this cell sends to its database, but for the looks at leases, which go past all that could tell of them."""
    sent: list[Statement] = []
    hooks: Mapping[str, Callable[..., None]] = {
        "begin": lambda _connection: sent.append(("BEGIN IMMEDIATE", ())),
        "commit": lambda _connection: sent.append(("COMMIT", ())),
        "rollback": lambda _connection: sent.append(("ROLLBACK", ())),
        "before_cursor_execute": lambda _connection, _cursor, text, values, *_: sent.append((text, values)),
    }
    for name, hook in hooks.items():
        event.listen(Engine, name, hook)
    try:
        play(cell)
    finally:
        for name, hook in hooks.items():
            event.remove(Engine, name, hook)
    return sent


def send(statements: Sequence[Statement]) -> None:
    """Let SQLite do the same once more, in a database of its own that is kept as the catalog is."""
    with place_for_labs() as place, closing(sqlite3.connect(place / "catalog", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        for text, values in statements:
            if database.in_transaction and text.startswith("BEGIN"):
                database.rollback()  # who had begun it had died
            database.execute(text, values).fetchall()


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
    print("| workflow | store | calls and acts | cells | cases a CPU-second | SQLite alone | goal | met |")
    print("|---|---|---|---|---|---|---|---|")
    for workflow in arguments.workflow:
        for store in STORES:
            print(line(workflow, store, arguments.cases), flush=True)
    print(f"\nClosure over deaths: {closed('delete-secondary', 'nfs')}")


if __name__ == "__main__":
    main()
