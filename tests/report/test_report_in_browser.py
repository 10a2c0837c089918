"""Every page of a report in a real browser: nothing on the console, nothing out of reach, nothing unreadable.

Screenshots go into the folder that SNAPPROOF_SCREENSHOTS names. axe judges what screen readers and weak eyes meet.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from snapproof import cli
from snapproof.report.coverage_page import Cell, Covered, Table, coverage_page
from snapproof.report.files import write_first_page
from snapproof.report.ledger import LEDGER_NAME, read_ledger
from snapproof.report.summary import summarise
from snapproof.verdict import EXIT_CODES

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}
LOOKS = [("light", DESK), ("dark", DESK), ("light", PHONE), ("dark", PHONE)]
HEIGHT_PX_MAX = 6_000
NAMES = (
    "index.html",
    "matrix.html",
    *(f"requirements/R-00{number}.html" for number in range(1, 5)),
    "features/states.html",
    "features/deep/down.html",
)


def absent(what: str) -> NoReturn:
    """Fail where continuous integration looks, skip where somebody works without it."""
    said = f"{what} is not installed: apt-get install chromium, and the packages of the group `browser`."
    if os.environ.get("CI"):
        pytest.fail(said)
    pytest.skip(said)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium of this machine's own; nothing is downloaded."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        absent("playwright")
    if CHROMIUM is None:
        absent("Chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def screenshots(tmp_path: Path) -> Path:
    """Where pictures are kept."""
    folder = Path(os.environ.get("SNAPPROOF_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def caught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a real run: a variant that leaves snapshots behind, judged by what it breaks."""
    folder = tmp_path_factory.mktemp("caught")
    driver = "snapproof.reference_impl.variants.cloning:KeepsArraySnapshot"
    chosen = ["--driver", driver, "-m", "requirement(id='R-002')", "-k", "detached", "--report", str(folder)]
    assert cli.main(["run", *chosen]) == 1
    return folder


def opened(browser: Any, page: Path, scheme: str, viewport: dict[str, int]) -> tuple[Any, list[str]]:
    """Open a page with everything on it unfolded, and note what the console says."""
    context = browser.new_context(viewport=viewport, color_scheme=scheme, offline=True)
    tab, said = context.new_page(), []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("requestfailed", lambda request: said.append(request.url))
    tab.goto(page.as_uri())
    tab.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    return tab, said


def picture(tab: Any, path: Path) -> None:
    """Keep a picture of the whole page, or of its beginning where it is very long."""
    height = min(HEIGHT_PX_MAX, tab.evaluate("document.documentElement.scrollHeight"))
    width = tab.viewport_size["width"]
    tab.screenshot(path=path, full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height})
    assert path.stat().st_size > 1_000


