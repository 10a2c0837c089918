"""Writing a run down as its results come: the ledger line by line, the files at the end.

Lives in the process that is in charge: the only one, or xdist's controller. Watches no scenario itself.
"""

import os
import platform
from pathlib import Path

import msgspec
import pytest

from snapproof import __version__
from snapproof.authoring.broken import zoo
from snapproof.collecting import canonical_scenarios
from snapproof.discovery import default_register
from snapproof.recording import PROPERTY
from snapproof.register import Register
from snapproof.report.files import write_files, write_first_page
from snapproof.report.ledger import LEDGER_NAME, Ledger, read_ledger
from snapproof.report.pages import PAGE_NAME
from snapproof.report.records import Proof, Record, RunFinished, RunStarted, Scenario, ScenarioFinished, ScenarioStarted
from snapproof.report.redaction import without_password
from snapproof.report.summary import Summary, crashed, summarise
from snapproof.selection import driver_name, selected_profile, selected_seed
from snapproof.site import Clock
from snapproof.verdict import State

SHOWN_EVERY_S = 5.0


class Publisher:
    """The hooks of the process in charge."""

    def __init__(self, config: pytest.Config, folder: Path, register: Register, clock: Clock) -> None:
        self._config = config
        self._folder = folder
        self._register = register
        self._clock = clock
        self._expected: tuple[Scenario, ...] = ()
        self._ledger = Ledger(folder)
        self._interrupted = False
        self._summary: Summary | None = None
        self._shown_s = 0.0
        self._so_far: list[Record] = []
        self._draws = not config.getoption("snapproof_no_pages")

    def pytest_sessionstart(self) -> None:
        """Write the head: by what the run is judged, and what should run."""
        try:
            self._expected = canonical_scenarios(self._register)
        except pytest.Collector.CollectError as exc:
            self._begin()
            self._blame_harness("the canonical features", str(exc))
            return
        self._begin()
        self._refuse_unknown_deviations()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Note that a scenario began."""
        self._ledger.append(ScenarioStarted(node=nodeid))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how a scenario ended; the record rides on its last report. xdist reports a dead worker as `???`."""
        for name, value in report.user_properties:
            if name == PROPERTY:
                record = msgspec.json.decode(str(value), type=ScenarioFinished)
                self._ledger.append(msgspec.structs.replace(record, ended_s=self._clock.time()))
                self._show_how_far_it_is(record)
        if report.when not in {"setup", "call", "teardown"}:
            self._ledger.append(crashed(report.nodeid, self._expected, str(report.longrepr)))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be collected is our fault or its author's, never a pass."""
        if report.failed:
            self._blame_harness(report.nodeid, _last_words(report.longreprtext))

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Note that somebody stopped the run. (pytest calls it an interruption too when it cannot collect.)"""
        self._interrupted = not isinstance(excinfo.value, pytest.Session.Interrupted)

    def pytest_internalerror(self, excrepr: object) -> None:
        """An error inside pytest or a plugin."""
        self._blame_harness("pytest", str(excrepr))

    def pytest_sessionfinish(self) -> None:
        """Close the ledger and write the files from it."""
        self._ledger.append(RunFinished(finished_s=self._clock.time(), interrupted=self._interrupted))
        self._ledger.close()
        self._summary = summarise(read_ledger(self._folder))
        if self._draws:
            write_files(self._folder, self._summary)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say the verdict at the end of pytest's own words."""
        if self._summary:
            terminalreporter.write_line(f"snapproof: {self._summary.verdict.text}")
            name = PAGE_NAME if self._draws else LEDGER_NAME
            terminalreporter.write_line(f"snapproof: the report is {self._folder / name}")

    def _begin(self) -> None:
        head = self._head()
        self._so_far.append(head)
        self._ledger.append(head)

    def _head(self) -> RunStarted:
        return RunStarted(
            suite_version=__version__,
            register_path=str(self._register.path),
            driver=without_password(driver_name(self._config)),
            seed=selected_seed(self._config),
            started_s=self._clock.time(),
            python=platform.python_version(),
            platform=platform.platform(),
            expected=self._expected,
            chosen=self._chosen(),
            proofs=_proofs(self._register),
        )

    def _chosen(self) -> dict[str, str]:
        """What else was chosen, as far as it was."""
        option = self._config.getoption
        said = {
            "profile": _near(option("snapproof_profile") or ""),
            "register": _near(option("snapproof_register") or ""),
            "only names": option("keyword"),
            "only tags": option("markexpr"),
            "limit per scenario": f"{option('snapproof_timeout'):g} s",
            "processes": str(option("numprocesses", default=None) or 1),
        }
        chosen = {title: str(text) for title, text in said.items() if text}
        return chosen | selected_profile(self._config).shown()

    def _show_how_far_it_is(self, record: ScenarioFinished) -> None:
        """Write the first page at the first result, and then now and again while the run goes on."""
        self._so_far.append(msgspec.structs.replace(record, timeline=()))
        if self._draws and self._clock.time() - self._shown_s >= SHOWN_EVERY_S:
            self._shown_s = self._clock.time()
            write_first_page(self._folder, summarise(self._so_far, running=True))

    def _refuse_unknown_deviations(self) -> None:
        known = {scenario.id for scenario in self._expected}
        for deviation in selected_profile(self._config).deviation:
            if deviation.scenario not in known:
                raise pytest.UsageError(
                    f"The driver's profile declares a deviation for {deviation.scenario}, and there is no such "
                    "scenario; take its id from the replay line of a failure."
                )

    def _blame_harness(self, where: str, message: str) -> None:
        scenario = Scenario(id=where, uri=where, feature="", name=where, line=0)
        self._ledger.append(
            ScenarioFinished(node=where, scenario=scenario, state=State.HARNESS_ERROR, reason=message.strip())
        )


def _proofs(register: Register) -> dict[str, tuple[Proof, ...]]:
    """What the zoo proves; its variants speak of the requirements that come with the package."""
    found: dict[str, tuple[Proof, ...]] = {}
    for each in zoo() if register.path == default_register().resolve() else ():
        proof = Proof(selector=each.selector, mistake=each.mistake, says=each.expect)
        found[each.breaks] = (*found.get(each.breaks, ()), proof)
    return found


def _near(path: str) -> str:
    """A path as seen from where one stands: a report names no folder of somebody's machine."""
    return os.path.relpath(path) if path else ""


def _last_words(traceback: str) -> str:
    """The error itself, without the road to it; a sentence of ours has no road."""
    errors = [line.removeprefix("E ").strip() for line in traceback.splitlines() if line.startswith("E ")]
    return "\n".join(errors) or traceback
