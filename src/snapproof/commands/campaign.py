"""`snapproof campaign`: every call of a workflow meets every kind of fault, and further ones as a strategy has it.

What a case is, how it is run and judged, and what follows from it is in snapproof/campaign/; this shows it.
"""

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from snapproof.campaign.exploring import WHOLE, Shard
from snapproof.campaign.interleaving import EVERY_STRATEGY, NIGHTLY, suited_workflows
from snapproof.campaign.regressions import USUAL, kept_for
from snapproof.campaign.results import Told, UnreadableResultsError, append, known_of
from snapproof.campaign.running import NotCleanError, OpenLab
from snapproof.campaign.running import run as run_schedule
from snapproof.campaign.schedule import Schedule, ScheduleError
from snapproof.campaign.shrinking import UNSPENT
from snapproof.campaign.together import EVERY_WORKFLOW, TOGETHER
from snapproof.commands.cluster import NoClusterError
from snapproof.commands.exploration import Explored, Exploring, Plan, summary
from snapproof.commands.workers import Where, opener_of
from snapproof.driver import FaultyDriverError, NotSupportedError
from snapproof.fixtures.site import STORES
from snapproof.lab import NotTestableError
from snapproof.naming import UnknownDriverError, full_name
from snapproof.verdict import EXIT_USAGE

