"""docs/steps.md: the phrase book as a document, generated from the steps themselves.

Write it anew with `snapproof steps --markdown > docs/steps.md`.
"""

from collections.abc import Iterable, Iterator

from snapproof.authoring.near import told
from snapproof.authoring.phrases import Phrase, by_module

OPENING = """\
# Steps

Everything that a scenario may say, by the noun it is about. What stands in braces is yours to fill in. `snapproof steps
WORD` finds a step on the terminal, `snapproof lint` tells which of yours nobody has defined, and what comes near them.

This page is generated; write it anew with `snapproof steps --markdown > docs/steps.md`.
"""


def phrase_book(phrases: Iterable[Phrase]) -> str:
    """Write the document."""
    return "\n".join([OPENING, *_chapters(phrases)])


def _chapters(phrases: Iterable[Phrase]) -> Iterator[str]:
    for noun, about, group in by_module(phrases):
        yield f"## {noun.replace('_', ' ').capitalize()}\n"
        yield f"{about}\n"
        for phrase in group:
            yield f"- **`{told(phrase)}`**  "
            yield f"  {' '.join(phrase.says.split())}{_blanks(phrase)}"
        yield ""


def _blanks(phrase: Phrase) -> str:
    """Tell what a blank takes, where it is not simply words."""
    special = [f"`{{{name}}}` is {takes}" for name, takes in phrase.fields.items() if takes != "words"]
    return f" ({'; '.join(special)}.)" if special else ""
