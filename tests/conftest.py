"""Which tests coverage does not follow: following costs each of them as much time again, and tells nothing.

Simulators are not measured; and where whole campaigns are run, single tests have covered every line before.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest

HERE = Path(__file__).parent
UNFOLLOWED = (
    *("campaign/test_campaign_runs.py", "campaign/test_determinism.py", "campaign/test_kills.py"),
    *("campaign/test_nfs_cells.py", "campaign/test_s3_cells.py", "campaign/test_storm.py"),
    *("mutants", "simulators"),
)


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark them for pytest-cov."""
    for item in items:
        if any(item.path.is_relative_to(HERE / place) for place in UNFOLLOWED):
            item.add_marker("no_cover")
