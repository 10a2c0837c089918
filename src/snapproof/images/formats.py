"""The formats of image files, by the name that the user declares: how each is opened and how each is written.

A file is never asked what it is: a guest may have written the first bytes of a raw disk, and with them a lie.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from snapproof.images.disk import ImageError, Progress, ReadableDisk, WithoutZeros, filled, pieces
from snapproof.images.files import InputFile, OutputFile
from snapproof.images.qcow2 import open_qcow2, write_qcow2
from snapproof.simulators.xenserver.vhd import VhdError, file_bytes, read_dynamic, write_dynamic

SECTOR_BYTES = 512


class NamedImageError(ImageError):
    """An ImageError that names its file already."""


class ImageFormat(StrEnum):
    """A format, as it is declared."""

    RAW = "raw"
    VHD = "vhd"
    QCOW2 = "qcow2"

    @property
    def qemu_name(self) -> str:
        """What qemu-img calls it."""
        return "vpc" if self is ImageFormat.VHD else str(self)


def format_named(name: str) -> ImageFormat:
    """Read `raw`, `vhd` or `qcow2`, and `vpc` as qemu says. Raises ValueError with the names there are."""
    if name == "vpc":
        return ImageFormat.VHD
    if name not in set(ImageFormat):
        raise ValueError(f"No format of images is called {name!r}; there are {', '.join(ImageFormat)}.")
    return ImageFormat(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What is written into an image besides the disk: VHDs are dated and have an identity."""

    uuid: UUID
    time_s: float


class RawImage:
    """A raw file: its bytes are the disk, its holes are zeros."""

    def __init__(self, file: InputFile) -> None:
        self._file = file

    @property
    def size_bytes(self) -> int:
        return self._file.size_bytes

    def read(self, offset: int, length: int) -> bytes:
        """Read `length` bytes. Raises ValueError for a range outside the file, ImageError for a file that shrank."""
        if offset < 0 or length < 0 or offset + length > self.size_bytes:
            raise ValueError(f"Bytes {offset} to {offset + length} do not lie within {self.size_bytes} bytes.")
        content = self._file.read_at(offset, length)
        if len(content) != length:
            raise ImageError(f"The file ends at byte {offset + len(content)}: it has shrunk.")
        return content

    def extents(self) -> Iterator[tuple[int, int]]:
        """Yield what is no hole."""
        return self._file.written()


class _Opened:
    """An image whose later errors name its file too."""

    def __init__(self, disk: ReadableDisk, path: Path, form: ImageFormat) -> None:
        self._disk = disk
        self._path = path
        self._form = form

    @property
    def size_bytes(self) -> int:
        return self._disk.size_bytes

    def read(self, offset: int, length: int) -> bytes:
        with _naming(self._path, self._form):
            return self._disk.read(offset, length)

    def extents(self) -> Iterator[tuple[int, int]]:
        with _naming(self._path, self._form):
            yield from self._disk.extents()


@contextmanager
def open_image(path: Path, form: ImageFormat) -> Iterator[ReadableDisk]:
    """Open an image of the declared format. Raises ImageError, naming the file, for anything else, and OSError."""
    file = InputFile(path)
    try:
        with _naming(path, form):
            disk = _OPENERS[form](file)
        yield _Opened(disk, path, form)
    finally:
        file.close()


def write_image(source: ReadableDisk, path: Path, form: ImageFormat, label: Label) -> Iterator[Progress]:
    """Write an image that appears under its name when it is whole, holes left out. Raises ImageError and OSError."""
    total = sum(length for _, length in source.extents())
    file = OutputFile(path)
    try:
        with _naming(path, form):
            for done in _WRITERS[form](source, file, label):
                yield Progress(done_bytes=min(done, total), total_bytes=total)
    finally:
        file.discard()
    yield Progress(done_bytes=total, total_bytes=total)


def _open_raw(file: InputFile) -> ReadableDisk:
    if file.size_bytes == 0 or file.size_bytes % SECTOR_BYTES:
        raise ImageError(
            f"It has {file.size_bytes} bytes; a disk has one or more whole sectors of {SECTOR_BYTES} bytes."
        )
    return WithoutZeros(RawImage(file))


_OPENERS: Mapping[ImageFormat, Callable[[InputFile], ReadableDisk]] = {
    ImageFormat.RAW: _open_raw,
    ImageFormat.VHD: read_dynamic,
    ImageFormat.QCOW2: open_qcow2,
}


def _write_raw(source: ReadableDisk, file: OutputFile, _label: Label) -> Iterator[int]:
    done = 0
    for offset, piece in pieces(source):
        for start, end in filled(piece):
            file.skip_to(offset + start)
            file.write(memoryview(piece)[start:end])
        done += len(piece)
        yield done
    file.finish(source.size_bytes)


def _write_vhd(source: ReadableDisk, file: OutputFile, label: Label) -> Iterator[int]:
    total = file_bytes(source)
    yield from write_dynamic(source, file, uuid=label.uuid, time_s=label.time_s)
    file.finish(total)


def _write_qcow2(source: ReadableDisk, file: OutputFile, _label: Label) -> Iterator[int]:
    yield from write_qcow2(source, file)
    file.finish()


_WRITERS: Mapping[ImageFormat, Callable[[ReadableDisk, OutputFile, Label], Iterator[int]]] = {
    ImageFormat.RAW: _write_raw,
    ImageFormat.VHD: _write_vhd,
    ImageFormat.QCOW2: _write_qcow2,
}


@contextmanager
def _naming(path: Path, form: ImageFormat) -> Iterator[None]:
    """Say which file an error is about, and as what it was declared."""
    try:
        yield
    except NamedImageError:
        raise
    except (ImageError, VhdError) as error:
        raise NamedImageError(f"{path} cannot be taken as a {form} image: {error}") from error
