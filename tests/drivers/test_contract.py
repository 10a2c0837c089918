"""The published contract: every verb and every error of the port travels and arrives as what it was."""

import json
from collections.abc import Mapping
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapproof import driver as port
from snapproof.driver import DriverError, DriverUnderTest
from snapproof.drivers.contract import (
    IDEMPOTENCY_KEY,
    KINDS,
    PROBLEM,
    BrokenContractError,
    DriverDiedError,
    DriverFailedError,
    DriverSilentError,
    OurMessageError,
    Problem,
    Service,
    SiteMessage,
    error_of,
    problem_of,
    verbs,
)
from snapproof.drivers.hosting import Confessing, Hosting
from snapproof.drivers.remote import PATIENCE_S, begin, speak
from snapproof.simulators.clock import VirtualClock
from snapproof.site import Answer
from snapproof.vocabulary import (
    AccountId,
    Copy,
    Description,
    LocationType,
    OperationId,
    Snapshot,
    SnapshotId,
    SnapshotRequest,
    SnapshotState,
    VolumeId,
)

REQUEST = SnapshotRequest(operation=OperationId("op"), volume=VolumeId("v"), location=LocationType.SECONDARY)
COPIES = st.builds(
    Copy, location=st.sampled_from(LocationType), reference=st.text(), physical_size_bytes=st.integers(0, 2**63)
)
SNAPSHOTS = st.builds(
    Snapshot,
    id=st.text().map(SnapshotId),
    account=st.text().map(AccountId),
    volume=st.text().map(VolumeId),
    name=st.text(),
    location=st.sampled_from(LocationType),
    state=st.sampled_from(SnapshotState),
    size_bytes=st.integers(0, 2**63),
    copies=st.lists(COPIES, max_size=3).map(tuple),
)


