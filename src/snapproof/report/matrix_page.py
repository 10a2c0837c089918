"""`matrix.html`: requirements down, runs across. One run stands in its own report; `snapproof matrix` joins several.

It reads envelopes and nothing else, so that runs of any driver, day and machine can stand side by side.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from snapproof.register import Status
from snapproof.report.envelope import Envelope, Judged
from snapproof.report.pages import page_of_requirement, templates
from snapproof.report.states import KIND_OF_EXIT_CODE

MATRIX_NAME = "matrix.html"
ENVELOPE_NAME = "run.json"


class UnreadableRunError(Exception):
    """There is no run to be shown; the message says where one was looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One run, and where its report lies as seen from the page; empty for a report that is not beside it."""

    run: Envelope
    link: str

    @property
    def title(self) -> str:
        """Who was judged."""
        return self.run.driver.name if self.run.driver else self.run.selector

    @property
    def version(self) -> str:
        """Of the driver."""
        return self.run.driver.version if self.run.driver else ""

    @property
    def tone(self) -> str:
        """How its verdict looks."""
        return KIND_OF_EXIT_CODE[self.run.verdict.exit_code]

    def cell(self, requirement: str) -> Judged | None:
        """How the requirement ended there; nothing where the run's register does not hold it."""
        return self.run.requirements.get(requirement)

    def page(self, requirement: str) -> str:
        """The page that says more, if there is one."""
        return f"{self.link}{page_of_requirement(requirement)}" if self.link else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One requirement, and whether it looks the same everywhere."""

    id: str
    text: str
    status: Status
    capability: str
    cells: tuple[tuple[Column, Judged | None], ...]

    @property
    def same(self) -> bool:
        """All passed, or nothing was asked."""
        return self.status is not Status.TESTED or {cell.state if cell else None for _, cell in self.cells} == {"PASS"}


def read_run(path: Path) -> Envelope:
    """Read the envelope in a report's folder, or a run.json by its own name. Raises UnreadableRunError."""
    file = path / ENVELOPE_NAME if path.is_dir() else path
    try:
        return msgspec.json.decode(file.read_bytes(), type=Envelope)
    except OSError as error:
        raise UnreadableRunError(f"{file} cannot be read ({error.strerror}); name a report's folder.") from error
    except msgspec.MsgspecError as error:
        raise UnreadableRunError(f"{file} is no run of this version: {error}.") from error


def matrix_page(columns: Sequence[Column], *, root: str = "") -> str:
    """Draw the matrix. Rows are those of the first run, and then what others ask beyond it."""
    rows = {name: judged for column in reversed(columns) for name, judged in column.run.requirements.items()}
    ordered = list(dict.fromkeys(name for column in columns for name in column.run.requirements))
    drawn = [
        Row(
            id=name,
            text=rows[name].text,
            status=rows[name].status,
            capability=rows[name].capability,
            cells=tuple((column, column.cell(name)) for column in columns),
        )
        for name in ordered
    ]
    return templates().get_template("matrix.jinja").render(columns=columns, rows=drawn, root=root)
