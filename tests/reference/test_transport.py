"""The transport over real sockets: who is trusted, what a dead or lying server means, and nothing sent twice."""

import base64
import logging
import socket
import ssl
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import ANY  # no mock: equal to anything
from urllib.parse import urlsplit

import pytest
from urllib3.util import connection

from snapproof.authoring.broken import planted_for
from snapproof.driver import DriverError
from snapproof.fixtures.site import site_of
from snapproof.fixtures.world import World
from snapproof.reference_impl.adapters.element import ElementArray
from snapproof.reference_impl.adapters.transport import Transport
from snapproof.reference_impl.adapters.trust import SIGNED, Trust, require_allowed
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.ports import (
    GoneError,
    Owner,
    RefusedError,
    TransientError,
    UnknownOutcomeError,
)
from snapproof.reference_impl.settings import Settings
from snapproof.simulators.certificates import certificate
from snapproof.simulators.clock import VirtualClock
from snapproof.simulators.faults import fault_named
from snapproof.simulators.serving import Answer, serve
from snapproof.site import Endpoint
from snapproof.vocabulary import AccountId, OperationId, Qos, Secret, VolumeRequest

QOS = Qos(min_iops=100, max_iops=200, burst_iops=300)
OWNER = Owner(job="job", subject="subject")


class Ear:
    """A wire that counts what it hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def __call__(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.heard.append(target)
        return (302, {"location": "/elsewhere"}, b"") if target == "/moved" else (200, {"X-Word": "heard"}, body)


def endpoint(url: str, authority: bytes | None) -> Endpoint:
    ca_pem = None if authority is None else authority.decode()
    return Endpoint(url=url, username="admin", password=Secret("hidden"), ca_pem=ca_pem)


@contextmanager
def talking(url: str, authority: bytes | None) -> Iterator[Transport]:
    transport = Transport(endpoint(url, authority), trust=SIGNED)
    try:
        yield transport
    finally:
        transport.close()


def test_a_trusted_server_is_talked_to() -> None:
    ear, issued = Ear(), certificate()
    with serve(ear, tls=issued.context) as server, talking(server.url, issued.authority_pem) as transport:
        status, headers, body = transport.exchange("POST", "/x", {}, b"text")
    assert (status, headers["x-word"], body) == (200, "heard", b"text")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"])
def test_an_authority_that_is_not_the_sites_is_not_trusted(host: str) -> None:
    ear, issued, other = Ear(), certificate(host), certificate(host)
    for authority in (other.authority_pem, None):
        with (
            serve(ear, host=host, tls=issued.context) as server,
            talking(server.url, authority) as transport,
            pytest.raises(RefusedError, match=r"has no certificate to trust; nothing was sent\.") as refusal,
        ):
            transport.exchange("POST", "/x", {"authorization": "Basic hidden"}, b"hidden")
        assert type(refusal.value) is RefusedError
    assert not ear.heard


def test_a_certificate_for_another_host_is_not_trusted() -> None:
    ear, issued = Ear(), certificate()
    with (
        serve(ear, host="127.0.0.2", tls=issued.context) as server,
        talking(server.url, issued.authority_pem) as transport,
        pytest.raises(RefusedError, match="no certificate to trust"),
    ):
        transport.exchange("POST", "/x", {}, b"")
    assert not ear.heard


def test_a_site_that_names_its_authority_trusts_no_other() -> None:
    issued = certificate()
    with talking("https://array.invalid", issued.authority_pem) as transport:
        assert transport._sockets is not None
        context = transport._sockets.connection_pool_kw["ssl_context"]
    assert [found["subject"] for found in context.get_ca_certs()] == [
        ((("organizationName", "snapproof simulators"),), (("organizationalUnitName", ANY),))
    ]
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_a_server_that_is_not_there_certainly_did_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with (
        talking(f"http://127.0.0.1:{port}", None) as transport,
        pytest.raises(TransientError, match="cannot be reached"),
    ):
        transport.exchange("POST", "/x", {}, b"")


def test_a_server_that_hangs_up_may_have_done_it_and_is_not_asked_twice() -> None:
    accepted = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)

        def hang_up() -> None:
            connection, _ = listener.accept()
            with connection:
                accepted.append(connection.recv(65536))

        thread = threading.Thread(target=hang_up)
        thread.start()
        with (
            talking(f"http://127.0.0.1:{listener.getsockname()[1]}", None) as transport,
            pytest.raises(UnknownOutcomeError, match="did not answer"),
        ):
            transport.exchange("POST", "/x", {}, b"text")
        thread.join()
        listener.settimeout(0.05)
        with pytest.raises(TimeoutError):
            listener.accept()
    assert len(accepted) == 1


def test_a_redirect_is_an_answer_like_any_other() -> None:
    ear = Ear()
    with serve(ear) as server, talking(server.url, None) as transport:
        assert transport.exchange("POST", "/moved", {"authorization": "Basic hidden"}, b"")[0] == 302
    assert ear.heard == ["/moved"]


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with serve(Ear()) as server, talking(server.url, None) as transport:
        assert transport.exchange("POST", "/x", {}, b"")[0] == 200


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World.build(seed=1, clock=VirtualClock(), directory=tmp_path) as world:
        yield world


@contextmanager
def array_over_tls(world: World, tmp_path: Path, *, password: str | None = None) -> Iterator[ElementArray]:
    """The adapter and the world's array, with TLS between them."""
    site = site_of(world, store="nfs", seed=1, state_directory=tmp_path)
    issued = certificate()
    with serve(world.wires().clusters[0], tls=issued.context) as server:
        door = replace(
            site.array,
            url=server.url,
            wire=None,
            ca_pem=issued.authority_pem.decode(),
            password=site.array.password if password is None else Secret(password),
        )
        array = ElementArray(door, group=site.hosts_group)
        try:
            yield array
        finally:
            array.close()


