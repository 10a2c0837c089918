"""`snapproof prove-steps`: find steps that prove nothing. Without its body, a Then must let a broken variant survive.

A Then is proved if there is a scenario that a variant passes wholly without it. Where no other step but the look at
everything after the scenario still catches the variant, that is told apart, and is not enough.
"""

import argparse
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import ceil
from typing import TypeAlias

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from snapproof.authoring.broken import Variant, zoo
from snapproof.authoring.near import told
from snapproof.authoring.phrases import Phrase, phrases_of
from snapproof.collecting import canonical_scenarios
from snapproof.commands.forked import Job, results_of, thens
from snapproof.discovery import STEPS, default_register, plugin_modules
from snapproof.register import read_register
from snapproof.report.records import Scenario, ScenarioFinished
from snapproof.verdict import EXIT_USAGE, State

ONE_BY_ONE, TOGETHER, TRIES_MAX = 6, 8, 78
"""So many catches of a step are tried one after the other, and then so many at a time, and in all; of each variant one
before a second."""

ROWS_MAX = (1, 8)
"""How many rows of an outline are run at first, and how many where that has left steps unproved."""

MARK_PROVED, MARK_LOOK, MARK_NOTHING = "✓", "◐", "✗"

EXAMPLES = """\
examples:
  snapproof prove-steps                   every Then, on every variant of the zoo: some six minutes of CPU
  snapproof prove-steps array snapshot    only steps in which these words stand
  snapproof prove-steps --only R-021      only the variants of some requirements

✓ without it a variant survives; ◐ only the look at everything afterwards still catches it; ✗ it proves nothing
exit codes: 0 all are ✓, 1 some are not, 4 usage
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catch:
    """A scenario that caught a variant in one step."""

    variant: str
    scenario: str


Run: TypeAlias = Callable[[str, Sequence[Job]], Iterator[tuple[Job, list[ScenarioFinished]]]]
Try: TypeAlias = tuple[Catch, list[ScenarioFinished]]
"""A catch, and what became of its scenario without the step."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "prove-steps",
        help="find steps that prove nothing",
        description="Take the body out of each Then in turn: if no broken variant survives, the step proves nothing.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("words", nargs="*", metavar="WORD", help="only steps in which all of these words stand")
    parser.add_argument("--only", default="", metavar="R-NNN,…", help="only variants that break these requirements")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="so many at a time")


def run(arguments: argparse.Namespace) -> int:
    """Prove every step, and list those that prove nothing."""
    only = {each for each in arguments.only.split(",") if each}
    variants = [each for each in zoo() if not only or each.breaks in only]
    steps = _wanted(arguments.words)
    if not variants or not steps:
        sys.stderr.write("Nothing to prove: no such step, or no variant of these requirements.\n")
        return EXIT_USAGE
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{len(steps)} steps, {len(variants)} variants", style="dim")
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        run_all = _runner(arguments.jobs, progress)
        tried = _rounds(variants, steps, run_all)
    marks = Counter(_print(console, steps[home][0], tries) for home, tries in tried.items())
    if marks[MARK_LOOK]:
        console.print(f"[yellow]{marks[MARK_LOOK]} steps see what the look at everything afterwards sees as well.[/]")
    if marks[MARK_NOTHING]:
        console.print(f"[red]{marks[MARK_NOTHING]} steps prove nothing.[/]")
    if marks.keys() != {MARK_PROVED}:
        return 1
    console.print("[green]Every step proves something.[/]")
    return 0


def _runner(processes: int, progress: Progress) -> Run:
    """Run jobs, and show how far they are; where nobody watches, what has begun."""

    def run_all(what: str, jobs: Sequence[Job]) -> Iterator[tuple[Job, list[ScenarioFinished]]]:
        if progress.disable:
            progress.console.print(f"{what}: {len(jobs)} runs", style="dim")
        yield from progress.track(results_of(jobs, processes=processes), total=len(jobs), description=what)

    return run_all


def _wanted(words: Sequence[str]) -> Mapping[tuple[str, int], list[Phrase]]:
    found = thens(phrases_of(plugin_modules([STEPS])))
    return {
        home: group for home, group in found.items() if all(word.lower() in told(group[0]).lower() for word in words)
    }


def _rounds(
    variants: Sequence[Variant], steps: Mapping[tuple[str, int], list[Phrase]], run_all: Run
) -> Mapping[tuple[str, int], list[Try]]:
    """Try with few rows of each outline, and where that is not enough with more."""
    tried: dict[tuple[str, int], list[Try]] = {home: [] for home in steps}
    for rows_max in ROWS_MAX:
        unproved = {home: steps[home] for home, tries in tried.items() if not _proved(tries)}
        if unproved:
            tried.update(_tried(_catches(variants, unproved, rows_max, run_all), unproved, run_all))
    return tried


def _catches(
    variants: Sequence[Variant], steps: Mapping[tuple[str, int], list[Phrase]], rows_max: int, run_all: Run
) -> Mapping[tuple[str, int], list[Catch]]:
    """Run every variant once, on what says one of the steps, and learn in which step each scenario catches it."""
    found: dict[tuple[str, int], list[Catch]] = defaultdict(list)
    scenarios = _saying(steps, canonical_scenarios(read_register(default_register())))
    chosen = [(each.selector, _some_of(each, scenarios, rows_max)) for each in variants]
    jobs = [Job(driver=driver, scenarios=some) for driver, some in chosen if some]
    for job, results in run_all("every variant", jobs):
        for result in results:
            if (home := _caught_in(result, steps)) is not None:
                found[home].append(Catch(variant=job.driver, scenario=result.scenario.id))
    return found


