"""The reference implementation in a simulated lab, and callers who ask it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from snapproof.campaign.schedule import Schedule
from snapproof.fixtures.caller import Caller
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.reference_impl.driver import ReferenceDriver


@pytest.fixture
def open_caller() -> Iterator[Callable[[str], Caller]]:
    """Open a lab with backups on `nfs` or in `s3`, and give somebody in it."""
    with ExitStack() as opened:

        def opened_on(store: str) -> Caller:
            schedule = Schedule(workflow="take-secondary", store=store, seed=3)
            return Caller(opened.enter_context(lab_opener(ReferenceDriver)(schedule)))

        yield opened_on


@pytest.fixture
def caller(open_caller: Callable[[str], Caller]) -> Caller:
    """Somebody whose backups go to the export."""
    return open_caller("nfs")


@pytest.fixture(params=["nfs", "s3"])
def any_caller(request: pytest.FixtureRequest, open_caller: Callable[[str], Caller]) -> Caller:
    """Somebody on either store."""
    return open_caller(str(request.param))
