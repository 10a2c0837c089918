"""`results.ndjson`: appended and flushed record by record, so that a run that dies has lost nothing.

What a record means is not known here.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from snapproof.report.records import Record

LEDGER_NAME = "results.ndjson"


class Ledger:
    """The file while it is written."""

    __slots__ = ("_encoder", "_file")

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = (folder / LEDGER_NAME).open("wb")
        self._encoder = msgspec.json.Encoder()

    def append(self, record: Record) -> None:
        """Write one record; it is with the operating system when this returns."""
        self._file.write(self._encoder.encode(record) + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class LedgerReader:
    """The file as far as it is written. Each call of `fresh` gives the records that have come since the last."""

    __slots__ = ("_decoder", "_offset", "_path")

    def __init__(self, folder: Path) -> None:
        self._path = folder / LEDGER_NAME
        self._offset = 0
        self._decoder = msgspec.json.Decoder(Record)

    def fresh(self) -> Iterator[Record]:
        """Give the whole lines that have come; a line that is being written, or was torn, is left."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                yield self._decoder.decode(line)


def read_ledger(folder: Path) -> tuple[Record, ...]:
    """Read all records of a run, finished or not."""
    return tuple(LedgerReader(folder).fresh())
