"""Who may begin when: limits of the array and of hosts as lanes with so many places, taken in the order of asking.

Pure: who waits, and how, is admitting.py's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from snapproof.reference_impl.core.effects import CloneToLun, CopyDisk, CopyIn, CopyOut, Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much may be in flight at once: clones of one volume, clones of an array's node, copies on one host."""

    clones_per_volume: int
    clones_per_node: int
    copies_per_host: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Something with a limited number of places, as the clones of one volume."""

    kind: str
    of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """Somebody's wish to begin: the lanes that he needs a place in, with the places that each has."""

    number: int
    job: str
    lanes: Mapping[Lane, int]


def lanes_of(effect: Effect, *, pool: str, limits: Limits) -> Mapping[Lane, int]:
    """The lanes that an effect needs a place in, at a storage pool."""
    if isinstance(effect, CloneToLun):
        return {
            Lane(kind="clones of a volume", of=f"{pool} {effect.lun_id}"): limits.clones_per_volume,
            Lane(kind="clones of a node", of=pool): limits.clones_per_node,
        }
    if isinstance(effect, CopyOut | CopyIn | CopyDisk) and limits.copies_per_host is not None:
        return {Lane(kind="copies of a host", of="the host that works"): limits.copies_per_host}
    return {}


def may_enter(ticket: Ticket, *, entered: Sequence[Ticket], ahead: Sequence[Ticket]) -> bool:
    """Say whether there is a place in each lane for this ticket, and for all who asked before and wait still."""
    others = (*entered, *ahead)
    return all(sum(lane in other.lanes for other in others) < places for lane, places in ticket.lanes.items())
