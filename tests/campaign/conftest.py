"""What the tests of campaigns share: cases of the reference implementation, forked from one arrangement a workflow."""

from collections.abc import Iterator

import pytest

from snapproof.fixtures.campaign_lab import place_for_labs
from snapproof.fixtures.forked_cases import ForkedCases
from snapproof.reference_impl.driver import ReferenceDriver


@pytest.fixture(scope="module")
def forked() -> Iterator[ForkedCases]:
    with place_for_labs() as place:
        cases = ForkedCases(ReferenceDriver, place)
        yield cases
        cases.close()
        assert not list(place.iterdir())
