"""The NFS export: what a client can do in it, that no path leaves it, and what faults do to it."""

import contextlib
import errno
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snapproof.simulators.clock import VirtualClock
from snapproof.simulators.fabric import Mounts
from snapproof.simulators.faults import AnswerLostError, CrashedError, fault_named
from snapproof.simulators.journal import Journal
from snapproof.simulators.seam import Seam
from snapproof.simulators.secondary.export_tree import Condition
from snapproof.simulators.secondary.mounts import ExportMounts
from snapproof.simulators.secondary.nfs import NfsExport
from snapproof.site import Directory


@pytest.fixture
def journal() -> Journal:
    return Journal(VirtualClock().time)


@pytest.fixture
def export(tmp_path: Path, journal: Journal) -> NfsExport:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"secret")
    (tmp_path / "export").mkdir()
    return NfsExport(tmp_path / "export", journal=journal, capacity_bytes=1000)


def write(directory: Directory, path: str, content: bytes) -> None:
    file = directory.create(path)
    try:
        file.write(content)
    finally:
        file.close()


def children(directory: Path) -> list[str]:
    return sorted(child.name for child in directory.iterdir())


def events(journal: Journal) -> list[str]:
    return [entry.event for entry in journal if entry.side == "nfs"]


def test_a_file_is_written_moved_read_and_deleted(export: NfsExport, journal: Journal) -> None:
    directory: Directory = export
    directory.make_directories("snapshots/2/5")
    directory.make_directories("snapshots/2/5")
    write(directory, "snapshots/2/5/a.vhd.part", b"one" + b"two")
    directory.rename("snapshots/2/5/a.vhd.part", "snapshots/2/5/a.vhd")
    file = directory.open("snapshots/2/5/a.vhd")
    assert (file.size_bytes, file.read_at(2, 3), file.read_at(4, 100), file.read_at(6, 1)) == (6, b"etw", b"wo", b"")
    file.close()
    assert (directory.list(""), directory.list("snapshots/2/5")) == (["snapshots/"], ["a.vhd"])
    assert directory.size("snapshots/2/5/a.vhd") == 6
    assert export.inventory() == ("snapshots/2/5/a.vhd 6 bytes",)
    assert export.read("snapshots//2/./5/a.vhd") == b"onetwo"
    directory.delete("snapshots/2/5/a.vhd")
    directory.delete_directory("snapshots/2/5")
    assert directory.list("snapshots/2") == []
    assert events(journal) == ["file created", "file closed", "file renamed", "file deleted", "directory deleted"]


def test_unfinished_work_is_in_the_inventory_even_when_empty(export: NfsExport) -> None:
    export.make_directories("backup/17.part")
    export.make_directories("backup/16")
    (export.root / "backup" / "link").symlink_to("16")
    assert export.inventory() == ("backup/17.part/", "backup/link is no file")


def test_every_refusal_has_the_errno_of_a_server(export: NfsExport) -> None:
    write(export, "file", b"1")
    export.make_directories("full/directory")
    for call, number in (
        (lambda: export.create("file"), errno.EEXIST),
        (lambda: export.create("no/file"), errno.ENOENT),
        (lambda: export.create("file/below"), errno.ENOTDIR),
        (lambda: export.create(""), errno.EISDIR),
        (lambda: export.open("no"), errno.ENOENT),
        (lambda: export.open("full"), errno.EISDIR),
        (lambda: export.list("no"), errno.ENOENT),
        (lambda: export.list("file"), errno.ENOTDIR),
        (lambda: export.size("full"), errno.EISDIR),
        (lambda: export.delete("full"), errno.EISDIR),
        (lambda: export.delete("no"), errno.ENOENT),
        (lambda: export.delete("*"), errno.ENOENT),
        (lambda: export.delete_directory("full"), errno.ENOTEMPTY),
        (lambda: export.rename("no", "new"), errno.ENOENT),
    ):
        with pytest.raises(OSError) as caught:  # noqa: PT011  the errno is what is asked below
            call()
        assert caught.value.errno == number
    assert export.inventory() == ("file 1 bytes",)


LEAVING = ["..", "../outside/secret", "a/../../outside/secret", "/etc/passwd", "a\0b", "a\\b", "a/.."]


