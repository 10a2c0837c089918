"""Running something in a forked child, scenarios on a variant above all: what is imported once need not be for each.

What is learned from it is proving's affair. The child leaves nothing behind but what it returns.
"""

import functools
import gc
import importlib
import inspect
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import msgspec
import pytest
from pytest_bdd.steps import step_function_context_registry

from snapproof.authoring.phrases import Phrase
from snapproof.campaign.running import arrange, play
from snapproof.campaign.schedule import Schedule
from snapproof.commands.child import PLUGINS
from snapproof.commands.until_said import UntilSaid
from snapproof.discovery import FEATURES, HOME, SETTINGS, STEPS, plugin_modules
from snapproof.fixtures.builders import Builders
from snapproof.fixtures.lab import simulated_lab
from snapproof.recording import PROPERTY
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.report.records import ScenarioFinished
from snapproof.verdict import State

SEED = 7
LAB = "snapproof.fixtures.scenario_lab"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Scenarios to be run on a driver, by their ids. `hollow` is a step whose body is taken out first.

    Once a failure has said `until`, no further scenario is run.
    """

    driver: str
    scenarios: tuple[str, ...]
    hollow: tuple[str, int] | None = None
    until: str = ""


def said_of(result: ScenarioFinished) -> str:
    """All that a scenario said when it ended."""
    return f"{result.reason}\n{result.detail}"


class Collector(UntilSaid):
    """Keeps the records of scenarios, until a failure says what was waited for."""

    def __init__(self, until: str) -> None:
        super().__init__(until)
        self.records: list[bytes] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the record; it rides on the last report of a test."""
        for record in [str(value).encode() for name, value in report.user_properties if name == PROPERTY]:
            self.records.append(record)
            result = msgspec.json.decode(record, type=ScenarioFinished)
            if result.state is State.FAIL:
                self.hear(said_of(result))


def results_of(jobs: Sequence[Job], *, processes: int) -> Iterator[tuple[Job, list[ScenarioFinished]]]:
    """Run every job in a child of its own, so many at a time, and give what it found, in the order of the jobs."""
    for name in plugin_modules((*PLUGINS, STEPS, LAB)):
        importlib.import_module(name)
    _warm_up()
    with get_context("fork").Pool(processes, maxtasksperchild=1) as pool:
        for job, records in zip(jobs, pool.imap(_run, jobs, chunksize=1), strict=True):
            yield job, [msgspec.json.decode(record, type=ScenarioFinished) for record in records]


@functools.cache
def _warm_up() -> None:
    """Make a backup in a lab of our own and look around in it, so that no child has to learn what that takes."""
    Builders(SEED)
    with (
        tempfile.TemporaryDirectory() as scratch,
        simulated_lab(ReferenceDriver, store="s3", seed=SEED, directory=Path(scratch)) as lab,
    ):
        bare = Schedule(workflow="take-secondary", store="s3", seed=SEED)
        play(bare, lab, arrange(bare, lab))
        lab.inventory()


def _run(job: Job) -> list[bytes]:
    """In the child: hollow the step out, run pytest, and say nothing. What was there before is no garbage."""
    gc.freeze()
    if job.hollow:
        hollow_out(job.hollow)
    collector = Collector(job.until)
    with tempfile.TemporaryDirectory() as scratch, _silence():
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        targets = [str(FEATURES.parent / _as_pytest_calls_it(scenario)) for scenario in job.scenarios]
        pytest.main([*_options(job, Path(scratch)), *targets], plugins=[collector])
    return collector.records


def in_a_child(speak: Callable[[], bytes]) -> bytes:
    """Give what `speak` says in a forked child, which then ends at once; nothing if it could not say it."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with os.fdopen(writing, "wb") as pipe:
                pipe.write(speak())
            status = 0
        except BaseException:  # noqa: BLE001  whatever it is, the child ends here
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    return text if status == 0 else b""


def _as_pytest_calls_it(scenario: str) -> str:
    return scenario.encode("unicode_escape").decode("ascii")


def _options(job: Job, scratch: Path) -> list[str]:
    return [
        *("-c", str(SETTINGS), f"--rootdir={HOME}", f"--confcutdir={HOME}", f"--basetemp={scratch / 'labs'}"),
        *(f"-p{plugin}" for plugin in PLUGINS),
        *("-q", "--tb=no", "-pno:cacheprovider", f"--snapproof-driver={job.driver}", f"--snapproof-seed={SEED}"),
    ]


def hollow_out(home: tuple[str, int]) -> None:
    """Take the body out of a step function: it is found and called as before, and looks at nothing."""
    for context in step_function_context_registry.values():
        function = inspect.unwrap(context.step_func)
        if (function.__module__, function.__code__.co_firstlineno) == home:
            context.step_func = _hollow(context.step_func)


def _hollow(function: Callable[..., object]) -> Callable[..., object]:
    @functools.wraps(function)
    def look_at_nothing(*_arguments: object, **_named: object) -> None:
        return None

    return look_at_nothing


@contextmanager
def _silence() -> Iterator[None]:
    """What pytest says here is nobody's business."""
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        yield


def thens(phrases: Iterable[Phrase]) -> dict[tuple[str, int], list[Phrase]]:
    """Every Then by its function, with all its wordings."""
    found: dict[tuple[str, int], list[Phrase]] = {}
    for phrase in phrases:
        if phrase.kind == "then":
            found.setdefault(phrase.home, []).append(phrase)
    return found
