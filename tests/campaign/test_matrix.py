"""The matrix of a campaign can be read on every terminal: no number, kind or call is cut off, however narrow it is."""

import io
import re

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from snapproof.report.matrix import Matrix

KINDS = ("refused", "lost_before", "lost_after", "crash_before", "clock_ahead", "twice")
CALLS = ("array.AddVolumesToVolumeAccessGroup", "catalog.commit", "nfs.close")
CELLS = st.dictionaries(
    st.tuples(st.sampled_from(CALLS), st.sampled_from(KINDS)), st.integers(1, 120), min_size=1, max_size=12
)


def drawn(matrix: Matrix, width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(*matrix.drawing(console))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@given(CELLS, st.integers(30, 160))
def test_nothing_is_cut_off(cells: dict[tuple[str, str], int], width: int) -> None:
    matrix = Matrix("take-primary, singles")
    for (call, kind), many in cells.items():
        for _ in range(many):
            matrix.add(f"{call}#1", kind, held=True)
    lines = drawn(matrix, width)
    assert max(map(len, lines.splitlines())) <= width
    assert "…" not in lines
    counted = [int(word) for line in lines.splitlines() if line.startswith(" all ") for word in line.split()[1:]]
    assert counted == [sum(many for (_, each), many in cells.items() if each == kind) for kind in matrix.kinds]
    words = set(re.findall(r"\w+", lines))
    assert {word for kind in matrix.kinds for word in kind.split("_")} <= words


def test_a_wide_one_is_one_table_and_a_cell_says_why_it_has_no_number() -> None:
    matrix = Matrix("take-primary, singles", lambda call, _kind: "" if call.startswith("array") else "It cannot.")
    for kind in KINDS:
        matrix.add("array.CloneVolume#1", kind, held=kind != "twice")
    matrix.add("array.CloneVolume#2", "twice", held=True)
    matrix.add("catalog.commit#1", "refused", held=True)
    matrix.add("array.ListVolumes#1", "refused", held=True)
    lines = drawn(matrix, 120).splitlines()
    assert [line.split() for line in lines if line.startswith((" array", " catalog", " all"))] == [
        ["array.CloneVolume", "1", "1", "1", "1", "1", "1", "of", "2", "broken"],
        ["array.ListVolumes", "1", *"·" * 5],
        ["catalog.commit", "1", *["n/a"] * 5],
        ["all", "3", "1", "1", "1", "1", "1", "of", "2", "broken"],
    ]


def test_one_without_cells_still_says_what_it_is() -> None:
    assert "take-primary, singles" in drawn(Matrix("take-primary, singles"), 40)
