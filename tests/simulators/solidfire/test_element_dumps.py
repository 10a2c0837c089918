"""A dumped array comes back as it was: everything it remembers, what it will do next, and what its disks hold."""

import json
import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapproof.simulators.clock import Transition
from snapproof.simulators.solidfire import dumping
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.calls import call
from snapproof.simulators.solidfire.dumping import FORMAT, LEFT_OUT, digest, dump, load
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.plant import Fullness

GB = 10**9
HOST = "iqn.1994-05.com.redhat:host1"


def furnish(array: Array) -> None:
    """Give an array one of everything, some of it under way."""
    call(array, "AddAccount", username="tenant", attributes={"a": [1, None, {"b": 2.5}]})
    for name in ("one", "two", "gone"):
        call(array, "CreateVolume", name=name, accountID=1, totalSize=GB, enable512e=True, qos={"minIOPS": 100})
    array.volumes[1].disk.write(4090, b"written before the snapshot")
    call(array, "CreateSnapshot", volumeID=1, retention="10:00:00", attributes={"owner": "x"})
    array.volumes[1].disk.write(4090, b"written after the snapshot!")
    call(array, "CreateSnapshot", volumeID=2, name="s2", expirationTime="fifo")
    call(array, "DeleteVolume", volumeID=3)
    call(array, "CreateVolumeAccessGroup", name="g", initiators=[HOST], volumes=[1, 2])
    array.clone_time = Transition(seconds=30, polls=1)
    call(array, "CloneVolume", volumeID=1, snapshotID=1, name="copy")
    call(array, "AddClusterAdmin", username="r", password="p", access=["read"], acceptEula=True)
    array.fill(Fullness.AWARE)
    array.doom_next_clone("xVolumeIDDoesNotExist")


ACTS: tuple[Callable[[Array], object], ...] = (
    lambda array: call(array, "CreateVolume", name="n", accountID=1, totalSize=GB, enable512e=True),
    lambda array: call(array, "CreateSnapshot", volumeID=1),
    lambda array: call(array, "RollbackToSnapshot", volumeID=1, snapshotID=1, saveCurrentState=True),
    lambda array: call(array, "DeleteSnapshot", snapshotID=2),
    lambda array: call(array, "CloneVolume", volumeID=2, name="c"),
    lambda array: call(array, "GetAsyncResult", asyncHandle=1, keepResult=True),
    lambda array: call(array, "DeleteVolume", volumeID=2),
    lambda array: call(array, "RestoreDeletedVolume", volumeID=3),
    lambda array: call(array, "PurgeDeletedVolume", volumeID=3),
    lambda array: call(array, "RemoveClusterAdmin", clusterAdminID=1),
    lambda array: call(array, "AddAccount", username="more"),
    lambda array: array.volumes[1].disk.write(0, b"again"),
    lambda array: array.clock.sleep(7 * 3600),
)


def attempt(act: Callable[[Array], object], array: Array) -> str:
    try:
        return str(act(array))
    except (ElementError, KeyError) as refused:
        return repr(refused)


def written(array: Array) -> bytes:
    return msgspec.json.encode(dump(array))


@given(st.lists(st.sampled_from(ACTS), max_size=6), st.lists(st.sampled_from(ACTS), max_size=6))
@settings(max_examples=15, deadline=None)
def test_a_loaded_array_is_and_goes_on_as_the_one_that_was_dumped(
    small_array: Callable[..., Array], before: list[Callable[[Array], object]], after: list[Callable[[Array], object]]
) -> None:
    one, other = small_array(), small_array()
    furnish(one)
    for act in before:
        attempt(act, one)
    other.clock.sleep(one.clock.time() - other.clock.time())
    assert load(other, written(one)) == digest(one) == digest(other)
    assert other.inventory() == one.inventory()
    assert [attempt(act, other) for act in after] == [attempt(act, one) for act in after]
    assert (other.inventory(), dump(other).disks) == (one.inventory(), dump(one).disks)


def test_loading_brings_back_what_was_changed_since(small_array: Callable[..., Array]) -> None:
    array = small_array()
    furnish(array)
    kept, before = written(array), digest(array)
    for act in ACTS[:-1]:
        attempt(act, array)
        assert digest(array) != before or act is ACTS[9], "the digest sees every change"
        load(array, kept)
        assert digest(array) == before
    image = array.image_of_snapshot(1)
    assert image.read(4090, 27) == b"written before the snapshot"
    assert array.volumes[1].disk.read(4090, 27) == b"written after the snapshot!"


