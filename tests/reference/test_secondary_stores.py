"""Backups on an export and in a bucket: whole or not there, never another's, and nothing left by what went wrong."""

import errno
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from snapproof.fixtures.site import site_of
from snapproof.fixtures.world import World
from snapproof.reference_impl.adapters.nfs import MEANINGS, NfsStore
from snapproof.reference_impl.adapters.s3 import S3Bucket, S3Store
from snapproof.reference_impl.ports import (
    CallError,
    GoneError,
    Image,
    RefusedError,
    TransientError,
    UnknownOutcomeError,
)
from snapproof.simulators.blocks import BlockStore
from snapproof.simulators.clock import EPOCH_S, VirtualClock
from snapproof.simulators.faults import fault_named
from snapproof.simulators.secondary.export_tree import Condition
from snapproof.simulators.secondary.nfs_faults import ERRNOS
from snapproof.simulators.xenserver.vhd import write_dynamic
from snapproof.site import Answer

SIZE_BYTES = 12 * 2**20
PART_BYTES = 5 * 2**20
PATH = "snapshots/blue/v/s.vhd"
STAGING = "snapshots/blue/v/s.part"
STAGED = f"{STAGING}/disk.vhd"


@dataclass(frozen=True)
class Shelf:
    """A store, the world it lies in, and an image that was staged and inspected."""

    world: World
    store: NfsStore | S3Store
    image: Image

    def lying(self) -> tuple[str, ...]:
        """All that lies on either store, uploads under way included."""
        return (*self.world.export.inventory(), *self.world.store.inventory())

    def publish(self) -> None:
        self.store.publish(STAGED, self.image)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World.build(seed=1, clock=VirtualClock(), directory=tmp_path) as world:
        yield world


def stage(world: World) -> None:
    """Let a host write an image, as hosts do: past every seam."""
    disk = BlockStore().create(SIZE_BYTES)
    for offset in range(0, SIZE_BYTES, 2**20):
        disk.write(offset, f"something at {offset}".encode() * 100)
    world.export.make_directories(STAGING)
    file = world.export.create(STAGED)
    for _ in write_dynamic(disk, file, uuid=UUID(int=1), time_s=EPOCH_S):
        pass
    file.close()


def shelf_of(world: World, tmp_path: Path, kind: str) -> Shelf:
    site = site_of(world, store="nfs" if kind == "nfs" else "s3", seed=1, state_directory=tmp_path)
    stage(world)
    if site.bucket is None:
        store: NfsStore | S3Store = NfsStore(site.export)
    else:
        parts = PART_BYTES if kind == "s3 in parts" else 2**30
        store = S3Store(site.export, S3Bucket(site.bucket, part_bytes=parts))
    image = replace(store.inspect(STAGED, size_bytes=SIZE_BYTES), path=PATH)
    world.seam.restart_count()
    return Shelf(world, store, image)


@pytest.fixture
def nfs(world: World, tmp_path: Path) -> Shelf:
    return shelf_of(world, tmp_path, "nfs")


@pytest.fixture
def s3(world: World, tmp_path: Path) -> Shelf:
    return shelf_of(world, tmp_path, "s3 in parts")


@pytest.fixture(params=["nfs", "s3 at once", "s3 in parts"])
def shelf(request: pytest.FixtureRequest, world: World, tmp_path: Path) -> Shelf:
    return shelf_of(world, tmp_path, str(request.param))


def test_what_is_published_is_read_back_whole(shelf: Shelf) -> None:
    assert shelf.store.published(PATH) is None
    staged = shelf.world.export.read(STAGED)
    shelf.publish()
    assert shelf.store.published(PATH) == shelf.image
    path = shelf.store.fetch(shelf.image, "snapshots/blue/v/r.part")
    assert shelf.world.export.read(path) == staged


def test_the_digest_that_is_noted_is_that_of_what_the_host_wrote(shelf: Shelf) -> None:
    written = [entry.facts for entry in shelf.world.journal if entry.event == "file closed"]
    assert written == [{"path": STAGED, "size_bytes": shelf.image.physical_size_bytes, "digest": shelf.image.digest}]


