"""What a class of the API is to the simulator: where its objects are, which fields are read by a rule, which are kept.

The rules themselves are in records.py and records_of_hosts.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from snapproof.simulators.xenserver.datamodel import datamodel
from snapproof.simulators.xenserver.failures import XapiError
from snapproof.simulators.xenserver.parameters import given
from snapproof.simulators.xenserver.rows import Table
from snapproof.simulators.xenserver.shapes import natural
from snapproof.simulators.xenserver.state import State


def _unseen(_state: State, _row: Any) -> None:
    """Being looked at changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One class. A field without a rule holds what it was given, else what the datamodel says it begins with."""

    name: str
    fields: Mapping[str, Callable[[State, Any], object]] = field(default_factory=dict)
    puts: Mapping[str, Callable[[State, Any, Any], None]] = field(default_factory=dict)
    """Fields whose change means more than that."""
    look: Callable[[State, Any], None] = _unseen
    label: str = "name_label"

    def rows(self, state: State) -> Table[Any]:
        return state.tables[self.name]

    def field(self, state: State, row: Any, label: str) -> object:
        """Read one field."""
        if label in self.fields:
            return self.fields[label](state, row)
        return row.kept[label] if label in row.kept else self.first(label)

    def first(self, label: str) -> object:
        """What a field holds before anybody gives it a value."""
        entry = datamodel().classes[self.name].fields[label]
        return msgspec.json.decode(entry.default) if entry.default else natural(entry.type)

    def record(self, state: State, row: Any) -> dict[str, object]:
        """Read all fields."""
        return {label: self.field(state, row, label) for label in datamodel().classes[self.name].fields}

    def records(self, state: State) -> dict[str, dict[str, object]]:
        """Look at every object and read it."""
        for row in self.rows(state):
            self.look(state, row)
        return {row.ref: self.record(state, row) for row in self.rows(state)}

    def put(self, state: State, row: Any, label: str, value: object) -> None:
        """Change one field."""
        if label in self.puts:
            self.puts[label](state, row, value)
        elif label not in self.fields:
            row.kept[label] = value
        elif hasattr(row, label):
            setattr(row, label, value)
        else:  # what is read from the storage is not changed by saying so
            raise XapiError("NOT_IMPLEMENTED", f"{self.name}.set_{label}")
        state.record("field set", field=label, uuid=row.uuid)

    def constructed(self, state: State, fields: Mapping[str, object]) -> dict[str, object]:
        """Check what a create call gives, and keep it."""
        return given(state, self.name, fields)
