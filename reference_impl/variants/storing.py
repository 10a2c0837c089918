"""Variants that go wrong with files on secondary storage. Each class breaks one rule; the table of all is zoo.toml."""

import struct
from dataclasses import replace

from snapproof.digests import read_through
from snapproof.reference_impl.adapters.nfs import NfsStore, speaking_of
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.ports import Image, Ports

_FOOTER_BYTES = 512
_HEADER_BYTES = 1024
_DIFFERENCING = 4


class WildcardStore(NfsStore):
    """A store that deletes by a pattern around the name, as a shell would (hazard C15)."""

    def delete(self, path: str) -> None:
        """Delete everything beside the path that ends like it."""
        folder = path.rpartition("/")[0]
        with self.opened(path):
            names = self.directory.list(folder)
        for name in names:
            if name.endswith(".vhd"):
                self.forget_file(f"{folder}/{name}")


class DeletesByPattern(ReferenceDriver):
    """Breaks R-021: deleting one backup takes its siblings along."""

    def ports(self) -> Ports:
        """Delete by pattern where backups are files."""
        ports = super().ports()
        return (
            replace(ports, store=WildcardStore(ports.store.directory)) if isinstance(ports.store, NfsStore) else ports
        )


class OneShelfStore(NfsStore):
    """A store with one place for each volume, whatever the snapshot."""

    def publish(self, staged: str, image: Image) -> None:
        """Put the image where the last one is."""
        with speaking_of(image.path):
            self.directory.rename(staged, _shelf(image.path))

    def published(self, path: str) -> Image | None:
        """Take what is there for the one that is asked for."""
        found = super().published(_shelf(path))
        return None if found is None else replace(found, path=path)

    def delete(self, path: str) -> None:
        """Delete what is there."""
        super().delete(_shelf(path))


class ReplacesOlderBackups(ReferenceDriver):
    """Breaks R-005: a second backup takes the place of the first."""

    def ports(self) -> Ports:
        """Keep one shelf where backups are files."""
        ports = super().ports()
        return (
            replace(ports, store=OneShelfStore(ports.store.directory)) if isinstance(ports.store, NfsStore) else ports
        )


class ChainedStore(NfsStore):
    """A store whose images name a parent: a difference to something that nobody keeps."""

    def inspect(self, staged: str, *, size_bytes: int) -> Image:
        """Turn the staged image into a differencing one, then believe it."""
        super().inspect(staged, size_bytes=size_bytes)
        with self.opened(staged) as file:
            text = bytearray(file.read_at(0, file.size_bytes))
        struct.pack_into(">I", text, 60, _DIFFERENCING)
        _seal(text, 0, _FOOTER_BYTES, 64)
        text[_FOOTER_BYTES + 40 : _FOOTER_BYTES + 56] = bytes(range(1, 17))
        _seal(text, _FOOTER_BYTES, _HEADER_BYTES, 36)
        text[-_FOOTER_BYTES:] = text[:_FOOTER_BYTES]
        changed = self.directory.create(f"{staged}.chained")
        changed.write(bytes(text))
        changed.close()
        self.directory.rename(f"{staged}.chained", staged)
        with self.opened(staged) as file:
            digest, manifest = read_through(file)
            return Image(path=staged, physical_size_bytes=file.size_bytes, digest=digest, manifest=manifest)


class ChainsBackups(ReferenceDriver):
    """Breaks R-004: a backup is a difference and cannot be read alone."""

    def ports(self) -> Ports:
        """Chain where backups are files."""
        ports = super().ports()
        return replace(ports, store=ChainedStore(ports.store.directory)) if isinstance(ports.store, NfsStore) else ports


def _shelf(path: str) -> str:
    return f"{path.rpartition('/')[0]}/latest.vhd"


def _seal(text: bytearray, start: int, length: int, at: int) -> None:
    """Write the checksum of a header that was changed."""
    struct.pack_into(">I", text, start + at, 0)
    struct.pack_into(">I", text, start + at, ~sum(text[start : start + length]) & 0xFFFFFFFF)


class RoundingStore(NfsStore):
    """A store whose images hold one sector more than was on the disk, as whoever reckons in cylinders makes them."""

    def inspect(self, staged: str, *, size_bytes: int) -> Image:
        """Write the larger size into both footers, and expect it."""
        with self.opened(staged) as file:
            text = bytearray(file.read_at(0, file.size_bytes))
        (held,) = struct.unpack_from(">Q", text, 48)
        struct.pack_into(">Q", text, 48, held + _FOOTER_BYTES)
        _seal(text, 0, _FOOTER_BYTES, 64)
        text[-_FOOTER_BYTES:] = text[:_FOOTER_BYTES]
        self.directory.delete(staged)
        changed = self.directory.create(staged)
        changed.write(bytes(text))
        changed.close()
        return super().inspect(staged, size_bytes=held + _FOOTER_BYTES)


class RoundsSizesUp(ReferenceDriver):
    """Breaks R-004: a backup opens as a disk that is a little larger than the one it is of."""

    def ports(self) -> Ports:
        """Round where backups are files."""
        ports = super().ports()
        return ports if self.site.bucket else replace(ports, store=RoundingStore(self.site.export))
