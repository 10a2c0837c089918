"""The Element adapter: what each error name says for certain, and that only what carries our tag is ever found."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from snapproof.fixtures.site import site_of
from snapproof.fixtures.world import World
from snapproof.reference_impl.adapters.element import ElementArray
from snapproof.reference_impl.adapters.element_errors import MEANINGS
from snapproof.reference_impl.adapters.element_owners import OWNER_MARK
from snapproof.reference_impl.ports import (
    CallError,
    GoneError,
    MistakenError,
    Owner,
    RefusedError,
    TransientError,
    UnknownOutcomeError,
)
from snapproof.simulators.clock import Transition, VirtualClock
from snapproof.simulators.faults import fault_named
from snapproof.simulators.solidfire.calls import call
from snapproof.simulators.solidfire.errors import ERRORS
from snapproof.site import Answer, Endpoint
from snapproof.vocabulary import Qos, Secret

QOS = Qos(min_iops=100, max_iops=200, burst_iops=300)
OWNER = Owner(job="job", subject="subject")
CANARY = "hunter2-canary"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World.build(seed=1, clock=VirtualClock(), directory=tmp_path) as world:
        yield world


@pytest.fixture
def array(world: World, tmp_path: Path) -> ElementArray:
    site = site_of(world, store="nfs", seed=1, state_directory=tmp_path)
    return ElementArray(site.array, group=site.hosts_group)


def lying(status: int, body: bytes) -> ElementArray:
    """An adapter whose array answers everything with this."""
    door = Endpoint(
        url="https://array.invalid",
        username="admin",
        password=Secret(CANARY),
        wire=lambda _method, _target, _headers, _body: (status, {}, body),
    )
    return ElementArray(door, group="hosts")


def test_every_name_with_a_meaning_is_a_name_that_arrays_use() -> None:
    assert set(MEANINGS) <= set(ERRORS)


@pytest.mark.parametrize("name", sorted(name for name, known in ERRORS.items() if known.http == 200))
def test_a_name_means_what_the_table_says_and_else_a_final_no(world: World, array: ElementArray, name: str) -> None:
    world.seam.arm("array.ModifyVolume#1", fault_named(f"refused:{name}"))
    with pytest.raises(CallError, match=f"The array refused ModifyVolume: {name}") as refusal:
        array.set_qos(1, QOS)
    assert type(refusal.value) is (MEANINGS[name].value if name in MEANINGS else RefusedError)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, RefusedError),
        (404, RefusedError),
        (302, RefusedError),
        (500, UnknownOutcomeError),
        (502, TransientError),
        (503, TransientError),
        (504, UnknownOutcomeError),
    ],
)
def test_an_answer_that_is_no_answer_means_as_much_as_is_certain(status: int, kind: type[CallError]) -> None:
    with pytest.raises(CallError, match=f"HTTP {status}") as refusal:
        lying(status, CANARY.encode()).get_lun(1)
    assert type(refusal.value) is kind
    assert CANARY not in str(refusal.value)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"result": {', b"\xff\xfe"])
def test_an_answer_that_cannot_be_read_leaves_the_outcome_open(body: bytes) -> None:
    with pytest.raises(UnknownOutcomeError, match="cannot be read"):
        lying(200, body).get_lun(1)


@pytest.mark.parametrize("body", [b"[]", b"7", b"{}", b'{"result": 7}', b'{"result": {}}', b'{"error": "no"}', b"null"])
def test_an_answer_of_another_shape_leaves_the_outcome_open(body: bytes) -> None:
    with pytest.raises(UnknownOutcomeError, match="cannot be read"):
        lying(200, body).get_lun(1)


def test_an_arrays_own_text_is_not_repeated() -> None:
    quoting = f'{{"error": {{"name": "xInvalidParameter", "message": "bad {CANARY}"}}}}'.encode()
    with pytest.raises(RefusedError) as refusal:
        lying(200, quoting).get_lun(1)
    assert CANARY not in str(refusal.value)


def test_another_volume_is_no_answer() -> None:
    row = b'{"volumeID": 8, "name": "x", "iqn": "iqn.8", "totalSize": 1, "status": "active"}'
    with pytest.raises(MistakenError, match="asked about volume 7 and told of 8"):
        lying(200, b'{"result": {"volumes": [%s]}}' % row).get_lun(7)


@pytest.mark.parametrize(
    "members",
    [b'"volumeID": "8"', b'"volumeID": null', b'"volumeID": 8', b'"volumeID": 8, "name": 5', b'"volumeID": 1e9'],
)
def test_a_row_that_is_not_what_it_should_be_cannot_be_read(members: bytes) -> None:
    with pytest.raises(UnknownOutcomeError, match="cannot be read: volumes: "):
        lying(200, b'{"result": {"volumes": [{%s}]}}' % members).get_lun(7)


def test_an_account_that_somebody_else_made_meanwhile_is_ours_too(world: World, tmp_path: Path) -> None:
    site = site_of(world, store="nfs", seed=1, state_directory=tmp_path)
    other = ElementArray(site.array, group=site.hosts_group)

    def overtaken(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if b"AddAccount" in body:
            other.create_lun(account="blue", name="theirs", size_bytes=10**9, qos=QOS, owner=OWNER)
        assert site.array.wire is not None
        return site.array.wire(method, target, headers, body)

    array = ElementArray(replace(site.array, wire=overtaken), group=site.hosts_group)
    array.create_lun(account="blue", name="ours", size_bytes=10**9, qos=QOS, owner=OWNER)
    luns = call(world.arrays[0], "ListVolumes")["volumes"]
    assert len({row["accountID"] for row in luns if row["name"] in {"ours", "theirs"}}) == 1


def test_an_account_that_cannot_be_made_is_a_failure(world: World, array: ElementArray) -> None:
    world.seam.arm("array.AddAccount#1", fault_named("refused:xExceededLimit"))
    with pytest.raises(RefusedError, match="The array refused AddAccount: xExceededLimit"):
        array.create_lun(account="blue", name="ours", size_bytes=10**9, qos=QOS, owner=OWNER)


def test_only_our_own_are_found_by_name(world: World, array: ElementArray) -> None:
    ours = array.create_lun(account="blue", name="backup-of-s", size_bytes=10**9, qos=QOS, owner=OWNER)
    account = call(world.arrays[0], "AddAccount", username="somebody")["accountID"]
    theirs: list[dict[str, object]] = [
        {},
        {"owner": "somebody", "subject": "subject"},
        {"owner": OWNER_MARK, "subject": "other"},
    ]
    for attributes in theirs:
        created = call(
            world.arrays[0],
            "CreateVolume",
            name="backup-of-s",
            accountID=account,
            totalSize=10**9,
            enable512e=True,
            attributes=attributes,
        )
        call(world.arrays[0], "CreateSnapshot", volumeID=ours.id, name="nightly", attributes=attributes)
        assert created["volumeID"] != ours.id
    taken = array.take_snapshot(ours.id, name="nightly", owner=OWNER)
    assert [lun.id for lun in array.find_luns(name="backup-of-s", owner=OWNER)] == [ours.id]
    assert list(array.find_snapshots(ours.id, name="nightly", owner=OWNER)) == [taken]
    assert array.find_luns(name="backup-of", owner=OWNER) == []
    array.delete_lun(ours.id)
    assert [lun.deleted for lun in array.find_luns(name="backup-of-s", owner=OWNER)] == [True]


def test_granting_and_revoking_twice_is_once(world: World, array: ElementArray) -> None:
    lun = array.create_lun(account="blue", name="x", size_bytes=10**9, qos=QOS, owner=OWNER)
    for _ in range(2):
        array.grant(lun.id)
    assert world.seam.labels().count("array.AddVolumesToVolumeAccessGroup#2") == 0
    for _ in range(2):
        array.revoke(lun.id)
    groups = call(world.arrays[0], "ListVolumeAccessGroups")["volumeAccessGroups"]
    assert [group["volumes"] for group in groups] == [[]]


def test_a_group_that_is_not_there_is_named(world: World, tmp_path: Path) -> None:
    site = site_of(world, store="nfs", seed=1, state_directory=tmp_path)
    with pytest.raises(RefusedError, match="no volume access group nobody; it must hold the hosts' initiators"):
        ElementArray(site.array, group="nobody").grant(1)


def test_an_account_is_made_once_and_only_where_it_is_unknown(world: World, array: ElementArray) -> None:
    for name in ("one", "two"):
        array.create_lun(account="blue", name=name, size_bytes=10**9, qos=QOS, owner=OWNER)
    assert "array.AddAccount#2" not in world.seam.labels()
    world.seam.restart_count()
    world.seam.arm("array.GetAccountByName#1", fault_named("refused:xPermissionDenied"))
    with pytest.raises(RefusedError):
        array.create_lun(account="red", name="three", size_bytes=10**9, qos=QOS, owner=OWNER)
    assert not [label for label in world.seam.labels() if "AddAccount" in label]


def test_a_clones_handle_is_known_until_its_result_was_read(world: World, array: ElementArray) -> None:
    world.arrays[0].clone_time = Transition(polls=2)
    source = array.create_lun(account="blue", name="x", size_bytes=10**9, qos=QOS, owner=OWNER)
    snapshot = array.take_snapshot(source.id, name="nightly", owner=OWNER)
    lun, handle = array.start_clone(source.id, snapshot, account="blue", name="y", owner=OWNER)
    assert array.clone_handle(lun) == handle
    assert array.clone_handle(source) is None
    answers = [array.clone_finished(handle) for _ in range(3)]
    assert answers[-1]
    assert not answers[0]
    assert array.clone_handle(lun) is None
    with pytest.raises(GoneError):
        array.clone_finished(handle)


def wait(array: ElementArray, handle: int) -> None:
    for _ in range(5):
        if array.clone_finished(handle):
            return


def test_a_clone_that_failed_is_refused_by_its_name(world: World, array: ElementArray) -> None:
    world.arrays[0].clone_time = Transition(polls=1)
    world.arrays[0].doom_next_clone("xSliceNotRegistered")
    source = array.create_lun(account="blue", name="x", size_bytes=10**9, qos=QOS, owner=OWNER)
    snapshot = array.take_snapshot(source.id, name="nightly", owner=OWNER)
    _, handle = array.start_clone(source.id, snapshot, account="blue", name="y", owner=OWNER)
    with pytest.raises(RefusedError, match="xSliceNotRegistered"):
        wait(array, handle)
