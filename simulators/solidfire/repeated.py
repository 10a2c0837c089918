"""Finding a member that a JSON body names twice: parsers keep one of the two in silence, and not all keep the same.

What a body means is not looked at here; it has been parsed already.
"""

import json
import re
from typing import Any

_NAME = re.compile(rb'"\s*:')
_NESTED = (dict, list)


def repeats_a_member(body: bytes, *, members: int, value: Any) -> bool:
    """Say whether an object in the body has two members of one name.

    `members` are those that were read of the outermost object, `value` is what they hold. Every member's name is
    followed by a colon: as many colons as members leave nothing to find; where there are more, the body is read again.
    """
    expected = members + _members(value)
    if body.count(b":") == expected or len(_NAME.findall(body)) == expected:  # no colon in a string: usual, and cheap
        return False
    try:
        json.loads(body, object_pairs_hook=_unrepeated)
    except _RepeatedError:
        return True
    return False


class _RepeatedError(Exception):
    """An object has two members of one name."""


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RepeatedError
    return found


def _members(value: Any) -> int:
    count, parts = 0, value
    if type(value) is dict:
        count, parts = len(value), value.values()
    elif type(value) is not list:
        return 0
    for part in parts:
        if type(part) in _NESTED:
            count += _members(part)
    return count
