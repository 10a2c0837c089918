"""How `snapproof demo` looks on a terminal: a line for each act and each trial, and a table at the end.

On anything that is no terminal the same lines are plain text.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self, TypeAlias

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from snapproof.fixtures.demonstration import Act, Chapter, Trial, size
from snapproof.fixtures.disks import Disk
from snapproof.fixtures.guest_log import PATH
from snapproof.fixtures.judges import Finding, Judgement
from snapproof.report.states import duration

Said: TypeAlias = tuple[str, Judgement]
"""A subject, and what a judge said of it."""

MARKS = {
    Finding.AGREES: "[green]✓[/]",
    Finding.DISAGREES: "[bold red]✗[/]",
    Finding.ABSENT: "[yellow]○[/]",
    Finding.NOT_ASKED: "[yellow]○[/]",
}
STORES = {"nfs": "NFS", "s3": "S3"}


class Terminal:
    """A narrator who writes lines as things happen."""

    def __init__(self, console: Console, status: Status | None) -> None:
        self._console = console
        self._status = status

    @classmethod
    @contextmanager
    def telling(cls, console: Console, store: str) -> Iterator[Self]:
        """Open a chapter. A spinner beside it says what is being done now, where there is a terminal."""
        console.print(f"\n[bold]backups on {STORES[store]}[/]")
        if not console.is_terminal or console.quiet:
            yield cls(console, None)
            return
        with console.status("") as status:
            yield cls(console, status)

    def begin(self, title: str) -> None:
        """Show it beside the spinner."""
        if self._status:
            self._status.update(f"{escape(title)} …")

    def act(self, act: Act) -> None:
        """Write a line with what it cost, and one for each detail."""
        by_service = ", ".join(f"{count} {service}" for service, count in sorted(act.calls.items()))
        total = sum(act.calls.values())
        calls = f" · {total} external call{'' if total == 1 else 's'} ({by_service})" if total else ""
        self._line(f"{MARKS[Finding.AGREES]} {escape(act.title)} [dim]{duration(act.seconds)}{calls}[/]")
        for detail in act.details:
            self._line(f"    {escape(detail)}")

    def trial(self, trial: Trial) -> None:
        """Write one line with every judge on it."""
        words = [f"{MARKS[each.finding]} {each.judge} ({escape(each.words)})" for each in trial.judgements]
        self._line(f"judged {escape(trial.subject)}: {', '.join(words)}")

    def _line(self, text: str) -> None:
        _line(self._console, text)


def print_disk(console: Console, disk: Disk, seconds: float) -> None:
    """Say what the disk is, and what its guest will write."""
    what = f"{size(disk.content.size_bytes)}, {len(disk.content.blocks)} blocks in use, {disk.origin}"
    console.print("[bold]the disk[/]")
    _line(console, f"{MARKS[Finding.AGREES]} {escape(what)} [dim]({duration(seconds)})[/]")
    if disk.log_places:
        _line(console, f"  its guest overwrites the {len(disk.log_places)} blocks of /{PATH} in turn,")
        _line(console, "  one at every call that the driver makes and at every commit to its catalog")
    else:
        _line(console, f"  it holds no /{PATH} that could be overwritten safely, so its guest will write nothing")


def print_end(console: Console, chapters: Sequence[Chapter], keep: Path | None) -> None:
    """Write who judged what, and who did not."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("store", "judged by", "result"):
        table.add_column(column)
    for chapter in chapters:
        for judge, said in _by_judge(chapter).items():
            table.add_row(STORES[chapter.store], judge, _result(said))
    console.print()
    console.print(table)
    for line in _silences(chapters):
        _line(console, f"[yellow]{escape(line)}[/]")
    if keep:
        _line(console, f"kept: {escape(str(keep))}")


def _by_judge(chapter: Chapter) -> Mapping[str, Sequence[Said]]:
    found: dict[str, list[Said]] = {}
    for trial in chapter.trials:
        for judgement in trial.judgements:
            found.setdefault(judgement.judge, []).append((trial.subject, judgement))
    return found


def _result(said: Sequence[Said]) -> str:
    """Write one line for each finding of a judge, with what it was said of."""
    subjects: dict[Finding, dict[str, None]] = {}
    for subject, judgement in said:
        subjects.setdefault(judgement.finding, {})[subject] = None
    return "\n".join(f"{MARKS[finding]} {finding}: {escape('; '.join(of))}" for finding, of in subjects.items())


def _silences(chapters: Sequence[Chapter]) -> Sequence[str]:
    """Name every judge who said nothing, once, with the reason; silence is not agreement."""
    said = [each for chapter in chapters for trial in chapter.trials for each in trial.judgements]
    absent = {each.judge for each in said if each.finding is Finding.ABSENT}
    excused = {each.judge: each.words for each in said if each.finding is Finding.NOT_ASKED}
    return [
        *(f"{judge} is not installed here and judged nothing." for judge in sorted(absent)),
        *(f"{judge} was not asked: {words}." for judge, words in sorted(excused.items())),
    ]


def _line(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True)
