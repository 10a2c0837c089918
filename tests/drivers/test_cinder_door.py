"""How a Cinder driver is named, and which Python runs it."""

import sys

import pytest

from snapproof.drivers.cinder.door import command_of
from snapproof.drivers.cinder.shelf import PYTHON, NoCinderError, python_with_cinder
from snapproof.naming import UnknownDriverError, load_driver


@pytest.mark.parametrize("uri", ["cinder://", "cinder:cinder.volume.drivers.x.Y", "cinder://a b", "cinder://Driver"])
def test_a_uri_that_names_no_driver_is_refused_with_an_example(uri: str) -> None:
    with pytest.raises(UnknownDriverError, match=r"names no Cinder driver; write cinder://cinder\.volume\.drivers"):
        load_driver(uri)


def test_options_of_the_section_stand_behind_the_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PYTHON, sys.executable)
    command = command_of("cinder://acme.Driver?san_ip=192.0.2.1&acme_pool={state}/a%20b")
    assert command[0] == sys.executable
    assert command[-3:] == ["acme.Driver", "san_ip=192.0.2.1", "acme_pool={state}/a b"]


def test_an_environment_that_is_not_there_is_told_with_its_cure() -> None:
    with pytest.raises(NoCinderError, match=f"{PYTHON} names /nonexistent/python, which is no program"):
        python_with_cinder({PYTHON: "/nonexistent/python"})
