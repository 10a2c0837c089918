"""`snapproof steps`: the phrase book of everything that a scenario may say, on the terminal or as a document."""

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from snapproof.authoring.near import told
from snapproof.authoring.phrase_book import phrase_book
from snapproof.authoring.phrases import Phrase, by_module, conftests_beside, phrases_of
from snapproof.discovery import STEPS, plugin_modules

EXAMPLES = """\
examples:
  snapproof steps                    every step, by noun
  snapproof steps array snapshot     the steps that speak of these words
  snapproof steps --beside my        with the steps of your conftest.py files
  snapproof steps --markdown         the document docs/steps.md
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "steps",
        help="show every step that a scenario may say",
        description="Show every step that a scenario may say.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("words", nargs="*", metavar="WORD", help="only steps in which all of these words stand")
    parser.add_argument("--beside", default="", metavar="DIR", help="also the conftest.py files below this folder")
    parser.add_argument("--markdown", action="store_true", help="write the whole phrase book as a document")


def run(arguments: argparse.Namespace) -> int:
    """Print the phrase book."""
    conftests = conftests_beside(Path(arguments.beside)) if arguments.beside else ()
    phrases = phrases_of(plugin_modules([STEPS]), conftests)
    if arguments.markdown:
        sys.stdout.write(phrase_book(phrases))
        return 0
    console = Console(highlight=False, soft_wrap=True)
    wanted = [word.lower() for word in arguments.words]
    found = [each for each in phrases if all(word in _searched(each) for word in wanted)]
    for noun, about, group in by_module(found):
        console.print(f"\n[bold]{escape(noun)}[/]  [dim]{escape(about)}[/]")
        for phrase in group:
            _print(console, phrase)
    if not found:
        console.print(f"No step speaks of {' and '.join(wanted)}; `snapproof steps` shows them all.", markup=False)
    return 0 if found else 1


def _searched(phrase: Phrase) -> str:
    """What a word is looked for in: the names of blanks are nobody's words."""
    return f"{phrase.kind} {phrase.skeleton} {phrase.says}".lower()


def _print(console: Console, phrase: Phrase) -> None:
    keyword, _, wording = told(phrase).partition(" ")
    console.print(f"  [cyan]{keyword}[/] {escape(wording)}  [dim]{escape(phrase.place)}[/]")
    console.print(f"      [dim]{escape(phrase.says.partition(chr(10))[0])}[/]")