def _saying(steps: Mapping[tuple[str, int], list[Phrase]], scenarios: Sequence[Scenario]) -> list[Scenario]:
    """The scenarios that say one of the steps."""
    phrases = [phrase for group in steps.values() for phrase in group]
    thens_said = {step.text for scenario in scenarios for step in scenario.steps if step.type == "then"}
    wanted = {text for text in thens_said if any(phrase.matches("then", text) for phrase in phrases)}
    return [each for each in scenarios if any(step.type == "then" and step.text in wanted for step in each.steps)]


def _some_of(variant: Variant, scenarios: Sequence[Scenario], rows_max: int) -> tuple[str, ...]:
    """The scenarios of what a variant breaks: some rows of each outline, and where the zoo says that it is caught."""
    rows: dict[tuple[str, int], list[str]] = defaultdict(list)
    for scenario in scenarios:
        if variant.breaks in scenario.requirements:
            rows[scenario.uri, scenario.line].append(scenario.id)
    hinted = (name for names in rows.values() for name in names if variant.where and variant.where in name)
    some = (name for names in rows.values() for name in names[:: ceil(len(names) / rows_max)])
    return tuple(dict.fromkeys((*islice(hinted, 1), *some)))


def _caught_in(result: ScenarioFinished, steps: Mapping[tuple[str, int], list[Phrase]]) -> tuple[str, int] | None:
    failing = next((step for step in result.scenario.steps if step.outcome == "failed"), None)
    if result.state is not State.FAIL or failing is None:
        return None
    matching = (home for home, group in steps.items() if any(p.matches(failing.type, failing.text) for p in group))
    return next(matching, None)


def _tried(
    catches: Mapping[tuple[str, int], list[Catch]], steps: Mapping[tuple[str, int], list[Phrase]], run_all: Run
) -> Mapping[tuple[str, int], list[Try]]:
    """Run catches of each step again, without its body, one after the other until a variant survives."""
    tries: dict[tuple[str, int], list[Try]] = {home: [] for home in steps}
    caught_in = Counter(variant for some in catches.values() for variant in {catch.variant for catch in some})
    chosen = {home: _spread(catches.get(home, []), caught_in) for home in steps}
    for turn in _turns():
        left = {home: some[turn] for home, some in chosen.items() if some[turn] and not _proved(tries[home])}
        places = [(home, catch) for home, some in left.items() for catch in some]
        jobs = [Job(driver=catch.variant, scenarios=(catch.scenario,), hollow=home) for home, catch in places]
        if not jobs:
            break
        what = f"{len(left)} steps left, without their bodies"
        for (home, catch), (_, results) in zip(places, run_all(what, jobs), strict=True):
            tries[home].append((catch, results))
    return tries


def _turns() -> Iterator[slice]:
    """Which catches are tried in which turn: most steps are proved at once, and the others are not waited for long."""
    yield from (slice(turn, turn + 1) for turn in range(ONE_BY_ONE))
    yield from (slice(turn, turn + TOGETHER) for turn in range(ONE_BY_ONE, TRIES_MAX, TOGETHER))


def _spread(catches: Sequence[Catch], caught_in: Mapping[str, int]) -> list[Catch]:
    """Order them: another variant before a second scenario of one, another scenario before a second row of one.

    What is caught in few steps goes first: that it is caught in another one beside this is less likely.
    """
    first_rows = _in_turns(catches, lambda catch: f"{catch.variant} {catch.scenario.partition('[')[0]}")
    rarest = sorted(first_rows, key=lambda catch: caught_in[catch.variant])
    return _in_turns(rarest, lambda catch: catch.variant)[:TRIES_MAX]


def _in_turns(catches: Sequence[Catch], group: Callable[[Catch], str]) -> list[Catch]:
    """The first of each group, then the second of each, and so on."""
    turn: dict[str, int] = defaultdict(int)
    ranked = []
    for catch in catches:
        ranked.append((turn[group(catch)], catch))
        turn[group(catch)] += 1
    return [catch for _, catch in sorted(ranked, key=lambda pair: pair[0])]


def _proved(tries: Sequence[Try]) -> bool:
    """A variant has survived."""
    return any(_all_passed(results) for _, results in tries)


def _all_passed(results: Sequence[ScenarioFinished]) -> bool:
    return bool(results) and all(result.state is State.PASS for result in results)


def _said_nothing(results: Sequence[ScenarioFinished]) -> bool:
    """No other step has caught the variant; what was seen after the last one is no step's."""
    told = [result for result in results if result.state in {State.PASS, State.FAIL}]
    return bool(told) and all(step.outcome == "passed" for result in told for step in result.scenario.steps)


def _print(console: Console, phrase: Phrase, tries: Sequence[Try]) -> str:
    """Tell what became of a step, and give its mark."""
    wording = f"{escape(told(phrase))}  [dim]{escape(phrase.place)}[/]"
    survived = next((catch for catch, results in tries if _all_passed(results)), None)
    seen = next((catch for catch, results in tries if _said_nothing(results)), None)
    if catch := survived or seen:
        mark, fate = (
            (MARK_PROVED, "survives") if survived else (MARK_LOOK, "is caught only by the look at everything after")
        )
        variant = catch.variant.rpartition(".")[2]
        console.print(f"[green]{mark}[/] {wording}\n    [dim]without it {variant} {fate} {escape(catch.scenario)}[/]")
        return mark
    console.print(f"[red]{MARK_NOTHING}[/] {wording}" + ("" if tries else "\n    no variant is caught in it"))
    for catch, results in tries:
        said = next((result.reason.partition("\n")[0] for result in results if result.reason), "it did not run")
        console.print(f"    without it {catch.variant.rpartition('.')[2]} is still caught: [dim]{escape(said)}[/]")
    return MARK_NOTHING
