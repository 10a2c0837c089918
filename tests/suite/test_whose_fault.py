"""Blame: what a scenario's exception says about the driver, and what it says about us."""

from types import CodeType

import pytest

from snapproof.blame import ScenarioTimeoutError, state_of
from snapproof.driver import BackendError, NotSupportedError
from snapproof.drivers.contract import BrokenContractError, DriverDiedError, DriverFailedError, OurMessageError
from snapproof.lab import NotTestableError, Outcome
from snapproof.naming import UnknownDriverError, driver_package, load_driver
from snapproof.selection import CapabilityMissingError, SuiteError
from snapproof.steps.scene import refusal_of
from snapproof.verdict import State

RAISE = compile("raise KeyError('volume')", "nowhere", "exec")


def raised_in(*modules: str) -> KeyError:
    """Raise an error through modules of these names, the innermost last."""

    def enter(names: tuple[str, ...]) -> None:
        code: CodeType = RAISE if len(names) == 1 else compile("enter(inner)", "nowhere", "exec")
        exec(code, {"__name__": names[0], "enter": enter, "inner": names[1:]})  # noqa: S102  frames of any name

    with pytest.raises(KeyError) as caught:
        enter(modules)
    return caught.value


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (AssertionError("two snapshots"), State.FAIL),
        (BackendError("the array refused"), State.FAIL),
        (NotSupportedError("declared, and yet not served"), State.FAIL),
        (CapabilityMissingError("not declared"), State.NOT_SUPPORTED),
        (NotTestableError("no such power"), State.NOT_TESTABLE),
        (ScenarioTimeoutError("too long"), State.TIMEOUT),
        (DriverDiedError("gone"), State.DRIVER_CRASH),
        (BrokenContractError("no JSON"), State.FAIL),
        (DriverFailedError("describe ended in KeyError"), State.FAIL),
        (OurMessageError("no number"), State.HARNESS_ERROR),
        (SuiteError("a coroutine"), State.HARNESS_ERROR),
        (pytest.skip.Exception("not today"), State.NOT_RUN),
        (pytest.fail.Exception("no"), State.FAIL),
        (KeyError("nobody's"), State.HARNESS_ERROR),
    ],
)
def test_the_kind_of_an_error_says_how_a_scenario_ended(error: BaseException, state: State) -> None:
    assert state_of(error, driver_package="acme") is state


@pytest.mark.parametrize(
    ("modules", "state"),
    [
        (("snapproof.steps.snapshots", "acme.driver"), State.FAIL),
        (("snapproof.steps.snapshots", "acme.driver", "requests.sessions"), State.FAIL),
        (("snapproof.steps.snapshots", "acme.driver", "snapproof.simulators.solidfire.wire"), State.HARNESS_ERROR),
        (("snapproof.steps.snapshots",), State.HARNESS_ERROR),
        (("snapproof.fixtures.lab", "json.decoder"), State.HARNESS_ERROR),
        (("snapproof.steps.snapshots", "acmeology.driver"), State.HARNESS_ERROR),
        (("snapproof.steps.snapshots", "snapproof.drivers.remote"), State.HARNESS_ERROR),
        (("snapproof.steps.snapshots", "snapproof.drivers.hosting", "acme.driver"), State.FAIL),
    ],
)
def test_an_unforeseen_error_is_blamed_on_whoever_raised_it(modules: tuple[str, ...], state: State) -> None:
    assert state_of(raised_in(*modules), driver_package="acme") is state


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome(error=KeyError("volume")), "The driver broke: KeyError: 'volume'"),
        (Outcome(error=DriverFailedError("it ended in KeyError")), "The driver broke: DriverFailedError: it ended in"),
        (Outcome(crashed=True), "The driver died"),
        (Outcome(value="a snapshot"), "The driver reported success"),
        (Outcome(), "The driver reported success"),
    ],
)
def test_a_driver_that_breaks_has_refused_nothing(outcome: Outcome[object], words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        refusal_of(outcome)


def test_a_refusal_is_an_error_of_the_port() -> None:
    refusal = BackendError("the array refused")
    assert refusal_of(Outcome(error=refusal)) is refusal


def test_the_reference_driver_is_blamed_as_any_other() -> None:
    error = raised_in("snapproof.steps.snapshots", "snapproof.reference_impl.orchestrator")
    assert state_of(error, driver_package="snapproof.reference_impl") is State.FAIL


def test_a_driver_is_known_by_its_package() -> None:
    assert driver_package(load_driver("json.decoder:JSONDecoder")) == "json"


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("cmd:./driver", ""),
        ("http://127.0.0.1:8080", ""),
        ("contract:snapproof.reference_impl.driver:ReferenceDriver", "snapproof.reference_impl"),
    ],
)
def test_the_code_of_a_door_is_ours_and_what_is_behind_it_the_drivers(name: str, package: str) -> None:
    assert driver_package(load_driver(name)) == package


@pytest.mark.parametrize("name", ["", "json", "json:nothing", "no.such.module:Driver"])
def test_a_driver_that_cannot_be_had_is_a_usage_error_with_a_cure(name: str) -> None:
    with pytest.raises(UnknownDriverError, match="MODULE:FACTORY"):
        load_driver(name)