@pytest.mark.parametrize("path", LEAVING)
def test_a_path_that_could_leave_the_tree_is_refused_everywhere(export: NfsExport, path: str) -> None:
    write(export, "inside", b"1")
    for call in (
        lambda: export.make_directories(path),
        lambda: export.create(path),
        lambda: export.open(path),
        lambda: export.rename(path, "stolen"),
        lambda: export.rename("inside", path),
        lambda: export.delete(path),
        lambda: export.delete_directory(path),
        lambda: export.list(path),
        lambda: export.size(path),
        lambda: export.read(path),
    ):
        with pytest.raises(PermissionError):
            call()
    assert export.inventory() == ("inside 1 bytes",)


def test_a_link_is_never_followed(export: NfsExport) -> None:
    outside = export.root.parent / "outside"
    (export.root / "door").symlink_to(outside)
    (export.root / "window").symlink_to(outside / "secret")
    for call in (
        lambda: export.list("door"),
        lambda: export.open("door/secret"),
        lambda: export.create("door/new"),
        lambda: export.make_directories("door/new"),
        lambda: export.delete("door/secret"),
        lambda: export.rename("door/secret", "mine"),
        lambda: export.open("window"),
        lambda: export.size("window"),
    ):
        with pytest.raises(OSError, match="link") as caught:
            call()
        assert caught.value.errno == errno.ELOOP
    with pytest.raises(FileExistsError):
        export.create("window")
    assert (outside / "secret").read_bytes() == b"secret"
    assert children(outside) == ["secret"]


names = st.sampled_from(["a", "b", "..", ".", "", "door", "c"])


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(names, max_size=5).map("/".join), st.lists(names, max_size=5).map("/".join))
def test_no_path_of_any_shape_touches_the_outside(export: NfsExport, path: str, target: str) -> None:
    outside = export.root.parent / "outside"
    if not (export.root / "door").is_symlink():
        (export.root / "door").symlink_to(outside)
    acts: list[Callable[[], object]] = [
        lambda: export.make_directories(path),
        lambda: write(export, path, b"1"),
        lambda: export.rename(path, target),
        lambda: export.delete(target),
    ]
    for call in acts:
        try:
            call()
        except OSError:
            continue
    assert children(export.root.parent) == ["export", "outside"]
    assert children(outside) == ["secret"]


def test_a_full_export_says_so_and_deleting_makes_room(export: NfsExport) -> None:
    write(export, "first", b"x" * 600)
    file = export.create("second")
    file.write(b"x" * 400)
    with pytest.raises(OSError, match="No space left") as caught:
        file.write(b"x")
    assert caught.value.errno == errno.ENOSPC
    export.delete("first")
    file.write(b"x")
    file.close()
    assert export.inventory() == ("second 401 bytes",)


def test_a_server_can_turn_read_only_and_its_handles_stale(export: NfsExport) -> None:
    write(export, "file", b"1")
    reading, writing = export.open("file"), export.create("growing")
    acts: dict[str, Callable[[], object]] = {
        "create": lambda: export.create("new"),
        "write": lambda: writing.write(b"1"),
        "rename": lambda: export.rename("file", "new"),
        "delete": lambda: export.delete("file"),
        "make": lambda: export.make_directories("new"),
        "read": lambda: reading.read_at(0, 1),
        "open": lambda: export.open("file").close(),
        "list": lambda: export.list(""),
        "size": lambda: export.size("file"),
    }
    export.condition = Condition.READ_ONLY
    refused = {name: number for name, act in acts.items() if (number := errno_of(act))}
    assert refused == dict.fromkeys(("create", "write", "rename", "delete", "make"), errno.EROFS)
    export.condition = Condition.STALE
    assert {errno_of(act) for act in acts.values()} == {errno.ESTALE}
    assert errno_of(writing.close) == errno.ESTALE
    reading.close()
    export.condition = Condition.HEALTHY
    assert export.inventory() == ("file 1 bytes", "growing 0 bytes")


def errno_of(act: Callable[[], object]) -> int:
    try:
        act()
    except OSError as error:
        return error.errno or -1
    return 0


