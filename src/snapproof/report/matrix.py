"""The matrix of a campaign on the terminal: calls down, kinds of fault across, and how many cells held in each.

What a cell is and whether it held is decided by the campaign.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

_ENDLESS = 10_000
"""Columns, more than any table has."""


@dataclass(slots=True)
class Matrix:
    """Cells counted by call and kind of fault; the occurrence of a call (`#2`) is folded away."""

    title: str
    why_not: Callable[[str, str], str] = lambda _call, _kind: ""
    """Why a call cannot meet a kind of fault; empty where it can."""
    _run: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _broken: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, call: str, kind: str, *, held: bool) -> None:
        """Count one cell."""
        method = call.partition("#")[0]
        self._run[method][kind] += 1
        self._broken[method][kind] += not held

    @property
    def cells(self) -> int:
        """How many cells were run."""
        return sum(counter.total() for counter in self._run.values())

    @property
    def broken(self) -> int:
        """How many of them did not hold."""
        return sum(counter.total() for counter in self._broken.values())

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of fault that were met, in the order in which they came."""
        return tuple(dict.fromkeys(kind for counter in self._run.values() for kind in counter if counter[kind]))

    def drawing(self, console: Console) -> Iterator[str | Table]:
        """Draw it below its title, in as many tables, one below another, as whole columns need on this console.

        A cell says how many held, `2 of 4 broken` where not, `n/a` where none can be, a dot where none was.
        """
        yield f"[italic]{self.title}[/]"
        endless = console.options.update_width(_ENDLESS)
        kinds = [*self.kinds]
        while kinds:
            fit = len(kinds)
            while fit > 1 and console.measure(self._table(kinds[:fit]), options=endless).maximum > console.width:
                fit -= 1
            yield self._table(kinds[:fit])
            kinds = kinds[fit:]

    def _table(self, kinds: Sequence[str]) -> Table:
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        table.add_column("call", overflow="fold")
        for kind in kinds:
            table.add_column(kind.replace("_", "\n"), justify="right", no_wrap=True)
        for method in sorted(self._run):
            table.add_row(method, *(self._cell(method, kind) for kind in kinds))
        table.add_section()
        table.add_row("all", *map(self._total, kinds))
        return table

    def _cell(self, method: str, kind: str) -> str:
        run, broken = self._run[method][kind], self._broken[method][kind]
        if run:
            return _shown(run, broken)
        return "[dim]n/a[/]" if self.why_not(method, kind) else "·"

    def _total(self, kind: str) -> str:
        run = sum(counter[kind] for counter in self._run.values())
        return _shown(run, sum(counter[kind] for counter in self._broken.values()))

    def reasons(self) -> tuple[str, ...]:
        """Why there are cells that cannot be, a sentence for each service and kind."""
        found: dict[str, list[str]] = defaultdict(list)
        for method in sorted(self._run):
            for kind in self.kinds:
                if not self._run[method][kind] and (why := self.why_not(method, kind)):
                    found[why].append(f"{method.partition('.')[0]}={kind}")
        return tuple(f"{', '.join(dict.fromkeys(where))}: {why}" for why, where in found.items())


def _shown(run: int, broken: int) -> str:
    return f"[red]{broken} of {run} broken[/]" if broken else f"[green]{run}[/]"