class Parrot:
    """A driver that answers what it was told to answer, and remembers what it was asked."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.asked: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, _name: str) -> Any:
        def verb(*positional: Any, **named: Any) -> object:
            self.asked.append((positional, named))
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

        return verb


def through(answer: object) -> tuple[Any, Parrot]:
    """Give a driver behind the contract, and the driver itself."""
    parrot: Any = Parrot(answer)
    hosting = Hosting(lambda _site: pytest.fail("nobody begins"), begun=parrot)
    return speak(hosting, clock=VirtualClock()), parrot


def answering(*answers: Answer) -> Any:
    """Give a driver that answers with these very bytes, one after the other."""
    left = list(answers)
    return speak(lambda *_: left.pop(0) if len(left) > 1 else left[0], clock=VirtualClock())


def subclasses(kind: type[DriverError]) -> set[type[DriverError]]:
    return {thing for thing in vars(port).values() if isinstance(thing, type) and issubclass(thing, kind)} - {kind}


def test_every_error_of_the_port_has_a_kind_of_problem() -> None:
    assert {kind.error for kind in KINDS} == subclasses(DriverError)
    assert len({kind.uri for kind in KINDS}) == len({kind.status for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.slug)
def test_an_error_arrives_as_what_it_was(kind: Any) -> None:
    assert error_of(problem_of(kind.error("why"))).args == ("why",)
    driver, _ = through(kind.error("The array said no."))
    with pytest.raises(kind.error, match=r"The array said no\."):
        driver.take_snapshot(REQUEST)


def confessing(answer: object) -> Any:
    """Give a driver behind the contract as `snapproof host` puts it there."""
    behind = Confessing(cast("DriverUnderTest", Parrot(answer)))
    hosting = Hosting(lambda _site: pytest.fail("nobody begins"), begun=cast("DriverUnderTest", behind))
    return speak(hosting, clock=VirtualClock())


@pytest.mark.parametrize("kind", [KeyError, msgspec.ValidationError, NotImplementedError])
def test_what_broke_a_driver_is_told_by_its_type_and_logged_by_its_text(
    kind: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(DriverFailedError, match=f"take_snapshot ended in {kind.__name__}, which is no") as caught:
        confessing(kind("geheim")).take_snapshot(REQUEST)
    assert "geheim" not in str(caught.value)
    assert "geheim" in caplog.text


def test_a_refusal_is_none_of_what_breaks_a_driver(caplog: pytest.LogCaptureFixture) -> None:
    for kind in KINDS:
        with pytest.raises(kind.error, match="The array said no"):
            confessing(kind.error("The array said no.")).take_snapshot(REQUEST)
    assert not caplog.text


def test_what_an_account_meets_is_told_as_what_the_lab_meets() -> None:
    class Unready:
        """Has no verbs at all."""

        def on_behalf_of(self, caller: AccountId) -> "Unready":
            return self if caller == "sue" else 1 / 0  # type: ignore[return-value]  # it never returns

    behind: Any = Confessing(cast("DriverUnderTest", Unready()))
    asked = speak(Hosting(lambda _site: pytest.fail("nobody begins"), begun=behind), clock=VirtualClock())
    with pytest.raises(DriverFailedError, match="list_volumes ended in AttributeError"):
        asked.list_volumes()
    with pytest.raises(DriverFailedError, match="list_volumes ended in AttributeError"):
        asked.on_behalf_of(AccountId("sue")).list_volumes()
    with pytest.raises(DriverFailedError, match="on_behalf_of ended in ZeroDivisionError"):
        asked.on_behalf_of(AccountId("joe")).list_volumes()


def test_an_answer_that_has_no_json_is_the_drivers_failure() -> None:
    with pytest.raises(DriverFailedError, match="What list_snapshots answered ended in TypeError"):
        confessing([object()]).list_snapshots()


@given(snapshots=st.lists(SNAPSHOTS, max_size=3))
def test_answers_arrive_as_they_were(snapshots: list[Snapshot]) -> None:
    driver, parrot = through(snapshots)
    assert driver.list_snapshots(AccountId("a"), location=LocationType.PRIMARY) == snapshots
    assert parrot.asked == [((), {"account": "a", "volume": None, "location": LocationType.PRIMARY})]


@given(name=st.text(), location=st.none() | st.sampled_from(LocationType))
def test_questions_arrive_as_they_were(name: str, location: LocationType | None) -> None:
    asked = SnapshotRequest(operation=OperationId("op"), volume=VolumeId("v"), name=name, location=location)
    driver, parrot = through(None)
    with pytest.raises(BrokenContractError, match="take_snapshot is not what the contract says"):
        driver.take_snapshot(asked)  # it answers null
    assert parrot.asked == [((), {"request": asked})]


def test_a_verb_can_be_asked_while_another_lasts() -> None:
    class Curious:
        """Asks itself, through the contract, before it answers."""

        def describe(self) -> object:
            again.list_volumes()
            return Description(name="curious", version="1", capabilities=frozenset())

        def list_volumes(self, account: object = None) -> list[object]:
            return []

    curious: Any = Curious()
    again = speak(Hosting(lambda _site: pytest.fail("nobody begins"), begun=curious), clock=VirtualClock())
    assert again.describe().name == "curious"


def test_every_verb_of_the_port_can_be_asked() -> None:
    driver, parrot = through(None)
    for verb in verbs().values():
        assert verb.purpose, verb.name
        assert callable(getattr(driver, verb.name))
    driver.reconcile()
    assert parrot.asked == [((), {})]
    with pytest.raises(AttributeError, match="The contract has no verb 'take_holiday'"):
        driver.take_holiday()
    with pytest.raises(TypeError, match="reconcile takes 0 arguments, not 1"):
        driver.reconcile(1)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, {}, b'[{"id": 7}]'), "Expected `str`, got `int`"),
        ((200, {}, b"<html>"), "malformed"),
        ((200, {}, b"null"), "Expected `array`, got `null`"),
        ((500, {"content-type": "text/plain"}, b"Oh no"), "HTTP 500.*Oh no"),
        ((302, {"location": "http://elsewhere"}, b""), "HTTP 302"),
        (
            (409, {"content-type": PROBLEM}, b'{"type":"urn:mine"}'),
            "a problem of type 'urn:mine'; there are urn:snapproof",
        ),
        ((202, {}, b"{}"), "missing required field `job`"),
        ((200, {}, b""), "truncated"),
        (
            (404, {"content-type": PROBLEM}, b'{"type":"urn:snapproof:problem:conflict","status":409}'),
            "HTTP 404 with a problem that calls itself 409",
        ),
    ],
)
def test_what_breaks_the_contract_is_quoted(answer: Answer, words: str) -> None:
    with pytest.raises(BrokenContractError, match=words):
        answering(answer).list_snapshots()


def test_a_job_is_asked_for_until_it_ends() -> None:
    begun: Answer = (202, {}, b'{"job":"7","poll_after_s":1}')
    assert answering(begun, begun, begun, (200, {}, b"[]")).list_snapshots() == []
    with pytest.raises(DriverSilentError, match=f"Job 7 of list_snapshots did not end within {PATIENCE_S:g} s"):
        answering(begun).list_snapshots()


@pytest.mark.parametrize(
    ("method", "target", "body", "status"),
    [
        ("GET", "/v1/describe", b"", 404),
        ("POST", "/v1/take-holiday", b"{}", 404),
        ("POST", "/v1/take-snapshot", b"{", 400),
        ("POST", "/v1/take-snapshot", b'{"request": {"volume": "v"}}', 422),
        ("POST", "/v1/reconcile", b'{"now": true}', 422),
    ],
)
def test_a_message_that_breaks_the_contract_is_refused(method: str, target: str, body: bytes, status: int) -> None:
    hosting = Hosting(lambda _site: pytest.fail("nobody begins"))
    found, headers, said = hosting(method, target, {}, body)
    assert (found, headers["content-type"]) == (status, PROBLEM)
    assert msgspec.json.decode(said, type=Problem).status == status


def test_nothing_can_be_asked_before_a_life_begins() -> None:
    status, _, said = Hosting(lambda _site: pytest.fail("nobody begins"))("POST", "/v1/reconcile", {}, b"{}")
    assert status == 409
    assert "post a site to /v1/begin first" in json.loads(said)["detail"]


def test_the_operation_is_the_idempotency_key_of_what_it_is_about() -> None:
    heard: list[str] = []

    def wire(_method: str, _target: str, headers: Mapping[str, str], _body: bytes) -> Answer:
        heard.append(headers.get(IDEMPOTENCY_KEY, "none"))
        return 204, {}, b""

    client: Any = speak(wire, clock=VirtualClock())
    client.delete_volume(OperationId("löschen 1"), VolumeId("v"))
    client.reconcile()
    with pytest.raises(BrokenContractError):
        client.take_snapshot(REQUEST)
    assert heard == ["l%C3%B6schen%201", "none", "op"]


def test_a_message_of_ours_that_breaks_the_contract_is_never_sent() -> None:
    def wire(*_exchange: object) -> Answer:
        pytest.fail("it was sent")

    client: Any = speak(wire, clock=VirtualClock())
    wrong: Any = 7
    with pytest.raises(OurMessageError, match="delete_volume was to be sent a message that breaks the contract"):
        client.delete_volume(OperationId("op"), wrong)
    site = SiteMessage(
        array=wrong,
        array_portal="",
        hosts_group="",
        hypervisor=wrong,
        export_url="",
        export_path="",
        bucket=None,
        state_directory="",
        seed=1,
    )
    with pytest.raises(OurMessageError, match="begin was to be sent"):
        begin(wire, site, clock=VirtualClock(), explain=DriverDiedError)


def test_a_service_does_not_show_its_password() -> None:
    assert "geheim" not in repr(Service(url="https://a", username="admin", password="geheim"))


def test_whoever_is_asked_for_is_named_beside_every_verb_and_nobody_else_is() -> None:
    class Doorman:
        """Knows on whose behalf it is asked."""

        def __init__(self, caller: str) -> None:
            self.caller = caller

        def on_behalf_of(self, caller: AccountId) -> "Doorman":
            return Doorman(caller)

        def list_volumes(self, account: AccountId | None = None) -> object:
            raise port.DeniedError(f"{self.caller} may not ask about {account}.")

    doorman: Any = Doorman("the lab")
    client = speak(Hosting(lambda _site: pytest.fail("nobody begins"), begun=doorman), clock=VirtualClock())
    for view, name in ((client, "the lab"), (client.on_behalf_of(AccountId("sue")), "sue"), (client, "the lab")):
        with pytest.raises(port.DeniedError, match=f"{name} may not ask about blue"):
            view.list_volumes(AccountId("blue"))