@contextmanager
def knocked_at() -> Iterator[list[int]]:
    """The ports that connections are opened to."""
    ports: list[int] = []
    honest = connection.create_connection

    def told(address: tuple[str, int], *given: Any, **named: Any) -> socket.socket:
        ports.append(address[1])
        return honest(address, *given, **named)

    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(connection, "create_connection", told)
        yield ports


@pytest.mark.requirement(id="R-107")
def test_the_management_port_is_the_one_that_was_configured(world: World, tmp_path: Path) -> None:
    with array_over_tls(world, tmp_path) as array, knocked_at() as ports:
        array.create_lun(account="blue", name="database", size_bytes=10**9, qos=QOS, owner=OWNER)
        assert set(ports) == {urlsplit(array.transport._endpoint.url).port}
    assert 443 not in ports


@pytest.mark.requirement(id="R-107")
def test_a_pool_on_another_port_than_the_arrays_is_not_reached(world: World, tmp_path: Path) -> None:
    """What ignores the port (hazard C17) would reach it: nobody listens on this one."""
    site = site_of(world, store="nfs", seed=1, state_directory=tmp_path)
    with socket.socket() as holding:
        holding.bind(("127.0.0.1", 0))
        port = holding.getsockname()[1]
        with knocked_at() as ports, pytest.raises(TransientError, match="cannot be reached"):
            ElementArray(replace(site.array, url=f"https://127.0.0.1:{port}", wire=None), group="hosts").get_lun(1)
    assert ports == [port]


def test_a_driver_that_ignores_the_port_knocks_at_another(world: World, tmp_path: Path) -> None:
    site = site_of(world, store="nfs", seed=1, state_directory=tmp_path)
    mistake = planted_for("C17")
    driver = mistake.planted()(replace(site, array=replace(site.array, url="https://127.0.0.1:8443", wire=None)))
    with closing(driver), knocked_at() as ports, pytest.raises(TransientError, match=mistake.expect):
        driver._ports.array.get_lun(1)
    assert ports == [443]


