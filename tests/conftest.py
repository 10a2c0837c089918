"""How our own tests are run: which begin first, and which of them coverage does not follow.

To follow a test costs as much time again. Simulators are not measured; and of what must be covered, `tox -e coverage`
finds nothing that whole campaigns, or the ways to the suite by its commands and doors, would reach alone.
"""

import sys
import threading
from collections.abc import Generator
from math import inf
from pathlib import Path

import pytest

HERE = Path(__file__).parent
UNFOLLOWED = (
    *("campaign/test_campaign_runs.py", "campaign/test_determinism.py", "campaign/test_kills.py"),
    *("campaign/test_nfs_cells.py", "campaign/test_s3_cells.py", "campaign/test_storm.py"),
    *("commands", "drivers", "mutants", "simulators", "suite"),
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with those that may take longest, behind all shuffling: else one worker is left with them at the end."""
    items.sort(key=_may_take_s, reverse=True)


def _may_take_s(item: pytest.Item) -> float:
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0]) or inf if marker else 0.0  # a limit of 0 is none at all


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Take coverage's tracer away meanwhile. pytest-cov's own marker does so only where there is no xdist.

    A worker has two of its measurements one in the other, and where the marker ends the inner one the outer goes on.
    """
    tracer, of_threads = sys.gettrace(), threading.gettrace()
    by_coverage = type(tracer).__module__.startswith("coverage")  # a debugger's stays
    if not by_coverage or not any(item.path.is_relative_to(HERE / place) for place in UNFOLLOWED):
        return (yield)
    sys.settrace(None)
    threading.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)
        threading.settrace(of_threads)
