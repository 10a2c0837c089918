"""Drivers that are odd and valid stay green: no scenario demands more than its requirement does.

They are the reference implementation, behaving otherwise where the contract leaves it open; what is odd on the wire
alone is here, the others are variants. Two plain scenarios and a part of the others are asked each time, and all where
the whole zoo is wanted.
"""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from snapproof.authoring.broken import PACKAGE
from snapproof.collecting import canonical_scenarios
from snapproof.commands.forked import Job, results_of, said_of
from snapproof.discovery import default_register
from snapproof.driver import DriverUnderTest
from snapproof.drivers.contract import JOBS, PROBLEM, SiteMessage
from snapproof.drivers.hosting import Hosting
from snapproof.drivers.outside import MachineClock
from snapproof.drivers.remote import speak
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.variants import odd
from snapproof.register import read_register
from snapproof.site import Answer, Site
from snapproof.verdict import State

WHOLE = bool(os.environ.get("SNAPPROOF_WHOLE_ZOO"))
STRIDE = 1 if WHOLE else 300
FINE = {State.PASS, State.NOT_SUPPORTED, State.NOT_TESTABLE}
PLAIN = (
    "features/take/primary.feature::test_a_lost_answer_of_the_array_makes_no_second_snapshot[lost_before]",
    "features/take/secondary.feature::test_a_second_backup_stands_beside_the_first_and_repeats_nothing_of_it",
)
"""Whatever else an odd driver leaves alone, it can do one of these."""


class Later:
    """A wire that answers everything by a job, asked for three times, under numbers that begin anew in each life.

    Its answers have members that nobody knows, its problems a character set and no status, and nothing is `null`.
    """

    def __init__(self, hosting: Hosting) -> None:
        self._hosting = hosting
        self._answers: list[Answer] = []
        self._polls: dict[str, int] = {}

    def __call__(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if method == "POST":
            self._answers.append(said_oddly(self._hosting(method, target, headers, body)))
            return 202, {}, json.dumps({"job": str(len(self._answers)), "poll_after_s": 0.001, "since": "now"}).encode()
        job = target.removeprefix(JOBS)
        self._polls[job] = self._polls.get(job, 0) + 1
        if self._polls[job] < 3:
            return 202, {}, json.dumps({"job": job, "poll_after_s": 0.001}).encode()
        return self._answers[int(job) - 1]


def said_oddly(answer: Answer) -> Answer:
    """Say the same otherwise."""
    status, headers, body = answer
    said: Any = json.loads(body) if body else None
    if status >= 400:
        return status, {"content-type": f"{PROBLEM}; charset=utf-8"}, json.dumps(said | {"status": 0, "x": 1}).encode()
    return (200, headers, json.dumps(adorned(said)).encode()) if said is not None else (200, headers, b"null")


def adorned(said: Any) -> Any:
    """Put a member that nobody knows into each object that is a record."""
    if isinstance(said, list):
        return [adorned(each) for each in said]
    return said | {"colour": {"of": ["its", 1]}} if isinstance(said, dict) else said


def already_begun(_site: SiteMessage) -> DriverUnderTest:
    raise AssertionError("Nobody begins a life that has begun.")


def answers_later(site: Site) -> DriverUnderTest:
    """Start the reference behind that wire."""
    return speak(Later(Hosting(already_begun, ReferenceDriver(site))), clock=MachineClock())


class Wide:
    """A wire whose JSON is indented, has its members backwards and escapes what it can."""

    def __init__(self, hosting: Hosting) -> None:
        self._hosting = hosting

    def __call__(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        status, answered, text = self._hosting(method, target, headers, body)
        wide = json.dumps(backwards(json.loads(text or b"null")), indent=8).replace("/", "\\/")
        return status, answered, wide.encode("ascii")


def writes_wide(site: Site) -> DriverUnderTest:
    """Start the reference behind that wire."""
    return speak(Wide(Hosting(already_begun, ReferenceDriver(site))), clock=MachineClock())


def backwards(said: Any) -> Any:
    """Turn the order of members around, which JSON gives no meaning."""
    if isinstance(said, list):
        return [backwards(each) for each in said]
    return {name: backwards(said[name]) for name in reversed(said)} if isinstance(said, dict) else said


KINDS = [
    value
    for value in vars(odd).values()
    if isinstance(value, type) and value.__module__ == odd.__name__ and issubclass(value, ReferenceDriver)
]
ON_THE_WIRE: list[Callable[[Site], DriverUnderTest]] = [answers_later, writes_wide]
ODD = [*[f"{PACKAGE}.odd:{kind.__name__}" for kind in KINDS], *[f"{__name__}:{wire.__name__}" for wire in ON_THE_WIRE]]


def drivers() -> list[str]:
    """Every odd one as it is called, and every fourth variant by the contract too; all of them in the whole zoo."""
    return [*ODD, *[f"contract:{name}" for name in ODD[: len(KINDS) : 1 if WHOLE else 4]]]


def test_there_are_a_dozen_odd_ones_and_each_says_how() -> None:
    assert len(ODD) >= 12
    assert all(kind.__doc__ and "Breaks" not in kind.__doc__ for kind in KINDS)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("driver", drivers(), ids=lambda driver: driver.replace(f"{PACKAGE}.", "").rpartition(".")[2])
def test_an_odd_driver_that_is_valid_stays_green(driver: str) -> None:
    every = sorted(scenario.id for scenario in canonical_scenarios(read_register(default_register())))
    chosen = tuple(dict.fromkeys([*PLAIN, *every[37 * drivers().index(driver) % STRIDE :: STRIDE]]))
    ((_, results),) = results_of([Job(driver=driver, scenarios=chosen)], processes=1)
    assert len(results) == len(chosen)
    assert {each.scenario.id: said_of(each) for each in results if each.state not in FINE} == {}
    assert State.PASS in {each.state for each in results if each.scenario.id in PLAIN}
