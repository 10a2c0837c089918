"""The mounted export: paths and links never lead out of it, files are whole, and every descriptor is given back."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapproof.reference_impl.adapters.mounted import MountedDirectory
from snapproof.site import Directory

DESCRIPTORS = Path("/proc/self/fd")
LINK = r"symbolic links|Not a directory|File exists"
ASTRAY = ("../x", "/etc/passwd", "a/../../x", "..", "a/..", "x\0y")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "export"
    root.mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("outside")
    return root


@pytest.fixture
def mounted(root: Path) -> Iterator[Directory]:
    """The export, all of whose descriptors are closed again in the end."""
    before = len(list(DESCRIPTORS.iterdir()))
    yield MountedDirectory(root)
    assert len(list(DESCRIPTORS.iterdir())) == before


def write(directory: Directory, path: str, *pieces: bytes) -> None:
    file = directory.create(path)
    for piece in pieces:
        file.write(piece)
    file.close()
    file.close()


def read(directory: Directory, path: str) -> bytes:
    file = directory.open(path)
    try:
        return file.read_at(0, file.size_bytes + 10)
    finally:
        file.close()
        file.close()


def test_what_was_written_is_read(mounted: Directory) -> None:
    mounted.make_directories("a/b")
    mounted.make_directories("a/b")
    write(mounted, "a/b/file", b"some", b"", b"thing")
    assert read(mounted, "a/b/file") == b"something"
    assert mounted.size("a/b/file") == len(b"something")
    assert mounted.list("") == ["a/"]
    mounted.rename("a/b/file", "a/moved")
    assert mounted.list("a") == ["b/", "moved"]
    mounted.delete("a/moved")
    mounted.delete_directory("a/b")
    assert mounted.list("a") == []


@given(st.lists(st.binary(max_size=50), max_size=5), st.integers(0, 300), st.integers(0, 300))
def test_any_part_of_a_file_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], offset: int, length: int
) -> None:
    directory = MountedDirectory(tmp_path_factory.mktemp("export"))
    write(directory, "x", *pieces)
    file = directory.open("x")
    assert file.read_at(offset, length) == b"".join(pieces)[offset : offset + length]
    file.close()


@pytest.mark.parametrize("path", ASTRAY)
def test_no_path_leads_out(mounted: Directory, path: str) -> None:
    write(mounted, "inside")
    for verb in (
        mounted.make_directories,
        mounted.create,
        mounted.open,
        mounted.delete,
        mounted.delete_directory,
        mounted.list,
        mounted.size,
        lambda astray: mounted.rename("inside", astray),
        lambda astray: mounted.rename(astray, "inside"),
    ):
        with pytest.raises(PermissionError):
            verb(path)
    assert mounted.list("") == ["inside"]


def test_no_link_is_followed(mounted: Directory, root: Path) -> None:
    (root / "folder").symlink_to(root.parent / "outside")
    (root / "file").symlink_to(root.parent / "outside" / "secret")
    (root / "nowhere").symlink_to(root.parent / "outside" / "new")
    for path in ("folder/secret", "folder", "file"):
        with pytest.raises(OSError, match=LINK) as refusal:
            read(mounted, path)
        assert refusal.value.errno in {errno.ELOOP, errno.ENOTDIR}
    for path in ("folder/new", "nowhere"):
        with pytest.raises(OSError, match=LINK):
            write(mounted, path, b"x")
    with pytest.raises(OSError, match=LINK):
        mounted.list("folder")
    with pytest.raises(OSError, match=LINK):
        mounted.make_directories("folder/new")
    with pytest.raises(OSError, match=LINK):
        mounted.delete("file")
    assert [path.name for path in (root.parent / "outside").iterdir()] == ["secret"]
    assert mounted.list("") == ["file", "folder", "nowhere"]


def test_a_file_is_created_once(mounted: Directory) -> None:
    write(mounted, "x", b"first")
    with pytest.raises(FileExistsError):
        mounted.create("x")
    assert read(mounted, "x") == b"first"


def test_what_is_no_file_is_not_read(mounted: Directory, root: Path) -> None:
    os.mkfifo(root / "pipe")
    (root / "folder").mkdir()
    for path in ("pipe", "folder"):
        with pytest.raises(OSError, match="is no plain file"):
            mounted.open(path)
    for path in ("", ".", "./."):
        with pytest.raises(IsADirectoryError):
            mounted.open(path)


def test_what_is_missing_or_full_keeps_its_number(mounted: Directory) -> None:
    mounted.make_directories("a/b")
    with pytest.raises(FileNotFoundError):
        mounted.open("a/c")
    with pytest.raises(FileNotFoundError):
        mounted.rename("a/c", "a/d")
    with pytest.raises(OSError, match="not empty") as refusal:
        mounted.delete_directory("a")
    assert refusal.value.errno == errno.ENOTEMPTY
