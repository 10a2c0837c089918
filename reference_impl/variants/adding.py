"""Variants that do what is deliberately left out. The table of all is zoo.toml."""

import struct
from dataclasses import replace
from typing import Any

from snapproof.reference_impl.adapters.element import ElementArray
from snapproof.reference_impl.adapters.element_answers import Result
from snapproof.reference_impl.adapters.nfs import NfsStore
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.ports import Image, Ports

_DIFFERENCING = 4
_TYPE_AT, _FOOTER_SUM_AT, _HEADER_SUM_AT, _PARENT_AT = 60, 64, 36, 40


class _ChainsBackups(NfsStore):
    def publish(self, staged: str, image: Image) -> None:
        """Let each backup but the first of a volume name the one before as its parent."""
        super().publish(staged, image)
        folder, _, name = image.path.rpartition("/")
        if [entry for entry in self.directory.list(folder) if entry.endswith(".vhd") and entry != name]:
            self._make_child(image.path)

    def _make_child(self, path: str) -> None:
        with self.opened(path) as file:
            text = bytearray(file.read_at(0, file.size_bytes))
        for start in (0, len(text) - 512):
            struct.pack_into(">I", text, start + _TYPE_AT, _DIFFERENCING)
            _sum(text, start, 512, _FOOTER_SUM_AT)
        text[512 + _PARENT_AT : 512 + _PARENT_AT + 16] = bytes(range(16))
        _sum(text, 512, 1024, _HEADER_SUM_AT)
        self.directory.delete(path)
        file_again = self.directory.create(path)
        file_again.write(text)
        file_again.close()


def _sum(text: bytearray, start: int, length: int, at: int) -> None:
    struct.pack_into(">I", text, start + at, 0)
    struct.pack_into(">I", text, start + at, ~sum(text[start : start + length]) & 0xFFFFFFFF)


class KeepsDifferences(ReferenceDriver):
    """Breaks R-035: a second backup of a volume is one of differences, which is nothing without the first."""

    def ports(self) -> Ports:
        """Chain what is published."""
        ports = super().ports()
        return ports if self.site.bucket else replace(ports, store=_ChainsBackups(self.site.export))


class _LetsSnapshotsEnd(ElementArray):
    def _call(self, method: str, **params: Any) -> Result:
        return super()._call(method, **params, **({"retention": "72:00:00"} if method == "CreateSnapshot" else {}))


class LetsTheArrayCleanUp(ReferenceDriver):
    """Breaks R-036: array snapshots end by themselves after three days, whatever anybody was promised."""

    def ports(self) -> Ports:
        """Ask the array for more."""
        array = _LetsSnapshotsEnd(self.site.array, group=self.site.hosts_group)
        return replace(super().ports(), array=array)
