"""Answers about another object than the one that was asked for, as a confused cluster or proxy gives them.

Rows of volumes, snapshots and accounts become rows of others that exist; ids on their own become theirs. Other lies
are those of any service (misleading.py).
"""

from typing import Any

import msgspec

from snapproof.simulators.misleading import JSON_LIES, known_lie, misled
from snapproof.simulators.serving import Answer
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.calls import call
from snapproof.simulators.solidfire.shown import shown

OF_ANOTHER = "answer-of-another"
_KINDS = {"snapshotID": "snapshotUUID", "volumeID": "iqn", "accountID": "username"}
"""Ids by which an object is asked for, each with the member that makes a row one of its kind."""
_LISTS = {
    "volumeID": ("ListVolumes", "volumes"),
    "snapshotID": ("ListSnapshots", "snapshots"),
    "accountID": ("ListAccounts", "accounts"),
}  # fmt: skip


def check_lie(_method: str, name: str) -> None:
    """Raise UnfitFaultError for a lie that an array does not tell."""
    known_lie(name, {*JSON_LIES, OF_ANOTHER}, "An array")


def lied(array: Array, name: str, answer: Answer, *, host: str) -> Answer:
    """Give a false answer in place of the true one. The call has been performed."""
    if name != OF_ANOTHER:
        return misled(name, answer, JSON_LIES, host=host)
    status, headers, body = answer
    envelope = msgspec.json.decode(body)
    with array.lock:
        envelope["result"] = _Others(array).instead_of(envelope.get("result", {}))
    return status, headers, msgspec.json.encode(envelope, enc_hook=shown)


class _Others:
    """The rows that stand in for those of an answer."""

    def __init__(self, array: Array) -> None:
        self._rows: dict[str, list[dict[str, Any]]] = {
            member: msgspec.json.decode(msgspec.json.encode(call(array, method)[name], enc_hook=shown))
            for member, (method, name) in _LISTS.items()
        }

    def instead_of(self, value: Any) -> Any:
        """Replace what names an object by what names another one of its kind, wherever it stands."""
        if isinstance(value, list):
            return [self.instead_of(part) for part in value]
        if not isinstance(value, dict):
            return value
        for member, own in _KINDS.items():
            if member in value and own in value:
                return self._another(member, value[member])
        return {name: self._other_id(name, part) for name, part in value.items()}

    def _other_id(self, name: str, part: Any) -> Any:
        if name in self._rows and isinstance(part, int):
            return self._another(name, part)[name]
        return self.instead_of(part)

    def _another(self, member: str, number: int) -> dict[str, Any]:
        others = [row for row in self._rows[member] if row[member] != number]
        return others[0] if others else {member: number + 1_000}
