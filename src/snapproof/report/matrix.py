"""The matrix of a campaign on the terminal: calls down, kinds of fault across, and how many cells held in each.

What a cell is and whether it held is decided by the campaign.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from rich.table import Table


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

    def table(self) -> Table:
        """Draw it: how many cells held, `2 of 4 broken` where not, `n/a` where none can be, a dot where none was."""
        table = Table(title=self.title, title_justify="left", pad_edge=False)
        table.add_column("call", no_wrap=True)
        for kind in self.kinds:
            table.add_column(kind.replace("_", "\n"), justify="right")
        for method in sorted(self._run):
            table.add_row(method, *self._row(method))
        table.add_section()
        table.add_row("all", *self._totals())
        return table

    def _row(self, method: str) -> Iterable[str]:
        for kind in self.kinds:
            run, broken = self._run[method][kind], self._broken[method][kind]
            yield _shown(run, broken) if run else "[dim]n/a[/]" if self.why_not(method, kind) else "·"

    def reasons(self) -> tuple[str, ...]:
        """Why there are cells that cannot be, a sentence for each service and kind."""
        found: dict[str, list[str]] = defaultdict(list)
        for method in sorted(self._run):
            for kind in self.kinds:
                if not self._run[method][kind] and (why := self.why_not(method, kind)):
                    found[why].append(f"{method.partition('.')[0]}={kind}")
        return tuple(f"{', '.join(dict.fromkeys(where))}: {why}" for why, where in found.items())

    def _totals(self) -> Iterable[str]:
        for kind in self.kinds:
            run = sum(counter[kind] for counter in self._run.values())
            broken = sum(counter[kind] for counter in self._broken.values())
            yield _shown(run, broken)


def _shown(run: int, broken: int) -> str:
    return f"[red]{broken} of {run} broken[/]" if broken else f"[green]{run}[/]"
