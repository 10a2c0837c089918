"""The list of what we depend on bites: each planted fault of it is named. How it is checked is in check_supply.py."""

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
NOTICE = re.compile(r"copyright\s+(\(c\)|©|\d{4})|all rights reserved|licensed (to|under)|SPDX-License", re.IGNORECASE)
"""What stands at the head of files that come from somebody else's kit."""
OURS = ("LICENSE", "docs/bill-of-materials.json", "tests/test_supply.py")
READ = {".py", ".toml", ".feature", ".md", ".json", ".jinja", ".html", ".js", ".mjs", ".css", ".sql", ".yaml", ".yml"}


@pytest.fixture(scope="module")
def supply() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_supply", ROOT / "tests" / "check_supply.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.requirement(id="R-169")
def test_every_dependency_is_pinned_by_hashes_and_on_the_published_bill(supply: ModuleType) -> None:
    findings, bill = supply.looked_at(ROOT)
    assert findings == []
    published = json.loads((ROOT / supply.BILL).read_text(encoding="utf-8"))
    shown = {part["purl"]: part["hashes"] for part in published["components"]}
    assert shown == {part["purl"]: part["hashes"] for part in bill["components"]}
    assert len(shown) > 30


@pytest.mark.requirement(id="R-169")
def test_the_check_of_vulnerabilities_is_part_of_the_build() -> None:
    commands = (ROOT / "tox.ini").read_text(encoding="utf-8").partition("[testenv:supply]")[2].partition("[testenv")[0]
    assert "pip-audit --strict --require-hashes" in commands
    assert "--require-hashes -r pinned.txt" in commands
    assert "check_supply.py" in commands


@pytest.mark.requirement(id="R-180")
def test_every_licence_goes_with_ours(supply: ModuleType) -> None:
    known = supply.pins((ROOT / supply.PINNED).read_text(encoding="utf-8"))
    assert list(supply.unfit({pin.name: supply.licence_of(pin.name) for pin in known})) == []


@pytest.mark.parametrize(
    "licence",
    [
        "GPL-3.0-or-later",
        "AGPL-3.0",
        "LGPL-3.0-only",
        "Proprietary",
        "",
        "SSPL-1.0",
        "MIT AND GPL-3.0-only",
        "GPL OR LGPL",
    ],
)
def test_a_licence_that_does_not_go_with_ours_is_named(supply: ModuleType, licence: str) -> None:
    assert len(list(supply.unfit({"some": licence}))) == 1


@pytest.mark.parametrize("licence", ["MIT", "BSD-3-Clause", "Apache Software License", "PSF-2.0", "MIT OR GPL-2.0"])
def test_a_licence_that_goes_with_ours_is_left_in_peace(supply: ModuleType, licence: str) -> None:
    assert list(supply.unfit({"some": licence})) == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("jinja2==3.1.6", "jinja2 is not pinned to a version with hashes"),
        ("jinja2>=3.1", "jinja2>=3.1 is not pinned"),
        (f"jinja2==3.0.0 \\\n    --hash=sha256:{'0' * 64}", "jinja2>=3.1 is declared, and 3.0.0 is pinned"),
        (f"other==1 \\\n    --hash=sha256:{'0' * 64}", "jinja2>=3.1 is declared, and nothing is pinned"),
    ],
)
def test_a_loose_pin_is_named(supply: ModuleType, line: str, words: str) -> None:
    assert words in "\n".join(supply.unpinned(["jinja2>=3.1"], supply.pins(line)))


def notices(path: str, text: str) -> Iterator[str]:
    """Name the lines that claim a file for somebody else."""
    if path not in OURS:
        yield from (f"{path}: {line.strip()[:80]}" for line in text.splitlines() if NOTICE.search(line))


@pytest.mark.requirement(id="R-180")
def test_no_file_bears_the_notice_of_another_house() -> None:
    folders = ("benchmarks", "docs", "features", "fixtures", "reference_impl", "simulators", "src", "steps", "tests")
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*")) if path.suffix in READ]
    assert len(files) > 500
    found = [
        line
        for path in files
        for line in notices(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []


def test_a_planted_notice_is_found() -> None:
    assert list(notices("simulators/x.py", "# Copyright (c) 2026 Some Vendor. All rights reserved."))