def test_every_call_can_be_refused_by_errno(export: NfsExport, journal: Journal) -> None:
    seam = Seam(journal)
    directory = export.through(seam)
    write(export, "file", b"1")
    before = export.inventory()
    calls: dict[str, Callable[[], object]] = {
        "make_directories": lambda: directory.make_directories("new"),
        "create": lambda: directory.create("new"),
        "open": lambda: directory.open("file"),
        "rename": lambda: directory.rename("file", "new"),
        "delete": lambda: directory.delete("file"),
        "delete_directory": lambda: directory.delete_directory("none"),
        "list": lambda: directory.list(""),
        "size": lambda: directory.size("file"),
    }
    for method, call in calls.items():
        for name in ("", "ESTALE", "EROFS"):
            seam.arm_next(f"nfs.{method}", fault_named(f"refused:{name}"))
            with pytest.raises(OSError) as caught:  # noqa: PT011  the errno is what is asked below
                call()
            assert errno.errorcode[caught.value.errno or 0] == (name or "EIO")
    assert (export.inventory(), seam.unspent()) == (before, ())
    seam.arm_next("nfs.list", fault_named("refused:ETOOBIG"))
    with pytest.raises(ValueError, match="This NFS server has no error 'ETOOBIG'; the nearest are EIO"):
        directory.list("")


def test_a_close_that_is_refused_loses_the_bytes(export: NfsExport, journal: Journal) -> None:
    seam = Seam(journal)
    seam.arm_next("nfs.close", fault_named("refused:EDQUOT"))
    with pytest.raises(OSError, match="Disk quota"):
        write(export.through(seam), "file", b"x" * 10)
    assert export.inventory() == ("file 0 bytes",)
    assert "file closed" not in events(journal)


def test_a_close_whose_answer_is_lost_has_kept_the_bytes(export: NfsExport, journal: Journal) -> None:
    seam = Seam(journal)
    for fault, raised in (("lost_after", AnswerLostError), ("error_after", OSError), ("crash_after", CrashedError)):
        seam.arm_next("nfs.close", fault_named(fault))
        with pytest.raises(raised):
            write(export.through(seam), fault, b"x" * 10)
        assert export.read(fault) == b"x" * 10


def test_a_file_whose_opening_is_lost_is_not_left_open(export: NfsExport, journal: Journal) -> None:
    seam = Seam(journal)
    open_before = len(children(Path("/proc/self/fd")))
    opening: dict[str, Callable[[str], object]] = {
        "create": export.through(seam).create,
        "open": export.through(seam).open,
    }
    for method, call in opening.items():
        seam.arm_next(f"nfs.{method}", fault_named("lost_after"))
        with pytest.raises(AnswerLostError):
            call("file")
    assert len(children(Path("/proc/self/fd"))) == open_before
    assert export.inventory() == ("file 0 bytes",)


def test_exports_are_mounted_by_either_spelling(export: NfsExport) -> None:
    mounts: Mounts = ExportMounts({"nfs://10.0.0.5/export/secondary": export})
    for url in ("nfs://10.0.0.5/export/secondary/", "10.0.0.5:/export/secondary"):
        assert mounts.mount(url) is export
    with pytest.raises(FileNotFoundError, match=r"there are 10.0.0.5:/export/secondary"):
        mounts.mount("10.0.0.5:/export/other")


places = st.sampled_from(["a", "b", "d/a", "d/b"])
acts = st.one_of(
    st.tuples(st.just("create"), places, st.binary(max_size=20)),
    st.tuples(st.just("delete"), places, st.just(b"")),
    st.tuples(st.just("rename"), places, places),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(acts, max_size=25))
def test_the_export_holds_what_a_dictionary_would(done: list[tuple[str, str, bytes | str]]) -> None:
    with tempfile.TemporaryDirectory() as root:
        export = NfsExport(Path(root), journal=Journal(VirtualClock().time))
        export.make_directories("d")
        held: dict[str, bytes] = {}
        for act, path, argument in done:
            legal = (path in held) is not (act == "create")
            with contextlib.nullcontext() if legal else pytest.raises((FileExistsError, FileNotFoundError)):
                perform(export, act, path, argument)
            if legal:
                model(held, act, path, argument)
            assert export.inventory() == tuple(sorted(f"{at} {len(content)} bytes" for at, content in held.items()))
            assert all(export.read(at) == content for at, content in held.items())


def perform(export: NfsExport, act: str, path: str, argument: bytes | str) -> None:
    if isinstance(argument, str):
        export.rename(path, argument)
    elif act == "create":
        write(export, path, argument)
    else:
        export.delete(path)


def model(held: dict[str, bytes], act: str, path: str, argument: bytes | str) -> None:
    content = held.pop(path, b"")
    if isinstance(argument, str):
        held[argument] = content
    elif act == "create":
        held[path] = argument
