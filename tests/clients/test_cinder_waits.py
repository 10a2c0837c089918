"""Cinder's SolidFire driver where the array falls silent: each test waits the 30 s that the driver waits at least."""

from collections.abc import Callable
from typing import Any

import pytest

from snapproof.simulators.faults import fault_named

pytestmark = pytest.mark.clients

VOLUME = "volume 1 UUID-00000000-0000-4000-8000-000000000001 active"
SNAPSHOT = "snapshot 1 of volume 1 UUID-00000000-0000-4000-9000-000000000001"


@pytest.fixture
def cinder(teller_of: Callable[..., Any]) -> Any:
    return teller_of("cinder", "cinder_story.py")


def test_a_volume_whose_answer_never_came_is_looked_up_and_adopted(cinder: Any, site: Any) -> None:
    site.world.seam.arm_next("array.CreateVolume", fault_named("hang_after"))
    assert cinder("outcome", doors=site.doors(), act="CreateVolume") == [1, 1]
    assert site.left() == [VOLUME]
    assert site.asked().count("CreateVolume") == 1


def test_a_snapshot_whose_answer_never_came_is_given_up_and_stays_behind(cinder: Any, site: Any) -> None:
    # What the driver looks up for a volume it never looks up for a snapshot; so every release so far.
    cinder("outcome", doors=site.doors(), act="CreateVolume")
    site.world.seam.arm_next("array.CreateSnapshot", fault_named("hang_after"))
    assert cinder("outcome", doors=site.doors(), act="CreateSnapshot").startswith("ReadTimeout")
    assert site.left() == [SNAPSHOT, VOLUME]
