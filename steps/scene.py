"""What a scenario remembers between its steps: things by the names that the features give them, and the last outcome.

Only this file knows how a verb is asked for; the steps beside it say which.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import pytest

from snapproof.driver import DriverError, DriverUnderTest
from snapproof.inventory import Inventory
from snapproof.lab import Guest, Lab, Meanwhile, Outcome
from snapproof.vocabulary import AccountId, Capability, OperationId, Policy, ResourceCounts, Snapshot, Template, Volume

T = TypeVar("T")
ACCOUNT = AccountId("team-blue")
NOTHING_YET: Outcome[object] = Outcome()


def refusal_of(outcome: Outcome[object]) -> DriverError:
    """Give the error of the port by which the driver said no; raises AssertionError if it did anything else."""
    assert not outcome.crashed, "The driver died."
    assert outcome.error is not None, "The driver reported success."
    assert isinstance(outcome.error, DriverError), f"The driver broke: {type(outcome.error).__name__}: {outcome.error}"
    return outcome.error


def nothing(_driver: DriverUnderTest) -> None:
    """Ask for nothing."""


def _nothing_by_id(_driver: DriverUnderTest, _operation: OperationId, _thing: str, _account: AccountId) -> None:
    """Ask for nothing, with nothing."""


@dataclass(slots=True)
class Scene:
    """One scenario's memory. `before` and `charged_before` are from just before the last act."""

    volumes: dict[str, Volume] = field(default_factory=dict)
    guests: dict[str, Guest] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    templates: dict[str, Template] = field(default_factory=dict)
    earlier: dict[str, list[Snapshot]] = field(default_factory=dict)
    outcome: Outcome[object] = NOTHING_YET
    before: Inventory = field(default_factory=Inventory)
    charged_before: ResourceCounts = field(
        default_factory=lambda: ResourceCounts(snapshots=0, secondary_storage_bytes=0)
    )
    policies: dict[str, Policy] = field(default_factory=dict)
    taken_by: dict[str, OperationId] = field(default_factory=dict)
    meanwhile: Meanwhile[Any] = field(default_factory=Meanwhile)
    began_s: float = 0
    ended_s: float = 0
    last_act: Callable[[DriverUnderTest], object] = nothing
    asked: tuple[Callable[[DriverUnderTest, OperationId, str, AccountId], object], str] = (_nothing_by_id, "")
    writing: set[str] = field(default_factory=set)
    counted: list[int] = field(default_factory=list)
    crowd_asked: list[OperationId] = field(default_factory=list)
    outcomes: Sequence[Outcome[object]] = ()
    took_s: list[float] = field(default_factory=list)
    doubts: Sequence[str] = ()
    memory_bytes: int = 0
    operations: int = 0
    calls_before: int = 0

    def volume(self, name: str) -> Volume:
        """A volume of the scenario; where the act should have made it and did not, say how the act ended."""
        return self._made(self.volumes, "volume", name)

    def snapshot(self, name: str) -> Snapshot:
        """A snapshot of the scenario; where the act should have made it and did not, say how the act ended."""
        return self._made(self.snapshots, "snapshot", name)

    def template(self, name: str) -> Template:
        """A template of the scenario; where the act should have made it and did not, say how the act ended."""
        return self._made(self.templates, "template", name)

    def replace_snapshot(self, name: str, now: Snapshot) -> None:
        """Remember what the driver says of a snapshot by now, and what it said earlier."""
        self.earlier.setdefault(name, []).append(self.snapshots[name])
        self.snapshots[name] = now

    def _made(self, things: Mapping[str, T], kind: str, name: str) -> T:
        if name not in things:
            self.outcome.raise_if_failed()
            raise AssertionError(f'The scenario has no {kind} "{name}"; it has {", ".join(things) or "none"}.')
        return things[name]

    def operation(self) -> OperationId:
        """A fresh operation id."""
        self.operations += 1
        return OperationId(f"operation-{self.operations}")

    def next_operation(self) -> OperationId:
        """The id that the next operation will have."""
        return OperationId(f"operation-{self.operations + 1}")

    def look_again(self, lab: Lab) -> None:
        """Learn what the driver says of the scenario's snapshots by now."""
        listed = {snapshot.id: snapshot for snapshot in lab.driver.list_snapshots()}
        for name, known in list(self.snapshots.items()):
            if known.id in listed:
                self.replace_snapshot(name, listed[known.id])

    def require_written_since(self, lab: Lab, snapshot: Snapshot) -> None:
        """Where its guest keeps writing, the disk is not what it was by now; else equality would prove little."""
        for name in self.writing:
            known, now = self.volumes[name], lab.guest_content(self.volumes[name])
            if known.id == snapshot.volume and now is not None:
                differing = lab.content_when_taken(snapshot).differing(now)
                assert differing, f'The guest of "{name}" wrote nothing while "{snapshot.name}" was taken.'

    def last_operation(self) -> OperationId:
        """The id of the last act."""
        return OperationId(f"operation-{self.operations}")

    def act(self, lab: Lab, verb: Callable[[DriverUnderTest], T]) -> Outcome[T]:
        """Do what the scenario is about: look around first, let the guests that keep writing write meanwhile."""
        self.last_act = verb
        self.before = lab.inventory()
        if Capability.ACCOUNTING in lab.driver.describe().capabilities:
            self.charged_before = lab.driver.resource_counts(ACCOUNT)
        self.began_s = lab.now_s()
        with ExitStack() as stack:
            for name in sorted(self.writing & self.guests.keys()):
                stack.enter_context(self.guests[name].keep_writing())
            outcome = lab.attempt(verb)
        self.ended_s = lab.now_s()
        self.outcome = outcome
        return outcome

    def crowd(self, lab: Lab, verbs: Sequence[Callable[[DriverUnderTest], object]]) -> None:
        """Have so many callers ask at once, each with an eye on the clock."""
        self.before = lab.inventory()
        self.took_s = [0.0] * len(verbs)

        def timed(place: int, verb: Callable[[DriverUnderTest], object], driver: DriverUnderTest) -> object:
            began_s = lab.now_s()
            try:
                return verb(driver)
            finally:
                self.took_s[place] = lab.now_s() - began_s

        self.outcomes = lab.at_once([partial(timed, place, verb) for place, verb in enumerate(verbs)])

    def arrange(self, lab: Lab, verb: Callable[[DriverUnderTest], T]) -> T:
        """Do what the scenario presupposes; it must succeed."""
        return lab.attempt(verb).result()


@pytest.fixture
def scene() -> Scene:
    """A scenario's memory."""
    return Scene()
