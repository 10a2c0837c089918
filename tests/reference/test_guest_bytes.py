"""R-003 by properties: what is restored is what the guest saw at the moment of the snapshot, whatever it wrote since.

Sizes are no multiples of anything. The guest writes at every call of the driver, and at a rate while it waits.
"""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snapproof.campaign.schedule import Schedule
from snapproof.fixtures.caller import Caller
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.vocabulary import BLOCK_BYTES, Content, LocationType

MIB = 2**20
SECTOR_BYTES = 512
SIZES = st.integers(1, 9 * MIB) | st.sampled_from(
    [1, 511, 513, BLOCK_BYTES + 1, 2 * MIB - 1, 2 * MIB + 1, 4 * MIB + 77]
)
TELLING_BYTES = 600
"""On a disk as small as this every pattern may begin alike."""
PLACES = [("nfs", LocationType.PRIMARY), ("nfs", LocationType.SECONDARY), ("s3", LocationType.SECONDARY)]


def padded(content: Content) -> dict[int, bytes]:
    """The blocks as a disk shows them that is rounded up to whole ones."""
    return {number: block.ljust(BLOCK_BYTES, b"\0") for number, block in content.blocks.items()}


@pytest.mark.parametrize(("store", "location"), PLACES)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size_bytes=SIZES,
    blocks=st.integers(1, 40),
    per_second=st.sampled_from([0.0, 0.5, 7.0]),
    seed=st.integers(0, 2**32),
)
def test_restored_bytes_are_those_that_the_guest_saw_when_the_snapshot_was_taken(
    store: str, location: LocationType, size_bytes: int, blocks: int, per_second: float, seed: int
) -> None:
    with lab_opener(ReferenceDriver)(Schedule(workflow="take-secondary", store=store, seed=seed)) as lab:
        caller = Caller(lab)
        volume = caller.create("volume", size_bytes=size_bytes).result()
        guest = lab.start_guest(volume)
        guest.fill(blocks=blocks)
        with guest.keep_writing(per_second=per_second):
            snapshot = caller.take("nightly", volume.id, location).result()
        now = guest.content()
        then = lab.content_when_taken(snapshot)
        restored = caller.create("restored", source=snapshot.id, size_bytes=size_bytes).result()

        found = lab.content_of(restored)
        assert padded(found) == padded(then)
        assert found.size_bytes in {size_bytes, -(-size_bytes // SECTOR_BYTES) * SECTOR_BYTES}
        assert padded(lab.content_of(volume)) == padded(now) == padded(guest.content())
        assert then.size_bytes == size_bytes
        assert then.blocks, "The guest had written nothing, so that equality would prove nothing."
        told_apart = then.differing(now) or size_bytes < TELLING_BYTES
        assert told_apart, "The guest wrote nothing meanwhile, so that the copy was never in danger."


def test_a_guest_writes_more_the_longer_the_driver_waits() -> None:
    with lab_opener(ReferenceDriver)(Schedule(workflow="take-secondary", store="nfs", seed=3)) as lab:
        caller = Caller(lab)
        volume = caller.create("volume", size_bytes=8 * MIB).result()
        guest = lab.start_guest(volume)
        changed = []
        for number, per_second in enumerate([0.0, 10.0]):
            before = guest.content()
            with guest.keep_writing(per_second=per_second):
                caller.take(f"snapshot-{number}", volume.id, LocationType.SECONDARY).result()
            changed.append(len(before.differing(guest.content())))
        assert changed[0] < changed[1]
