"""`snapproof lint`: everything that is wrong with features, steps and register before a driver is asked."""

import argparse
import sys
from pathlib import Path

import pytest
from rich.console import Console

from snapproof.authoring.lint import lint
from snapproof.authoring.phrases import conftests_beside, phrases_of
from snapproof.discovery import FEATURES, STEPS, plugin_modules, register_for
from snapproof.register import RegisterError, read_register
from snapproof.verdict import EXIT_USAGE

EXAMPLES = """\
examples:
  snapproof lint                     the features, steps and register that come with snapproof
  snapproof lint my/features         your own features, with the steps of snapproof and of your conftest.py files,
                                     and with the requirements.toml beside them where there is one

It tells: files that cannot be read; unknown requirements, capabilities and stores in tags; scenarios without a Then;
empty features and outlines; steps that nobody has defined, with near misses; steps that two functions would do; one
wording twice; coroutines; steps that no scenario says; requirements and scenarios that contradict each other.
exit codes: 0 nothing to mend, 1 something to mend, 4 usage
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "lint",
        help="find slips in features, steps and register",
        description="Find what is wrong with features, steps and register, without a driver.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("targets", nargs="*", metavar="PATH", help="feature files, or folders of them")
    parser.add_argument("--register", default="", metavar="FILE", help="another register of requirements")


def run(arguments: argparse.Namespace) -> int:
    """Lint, and give 1 where something is to be mended."""
    targets = [Path(target) for target in arguments.targets] or [FEATURES]
    console = Console(highlight=False, soft_wrap=True)
    try:
        register = read_register(register_for(arguments.register, arguments.targets))
        files = sorted({file for target in targets for file in _files(target)})
        phrases = phrases_of(plugin_modules([STEPS]), (path for target in targets for path in _conftests(target)))
    except (RegisterError, pytest.UsageError, FileNotFoundError) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_USAGE
    slips = lint(files, phrases, register, whole=not arguments.targets)
    for slip in slips:
        console.print(str(slip), markup=False)
    counted = f"{len(files)} feature files, {len(phrases)} phrases, {len(register.requirements)} requirements"
    many = counted if arguments.targets else f"{counted} that come with snapproof"
    console.print(f"[bold red]{len(slips)} to mend[/] in {many}." if slips else f"[green]Nothing to mend[/] in {many}.")
    return 1 if slips else 0


def _files(target: Path) -> list[Path]:
    if not target.exists():
        raise FileNotFoundError(f"{target} does not exist; name a feature file, or a folder of them.")
    return sorted(target.rglob("*.feature")) if target.is_dir() else [target]


def _conftests(target: Path) -> tuple[Path, ...]:
    if target.resolve().is_relative_to(FEATURES.resolve()):
        return ()
    folder = target if target.is_dir() else target.parent
    above = tuple(each / "conftest.py" for each in (Path.cwd(), folder) if (each / "conftest.py").exists())
    return tuple(dict.fromkeys(path.resolve() for path in (*above, *conftests_beside(folder))))
