"""What things are told by: numbers that are never given again, UUIDs that an array works out instead of keeping."""

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapproof.simulators.solidfire.sparse import Identity

NUMBERS = st.sets(st.integers(1, 2**40), min_size=1, max_size=50)
CLUSTER = "6f1d4a3e-93a0-4c55-a1f2-0c8d0a7f9e11"


@given(numbers=NUMBERS, cluster=st.uuids(version=4))
def test_a_uuid_is_random_by_its_form_and_nobody_elses(numbers: set[int], cluster: uuid.UUID) -> None:
    identity = Identity("abcd", str(cluster))
    found = [identity.uuid_of(kind, number) for kind in ("volume", "snapshot") for number in numbers]
    assert len(set(found)) == len(found)
    assert all(str(read := uuid.UUID(text)) == text and read.version == 4 for text in found)


@given(number=st.integers(1, 2**40))
def test_equal_clusters_name_things_equally_and_others_do_not(number: int) -> None:
    one, same, other = (Identity("abcd", text) for text in (CLUSTER, CLUSTER, CLUSTER.replace("6f", "70")))
    assert one.uuid_of("volume", number) == same.uuid_of("volume", number) != other.uuid_of("volume", number)


@pytest.mark.usefixtures("disk")
def test_the_number_of_what_is_gone_is_never_given_again(world: Any) -> None:
    account = world.account("other")
    for number in (2, 3):
        assert world.volume(account)["volumeID"] == number
        world.result("DeleteVolume", volumeID=number)
        world.result("PurgeDeletedVolume", volumeID=number)
    world.result("RemoveAccount", accountID=account)
    assert world.account("other") == account + 1
    for number in (1, 2):
        assert world.result("CreateSnapshot", volumeID=1)["snapshotID"] == number
        world.result("DeleteSnapshot", snapshotID=number)
    for number in (2, 3):
        group = world.result("CreateVolumeAccessGroup", name="g")["volumeAccessGroupID"]
        assert group == number
        world.result("DeleteVolumeAccessGroup", volumeAccessGroupID=group)
