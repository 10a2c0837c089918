"""SRs in directories: one dynamic VHD file for each VDI, `<uuid>.vhd`, below an export that the host has mounted.

How a VHD is laid out is vhd.py's; which exports are mounted is plugins.py's.
"""

import errno
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from uuid import UUID

from snapproof.simulators.xenserver.attachments import CopySteps, Fork, FoundVdi, Source
from snapproof.simulators.xenserver.failures import Backend, XapiError, backend
from snapproof.simulators.xenserver.vhd import VhdError, file_bytes, read_dynamic, write_dynamic
from snapproof.site import Directory

SUFFIX = ".vhd"


class FolderAttachment:
    """The SR in a directory, attached to one host. `local` is where the host sees the directory."""

    def __init__(self, directory: Directory, path: str, *, local: str) -> None:
        try:
            directory.list(path)
        except OSError as error:
            raise backend(
                Backend.UNAVAILABLE, f"no directory {local}: {errno.errorcode.get(error.errno or 0, 'error')}"
            ) from error
        self.local = local
        self._directory = directory
        self._path = path

    def found(self) -> list[FoundVdi]:
        """What is no VHD, or not named by a uuid, is no VDI: a half-written file of a dead host for one."""
        names = [name for name in self._directory.list(self._path) if name.endswith(SUFFIX)]
        found = (self._find(name.removesuffix(SUFFIX)) for name in names)
        return [vdi for vdi in found if vdi]

    def capacity(self) -> tuple[int, int]:
        return -1, sum(self.utilisation(vdi.uuid) for vdi in self.found())

    def utilisation(self, uuid: str) -> int:
        return self._directory.size(self._file(uuid))

    def create(self, vdi: FoundVdi, *, time_s: float) -> None:
        empty = _Zeros(vdi.size_bytes)
        self.planned_bytes(empty)  # raises before a file is there
        for _ in self.receive(vdi, empty, time_s=time_s):
            pass

    def rename(self, uuid: str, label: str) -> None:
        """A VHD holds no label: it lives in the pool's records only."""

    def delete(self, uuid: str) -> None:
        with suppress(FileNotFoundError):
            self._directory.delete(self._file(uuid))

    @contextmanager
    def _open(self, uuid: str) -> Iterator[Source]:
        file = self._directory.open(self._file(uuid))
        try:
            with _vhd_errors():
                yield read_dynamic(file)
        finally:
            file.close()

    def source(self, uuid: str) -> AbstractContextManager[Source]:
        return self._open(uuid)

    def receive(self, vdi: FoundVdi, source: Source, *, time_s: float) -> CopySteps:
        sink = self._directory.create(self._file(vdi.uuid))
        try:
            with _vhd_errors():
                yield from write_dynamic(source, sink, uuid=UUID(vdi.uuid), time_s=time_s)
        finally:
            sink.close()

    def planned_bytes(self, source: Source) -> int:
        with _vhd_errors():
            return file_bytes(source)

    def overwrite(self, uuid: str, source: Source) -> CopySteps:
        raise XapiError("SR_OPERATION_NOT_SUPPORTED", f"A VHD file is written in one stream, {uuid} cannot be refilled")

    def grow(self, uuid: str, size_bytes: int) -> None:
        raise XapiError("SR_OPERATION_NOT_SUPPORTED", f"resize of VDI {uuid} to {size_bytes}")

    def fork(self, uuid: str, wanted: Fork) -> None:
        raise XapiError("SR_OPERATION_NOT_SUPPORTED", f"A file SR holds whole backups here, {uuid} gets no child")

    def coalesce(self) -> bool:
        return False

    def _file(self, uuid: str) -> str:
        return f"{self._path}/{uuid}{SUFFIX}".lstrip("/")

    def _find(self, uuid: str) -> FoundVdi | None:
        try:
            known = str(UUID(uuid)) == uuid
        except ValueError:
            return None
        if not known:
            return None
        try:
            with self._open(uuid) as image:
                return FoundVdi(uuid=uuid, label="", size_bytes=image.size_bytes)
        except XapiError:
            return None


def make_folder(directory: Directory, path: str, *, local: str) -> None:
    """Make the directory of a new SR; one that is there must be empty."""
    try:
        taken = directory.list(path)
    except FileNotFoundError:
        taken = []
    except OSError as error:
        raise backend(Backend.FILE_CREATE, f"{local}: {errno.errorcode.get(error.errno or 0, 'error')}") from error
    if taken:
        raise backend(Backend.EXISTS, f"{local} is not empty")
    try:
        directory.make_directories(path)
    except OSError as error:
        raise backend(Backend.FILE_CREATE, f"{local}: {errno.errorcode.get(error.errno or 0, 'error')}") from error


@contextmanager
def _vhd_errors() -> Iterator[None]:
    """A damaged file, or a disk that fits no VHD, is an I/O error to xapi."""
    try:
        yield
    except VhdError as error:
        raise XapiError("VDI_IO_ERROR", str(error)) from error


class _Zeros:
    """The content of a new VDI."""

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes

    def read(self, offset: int, length: int) -> bytes:
        return bytes(length)

    def extents(self) -> Iterator[tuple[int, int]]:
        return iter(())
