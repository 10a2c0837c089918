"""The workbench: what performing an effect needs. How effects are performed is in performing.py and copying.py."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from snapproof.reference_impl.core.orders import Order
from snapproof.reference_impl.ports import Ports
from snapproof.reference_impl.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """What performing an effect needs: the ports, and the bounds of waiting that are in force."""

    ports: Ports
    live: Callable[[], Settings]

    def at(self, order: Order) -> "Workbench":
        """The bench for an order, at its storage pool, its image store and its hosts."""
        return replace(self, ports=self.ports.at(order.pool, order.image_store, order.cluster))

    @property
    def settings(self) -> Settings:
        """Those of this moment."""
        return self.live()
