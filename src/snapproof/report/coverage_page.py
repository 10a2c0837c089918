"""`coverage.html`: what campaigns have tried, a table for each workflow of a driver: calls down, kinds of fault across.

What was tried, what cannot be and why is decided by whoever fills the tables in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from snapproof.report.pages import templates


class Covered(StrEnum):
    """What became of a cell."""

    OK = "ok"
    VIOLATION = "violation"
    NOT_APPLICABLE = "n/a"
    NOT_REACHED = "not reached"


TONES = {
    Covered.OK: "good",
    Covered.VIOLATION: "bad",
    Covered.NOT_APPLICABLE: "aside",
    Covered.NOT_REACHED: "idle",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One call under one kind of fault: `cases` were run, `broken` of them did not hold. `why` says why none was."""

    state: Covered
    cases: int = 0
    broken: int = 0
    why: str = ""

    @property
    def tone(self) -> str:
        """How it looks."""
        return TONES[self.state]

    @property
    def text(self) -> str:
        """What stands in it."""
        if self.state is Covered.OK:
            return str(self.cases)
        return f"{self.broken} of {self.cases}" if self.state is Covered.VIOLATION else str(self.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A workflow's cells, and what broke there, a line that replays it and a sentence each."""

    title: str
    rows: Sequence[tuple[str, Sequence[Cell]]]
    broken: Sequence[tuple[str, str]] = ()

    def count(self, state: str) -> int:
        """How many cells there are of a state."""
        return sum(cell.state == state for _, cells in self.rows for cell in cells)

    def reasons(self, words: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Why nothing was tried in some cells, and of which services and kinds of fault that is true."""
        found: dict[str, list[str]] = {}
        for call, cells in self.rows:
            for word, cell in zip(words, cells, strict=True):
                if cell.why:
                    found.setdefault(cell.why, []).append(f"{call.partition('.')[0]} {word}")
        return {why: list(dict.fromkeys(where)) for why, where in found.items()}


def coverage_page(words: Sequence[str], tables: Sequence[Table]) -> str:
    """Draw the page."""
    return templates().get_template("coverage.jinja").render(words=words, tables=tables, states=list(Covered))
