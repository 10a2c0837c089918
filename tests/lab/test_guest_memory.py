"""Guests and moments: memory is what the LUN holds, writes happen at calls, and a moment does not move."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapproof.campaign.schedule import Schedule
from snapproof.fixtures.caller import SIZE_BYTES, Caller
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.fixtures.contents import Memory, content_of
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.simulators.blocks import BlockStore
from snapproof.vocabulary import BLOCK_BYTES, Content, LocationType

DISK_BYTES = 5 * BLOCK_BYTES + 512
WRITES = st.lists(
    st.tuples(st.integers(0, DISK_BYTES - 1), st.one_of(st.binary(min_size=1, max_size=64), st.just(bytes(9000)))),
    max_size=12,
)


@pytest.fixture
def caller() -> Iterator[Caller]:
    with lab_opener(ReferenceDriver)(Schedule(workflow="memory", store="nfs", seed=6)) as lab:
        yield Caller(lab)


@given(WRITES)
def test_a_memory_is_what_any_disk_holds_after_any_writes(writes: list[tuple[int, bytes]]) -> None:
    disk, memory = BlockStore().create(DISK_BYTES), Memory(DISK_BYTES)
    plain = bytearray(DISK_BYTES)
    for offset, text in writes:
        cut = text[: DISK_BYTES - offset]
        disk.write(offset, cut)
        memory.write(offset, cut)
        plain[offset : offset + len(cut)] = cut
    content = memory.content()
    assert content == content_of(disk)
    assert Memory.of(content).content() == content
    whole = b"".join(
        content.blocks.get(n, bytes(min(BLOCK_BYTES, DISK_BYTES - n * BLOCK_BYTES)))
        for n in range(-(-DISK_BYTES // BLOCK_BYTES))
    )
    assert whole == bytes(plain)
    assert all(map(any, content.blocks.values()))


@settings(max_examples=8)
@given(st.data())
def test_a_guests_memory_is_what_its_lun_holds(data: st.DataObject) -> None:
    writes = data.draw(st.lists(st.tuples(st.integers(0, SIZE_BYTES - 1), st.binary(min_size=1)), max_size=8))
    with lab_opener(ReferenceDriver)(Schedule(workflow="memory", store="nfs", seed=6)) as lab:
        volume = Caller(lab).create("volume").result()
        guest = lab.start_guest(volume)
        for offset, text in writes:
            guest.write(offset, text[: SIZE_BYTES - offset])
            assert guest.read(offset, 1) == text[:1]
        guest.fill(blocks=3)
        assert lab.content_of(volume) == guest.content() == lab.guest_content(volume)


def test_a_guest_that_keeps_writing_writes_at_every_call(caller: Caller) -> None:
    volume = caller.create("volume").result()
    guest = caller.lab.start_guest(volume)
    guest.fill(blocks=2)
    before = guest.content()
    seen: list[Content] = []
    with guest.keep_writing():
        caller.lab.watch_calls()
        for number in range(3):
            caller.take(f"take-{number}", volume.id).result()
            seen.append(guest.content())
        calls = len(caller.lab.calls())
    after = guest.content()
    assert seen[0] != before
    assert seen[1] != seen[0]
    assert len(after.blocks) <= len(before.blocks) + 2 * calls
    caller.take("take-quietly", volume.id).result()
    assert guest.content() == after == caller.lab.content_of(volume)


@pytest.mark.parametrize("location", LocationType)
def test_what_was_there_when_taken_is_the_moments_and_not_a_later_one(caller: Caller, location: LocationType) -> None:
    volume = caller.create("volume").result()
    guest = caller.lab.start_guest(volume)
    guest.fill(blocks=3)
    before = guest.content()
    first = caller.take("first", volume.id, location).result()
    guest.fill(blocks=3)
    between = guest.content()
    second = caller.take("second", volume.id, location).result()
    guest.write(0, b"later")
    assert caller.take("first", volume.id, location).result() == first
    assert caller.lab.content_when_taken(first) == before
    assert caller.lab.content_when_taken(second) == between
    assert before != between != guest.content()


def test_a_moment_lies_inside_the_verb_while_a_guest_writes(caller: Caller) -> None:
    volume = caller.create("volume").result()
    guest = caller.lab.start_guest(volume)
    before = guest.content()
    with guest.keep_writing():
        taken = caller.take("take", volume.id, LocationType.SECONDARY).result()
    moment = caller.lab.content_when_taken(taken)
    assert moment not in (before, guest.content())
    (image,) = caller.lab.backups()
    assert image.content == moment


def test_memory_outlives_the_guest_and_the_driver(caller: Caller) -> None:
    volume = caller.used_volume()
    written = caller.lab.guest_content(volume)
    caller.lab.restart_driver()
    guest = caller.lab.start_guest(volume)
    assert guest.content() == written == caller.lab.content_of(volume)
    guest.stop()
    assert not caller.lab.leftovers()


def test_a_restored_volumes_guest_remembers_what_was_restored(caller: Caller) -> None:
    taken = caller.take("take", caller.used_volume().id, LocationType.SECONDARY).result()
    restored = caller.create("restore", source=taken.id).result()
    assert caller.lab.guest_content(restored) is None
    assert caller.lab.start_guest(restored).content() == caller.lab.content_when_taken(taken)


def test_unspent_faults_and_calls_are_counted_from_the_last_watch(caller: Caller) -> None:
    volume = caller.used_volume()
    caller.lab.watch_calls()
    caller.lab.arm("array.CreateSnapshot#2", "refused")
    caller.take("take", volume.id).result()
    assert "array.CreateSnapshot#1" in caller.lab.calls()
    assert caller.lab.unspent_faults() == ("array.CreateSnapshot#2=refused",)
    caller.lab.repair()
    assert not caller.lab.unspent_faults()
