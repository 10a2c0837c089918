"""Watching scenarios where they run: each step, each phase, and one record of it all on the last report of the test.

Records ride on `user_properties`, which is plain data and so survives xdist. Who writes them down is publishing.py.
"""

import inspect
import os
import shlex
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import FrameType
from typing import cast

import msgspec
import pytest
from _pytest._code import Traceback
from _pytest.fixtures import FixtureRequest
from pytest_bdd.exceptions import StepDefinitionNotFoundError
from pytest_bdd.parser import Step as GherkinStep

from snapproof.authoring.near import advice
from snapproof.authoring.phrases import known_phrases
from snapproof.blame import ScenarioTimeoutError, state_of
from snapproof.collecting import MARK_OF_KIND, FeatureFile, describe, uri_of
from snapproof.lab import NotTestableError
from snapproof.naming import driver_package
from snapproof.report.records import Attachment, DriverIdentity, Scenario, ScenarioFinished, Step
from snapproof.report.redaction import redact, without_password
from snapproof.selection import (
    ATTACHMENTS,
    DESCRIPTION,
    SECRETS,
    TIMELINE,
    CapabilityMissingError,
    SuiteError,
    driver_name,
    selected_driver,
    selected_profile,
    selected_register,
    selected_seed,
)
from snapproof.timeline import Moment, abridged
from snapproof.verdict import SEVERITY, State, worst
from snapproof.vocabulary import Description

