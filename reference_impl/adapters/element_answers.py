"""What an Element cluster answers, as far as it is used: rows by kind, and a result that is read with suspicion.

Members that nobody uses are ignored, whatever a version of the API tells besides; what is missing or of another type
makes an answer that cannot be read.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NoReturn, TypeVar

import msgspec

from snapproof.reference_impl.ports import UnknownOutcomeError

T = TypeVar("T")


class VolumeRow(msgspec.Struct, frozen=True):
    """What is used of a volume's row. Whatever else a version of the API tells is ignored."""

    volumeID: int  # noqa: N815  its spelling
    name: str
    iqn: str
    totalSize: int  # noqa: N815  its spelling
    status: str
    attributes: dict[str, Any] | None = None
    volumeAccessGroups: list[int] = []  # noqa: N815  its spelling
    createTime: datetime | None = None  # noqa: N815  its spelling


class SnapshotRow(msgspec.Struct, frozen=True):
    """What is used of a snapshot's row."""

    snapshotID: int  # noqa: N815  its spelling
    volumeID: int  # noqa: N815  its spelling
    name: str
    attributes: dict[str, Any] | None = None
    createTime: datetime | None = None  # noqa: N815  its spelling


class GroupRow(msgspec.Struct, frozen=True):
    """What is used of an access group's row."""

    volumeAccessGroupID: int  # noqa: N815  its spelling
    name: str
    volumes: list[int] = []
    initiators: list[str] = []


class CapacityRow(msgspec.Struct, frozen=True):
    """What is used of the cluster's capacity: the moment at which it was."""

    timestamp: datetime


class AccountRow(msgspec.Struct, frozen=True):
    """What is used of an account's row."""

    accountID: int  # noqa: N815  its spelling
    username: str


class CloneData(msgspec.Struct, frozen=True):
    """What is used of what a clone's handle tells."""

    volumeID: int | None = None  # noqa: N815  its spelling


class HandleRow(msgspec.Struct, frozen=True):
    """What is used of an asynchronous handle's row."""

    asyncResultID: int  # noqa: N815  its spelling
    data: CloneData = CloneData()


class Result(dict[str, Any]):
    """A result. A member that is missing, or is not what it should be, is an answer that cannot be read."""

    def __init__(self, method: str, members: Mapping[str, Any]) -> None:
        super().__init__(members)
        self._method = method

    def __missing__(self, name: str) -> NoReturn:
        raise UnknownOutcomeError(f"{self._method}: the array's answer cannot be read: {name} is missing.")

    def number(self, name: str) -> int:
        """A member that is a whole number."""
        return self._read(name, int)

    def row(self, name: str, kind: type[T]) -> T:
        """A member that is an object of this kind."""
        return self._read(name, kind)

    def rows(self, name: str, kind: type[T]) -> list[T]:
        """A member that is a list of objects of this kind."""
        return self._read(name, list[kind])  # type: ignore[valid-type]  # a type that is a value here

    def _read(self, name: str, kind: type[T]) -> T:
        try:
            return msgspec.convert(self[name], kind)
        except msgspec.ValidationError as error:
            raise UnknownOutcomeError(f"{self._method}: the array's answer cannot be read: {name}: {error}.") from error