EXAMPLES = """\
examples:
  snapproof campaign                                   all workflows on both stores: each call, each kind of fault
  snapproof campaign --workflow delete-secondary       one of them
  snapproof campaign --strategy everywhere             a first look: one kind of fault at every call at once
  snapproof campaign --strategy pairs --shard 0/50     two faults, the second wherever the first has led; a share of it
  snapproof campaign --strategy closure --others 1     any number of deaths at any points, and one other fault
  snapproof campaign --strategy turns                  workflows of several callers: one of them is held up, anywhere
  snapproof campaign --nightly --shard 0/8             pairs, triples, the closure with two others, two lost turns
  snapproof campaign --driver acme.driver:Driver       your driver, in process
  snapproof campaign --nightly --results FILE --resume goes on where the same command was interrupted
  snapproof campaign --jobs 4                          on four processes of this machine
  snapproof campaign --cluster tcp://10.0.0.7:8786     on dask's workers; --cluster 2 starts two here

strategies, each for every call that really happened, those of recovery and sweep included:
  singles   every call meets every kind of fault that it can
  everywhere  a pool for each kind: all calls meet it at once, and what breaks is shrunk to the one that did it
  pairs     and then a second one, at every call after the first
  triples   and a third; followed up only where the second left a state and calls that no other did
  closure   the graph of durable states: deaths until nothing new comes, and so many other faults (--others)
  swarm     200 first faults drawn by lot, and up to five more behind each
  hunt      pools, then one to three faults, those first that are likely to show a mistake; ends when one breaks
  overtaken behind every call the driver is taken for dead: another life does its work, then the first goes on
of several callers who act at once, whose turn is decided before every call and every transaction, never at a commit:
  turns, interleavings, shuffles   one of them loses his turn once, twice, or up to eight times as it is drawn

What your driver does not declare is not tried, and no pass. Without `reconcile`, nobody takes up what its death left.

A cell of the matrix is how many cases held, n/a where none can be (the reason is below), a dot where none was run.
What breaks is made as small as it can be and kept in a file (--regressions), which is replayed first the next time.
The first 20 cases of a strategy that break print a line each (--results keeps all); paste one to see what happened:
  snapproof replay 'take-secondary/v1 store=nfs seed=0 :: array.CloneVolume#1=lost_after'

exit codes: 0 all cases held, 1 some did not, 2 interrupted before any broke, or nothing could be tried, 4 usage
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "campaign",
        help="search for faults that break a driver",
        description="Let every external call of a workflow meet every kind of fault, and judge what is left.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--driver", default="reference", metavar="NAME", help="'reference', MODULE:FACTORY or cmd:./driver"
    )
    parser.add_argument("--workflow", metavar="A,B", help=f"of {', '.join(EVERY_WORKFLOW)}")
    parser.add_argument("--store", default=",".join(STORES), metavar="A,B", help=f"of {', '.join(STORES)}")
    parser.add_argument("--seed", type=_number, default=0, metavar="N", help="of contents and credentials (default 0)")
    parser.add_argument("--strategy", default="singles", metavar="A,B", help=f"of {', '.join(EVERY_STRATEGY)}")
    parser.add_argument("--others", type=_number, default=1, metavar="N", help="faults beside deaths in a closure (1)")
    parser.add_argument("--nightly", action="store_true", help=f"the deep ones: {', '.join(NIGHTLY)}, two others")
    parser.add_argument(
        "--limit", type=_number, metavar="N", help="end each strategy of a workflow after so many cases"
    )
    parser.add_argument("--shard", type=_shard, default=WHOLE, metavar="I/N", help="this share of the first faults")
    parser.add_argument("--jobs", type=_some, default=1, metavar="N", help="processes to run on (default 1)")
    parser.add_argument("--results", type=Path, metavar="FILE", help="add a line for each case: `snapproof coverage`")
    parser.add_argument("--resume", action="store_true", help="go on: what --results tells of is not run again")
    parser.add_argument("--regressions", type=Path, default=USUAL, metavar="FILE", help=f"kept schedules ({USUAL})")
    parser.add_argument("--cluster", metavar="N|ADDRESS", help="dask workers of this machine, or a scheduler's address")


def run(arguments: argparse.Namespace) -> int:
    """Explore and print the matrices; the first lines of what broke come while it goes on."""
    console = Console()
    names = NIGHTLY if arguments.nightly else tuple(arguments.strategy.split(","))
    chosen = _chosen(arguments, names)
    if refusal := _refusal(arguments, chosen):
        Console(stderr=True).print(refusal, markup=False, soft_wrap=True)
        return EXIT_USAGE
    try:
        if arguments.results:
            append(arguments.results, ())  # a place that cannot be written to is told of before anything is run
        broken = _replay_kept(arguments, {(workflow, store) for _, workflow, store in chosen}, console)
        found = _explore_all(arguments, chosen, console)
    except (
        ScheduleError, NoClusterError, UnreadableResultsError, FaultyDriverError, UnknownDriverError, OSError,
    ) as error:  # fmt: skip
        Console(stderr=True).print(str(error), markup=False, soft_wrap=True)
        return EXIT_USAGE
    broken += sum(explored.broken for explored in found)
    if found and found[-1].interrupted:
        if arguments.results:
            console.print("The same command with --resume goes on from here.")
        return 1 if broken else 2
    untried = sum(bool(explored.untried) for explored in found)
    if found and untried == len(found) and not broken:
        console.print("Nothing was tried; why not is said above.")
        return 2
    rest = f" {untried} of {len(found)} were not tried; why not is said above." if untried else ""
    console.print(("[red]Some cases did not hold.[/]" if broken else "[green]Every case held.[/]") + rest)
    return 1 if broken else 0


def _chosen(arguments: argparse.Namespace, names: Sequence[str]) -> Sequence[tuple[str, str, str]]:
    """Each strategy, on the workflows that were named and suit it, or are usual for it, on each store."""
    named = arguments.workflow.split(",") if arguments.workflow else None
    stores = arguments.store.split(",")
    return [each for name in names for each in product([name], suited_workflows(name, named), stores)]


def _refusal(arguments: argparse.Namespace, chosen: Sequence[tuple[str, str, str]]) -> str:
    """Say what cannot be taken, in a sentence; empty if all can."""
    known = {*EVERY_WORKFLOW, *STORES, *EVERY_STRATEGY}
    unknown = dict.fromkeys(word or "An empty name" for each in chosen for word in each if word not in known)
    if unknown or arguments.jobs < 1:
        return (
            f"{', '.join(unknown) or '--jobs'} cannot be taken. Workflows are {', '.join(EVERY_WORKFLOW)}; "
            f"stores are {', '.join(STORES)}; strategies are {', '.join(EVERY_STRATEGY)}; jobs are 1 or more."
        )
    if not chosen:
        return f"There is nobody to hold up where one acts alone. Workflows of several are {', '.join(TOGETHER)}."
    if arguments.resume and not arguments.results:
        return "--resume goes on from a file: name it with --results."
    if arguments.shard != WHOLE and any(name == "hunt" for name, _, _ in chosen):
        return "A hunt follows its own findings and cannot be shared out. Let each machine hunt in other workflows."
    return ""


def _explore_all(
    arguments: argparse.Namespace, chosen: Sequence[tuple[str, str, str]], console: Console
) -> Sequence[Explored]:
    """Explore until all is done or the user has had enough. What calls no store is the same run on the next one."""
    exploring = Exploring(_plan(arguments), console)
    found: list[Explored] = []
    for name, workflow, store in chosen:
        if twin := _storeless_twin(found, workflow, name):
            reason = f"none of its {twin.matrix.cells} cases on {twin.store} calls a store"
            console.print(f"{workflow} on {store}, {name}: the same runs, for {reason}.\n", soft_wrap=True)
            continue
        found.append(exploring.explore(workflow, store, name))
        if found[-1].interrupted:
            break
    if len(found) > 1:
        console.print(summary(found))
    return found


def _storeless_twin(found: Sequence[Explored], workflow: str, strategy: str) -> Explored | None:
    """Give an exploration of the same on another store in which no store was called."""
    same = (each for each in found if (each.workflow, each.strategy) == (workflow, strategy))
    return next((each for each in same if each.storeless and each.matrix.cells), None)


def _plan(arguments: argparse.Namespace) -> Plan:
    return Plan(
        where=Where(driver=arguments.driver, jobs=arguments.jobs, cluster=arguments.cluster),
        seed=arguments.seed,
        others=2 if arguments.nightly else arguments.others,
        shard=arguments.shard,
        limit=arguments.limit,
        results=arguments.results,
        known=_known(arguments),
        regressions=arguments.regressions,
    )


def _known(arguments: argparse.Namespace) -> Mapping[str, Told]:
    """What the results file tells of this driver. Raises UnreadableResultsError."""
    if not arguments.resume or not arguments.results.exists():
        return {}
    return known_of(arguments.driver, arguments.results)


def _replay_kept(arguments: argparse.Namespace, chosen: set[tuple[str, str]], console: Console) -> int:
    """Replay what broke this driver before, as far as it was chosen; how many still do. Raises ScheduleError."""
    kept = kept_for(full_name(arguments.driver), arguments.regressions)
    open_lab = opener_of(full_name(arguments.driver)) if kept else None
    broken = 0
    for schedule in kept:
        if open_lab and (schedule.workflow, schedule.store) in chosen:
            found, still = _replayed(schedule, open_lab)
            broken += still
            console.print(f"regression {found}: {schedule}", soft_wrap=True)
    return broken


def _replayed(schedule: Schedule, open_lab: OpenLab) -> tuple[str, bool]:
    """Say what became of a kept schedule, and whether it still breaks. A fault that never strikes breaks nothing."""
    try:
        violations = run_schedule(schedule, open_lab).violations
    except (ScheduleError, NotSupportedError, NotTestableError, NotCleanError) as error:
        return f"not replayed ({escape(str(error))})", False
    if broken := [violation for violation in violations if violation.invariant != UNSPENT]:
        return f"[red]still broken[/] {escape(str(broken[0]))}", True
    if violations:
        return f"no longer reached ({escape(violations[0].sentence)})", False
    return "[green]held[/]", False


def _shard(text: str) -> Shard:
    try:
        index, _, count = text.partition("/")
        return Shard(int(index), int(count))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no shard; of four they are 0/4 to 3/4.") from error


def _number(text: str, *, least: int = 0) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from {least} on.")
    return int(text)


_some = partial(_number, least=1)
