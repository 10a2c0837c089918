"""The secondary store port on an NFS export: backups are files, and appear under their path by one rename.

The part that every store shares is here too, since hosts can write to exports alone: staging directories and reading an
image through. What the server's error numbers mean for a call is said in one table.
"""

import errno
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress

from snapproof.digests import digest_of, read_through
from snapproof.reference_impl.core.image import FOOTER_BYTES, HEADER_BYTES, BrokenImageError, check_image
from snapproof.reference_impl.ports import (
    CallError,
    FullError,
    GoneError,
    Image,
    RefusedError,
    TransientError,
    UnknownOutcomeError,
)
from snapproof.site import Directory, ReadableFile

MEANINGS: Mapping[int, type[CallError]] = {
    errno.ENOSPC: FullError,
    errno.EDQUOT: FullError,
    errno.ESTALE: TransientError,
    errno.EAGAIN: TransientError,
    errno.EBUSY: TransientError,
    errno.EIO: UnknownOutcomeError,
    errno.ETIMEDOUT: UnknownOutcomeError,
    errno.ECONNRESET: UnknownOutcomeError,
}
"""Error numbers that mean something else than a final no."""

PIECE_BYTES = 4 * 2**20
"""How much of a file is held in memory while it is copied."""


@contextmanager
def speaking_of(path: str) -> Iterator[None]:
    """Translate the server's errors, naming the path. A file that is missing is a GoneError."""
    try:
        yield
    except FileNotFoundError as error:
        raise GoneError(f"The export has no {path}.") from error
    except ConnectionError as error:
        raise UnknownOutcomeError(f"The export did not answer about {path}.") from error
    except OSError as error:
        kind = MEANINGS.get(error.errno or 0, RefusedError)
        raise kind(f"The export refused {path}: {errno.errorcode.get(error.errno or 0, error)}.") from error


class Staging:
    """The export as every store uses it: hosts write images there, and read them from there."""

    key_id = ""
    """An export encrypts nothing that it could name a key of."""
    stages_backups = False

    def __init__(self, directory: Directory) -> None:
        self.directory = directory

    def inspect(self, staged: str, *, size_bytes: int) -> Image:
        """Read a staged image through. Raises RefusedError where it is broken."""
        try:
            with self.opened(staged) as file:
                start = file.read_at(0, FOOTER_BYTES + HEADER_BYTES)
                end = file.read_at(max(0, file.size_bytes - FOOTER_BYTES), FOOTER_BYTES)
                check_image(start, end, path=staged, size_bytes=size_bytes)
                digest, manifest = read_through(file)
                return Image(path=staged, physical_size_bytes=file.size_bytes, digest=digest, manifest=manifest)
        except BrokenImageError as error:
            raise RefusedError(str(error)) from error

    def write_staged(self, image: Image, staging: str, pieces: Iterable[bytes]) -> str:
        """Write what a backup is said to consist of into a staging directory, and check what has arrived there."""
        staged = f"{staging}/{image.path.rpartition('/')[2]}"
        with speaking_of(staged):
            self.directory.make_directories(staging)
            file = self.directory.create(staged)
            try:
                for piece in pieces:
                    file.write(piece)
            finally:
                file.close()
        with self.opened(staged) as written:
            digest = digest_of(written)
        if digest != image.digest:
            raise RefusedError(f"The backup {image.path} is not what was written; it is not restored.")
        return staged

    def clear_staging(self, staging: str) -> None:
        """Remove the directory and the files in it; hosts put no directories there."""
        with suppress(GoneError), speaking_of(staging):
            for name in self.directory.list(staging):
                self.forget_file(f"{staging}/{name}")
            self.directory.delete_directory(staging)
        self.prune(staging)

    def probe(self, path: str, text: bytes) -> None:
        """Create, read, delete. One that an earlier probe left is replaced."""
        self.forget_file(path)
        try:
            with speaking_of(path):
                file = self.directory.create(path)
                try:
                    file.write(text)
                finally:
                    file.close()
            with self.opened(path) as written:
                if written.read_at(0, len(text) + 1) != text:
                    raise RefusedError(f"{path} does not read back as it was written.")
        finally:
            self.forget_file(path)

    def forget_file(self, path: str) -> None:
        """Delete a file; one that is gone is deleted."""
        with suppress(GoneError), speaking_of(path):
            self.directory.delete(path)

    def prune(self, path: str) -> None:
        """Remove the directories above `path` that are empty now, up to but not including the first component."""
        parent = path.rpartition("/")[0]
        while "/" in parent:
            try:
                self.directory.delete_directory(parent)
            except OSError:
                return
            parent = parent.rpartition("/")[0]

    @contextmanager
    def opened(self, path: str) -> Iterator[ReadableFile]:
        """Open a file for as long as the context lasts."""
        with speaking_of(path):
            file = self.directory.open(path)
            try:
                yield file
            finally:
                file.close()


class NfsStore(Staging):
    """Backups on the export itself."""

    def publish(self, staged: str, image: Image) -> None:
        """Rename, then read back."""
        with speaking_of(image.path):
            self.directory.rename(staged, image.path)
        if self.published(image.path) != image:
            raise UnknownOutcomeError(f"{image.path} does not read back as it was written.")

    def published(self, path: str) -> Image | None:
        """Read a backup through."""
        try:
            with self.opened(path) as file:
                return Image(path=path, physical_size_bytes=file.size_bytes, digest=digest_of(file))
        except GoneError:
            return None

    def reading(self, path: str) -> AbstractContextManager[ReadableFile]:
        """Open the file."""
        return self.opened(path)

    def fetch(self, image: Image, staging: str) -> str:
        """Check the backup; hosts can reach it where it is."""
        found = self.published(image.path)
        if found != image:
            raise RefusedError(f"The backup {image.path} is missing or is not what was written; it is not restored.")
        return image.path

    def stage(self, image: Image, staging: str) -> str:
        """Read the backup and write it again."""
        with self.opened(image.path) as file:
            pieces = (file.read_at(offset, PIECE_BYTES) for offset in range(0, file.size_bytes, PIECE_BYTES))
            return self.write_staged(image, staging, pieces)

    def drop_unfinished(self, path: str) -> None:
        """A rename leaves nothing half-way."""

    def delete(self, path: str) -> None:
        """Delete the file by its exact path, and the directories that it leaves empty."""
        self.forget_file(path)
        self.prune(path)
