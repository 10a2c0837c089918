"""What the control API asks of each place of a world: its inventory, one thing by id, its times, its whole state.

A place that cannot do something yet says so: the base class refuses everything but the inventory.
"""

from collections.abc import Callable, Iterable, Mapping

from snapproof.simulators.clock import Transition


class NotYetError(Exception):
    """This place cannot do that yet; the message says what it can do instead."""


class Place:
    """A place of which only the inventory is known."""

    def __init__(self, inventory: Callable[[], Iterable[str]]) -> None:
        self._inventory = inventory

    def inventory(self) -> Iterable[str]:
        """Name everything that exists, in lines."""
        return self._inventory()

    def kinds(self) -> tuple[str, ...]:
        """The kinds of things that can be looked up by id."""
        return ()

    def find(self, kind: str, number: int) -> object:
        """Show one thing, as plain values and without secrets. Raises LookupError."""
        raise NotYetError(f"Things of kind {kind} cannot be looked up here yet, {number} or another; see /inventory.")

    def transitions(self) -> Mapping[str, Transition]:
        """How long each kind of change takes."""
        return {}

    def set_transition(self, change: str, transition: Transition) -> None:
        """Let a kind of change take that long from now on."""
        raise NotYetError(f"Nothing takes time here that could be set; {change} cannot become {transition}.")

    def dump(self, *, contents: bool) -> Mapping[str, object]:
        """Write down the whole state; without `contents`, what disks hold is told by its digest only."""
        raise NotYetError(f"The state of this place cannot be dumped yet, with contents ({contents}) or without.")

    def load(self, dumped: bytes) -> str:
        """Take over a state that `dump` wrote with contents; answer its digest. Raises ValueError."""
        raise NotYetError(f"No state can be loaded into this place yet; these {len(dumped)} bytes were not looked at.")
