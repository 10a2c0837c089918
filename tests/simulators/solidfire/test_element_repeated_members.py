"""A member that is named twice gets an error, wherever it is and however the body is written, and nothing else does."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapproof.simulators.solidfire.repeated import repeats_a_member

TEXTS = st.text(alphabet='ab":\\ ', max_size=5)
VALUES = st.recursive(
    st.none() | st.integers(0, 9) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


def asked(body: str) -> bool:
    document: dict[str, Any] = json.loads(body)
    return repeats_a_member(body.encode(), members=len(document), value=list(document.values()))


@given(st.dictionaries(TEXTS, VALUES, max_size=4), st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t:  ")]))
def test_a_body_without_repetition_passes_however_it_is_spaced(
    document: dict[str, Any], spacing: tuple[str, str]
) -> None:
    assert not asked(json.dumps(document, separators=spacing))


@given(VALUES, VALUES, TEXTS, st.booleans())
def test_a_repeated_member_is_found_at_any_depth(one: Any, other: Any, name: str, nested: bool) -> None:  # noqa: FBT001  drawn by Hypothesis
    twice = f"{{{json.dumps(name)} : {json.dumps(one)}, {json.dumps(name)}:{json.dumps(other)}}}"
    assert asked(f'{{"params": {{"deep": [{twice}]}}}}' if nested else twice)


@pytest.mark.parametrize("body", [r'{"a": 1, "\u0061": 2}', r'{"params": {"a\\": 1, "a\\" : 2}}'])
def test_names_are_compared_as_read_not_as_written(body: str) -> None:
    assert asked(body)
