"""Signatures: what is signed rightly is let in, whatever it holds, and nothing else is; nobody learns why."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapproof.fixtures.asking import Asker
from snapproof.fixtures.management import Management
from snapproof.reference_impl.api.keys import Keys
from snapproof.reference_impl.api.signing import FORMAT, has_ended, is_signed, signature
from snapproof.vocabulary import Secret

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9\[\].]{0,12}", fullmatch=True)
PARAMETERS = st.dictionaries(NAMES, st.text(max_size=20), min_size=1, max_size=6)
SECRET = Secret("a secret of the test")


def as_marvin_does(parameters: dict[str, str]) -> str:
    """CloudStack's own test framework: names in lower case, sorted like that."""
    pairs = sorted((name.lower(), value) for name, value in parameters.items())
    text = "&".join(f"{name}={quote(value, safe='*')}" for name, value in pairs).lower()
    return base64.b64encode(hmac.new(b"a secret of the test", text.encode(), hashlib.sha1).digest()).decode()


def as_java_does(parameters: dict[str, str]) -> str:
    """Java's encoder escapes a tilde, and leaves an asterisk."""
    pairs = sorted(parameters.items())
    text = "&".join(f"{name}={quote(value, safe='*').replace('~', '%7E')}" for name, value in pairs)
    return base64.b64encode(hmac.new(b"a secret of the test", text.lower().encode(), hashlib.sha1).digest()).decode()


@given(PARAMETERS)
def test_every_client_s_signature_is_known(parameters: dict[str, str]) -> None:
    assert is_signed(parameters, signature(parameters, SECRET), SECRET)
    assert is_signed(parameters, as_java_does(parameters), SECRET)
    if len({name.lower() for name in parameters}) == len(parameters):
        assert is_signed(parameters, as_marvin_does(parameters), SECRET)


@given(PARAMETERS, st.text(max_size=30))
def test_nothing_else_is_a_signature(parameters: dict[str, str], given: str) -> None:
    assert not is_signed(parameters, given, SECRET)
    assert not is_signed(parameters, signature(parameters, Secret("another")), SECRET)
    assert not is_signed({**parameters, "zz": "one more"}, signature(parameters, SECRET), SECRET)


@pytest.mark.parametrize(
    ("about", "ended"),
    [
        ({}, False),
        ({"signatureversion": "2"}, False),
        ({"signatureVersion": "3"}, True),
        ({"signatureVersion": "3", "expires": "soon"}, True),
        ({"signatureVersion": "3", "expires": "2026-01-01T00:00:00"}, True),
        ({"signatureVersion": "3", "expires": "2026-01-01T00:00:01+0000"}, False),
        ({"signatureVersion": "3", "expires": "2026-01-01T01:00:01+0100"}, False),
        ({"SIGNATUREVERSION": "3", "EXPIRES": "2025-12-31T23:59:59+0000"}, True),
    ],
)
def test_a_request_of_version_3_ends(about: dict[str, str], ended: bool) -> None:  # noqa: FBT001  a column of the table
    now = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    assert has_ended(about, now) is ended


def test_all_that_is_wrong_with_a_log_in_is_one_answer(root: Asker) -> None:
    asker, now_s = root, root.management.driver.site.clock.time()
    late = datetime.fromtimestamp(now_s - 1, UTC).strftime(FORMAT)
    good = {"command": "listZones", "response": "json"}
    signed = asker.signed(good)
    requests = [
        {},
        good,
        {**signed, "signature": ""},
        {**signed, "signature": "AAAA"},
        {**signed, "apiKey": "nobody"},
        {**signed, "apiKey": ""},
        {**signed, "command": "listVolumes"},
        {**signed, "added": "later"},
        asker.signed({**good, "signatureVersion": "3", "expires": late}),
    ]
    answers = []
    for request in requests:
        answers.append(asker.raw(request))
        assert asker.status == 401, request
    assert all(answer == answers[0] for answer in answers)
    assert asker.raw(signed)["count"] == 1


def test_secrets_stand_in_no_file_and_no_repr(management: Management, tmp_path: Path) -> None:
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert management.key.encode() in written
    assert management.secret.reveal().encode() not in written
    assert management.secret.reveal() not in repr((management.keys, management.secret))


def test_a_site_keeps_its_key_and_no_two_sites_have_one(tmp_path: Path) -> None:
    draws = iter(range(1, 9))

    def draw(number: int) -> bytes:
        return bytes([next(draws)]) * number

    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    one, again, other = Keys.of(tmp_path / "a", draw), Keys.of(tmp_path / "a", draw), Keys.of(tmp_path / "b", draw)
    assert one.secret_of("k") == again.secret_of("k") != other.secret_of("k")
    assert one.secret_of("k") != one.secret_of("l")
    assert (tmp_path / "a" / "api.key").stat().st_mode & 0o777 == 0o600
