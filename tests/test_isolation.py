"""Tests reach this machine and no other: the settings of pyproject hold for every run."""

import socket
from pathlib import Path

import pytest


@pytest.mark.parametrize("host", ["192.0.2.1", "10.0.0.1", "2001:db8::1"])
def test_another_machine_is_out_of_reach(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as sock, pytest.raises(UserWarning, match="allowed: "):
        sock.connect((host, 443))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost"])
def test_every_loopback_address_is_within_reach(host: str) -> None:
    with socket.create_server((host, 0)) as server, socket.create_connection((host, server.getsockname()[1])) as client:
        assert client.getpeername() == server.getsockname()


def test_a_socket_of_the_file_system_is_within_reach(tmp_path: Path) -> None:
    address = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(address)
        server.listen()
        client.connect(address)
        assert client.getpeername() == address
