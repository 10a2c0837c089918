"""A run on the terminal: a line as each scenario ends, and at the end the verdict first. Counts are the verdict's."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from snapproof.register import Status
from snapproof.report.records import ScenarioFinished
from snapproof.report.states import KIND_OF_EXIT_CODE, KIND_OF_STATE, MARK_OF_KIND, duration
from snapproof.report.summary import Summary
from snapproof.verdict import State

STYLE_OF_KIND = {"good": "green", "aside": "dim", "known": "cyan", "idle": "yellow", "bad": "red", "ours": "magenta"}
EXCUSED = frozenset({State.NOT_RUN, State.NOT_TESTABLE})


def styled(state: State) -> str:
    """Write a state with its mark, in its colour."""
    kind = KIND_OF_STATE[state]
    return f"[{STYLE_OF_KIND[kind]}]{MARK_OF_KIND[kind]} {state}[/]"


def title(result: ScenarioFinished) -> str:
    """Write a scenario's name, with its row."""
    row = f" [dim]{escape(result.scenario.example)}[/]" if result.scenario.example else ""
    return f"{escape(result.scenario.name)}{row}"


def print_result(console: Console, result: ScenarioFinished) -> None:
    """Write one line about a scenario that has ended."""
    console.print(
        f"{styled(result.state)}  {title(result)}  [dim]{duration(result.seconds)}[/]", highlight=False, soft_wrap=True
    )


def print_summary(console: Console, summary: Summary, page: Path) -> None:
    """Write what a reader wants to know: verdict, requirements, the first failure, where the report is."""
    verdict = summary.verdict
    style = STYLE_OF_KIND[KIND_OF_EXIT_CODE[verdict.exit_code]]
    console.print()
    console.print(f"[bold {style}]{escape(verdict.text)}[/]", highlight=False, soft_wrap=True)
    named = f"{summary.driver.name} {summary.driver.version}" if summary.driver else summary.head.driver
    console.print(f"driver {escape(named)}, seed {summary.head.seed}", style="dim", highlight=False, soft_wrap=True)
    console.print(_counts(summary), highlight=False, soft_wrap=True)
    if summary.interrupted:
        console.print("The run was cut short; what did not run counts as NOT-RUN.", style="yellow")
    console.print(_table(summary))
    _print_excused(console, summary)
    if summary.failures:
        _print_failure(console, summary.failures[0], len(summary.failures))
    console.print(f"\nreport: {page}", highlight=False, soft_wrap=True)


def _counts(summary: Summary) -> str:
    counts = summary.verdict.scenario_counts
    return "scenarios: " + ", ".join(f"{count} {state}" for state, count in counts.items() if count)


def _table(summary: Summary) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", expand=True)
    table.add_column("requirement", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("asks", overflow="ellipsis", no_wrap=True, ratio=1)
    table.add_column("scenarios", justify="right", no_wrap=True)
    for each in summary.verdict.requirements:
        if each.requirement.status is Status.TESTED:
            row = (each.requirement.id, styled(each.state), escape(each.requirement.text), str(len(each.scenarios)))
            table.add_row(*row)
        elif each.requirement.status is Status.EXCLUDED:
            table.add_row(each.requirement.id, "[dim]- excluded[/]", f"[dim]{escape(each.requirement.reason)}[/]", "")
    return table


def _print_excused(console: Console, summary: Summary) -> None:
    """Say why the verdict is partial: a skip must be as plain to see as a failure."""
    reasons: dict[tuple[State, str], list[ScenarioFinished]] = {}
    for result in summary.results.values():
        if result.state in EXCUSED:
            reasons.setdefault((result.state, result.reason), []).append(result)
    for (state, reason), results in reasons.items():
        who = title(results[0]) if len(results) == 1 else f"{len(results)} scenarios"
        console.print(f"{styled(state)}  {who}: {escape(reason)}", highlight=False, soft_wrap=True)


def _print_failure(console: Console, failure: ScenarioFinished, failures: int) -> None:
    scenario = failure.scenario
    heading = "the failure" if failures == 1 else f"first of {failures} failures"
    console.print(f"\n[bold]{heading}[/]", highlight=False, soft_wrap=True)
    console.print(f"{styled(failure.state)}  {title(failure)}", highlight=False, soft_wrap=True)
    console.print(f"feature:     {escape(scenario.feature or scenario.uri)}", highlight=False, soft_wrap=True)
    step = next((step for step in scenario.steps if step.outcome in {"failed", "undefined"}), None)
    if step:
        console.print(f"step:        {step.keyword} {escape(step.text)}", highlight=False, soft_wrap=True)
    console.print(f"requirement: {', '.join(scenario.requirements) or 'none'}", highlight=False, soft_wrap=True)
    console.print(escape(failure.reason), style="red", highlight=False, soft_wrap=True)
    if failure.replay:
        console.print(f"replay:      {escape(failure.replay)}", highlight=False, soft_wrap=True)