def test_hosts_lose_their_sessions_and_may_log_in_again(small_array: Callable[..., Array]) -> None:
    array = small_array()
    furnish(array)
    target = call(array, "ListVolumes", volumeIDs=[1])["volumes"][0]["iqn"]
    kept = written(array)
    session = array.login(initiator=HOST, target=target)
    session.write(0, b"lost again")
    load(array, kept)
    with pytest.raises(OSError, match="another state was loaded"):
        session.read(0, 1)
    assert array.login(initiator=HOST, target=target).read(0, 10) == bytes(10)


def test_equal_contents_are_written_once_and_shared_after_loading(small_array: Callable[..., Array]) -> None:
    one, other = small_array(), small_array()
    call(one, "AddAccount", username="a")
    call(one, "CreateVolume", name="v", accountID=1, totalSize=GB, enable512e=True)
    one.volumes[1].disk.write(0, random.Random(1).randbytes(2**20))
    for _ in range(5):
        call(one, "CreateSnapshot", volumeID=1)
    assert len(dump(one).disks) == 1
    load(other, written(one))
    assert other.blocks.used_blocks() == one.blocks.used_blocks() == 256


def test_everything_an_array_has_is_dumped_unless_it_is_named_as_no_state(small_array: Callable[..., Array]) -> None:
    array = small_array()
    assert vars(array).keys() == dump(array).state.keys() | LEFT_OUT
    array.something_new = object()  # type: ignore[attr-defined]  # what somebody may add some day
    with pytest.raises(TypeError, match="is that part of the state"):
        dump(array)


def encoded(read: dict[str, Any], **changes: object) -> bytes:
    return json.dumps({**read, **changes}).encode()


def with_dice(read: dict[str, Any], value: object) -> dict[str, Any]:
    return {**read["state"], "dice": value}


def resealed(read: dict[str, Any], **changes: object) -> bytes:
    """Write a changed dump with the digest that belongs to it."""
    read = {**read, **changes}
    disks = {name: msgspec.convert(disk, dumping.Content) for name, disk in read["disks"].items()}
    return encoded(read, digest=dumping._digest(read["state"], read["objects"], disks))


SPOILT: dict[str, tuple[Callable[[dict[str, Any]], bytes], str]] = {
    "nothing": (lambda _: b"", "This is no dump"),
    "deep": (lambda _: b"[" * 100_000, "This is no dump"),
    "format": (lambda read: encoded(read, format="x"), f"not '{FORMAT}'"),
    "digest": (lambda read: encoded(read, digest="x"), "was changed since it was written"),
    "objects": (lambda read: encoded(read, objects=[*read["objects"], 1]), "was changed since it was written"),
    "attributes": (lambda read: resealed(read, state={}), "another version of the simulator: _due, _last_numbers"),
    "reference": (lambda read: resealed(read, state=with_dice(read, ["object", 10**6])), "not made of what"),
    "word": (lambda read: resealed(read, state=with_dice(read, ["call", "x"])), "no kind of value"),
    "class": (lambda read: resealed(read, state=with_dice(read, ["enum", "os.system", "x"])), "no array is made of"),
    "disks": (lambda read: resealed(read, disks={}), "not made of what"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_what_is_no_whole_dump_is_refused_and_nothing_is_changed(small_array: Callable[..., Array], what: str) -> None:
    change, sentence = SPOILT[what]
    array = small_array()
    furnish(array)
    before = digest(array)
    with pytest.raises(ValueError, match=sentence):
        load(array, change(json.loads(written(array))))
    assert digest(array) == before


def test_contents_that_were_changed_are_noticed(small_array: Callable[..., Array]) -> None:
    array = small_array()
    furnish(array)
    read = json.loads(written(array))
    name = next(name for name, disk in read["disks"].items() if disk["extents"])
    read["disks"][name]["extents"][0]["base64"] = "AAAA"
    with pytest.raises(ValueError, match="are not those that were dumped"):
        load(array, encoded(read))


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_no_forged_dump_does_more_than_be_refused(small_array: Callable[..., Array], data: st.DataObject) -> None:
    array = small_array()
    call(array, "AddAccount", username="a")
    read = json.loads(written(array))
    number = data.draw(st.integers(0, len(read["objects"]) - 1))
    read["objects"][number] = data.draw(
        st.recursive(
            st.none() | st.integers() | st.sampled_from(["of", "list", "map", "object", "disk", "usual"]),
            lambda inner: st.lists(inner, max_size=4),
        )
    )
    before = digest(array)
    try:
        load(array, resealed(read))
    except ValueError:
        assert digest(array) == before