def violations(tab: Any) -> list[str]:
    """What axe finds, each with the first place."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(tab).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html']} {each['nodes'][0]['failureSummary']}" for each in found]


@contextmanager
def readable(browser: Any, page: Path, scheme: str, viewport: dict[str, int], *, shown: Path) -> Iterator[Any]:
    """Open a page, keep a picture of it, and see that its console is silent and that it fits the screen."""
    tab, said = opened(browser, page, scheme, viewport)
    picture(tab, shown)
    assert said == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= viewport["width"], (
        "the page is wider than the screen"
    )
    yield tab
    tab.context.close()


@pytest.mark.parametrize(
    ("scheme", "viewport"), LOOKS, ids=lambda look: look if isinstance(look, str) else look["width"]
)
@pytest.mark.parametrize("name", NAMES)
def test_a_page_can_be_read_by_everybody(
    browser: Any, golden: Path, screenshots: Path, name: str, scheme: str, viewport: dict[str, int]
) -> None:
    shown = screenshots / f"{name.replace('/', '-')}-{scheme}-{viewport['width']}.png"
    with readable(browser, golden / name, scheme, viewport, shown=shown) as tab:
        if viewport is DESK:  # axe says the same on a phone
            assert violations(tab) == []


def test_a_planted_offence_is_seen(browser: Any, tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    picture_without_words = "<img src='nowhere.png'><p style='color:#bbb'>faint</p>"
    page.write_text(f"<html><body><script>console.log('hi')</script>{picture_without_words}", encoding="utf-8")
    tab, said = opened(browser, page, "light", DESK)
    assert {each.partition(":")[0] for each in violations(tab)} >= {"image-alt", "color-contrast", "html-has-lang"}
    assert {"hi"} < set(said)
    assert any("nowhere.png" in each for each in said)
    tab.context.close()


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory, golden: Path) -> Path:
    """Pages of several runs, of one that goes on, of one that was cut short, and of a campaign."""
    folder = tmp_path_factory.mktemp("beside")
    assert cli.main(["matrix", *[str(golden)] * 4, "--to", str(folder / "runs.html")]) == 0
    begun = (golden / LEDGER_NAME).read_bytes().splitlines(keepends=True)[:4]
    for name in ("running", "cut-short"):
        (folder / name).mkdir()
        (folder / name / LEDGER_NAME).write_bytes(b"".join(begun))
    write_first_page(folder / "running", summarise(read_ledger(folder / "running"), running=True))
    assert cli.main(["report", str(folder / "cut-short")]) in EXIT_CODES.values()
    cells = [Cell(state=state, cases=2, broken=1, why="Nobody can." * 9) for state in Covered] * 4
    tried = Table(title="take-secondary", rows=[(f"array.CreateSnapshot#{n}", cells) for n in range(30)])
    words = [f"lost_after_{n}" for n in range(len(cells))]
    (folder / "coverage.html").write_text(coverage_page(words, [tried]), encoding="utf-8")
    return folder


@pytest.mark.parametrize(("scheme", "viewport"), [("light", DESK), ("dark", PHONE)], ids=["desk", "phone"])
@pytest.mark.parametrize("name", ["runs.html", "running/index.html", "cut-short/index.html", "coverage.html"])
def test_a_page_beside_a_finished_run_can_be_read_too(
    browser: Any, beside: Path, screenshots: Path, name: str, scheme: str, viewport: dict[str, int]
) -> None:
    shown = screenshots / f"beside-{name.replace('/', '-')}-{scheme}-{viewport['width']}.png"
    # Without a script, a page of a run that goes on cannot come anew but by itself; every page of a finished run rests.
    tolerated = "meta-refresh" if name.startswith("running") else "nothing"
    with readable(browser, beside / name, scheme, viewport, shown=shown) as tab:
        assert [found for found in violations(tab) if not found.startswith(tolerated)] == []


def test_no_page_was_left_out(golden: Path) -> None:
    assert sorted(path.relative_to(golden).as_posix() for path in golden.rglob("*.html")) == sorted(NAMES)


def test_the_pages_of_a_real_failure_can_be_read_too(browser: Any, caught: Path, screenshots: Path) -> None:
    for name in ("index.html", "requirements/R-002.html", "features/take/secondary.html", "matrix.html"):
        shown = screenshots / f"caught-{name.replace('/', '-')}.png"
        with readable(browser, caught / name, "light", DESK, shown=shown) as tab:
            assert violations(tab) == []


def test_the_way_from_the_verdict_to_the_evidence_is_walked_by_keyboard(browser: Any, caught: Path) -> None:
    tab, _ = opened(browser, caught / "index.html", "light", DESK)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "To the content"
    for _ in range(200):
        tab.keyboard.press("Tab")
        if tab.evaluate("document.activeElement.getAttribute('href')") == "requirements/R-002.html":
            break
    outline = tab.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/requirements/R-002.html")
    assert outline == "solid", "one sees where the keyboard is"
    assert "array snapshot" in tab.inner_text(".reason >> nth=0")
    assert tab.locator("table.timeline tr.change").count() > 10
    tab.context.close()


def test_what_passed_can_be_hidden(browser: Any, golden: Path) -> None:
    for name in ("index.html", "matrix.html", "requirements/R-001.html"):
        tab, _ = opened(browser, golden / name, "light", DESK)
        passed = tab.locator(":is(li, tr, .scenario)[data-kind=good]")
        assert name == "index.html" or passed.first.is_visible()
        tab.check("#failing")
        assert not any(each.is_visible() for each in passed.all())
        assert tab.locator(":is(li, tr, .scenario)[data-kind=bad]").first.is_visible() or name == "index.html"
        tab.context.close()
