"""cinderlib, unmodified: Cinder's driver inside a program of one's own."""

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.clients

GIB = 1 << 30


@pytest.fixture
def cinderlib(teller_of: Callable[..., Any]) -> Any:
    return teller_of("cinderlib", "cinderlib_story.py")


def test_a_volume_lives_without_a_cinder_service(cinderlib: Any, site: Any) -> None:
    told = cinderlib("life", doors=site.doors())
    site.world.clock.advance(60)
    names = {word: f"UUID-{identity}" for word, identity in told["ids"].items()}
    assert site.left() == [
        f"snapshot 1 of volume 1 {names['snapshot']}",
        f"volume 1 {names['volume']} active",
        f"volume 3 {names['restored']} active",
    ]
    assert [record.row.total_size for record in site.array.volumes] == [2 * GIB, 2 * GIB]
    assert told["sizes"] == [2, 2, 2]
    assert told["connection"] == ["127.0.0.1:3260", site.array.volumes[1].row.iqn, "CHAP"]
    assert told["known"] == ["disk", "restored"]
    assert told["free"]


def test_nothing_is_left_of_what_was_deleted(cinderlib: Any, site: Any) -> None:
    assert cinderlib("end", doors=site.doors()) == []
    assert site.left() == []
