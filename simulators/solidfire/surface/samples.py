"""Answers made of nothing but the tables: of the right shape, meaning nothing, for methods that have no rule.

All members of the result, of the objects in them the required ones only. Numbers are 0 and strings empty, lists too.
"""

from collections.abc import Mapping
from typing import Any

from snapproof.simulators.solidfire.surface.pages import Members, surface
from snapproof.simulators.solidfire.surface.shapes import Many, Shape, shape

NOBODY = "00000000-0000-0000-0000-000000000000"
NEVER = "1970-01-01T00:00:00Z"
"""Clients that parse times refuse an empty string."""

_PLAIN: Mapping[str, Any] = {
    "integer": 0,
    "number": 0,  # clients that expect whole numbers refuse 0.0
    "string": "",
    "time": NEVER,
    "boolean": False,
    "uuid": NOBODY,
    "name_or_id": "",
}


def sample(members: Members) -> Mapping[str, Any]:
    """Make up a result with all of these members."""
    return {name: _one(shape(text)) for name, text in members.items()}


def _one(looks: Shape) -> Any:
    if looks.many is Many.LIST:
        return []
    if looks.many is Many.MAP or looks.word == "object":
        return {}
    if looks.word in _PLAIN:
        return _PLAIN[looks.word]
    tables = surface()
    if looks.word in tables.enumerations:
        return tables.enumerations[looks.word][0]
    inner = {name: shape(text) for name, text in tables.types[looks.word].items()}
    return {name: _one(found) for name, found in inner.items() if not found.optional}
