"""What several tests of campaigns begin with: the single cells of a workflow, as the sweep over them finds them."""

from collections.abc import Callable
from functools import cache

import pytest

from snapproof.campaign.exploring import require_clean
from snapproof.campaign.running import run
from snapproof.campaign.schedule import Schedule
from snapproof.campaign.strategies import up_to
from snapproof.campaign.together import bare
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.reference_impl.driver import ReferenceDriver


@pytest.fixture(scope="session")
def cells() -> Callable[[str, str], tuple[Schedule, ...]]:
    """Gives every cell of a workflow of the reference on a store."""
    open_lab = lab_opener(ReferenceDriver)

    @cache
    def of(workflow: str, store: str) -> tuple[Schedule, ...]:
        return tuple(up_to(1)(require_clean(run(bare(workflow, store, seed=0), open_lab))))

    return of