@pytest.mark.parametrize("fault", ["lost_before", "lost_after"])
def test_a_connection_that_dies_leaves_the_outcome_open(world: World, tmp_path: Path, fault: str) -> None:
    with array_over_tls(world, tmp_path) as array:
        lun = array.create_lun(account="blue", name="database", size_bytes=10**9, qos=QOS, owner=OWNER)
        world.seam.restart_count()
        world.seam.arm("array.CreateSnapshot#1", fault_named(fault))
        with pytest.raises(UnknownOutcomeError):
            array.take_snapshot(lun.id, name="nightly", owner=OWNER)
        found = array.find_snapshots(lun.id, name="nightly", owner=OWNER)
    assert len(found) == (1 if fault == "lost_after" else 0)
    assert world.seam.labels().count("array.CreateSnapshot#1") == 1


def test_a_wrong_password_is_a_final_no_that_does_not_repeat_it(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with array_over_tls(world, tmp_path, password="not-the-right-one") as array, pytest.raises(RefusedError) as refusal:
        array.get_lun(1)
    assert type(refusal.value) is RefusedError
    told = "".join(traceback.format_exception(refusal.value)) + caplog.text + repr(array.__dict__.keys())
    assert "not-the-right-one" not in told
    assert base64.b64encode(b"not-the-right-one").decode()[:-2] not in told


def test_a_lun_that_is_gone_is_gone_over_the_wire_too(world: World, tmp_path: Path) -> None:
    with array_over_tls(world, tmp_path) as array:
        for ask in (array.get_lun, array.delete_lun, array.purge_lun, array.delete_snapshot):
            with pytest.raises(GoneError):
                ask(99)
        assert array.find_snapshots(99, name="x", owner=OWNER) == []


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://192.0.2.1", "scheme is http"),
        ("file:///etc/passwd", "scheme is file"),
        ("gopher://192.0.2.1:443", "scheme is gopher"),
        ("192.0.2.1", "scheme is none"),
        ("https://192.0.2.1:22", "port 22"),
        ("https://192.0.2.1:0", "port 0"),
        ("https://192.0.2.1:99999", "no address of a service"),
        ("https://admin:secret@192.0.2.1", "holds a name or a password"),
        ("https://169.254.169.254", "link-local"),
        ("https://[fe80::1]", "link-local"),
        ("https://[::ffff:169.254.169.254]", "link-local"),
        ("https://0.0.0.0", "link-local"),
        ("https://2852039166", "link-local"),
    ],
)
def test_an_address_that_is_no_services_is_refused_without_a_connection(url: str, why: str) -> None:
    """A connection would fail otherwise: tests reach this machine only, and it has none of these addresses."""
    transport = Transport(endpoint(url, None))
    with pytest.raises(RefusedError, match=why) as refusal:
        transport.exchange("POST", "/x", {"authorization": "Basic hidden"}, b"hidden")
    assert "hidden" not in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_a_link_local_address_is_spoken_to_where_that_was_allowed() -> None:
    require_allowed("https://169.254.0.5", Trust(link_local_allowed=True))


def test_an_answer_that_goes_on_and_on_is_not_taken_in() -> None:
    with (
        serve(lambda *_: (200, {}, b"a" * 3_000_000)) as server,
        closing(Transport(endpoint(server.url, None), trust=SIGNED, answer_bytes_max=1_000_000)) as transport,
        pytest.raises(UnknownOutcomeError, match="more than 1000000 bytes"),
    ):
        transport.exchange("POST", "/x", {}, b"")


@pytest.mark.parametrize("verified", [True, False])
def test_only_a_setting_lets_certificates_unverified_and_each_start_warns_of_it(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture, *, verified: bool
) -> None:
    site = site_of(world, store="nfs", seed=1, state_directory=tmp_path)
    ear, issued = Ear(), certificate()
    with serve(ear, tls=issued.context) as server, caplog.at_level(logging.WARNING):
        door = replace(site, array=replace(site.array, url=server.url, wire=None, ca_pem=None))
        for _life in range(2):
            driver = ReferenceDriver(door, Settings(certificates_verified=verified, attempts_max=1))
            with pytest.raises(DriverError):
                driver.create_volume(
                    VolumeRequest(operation=OperationId("1"), account=AccountId("blue"), name="a", size_bytes=2**20)
                )
            driver.close()
    assert bool(ear.heard) is not verified
    warned = [record for record in caplog.records if "certificates are not verified" in record.message]
    assert len(warned) == (0 if verified else 2)
