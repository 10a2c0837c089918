"""`snapproof plan`: what `snapproof run` would do for a driver, what not, and why. No scenario runs."""

import argparse
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import pytest
from rich.console import Console
from rich.markup import escape

from snapproof.authoring.prospect import Fate, Prospect, prospects
from snapproof.authoring.undeclared import served_all_the_same
from snapproof.collecting import canonical_scenarios
from snapproof.discovery import default_register
from snapproof.fixtures.lab import simulated_lab
from snapproof.naming import UnknownDriverError, full_name, load_driver
from snapproof.profile import PROFILE_NAME, Profile, ProfileError, profile_of
from snapproof.register import RegisterError, read_register
from snapproof.selection import equip
from snapproof.verdict import EXIT_USAGE
from snapproof.vocabulary import Capability

STYLES = {
    Fate.RUNS: "green",
    Fate.IN_PART: "cyan",
    Fate.NOT_SUPPORTED: "yellow",
    Fate.EXCLUDED: "dim",
    Fate.PLANNED: "dim",
}
EXAMPLES = """\
examples:
  snapproof plan                                      for the reference implementation
  snapproof plan --driver acme.driver:Driver          your driver is started once, and asked what it can do
  snapproof plan --capabilities snapshot-primary      for a driver that is not written yet
  snapproof plan --profile acme.toml --why            with declared deviations; only what would not wholly run
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "plan",
        help="say what would run for a driver, what not and why",
        description="Say which requirements would be asked of a driver, which not, and why. No scenario runs.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--driver", default="", metavar="NAME", help="'reference' (the default) or MODULE:FACTORY")
    parser.add_argument("--profile", default="", metavar="FILE", help="the driver's TOML: `driver`, known deviations")
    parser.add_argument("--register", default="", metavar="FILE", help="another register of requirements")
    parser.add_argument("--capabilities", default=None, metavar="A,B", help="ask no driver; say what it would declare")
    parser.add_argument("--why", action="store_true", help="leave out what would wholly run")


def run(arguments: argparse.Namespace) -> int:
    """Print the plan."""
    try:
        named = arguments.profile or _beside(arguments.driver)
        profile = profile_of(named, os.environ)
        register = read_register(Path(arguments.register) if arguments.register else default_register())
        scenarios = canonical_scenarios(register)
        capabilities, odd = _capabilities(arguments.capabilities, arguments.driver or profile.driver, profile)
    except (ProfileError, RegisterError, UnknownDriverError, pytest.UsageError, pytest.Collector.CollectError) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_USAGE
    found = prospects(register, scenarios, capabilities, profile.deviation)
    console = Console(highlight=False, soft_wrap=True)
    for each in found:
        if not (arguments.why and each.fate is Fate.RUNS):
            _print(console, each)
    _print_sum(console, found, capabilities)
    for capability, answer in odd.items():
        console.print(f"served although it is not declared: {capability} ({answer})", markup=False)
    return 0


def _beside(driver: str) -> str:
    """Find the profile of the folder where one stands, unless the command line names a driver."""
    return "" if driver or not Path(PROFILE_NAME).is_file() else PROFILE_NAME


def _capabilities(said: str | None, driver: str, profile: Profile) -> tuple[Collection[str], Mapping[str, str]]:
    """Take them from the command line, or start the driver in a world of its own and ask, also for what it hides."""
    if said is None:
        with tempfile.TemporaryDirectory() as scratch:
            factory = load_driver(full_name(driver or "reference"))
            equip(factory, profile)
            with simulated_lab(factory, store="nfs", seed=1, directory=Path(scratch)) as lab:
                declared = lab.driver.describe().capabilities
                odd = served_all_the_same(lab.driver, declared)
                return {str(each) for each in declared}, {str(each): answer for each, answer in odd.items()}
    named = {word.strip() for word in said.split(",") if word.strip()}
    if unknown := sorted(named - set(Capability)):
        raise pytest.UsageError(f"No capability is called {', '.join(unknown)}; there are {', '.join(Capability)}.")
    return named, {}


def _print(console: Console, each: Prospect) -> None:
    row = each.requirement
    many = len(each.scenarios)
    counted = f"{many} scenario{'' if many == 1 else 's'}" if each.scenarios else ""
    said = f"[{STYLES[each.fate]}]{each.fate:<13}[/]"
    console.print(f"{row.id}  {said}  {counted:>13}  {escape(row.text)}")
    if each.why:
        console.print(f"{'':37}[dim]{escape(each.why)}[/]")


def _print_sum(console: Console, found: Iterable[Prospect], capabilities: Collection[str]) -> None:
    counted = Counter(each.fate for each in found)
    running = {scenario.id for each in found for scenario in each.scenarios if each.fate in {Fate.RUNS, Fate.IN_PART}}
    console.print()
    console.print(f"declared: {', '.join(sorted(capabilities)) or 'nothing'}", markup=False)
    console.print(f"scenarios that would run: {len(running)}")
    console.print("requirements: " + ", ".join(f"{counted[fate]} {fate}" for fate in Fate if counted[fate]))