def test_deleting_takes_this_backup_and_no_other(shelf: Shelf) -> None:
    shelf.publish()
    shelf.store.clear_staging(STAGING)
    for name in ("snapshots/blue/v/s.vhd.old", "snapshots/blue/v/s", "snapshots/blue/w/s.vhd", "snapshots/blu"):
        shelf.world.export.make_directories(name.rpartition("/")[0])
        shelf.world.export.create(name).close()
        shelf.world.store.put(name, b"x")
    before = set(shelf.lying())
    shelf.store.delete(PATH)
    gone = before - set(shelf.lying())
    assert [line.rpartition("snapshots/")[2].split(" ")[0] for line in gone] == ["blue/v/s.vhd"]
    shelf.store.delete(PATH)
    assert shelf.store.published(PATH) is None


@pytest.mark.parametrize("damage", ["flipped", "cut", "longer", "gone"])
def test_a_backup_that_was_tampered_with_is_not_restored(shelf: Shelf, damage: str) -> None:
    shelf.publish()
    tamper(shelf, damage)
    with pytest.raises(RefusedError, match="is not restored"):
        shelf.store.fetch(shelf.image, "snapshots/blue/v/r.part")
    assert shelf.store.published(PATH) != shelf.image
    shelf.store.clear_staging("snapshots/blue/v/r.part")


def tamper(shelf: Shelf, damage: str) -> None:
    """Damage the backup where it lies."""
    of_bucket = isinstance(shelf.store, S3Store)
    whole = shelf.world.store.read(PATH) if of_bucket else shelf.world.export.read(PATH)
    at = len(whole) // 2
    text = {
        "flipped": whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :],
        "cut": whole[:-512],
        "longer": whole + bytes(512),
        "gone": None,
    }[damage]
    if text is None:
        shelf.store.delete(PATH)
    elif of_bucket:
        shelf.world.store.put(PATH, text)
    else:
        (shelf.world.export.root / PATH).write_bytes(text)


@pytest.mark.parametrize("text", [b"", b"conectix", bytes(4096)])
def test_what_is_no_whole_image_is_refused_at_the_staging_directory(shelf: Shelf, text: bytes) -> None:
    (shelf.world.export.root / STAGED).write_bytes(text)
    with pytest.raises(RefusedError, match="cut off"):
        shelf.store.inspect(STAGED, size_bytes=SIZE_BYTES)


def test_an_image_of_another_size_is_refused(shelf: Shelf) -> None:
    with pytest.raises(RefusedError, match=f"holds a disk of {SIZE_BYTES} bytes"):
        shelf.store.inspect(STAGED, size_bytes=SIZE_BYTES + 512)


def test_staging_can_be_cleared_twice_and_takes_its_empty_parents_along(shelf: Shelf) -> None:
    shelf.store.clear_staging(STAGING)
    shelf.store.clear_staging(STAGING)
    assert list(shelf.world.export.root.iterdir()) == [shelf.world.export.root / "snapshots"]
    assert not list((shelf.world.export.root / "snapshots").iterdir())


def test_clearing_spares_a_sibling(shelf: Shelf) -> None:
    shelf.world.export.make_directories("snapshots/blue/v/other.part")
    shelf.store.clear_staging(STAGING)
    assert shelf.lying() == ("snapshots/blue/v/other.part/",)


def test_a_staging_directory_that_is_half_cleared_is_cleared_wholly(nfs: Shelf) -> None:
    nfs.world.seam.arm("nfs.delete_directory#1", fault_named("lost_after"))
    with pytest.raises(UnknownOutcomeError):
        nfs.store.clear_staging(STAGING)
    nfs.store.clear_staging(STAGING)
    assert not list((nfs.world.export.root / "snapshots").iterdir())