PROPERTY = "snapproof"
DETAIL_CHARACTERS_MAX = 20_000
ATTACHMENT_CHARACTERS_MAX = 200_000
MACHINERY = frozenset({"_pytest", "pluggy", "pytest_bdd"})
UNSEEN = "The scenario ended without an error although not every step was run; the suite is at fault."
EXCUSES = (CapabilityMissingError, NotTestableError, pytest.skip.Exception)
"""Errors that say all in their sentence; where they were raised interests nobody."""
PLAIN = (AssertionError, pytest.fail.Exception, ScenarioTimeoutError)
"""Errors whose class says nothing that their sentence does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """How set-up, call or tear-down ended. `reason` is for every reader, `detail` for a developer."""

    state: State
    reason: str = ""
    detail: str = ""


@dataclass(slots=True, kw_only=True)
class Watch:
    """What is known of a scenario while it runs."""

    scenario: Scenario
    steps: list[Step]
    phases: list["Phase"] = field(default_factory=list)
    deviation: str = ""
    seconds: float = 0.0
    step_began_s: float = 0.0
    advice: str = ""
    first_row: bool = True

    def end_step(self, outcome: str) -> None:
        """Note how a step ended; steps are known by the order in which they are reached."""
        place = next(n for n, known in enumerate(self.steps) if known.outcome == "not reached")
        took = max(0.0, time.perf_counter() - self.step_began_s) if self.step_began_s else 0.0
        self.steps[place] = msgspec.structs.replace(self.steps[place], outcome=outcome, seconds=took)
        self.step_began_s = 0.0

    def state(self) -> State:
        """How the scenario ended. A declared deviation that nobody saw is stale."""
        ended = worst(phase.state for phase in self.phases)
        return State.XPASS if self.deviation and ended is State.PASS else ended

    def failing_step(self) -> Step | None:
        """The step in which the scenario ended early, if it was a step."""
        return next((step for step in self.steps if step.outcome in {"failed", "undefined"}), None)


WATCH = pytest.StashKey[Watch]()


class Recorder:
    """The hooks of a process that runs scenarios."""

    def __init__(self, config: pytest.Config, today: date) -> None:
        self._config = config
        self._excused = {each.scenario: each for each in selected_profile(config).deviation if each.excuses(today)}
        self._limit_s = float(config.getoption("snapproof_timeout") or 0.0)

    @pytest.hookimpl(tryfirst=True)
    def pytest_bdd_apply_tag(self, tag: str, function: Callable[..., object]) -> object:
        """Turn `@req:R-003` into a mark with a keyword. A plain tag is left to pytest-bdd."""
        kind, colon, value = tag.partition(":")
        if not colon or kind not in MARK_OF_KIND:
            return None
        return getattr(pytest.mark, MARK_OF_KIND[kind])(id=value)(function)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        """Begin to watch a scenario."""
        if isinstance(item.parent, FeatureFile) and isinstance(item, pytest.Function):
            item.stash[WATCH] = _watch(item, item.parent)
            self._expect_deviation(item)
        with self._limit(item):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Let a scenario take no longer than the run allows."""
        with self._limit(item):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        """Let the end of a scenario take no longer either."""
        with self._limit(item):
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_bdd_before_step(self, request: FixtureRequest, step_func: Callable[..., object]) -> None:
        """Refuse a coroutine, which pytest-bdd would never await, so that it would pass."""
        watch = request.node.stash.get(WATCH, None)
        if watch is None:
            return
        watch.step_began_s = time.perf_counter()
        if inspect.iscoroutinefunction(step_func) or inspect.isasyncgenfunction(step_func):
            watch.end_step("failed")
            raise SuiteError(
                f"The step function {step_func.__qualname__} is a coroutine; nobody awaits it. Write `def`."
            )

    def pytest_bdd_after_step(self, request: FixtureRequest) -> None:
        """Note that a step passed."""
        if watch := request.node.stash.get(WATCH, None):
            watch.end_step("passed")

    def pytest_bdd_step_error(self, request: FixtureRequest) -> None:
        """Note that a step ended in an exception."""
        if watch := request.node.stash.get(WATCH, None):
            watch.end_step("failed")

    def pytest_bdd_step_func_lookup_error(self, request: FixtureRequest, step: GherkinStep) -> None:
        """Note that there is no such step, and what may have been meant."""
        if watch := request.node.stash.get(WATCH, None):
            watch.end_step("undefined")
            watch.advice = advice(step.type, step.name, known_phrases())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Judge one phase of a scenario, and after the last put the whole record on the report."""
        report = yield
        watch = item.stash.get(WATCH, None)
        if watch is None:
            return report
        watch.seconds += report.duration
        if watch.step_began_s:  # cut short by what is no Exception: pytest-bdd does not tell of it
            watch.end_step("failed")
        phase = self._phase(report, call, watch)
        watch.phases.append(phase)
        secrets = item.config.stash.get(SECRETS, set())
        _show(report, item, phase, secrets)
        if report.when == "teardown":
            record = _record(item, watch, secrets)
            report.user_properties.append((PROPERTY, msgspec.json.encode(record).decode()))
        return report

    def _expect_deviation(self, item: pytest.Item) -> None:
        """Let pytest expect a failure that the profile declares; how it is judged is still our affair."""
        if deviation := self._excused.get(item.stash[WATCH].scenario.id):
            item.stash[WATCH].deviation = f"{deviation.reason} ({deviation.link})"
            item.add_marker(pytest.mark.xfail(reason=item.stash[WATCH].deviation, strict=False))

    def _phase(self, report: pytest.TestReport, call: pytest.CallInfo[None], watch: Watch) -> Phase:
        """Judge one phase. A declared deviation excuses a FAIL of the driver and nothing else."""
        if call.excinfo is None:
            unseen = report.when == "call" and any(step.outcome != "passed" for step in watch.steps)
            return Phase(state=State.HARNESS_ERROR, reason=UNSEEN) if unseen else Phase(state=State.PASS)
        state = state_of(call.excinfo.value, driver_package=driver_package(selected_driver(self._config)))
        excused = state is State.FAIL and watch.deviation
        if watch.advice and call.excinfo.errisinstance(StepDefinitionNotFoundError):
            return Phase(state=state, reason=watch.advice)
        return Phase(
            state=State.XFAIL if excused else state, reason=_reason(call.excinfo), detail=_detail(call.excinfo)
        )

    @contextmanager
    def _limit(self, item: pytest.Item) -> Iterator[None]:
        """Interrupt what takes longer than the limit, in real time; the virtual clock of a lab is not asked."""
        if WATCH not in item.stash or threading.current_thread() is not threading.main_thread() or self._limit_s <= 0:
            yield
            return

        def interrupt(_signal_number: int, _frame: FrameType | None) -> None:
            raise ScenarioTimeoutError(f"The scenario took longer than {self._limit_s:g} s.")

        handler = signal.signal(signal.SIGALRM, interrupt)
        timer = signal.setitimer(signal.ITIMER_REAL, self._limit_s)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, *timer)
            signal.signal(signal.SIGALRM, handler)


def _watch(item: pytest.Function, file: FeatureFile) -> Watch:
    register = selected_register(item.config)
    test = item.originalname
    row = cast(Mapping[str, str], item.callspec.params["_pytest_bdd_example"]) if hasattr(item, "callspec") else {}
    template = file.templates[test]
    scenario = describe(template.render(row), uri=uri_of(file.path, register), test=test, row=row)
    first = next((context for examples in template.examples for context in examples.as_contexts()), {})
    return Watch(scenario=scenario, steps=list(scenario.steps), first_row=dict(row) == dict(first))


def _reason(error: pytest.ExceptionInfo[BaseException]) -> str:
    kind = "" if isinstance(error.value, (*EXCUSES, *PLAIN)) else f"{error.typename}: "
    return f"{kind}{error.value}" if str(error.value) else error.typename


def _detail(error: pytest.ExceptionInfo[BaseException]) -> str:
    if isinstance(error.value, EXCUSES):
        return ""
    return str(error.getrepr(style="short", tbfilter=_own_frames))


def _own_frames(error: pytest.ExceptionInfo[BaseException]) -> Traceback:
    """Leave out the frames of pytest and its plugins, as long as any other is left."""
    left = error.traceback.filter(lambda entry: not MACHINERY.intersection(Path(entry.path).parts))
    return left or error.traceback


def _show(report: pytest.TestReport, item: pytest.Item, phase: Phase, secrets: set[str]) -> None:
    """Make pytest's own report say the same: a skip with its reason, or a failure with all that names it."""
    watch = item.stash[WATCH]
    if phase.state in {State.NOT_SUPPORTED, State.NOT_TESTABLE}:
        report.outcome = "skipped"
        report.longrepr = (str(item.path), watch.scenario.line, redact(f"{phase.state}: {phase.reason}", secrets))
    elif phase.state not in {State.PASS, State.XFAIL, State.NOT_RUN}:
        report.outcome = "failed"
        report.longrepr = redact(phase.detail or phase.reason, secrets)
        report.sections.append((f"snapproof: {phase.state}", redact(_placard(item, watch), secrets)))
    elif isinstance(report.longrepr, tuple):
        path, line, reason = report.longrepr
        report.longrepr = (path, line, redact(reason, secrets))
    elif report.longrepr:
        report.longrepr = redact(report.longreprtext, secrets)
    report.sections[:] = [(title, redact(text, secrets)) for title, text in report.sections]


