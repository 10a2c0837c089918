"""A cluster of an older release, imitated: it serves fewer versions, and its answers hold what nobody expects of them.

What its answers may lack, by the tables, they lack; in each object there is a member that no table knows. A client that
works with such a cluster leans on nothing but what every version promises.
"""

from functools import cache
from typing import Any

import msgspec

from snapproof.simulators.serving import Answer
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.surface.pages import surface
from snapproof.simulators.solidfire.surface.shapes import EVER, Version, shape

STRANGE = "memberOfAnotherRelease"
ALWAYS = frozenset({"iqn"})
"""What the tables call optional because volumes without iSCSI lack it; every other volume has it."""


def serves(array: Array, version: Version) -> bool:
    """Say whether the cluster answers at this version."""
    return array.newest_api is None or version <= array.newest_api


def aged(array: Array, answer: Answer) -> Answer:
    """Give the answer as a cluster of another release would, where one is imitated."""
    status, headers, body = answer
    if array.newest_api is None or status != 200:
        return answer
    envelope = msgspec.json.decode(body)
    if "result" not in envelope:
        return answer
    envelope["result"] = _without(envelope["result"], array.newest_api)
    return status, headers, msgspec.json.encode(envelope)


def _without(value: Any, newest: Version) -> Any:
    if isinstance(value, list):
        return [_without(each, newest) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {name: part for name, part in value.items() if name not in lacking(newest)}
    return {STRANGE: {"since": "another release"}, **{name: _without(part, newest) for name, part in kept.items()}}


@cache
def lacking(newest: Version) -> frozenset[str]:
    """Name the members that answers may lack at a version: optional wherever they stand, or newer."""
    shapes = [(name, shape(text)) for members in surface().types.values() for name, text in members.items()]
    shapes += [(name, shape(text)) for entry in surface().methods.values() for name, text in entry.gives.items()]
    promised = {name for name, each in shapes if not each.optional and each.since <= max(newest, EVER)}
    return frozenset(name for name, _ in shapes) - promised - ALWAYS
