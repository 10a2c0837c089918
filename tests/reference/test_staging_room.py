"""Images on their way take no more than they may: proved with an export that has no byte more than that."""

from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID

import pytest

from snapproof.driver import DriverUnderTest, LimitExceededError
from snapproof.fixtures.caller import SIZE_BYTES, Caller
from snapproof.fixtures.shared_clock import SharedClock
from snapproof.lab import Outcome
from snapproof.reference_impl.configuring import FILE
from snapproof.reference_impl.core.image import image_bytes_max
from snapproof.reference_impl.staging import StagingRoom
from snapproof.simulators.blocks import BlockStore
from snapproof.simulators.clock import EPOCH_S
from snapproof.simulators.xenserver.vhd import write_dynamic
from snapproof.vocabulary import LocationType, OperationId, Snapshot, SnapshotRequest, SnapshotState, VolumeId

ALONE = image_bytes_max(SIZE_BYTES)
AT_ONCE = 5


class Sink:
    """A file that counts its bytes."""

    size_bytes = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.size_bytes += len(data)

    def close(self) -> None:
        """Nothing to let go of."""


@pytest.mark.parametrize("size_bytes", [512, 2 * 2**20, 2 * 2**20 + 512, 300 * 2**20, SIZE_BYTES])
def test_no_image_becomes_larger_than_is_reckoned(size_bytes: int) -> None:
    disk = BlockStore().create(size_bytes)
    for offset in range(0, size_bytes, 2 * 2**20):
        disk.write(offset, b"x")
    sink = Sink()
    for _ in write_dynamic(disk, sink, uuid=UUID(int=7), time_s=EPOCH_S):
        pass
    assert sink.size_bytes <= image_bytes_max(size_bytes)


def say(caller: Caller, staging_bytes: int) -> None:
    (caller.lab._state_directory / FILE).write_text(f"snapshot.staging.size = {staging_bytes}\n", encoding="utf-8")
    caller.lab.driver.run_due_work()


def backups_at_once(caller: Caller, volume: VolumeId) -> Sequence[Outcome[Snapshot]]:
    """So many backups on an export that has room for two images at a time, by hosts that take their time."""
    caller.lab.leave_space(2 * ALONE)
    caller.lab.drag_copies()

    def take(number: int, driver: DriverUnderTest) -> Snapshot:
        request = SnapshotRequest(operation=OperationId(f"take {number}"), volume=volume, location="SECONDARY")
        return driver.take_snapshot(request)

    return caller.lab.at_once([partial(take, number) for number in range(AT_ONCE)])


@pytest.mark.requirement(id="R-117")
def test_images_on_their_way_stay_within_the_size_that_is_set(open_caller: Callable[[str], Caller]) -> None:
    caller = open_caller("s3")
    volume = caller.used_volume(blocks=600)
    say(caller, 2 * ALONE)
    outcomes = backups_at_once(caller, volume.id)
    assert [outcome.result().state for outcome in outcomes] == [SnapshotState.BACKED_UP] * AT_ONCE
    restored = caller.create("restored", source=outcomes[0].result().id)
    assert restored.error is None


def test_without_a_size_they_fill_the_export(open_caller: Callable[[str], Caller]) -> None:
    caller = open_caller("s3")
    outcomes = backups_at_once(caller, caller.used_volume(blocks=600).id)
    assert [outcome for outcome in outcomes if outcome.error is not None]


@pytest.mark.requirement(id="R-117")
def test_what_could_not_be_staged_even_alone_is_refused_before_anything_is_begun(caller: Caller) -> None:
    volume = caller.used_volume()
    say(caller, ALONE - 1)
    caller.lab.watch_calls()
    outcome = caller.take("take", volume.id, LocationType.SECONDARY)
    assert isinstance(outcome.error, LimitExceededError)
    assert not [call for call in caller.lab.calls() if not call.startswith("host.")]
    assert caller.take("here", volume.id, LocationType.PRIMARY).error is None
    say(caller, ALONE)
    assert caller.take("again", volume.id, LocationType.SECONDARY).error is None


def test_room_is_given_by_the_order_of_asking_and_for_each_store_apart() -> None:
    clock = SharedClock()
    staging = StagingRoom(clock, lambda: 10)
    came: list[str] = []

    def work(job: str, store: str, needed: int) -> None:
        with staging.room(job, store, needed):
            came.append(f"{job} {clock.time() - began_s:.0f}")
            clock.sleep(5)

    began_s = clock.time()
    asked = [("first", "one", 6), ("second", "one", 6), ("third", "one", 4), ("large", "one", 99), ("other", "two", 10)]
    clock.at_once([partial(work, *each) for each in asked])
    assert came == ["first 0", "other 0", "second 5", "third 5", "large 10"]
    assert staging.queue() == []