def _placard(item: pytest.Item, watch: Watch) -> str:
    scenario, step = watch.scenario, watch.failing_step()
    lines = {
        "Feature": scenario.feature,
        "Scenario": f"{scenario.name} ({scenario.uri}:{scenario.line})",
        "Step": f"{step.keyword} {step.text} ({scenario.uri}:{step.line})"
        if step
        else "none: before or after the steps",
        "Requirement": ", ".join(scenario.requirements) or "none",
        "Seed": str(selected_seed(item.config)),
        "Replay": _replay(item, scenario),
    }
    return "\n".join(f"{title + ':':<13}{text}" for title, text in lines.items())


def _replay(item: pytest.Item, scenario: Scenario) -> str:
    words = ["--driver", without_password(driver_name(item.config)), "--seed", str(selected_seed(item.config))]
    if register := item.config.getoption("snapproof_register"):
        words += ["--register", os.path.relpath(register)]
    return f"snapproof run {shlex.join(words)} -- {shlex.quote(f'{scenario.uri}::{item.name}')}"


def _identity(described: Description) -> DriverIdentity:
    capabilities = tuple(sorted(described.capabilities))
    return DriverIdentity(name=described.name, version=described.version, capabilities=capabilities)


def _reasons(watch: Watch, bad: Sequence[Phase]) -> str:
    if watch.state() is State.XPASS:
        return f"The scenario passes; take the deviation out of the driver's profile: {watch.deviation}"
    declared = [f"Declared: {watch.deviation}"] if bad and watch.deviation else []
    return "\n".join([*(phase.reason for phase in bad), *declared])


def _record(item: pytest.Item, watch: Watch, secrets: set[str]) -> ScenarioFinished:
    described = item.stash.get(DESCRIPTION, None)
    bad = sorted(
        (each for each in watch.phases if each.state is not State.PASS), key=lambda each: -SEVERITY[each.state]
    )
    detail = "\n".join(phase.detail for phase in bad if phase.detail)
    attachments = (
        Attachment(title=title, text=redact(text, secrets)[-ATTACHMENT_CHARACTERS_MAX:])
        for title, text in item.stash.get(ATTACHMENTS, [])
        if watch.state() is not State.PASS
    )
    return ScenarioFinished(
        node=item.nodeid,
        scenario=msgspec.structs.replace(watch.scenario, steps=tuple(watch.steps)),
        state=watch.state(),
        seconds=watch.seconds,
        reason=redact(_reasons(watch, bad), secrets),
        detail=redact(detail, secrets)[-DETAIL_CHARACTERS_MAX:],
        replay=_replay(item, watch.scenario),
        driver=_identity(described) if described else None,
        attachments=tuple(attachments),
        timeline=_timeline(item, watch, secrets),
    )


def _timeline(item: pytest.Item, watch: Watch, secrets: set[str]) -> tuple[Moment, ...]:
    """What the lab has heard. Of an outline's rows that pass, one is enough to be read."""
    if watch.state() is State.PASS and not watch.first_row:
        return ()
    return tuple(
        Moment(each.time_s, each.kind, each.lane, redact(each.text, secrets), redact(each.facts, secrets))
        for each in abridged(item.stash.get(TIMELINE, []))
    )
