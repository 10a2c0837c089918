"""The words that both ports speak: secrets that never show themselves, contents that compare block by block."""

import logging
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapproof.site import Endpoint
from snapproof.vocabulary import BLOCK_BYTES, Content, Secret

CANARY = "xK9-canary-4711"


WAYS_TO_SHOW: dict[str, Callable[[object], str]] = {
    "str": str,
    "repr": repr,
    "format": "{}".format,
    "format repr": "{!r}".format,
    "f-string": lambda secret: f"{secret}",
    "in a list": lambda secret: f"{[secret]}",
}


@pytest.mark.parametrize("way", WAYS_TO_SHOW)
def test_a_secret_shows_only_stars_however_it_is_asked(way: str) -> None:
    text = WAYS_TO_SHOW[way](Secret(CANARY))
    assert "***" in text
    assert CANARY not in text


def test_a_secret_shows_only_stars_inside_what_holds_it(caplog: pytest.LogCaptureFixture) -> None:
    endpoint = Endpoint(url="https://array", username="admin", password=Secret(CANARY))
    with caplog.at_level(logging.INFO):
        logging.getLogger("snapproof").info("connecting to %s", endpoint)
    assert "admin" in caplog.text
    assert CANARY not in caplog.text


def test_secrets_are_equal_by_their_text_and_can_be_revealed() -> None:
    assert Secret(CANARY) == Secret(CANARY)
    assert len({Secret(CANARY), Secret(CANARY), Secret("other")}) == 2
    assert Secret(CANARY) != CANARY
    assert Secret(CANARY).reveal() == CANARY


BLOCKS = st.dictionaries(
    st.integers(0, 20), st.integers(1, 3).map(lambda byte: bytes([byte]) * BLOCK_BYTES), max_size=6
)


@given(BLOCKS, BLOCKS)
def test_contents_differ_in_just_the_blocks_that_are_not_the_same(
    ours: dict[int, bytes], theirs: dict[int, bytes]
) -> None:
    differing = Content(2**20, ours).differing(Content(2**20, theirs))
    zeros = bytes(BLOCK_BYTES)
    assert set(differing) == {n for n in range(21) if ours.get(n, zeros) != theirs.get(n, zeros)}
    assert list(differing) == sorted(differing)


@given(BLOCKS, st.integers(0, 3))
def test_a_disk_extends_what_it_begins_with_where_only_zeros_are_behind_it(blocks: dict[int, bytes], more: int) -> None:
    disk = Content(2**20, blocks)
    assert Content(2**20 + more * BLOCK_BYTES, {**blocks, 250: bytes(BLOCK_BYTES)}).extends(disk)
    assert not Content(2**20 + BLOCK_BYTES, {**blocks, 250: b"\1" * BLOCK_BYTES}).extends(disk)
    assert disk.extends(Content(2**20 + more * BLOCK_BYTES, blocks)) == (more == 0)
