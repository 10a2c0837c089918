"""Drivers that are odd and valid stay green: no scenario demands more than its requirement does.

They are the reference implementation, behaving otherwise where the contract leaves it open. A part of the scenarios is
asked each time, and all of them where the whole zoo is wanted.
"""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from snapproof.collecting import canonical_scenarios
from snapproof.commands.forked import Job, results_of, said_of
from snapproof.discovery import default_register
from snapproof.driver import DriverUnderTest, NotSupportedError
from snapproof.drivers.contract import JOBS, PROBLEM, SiteMessage
from snapproof.drivers.hosting import Hosting
from snapproof.drivers.outside import MachineClock
from snapproof.drivers.remote import speak
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.register import read_register
from snapproof.site import Answer, Site
from snapproof.verdict import State
from snapproof.vocabulary import (
    AccountId,
    Capability,
    Description,
    LocationType,
    Snapshot,
    Template,
    Volume,
    VolumeId,
)

WHOLE = bool(os.environ.get("SNAPPROOF_WHOLE_ZOO"))
STRIDE = 1 if WHOLE else 130
FINE = {State.PASS, State.NOT_SUPPORTED, State.NOT_TESTABLE}


class ListsBackwards(ReferenceDriver):
    """Lists the newest first: the contract orders events, and no lists."""

    def list_volumes(self, account: AccountId | None = None) -> Sequence[Volume]:
        return super().list_volumes(account)[::-1]

    def list_snapshots(
        self,
        account: AccountId | None = None,
        *,
        volume: VolumeId | None = None,
        location: LocationType | None = None,
    ) -> Sequence[Snapshot]:
        return super().list_snapshots(account, volume=volume, location=location)[::-1]

    def list_templates(self, account: AccountId | None = None) -> Sequence[Template]:
        return super().list_templates(account)[::-1]


class DoesLittle(ReferenceDriver):
    """Declares snapshots on the array and nothing else, and refuses the rest."""

    def describe(self) -> Description:
        return Description(name="little", version="1", capabilities=frozenset({Capability.SNAPSHOT_PRIMARY}))

    def resource_counts(self, account: AccountId) -> Any:
        raise NotSupportedError("It does not count.")

    def audit_events(self) -> Any:
        raise NotSupportedError("It keeps no trail.")


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
            self._answers.append(odd(self._hosting(method, target, headers, body)))
            return 202, {}, json.dumps({"job": str(len(self._answers)), "poll_after_s": 0.01, "since": "now"}).encode()
        job = target.removeprefix(JOBS)
        self._polls[job] = self._polls.get(job, 0) + 1
        if self._polls[job] < 3:
            return 202, {}, json.dumps({"job": job, "poll_after_s": 0.01}).encode()
        return self._answers[int(job) - 1]


def odd(answer: Answer) -> Answer:
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


ODD = (ListsBackwards, DoesLittle, answers_later)
DOORS = [*[(odd, "") for odd in ODD[1:]], (ListsBackwards, "contract:")]
MORE = [(ListsBackwards, ""), (DoesLittle, "contract:")]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("odd_one", "door"), [*DOORS, *(MORE if WHOLE else ())], ids=lambda thing: getattr(thing, "__name__", thing)
)
def test_an_odd_driver_that_is_valid_stays_green(odd_one: Any, door: str) -> None:
    every = sorted(scenario.id for scenario in canonical_scenarios(read_register(default_register())))
    chosen = tuple(every[ODD.index(odd_one) + 7 * bool(door) :: STRIDE])
    job = Job(driver=f"{door}{__name__}:{odd_one.__name__}", scenarios=chosen, until="nobody says this")
    ((_, results),) = results_of([job], processes=1)
    assert len(results) == len(chosen)
    assert {each.scenario.id: said_of(each) for each in results if each.state not in FINE} == {}
