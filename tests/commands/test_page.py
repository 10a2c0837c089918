"""The page of claims is measured, not written: its numbers come from the benchmark, every time that it is built."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "what-it-gives.md"
NUMBERS = re.compile(r"\d+(\.\d+)*")
CLAIMS = ("a snapshot on the array takes |", "copied, checked and read back at |", "everything is made good in |")


def shape(text: str) -> str:
    """The page without its numbers and the machine that gave them."""
    return re.sub(r"On \S+, Python", "On, Python", NUMBERS.sub("0", text))


def built(page: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "benchmarks" / "page.py"), str(page), "--quick"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.requirement(id="R-172")
def test_the_three_claims_of_the_page_are_measured_anew_when_it_is_built(tmp_path: Path) -> None:
    copy = tmp_path / "page.md"
    shutil.copy(PAGE, copy)
    assert built(copy).returncode == 0
    text = copy.read_text(encoding="utf-8")
    assert shape(text) == shape(PAGE.read_text(encoding="utf-8"))
    assert all(claim in text for claim in CLAIMS)
    assert "(100.0 %)" in text
    assert text != PAGE.read_text(encoding="utf-8")


def test_a_page_without_a_place_for_numbers_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("We are very fast.\n")
    done = built(page)
    assert done.returncode != 0
    assert "has no one place" in done.stderr
