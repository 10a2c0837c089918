"""Troubles that a test orders: commands to a LUN that end with sense data instead of being performed."""

import threading
from dataclasses import dataclass, replace

from snapproof.simulators.iscsi.sense import Sense


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Which commands fail, how, and how often. An empty target is every target, no opcode every command."""

    sense: Sense
    target: str = ""
    lun: int = 0
    opcode: int | None = None
    times: int = 1
    skip: int = 0

    def meets(self, target: str, lun: int, opcode: int) -> bool:
        return self.target in {"", target} and self.lun == lun and self.opcode in {None, opcode}


class Injections:
    """The orders that wait. They may come from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: tuple[Order, ...] = ()

    def arm(self, order: Order) -> None:
        """Let commands fail from now on. Raises ValueError for a count that makes no sense."""
        if order.times < 1 or order.skip < 0:
            raise ValueError("A trouble happens at least once, after letting no fewer than 0 commands pass.")
        with self._lock:
            self._orders += (replace(order, target=order.target.lower()),)

    def disarm(self) -> None:
        """Forget everything that has not happened."""
        with self._lock:
            self._orders = ()

    def unspent(self) -> tuple[Order, ...]:
        """What has not happened yet; a test with any proves nothing."""
        return self._orders

    def strike(self, target: str, lun: int, opcode: int) -> Sense | None:
        """Say how this command fails, if it does, and count it."""
        if not self._orders:
            return None
        with self._lock:
            for place, order in enumerate(self._orders):
                if order.meets(target, lun, opcode):
                    return self._spend(place, order)
        return None

    def _spend(self, place: int, order: Order) -> Sense | None:
        left = replace(order, skip=order.skip - 1) if order.skip else replace(order, times=order.times - 1)
        self._orders = (*self._orders[:place], *([left] if left.times else []), *self._orders[place + 1 :])
        return None if order.skip else order.sense