@pytest.mark.parametrize("name", sorted(ERRNOS))
@pytest.mark.parametrize("call", ["open", "rename"])
def test_an_error_of_the_export_means_what_the_table_says(nfs: Shelf, call: str, name: str) -> None:
    nfs.world.seam.arm(f"nfs.{call}#1", fault_named(f"refused:{name}"))
    number = getattr(errno, name)
    if call == "open" and name == "ENOENT":
        assert nfs.store.published(PATH) is None
        return
    ask: Callable[[], object] = nfs.publish if call == "rename" else partial(nfs.store.published, PATH)
    with pytest.raises(CallError, match="snapshots/blue/v/s") as refusal:
        ask()
    assert type(refusal.value) is (GoneError if name == "ENOENT" else MEANINGS.get(number, RefusedError))


def test_a_stale_export_is_worth_another_try(shelf: Shelf) -> None:
    shelf.world.export.condition = Condition.STALE
    with pytest.raises(TransientError, match="ESTALE"):
        shelf.store.inspect(STAGED, size_bytes=SIZE_BYTES)
    shelf.world.export.condition = Condition.READ_ONLY
    with pytest.raises(RefusedError, match="EROFS"):
        shelf.store.clear_staging(STAGING)


def test_an_export_that_is_full_is_a_final_no_and_leaves_nothing_after_clearing(s3: Shelf) -> None:
    s3.publish()
    s3.store.clear_staging(STAGING)
    s3.world.export.capacity_bytes = 2**20
    with pytest.raises(RefusedError, match="ENOSPC"):
        s3.store.fetch(s3.image, STAGING)
    s3.store.clear_staging(STAGING)
    assert not s3.world.export.inventory()


@pytest.mark.parametrize("call", ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"])
@pytest.mark.parametrize("fault", ["refused", "lost_before", "lost_after", "refused:AccessDenied"])
def test_an_upload_that_failed_leaves_nothing_once_it_is_deleted(s3: Shelf, call: str, fault: str) -> None:
    s3.world.seam.arm(f"s3.{call}#1", fault_named(fault))
    with pytest.raises(CallError):
        s3.publish()
    s3.store.delete(PATH)
    assert not s3.world.store.inventory()


def test_an_error_inside_200_is_no_success(s3: Shelf) -> None:
    s3.world.seam.arm("s3.CompleteMultipartUpload#1", fault_named("refused:InternalError-in-200"))
    with pytest.raises(UnknownOutcomeError, match="error inside HTTP 200"):
        s3.publish()
    assert s3.store.published(PATH) is None
    s3.store.delete(PATH)
    assert not s3.world.store.inventory()


def test_uploads_under_longer_keys_are_somebody_elses(s3: Shelf) -> None:
    assert isinstance(s3.store, S3Store)
    s3.store.bucket.request("POST", f"{PATH}.other", query={"uploads": ""})
    s3.store.delete(PATH)
    assert [line for line in s3.world.store.inventory() if "upload open" in line]


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, b""),
        (200, {}, b"<html>"),
        (200, {}, b"<Result/>"),
        (200, {}, b"<!DOCTYPE x [<!ENTITY e 'boom'>]><Result><UploadId>&e;</UploadId></Result>"),
    ],
)
def test_an_answer_that_is_none_of_s3s_is_not_believed(world: World, tmp_path: Path, answer: Answer) -> None:
    site = site_of(world, store="s3", seed=1, state_directory=tmp_path)
    assert site.bucket is not None
    stage(world)

    def lying(_method: str, _target: str, _headers: Mapping[str, str], _body: bytes) -> Answer:
        return answer

    place = replace(site.bucket, endpoint=replace(site.bucket.endpoint, wire=lying))
    store = S3Store(site.export, S3Bucket(place, part_bytes=PART_BYTES))
    image = Image(path=PATH, physical_size_bytes=1, digest="sha256:0")
    for ask in (lambda: store.publish(STAGED, image), lambda: store.published(PATH), lambda: store.fetch(image, "r")):
        with pytest.raises(CallError):
            ask()


def test_no_secret_stands_in_what_s3_is_said_to_have_done(s3: Shelf) -> None:
    s3.world.seam.arm_always("s3.HeadObject", fault_named("refused:AccessDenied"))
    with pytest.raises(RefusedError) as refusal:
        s3.store.published(PATH)
    assert not [secret for secret in s3.world.secrets.canaries() if secret in str(refusal.value)]
    assert "HTTP 403" in str(refusal.value)
