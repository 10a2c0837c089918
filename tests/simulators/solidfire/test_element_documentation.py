"""The page about the methods is the one that the code writes, and its numbers add up."""

from pathlib import Path

from snapproof.simulators.solidfire.calls import methods
from snapproof.simulators.solidfire.documentation import page
from snapproof.simulators.solidfire.errors import ERRORS
from snapproof.simulators.solidfire.guesses import CHOICES

PAGE = Path(__file__).parents[3] / "docs" / "element-methods.md"
CURE = "Run python -m snapproof.simulators.solidfire.documentation > docs/element-methods.md"


def test_the_committed_page_is_the_one_that_the_code_writes() -> None:
    assert PAGE.read_text() == page(), CURE


def test_every_method_has_one_row_and_every_row_its_cells() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| `") and not line.startswith("| `x")]
    assert sorted(row.split("`")[1] for row in rows) == sorted(methods())
    assert {row.count(" | ") for row in rows} == {8}


def test_the_shares_add_up() -> None:
    rows = [line.split("|")[2:6] for line in page().splitlines() if line.startswith(("| 1", "| 2", "| 3", "| all"))]
    counts = [[int(cell.split()[0]) for cell in row] for row in rows]
    *tiers, everything = counts
    assert [sum(column) for column in zip(*tiers, strict=True)] == everything
    assert all(total == sum(states) for total, *states in counts)
    assert everything[0] == len(methods())


def test_every_choice_and_every_error_is_told() -> None:
    told = page()
    assert [choice for choice in CHOICES if f"- {choice}\n" not in told] == []
    assert [error for error in ERRORS if f"\n| `{error}` | " not in told] == []
