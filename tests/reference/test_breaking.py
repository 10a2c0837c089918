"""The circuit breaker: what it counts, when it opens, and that one call alone tries whether the store is well again."""

from collections.abc import Callable
from typing import Any

import pytest

from snapproof.driver import UnavailableError
from snapproof.reference_impl.breaking import VERBS, guarded, require_store
from snapproof.reference_impl.ports import CallError, GoneError, RefusedError, SecondaryStore, TransientError
from snapproof.reference_impl.settings import Settings
from snapproof.simulators.clock import VirtualClock

SETTINGS = Settings(breaker_failures=3, breaker_pause_s=60)


class MoodyStore:
    """A store that answers with its mood."""

    def __init__(self) -> None:
        self.mood: type[CallError] | None = None
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., str]:
        def verb(*_given: object, **_named: object) -> str:
            self.calls.append(name)
            if self.mood is not None:
                raise self.mood("It is in that mood.")
            return name

        return verb


class Scene:
    def __init__(self) -> None:
        self.moody, self.clock = MoodyStore(), VirtualClock()
        self.store: SecondaryStore = guarded(self.moody, self.clock, lambda: SETTINGS)  # type: ignore[arg-type]  # every verb by one method

    def ask(self, verb: str, times: int = 1) -> int:
        """Ask so often; count the calls that reached the store. Who is not let through is told that it may pass."""
        before = len(self.moody.calls)
        for _ in range(times):
            reached = len(self.moody.calls)
            try:
                getattr(self.store, verb)()
            except CallError as error:
                assert len(self.moody.calls) > reached or isinstance(error, TransientError)  # noqa: PT017  it may be raised or not
        return len(self.moody.calls) - before


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_that_keeps_failing_is_left_alone_and_no_other(scene: Scene, verb: str) -> None:
    scene.moody.mood = RefusedError
    assert scene.ask(verb, times=10) == SETTINGS.breaker_failures
    scene.moody.mood = None
    assert [scene.ask(other) for other in VERBS] == [int(other != verb) for other in VERBS]


def test_a_success_between_ends_the_row(scene: Scene) -> None:
    for mood in (TransientError, TransientError, None, TransientError, TransientError, None):
        scene.moody.mood = mood
        assert scene.ask("publish") == 1


def test_an_answer_about_what_is_not_there_is_no_failure(scene: Scene) -> None:
    scene.moody.mood = GoneError
    assert scene.ask("published", times=10) == 10


def test_after_the_pause_one_call_tries_and_decides(scene: Scene) -> None:
    scene.moody.mood = TransientError
    scene.ask("publish", times=10)
    scene.clock.advance(SETTINGS.breaker_pause_s)
    assert scene.ask("publish", times=10) == 1
    scene.clock.advance(SETTINGS.breaker_pause_s)
    scene.moody.mood = None
    assert scene.ask("publish", times=10) == 10


@pytest.mark.parametrize(("verb", "refused"), [("publish", True), ("inspect", True), ("fetch", False)])
def test_a_backup_is_not_begun_when_it_could_not_be_kept(scene: Scene, verb: str, *, refused: bool) -> None:
    scene.moody.mood = TransientError
    scene.ask(verb, times=3)
    if refused:
        with pytest.raises(UnavailableError, match=f"3 times in a row to {verb} and is left alone for 60 s more"):
            require_store(scene.store)
    else:
        require_store(scene.store)


def test_a_store_without_breakers_is_never_refused() -> None:
    store: Any = object()
    require_store(store)
