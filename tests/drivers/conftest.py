"""A site for drivers outside this process. How one is opened is in fixtures/doors.py."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from snapproof.fixtures.doors import site_on_sockets
from snapproof.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site on sockets."""
    export, state = tmp_path / "export", tmp_path / "state"
    export.mkdir()
    state.mkdir()
    with site_on_sockets(export, state, seed=5) as opened:
        yield opened
