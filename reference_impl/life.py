"""One life of the driver: catalog, ports and orchestrator put together, and how a request becomes an order.

Which orders a request draws up is in the files of the nouns.
"""

import logging
import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Concatenate, ParamSpec, TypeVar

from snapproof.driver import ConflictError, InvalidRequestError
from snapproof.reference_impl.adapters.trust import Trust
from snapproof.reference_impl.breaking import guarded
from snapproof.reference_impl.catalog.leases import Leases
from snapproof.reference_impl.catalog.store import Catalog, Session
from snapproof.reference_impl.configuring import Configuration
from snapproof.reference_impl.connecting import connect
from snapproof.reference_impl.core.admission import Limits
from snapproof.reference_impl.core.orders import (
    ArchiveSnapshot,
    AskedOrder,
    CreateTemplate,
    CreateVolume,
    DeleteSnapshot,
    DeleteTemplate,
    Order,
    RevertVolume,
    TakeSnapshot,
)
from snapproof.reference_impl.fencing import fenced
from snapproof.reference_impl.orchestrator import Orchestrator
from snapproof.reference_impl.pacing import Tempo
from snapproof.reference_impl.ports import CallError, Hypervisor, Ports
from snapproof.reference_impl.rules import Rules
from snapproof.reference_impl.settings import Settings
from snapproof.site import Site
from snapproof.vocabulary import AccountId, OperationId

LOG = logging.getLogger("snapproof.driver")

P = ParamSpec("P")
T = TypeVar("T")
OrderT = TypeVar("OrderT", bound=AskedOrder)

OF_SNAPSHOTS = (TakeSnapshot, ArchiveSnapshot, DeleteSnapshot, RevertVolume, CreateTemplate)
_NAMES = uuid.UUID("f2c3c1f0-6f0b-5b7e-8b0a-6a8f5f1f6f11")


class Life:
    """What every verb of the driver stands on."""

    def __init__(self, site: Site, settings: Settings | None = None) -> None:
        self._configuration = Configuration(settings or self.settings(), site)
        self.live = live = self._configuration.live
        url, terms = live().catalog_url_for(site.state_directory), live().terms
        self._catalog = Catalog(url, call_point=site.call_point, clock=site.clock, terms=terms)
        pools = {site.pool: site.capacity_bytes} | {pool.name: pool.capacity_bytes for pool in site.further_pools}
        self._pools = tuple(pools)
        self._image_stores = (site.image_store, *(store.name for store in site.further_stores))
        self._catalog.make_known(pools, self._image_stores)
        leases = Leases(self._catalog, terms)
        self._caller: AccountId | None = None
        if not live().certificates_verified:
            LOG.warning("certificates are not verified (security.certificates.verified): anybody can play the array")
        tempo = Tempo(site.clock, lambda: live().array_calls_per_second)
        self.site = fenced(site, leases.require, self._trust(), before_array=tempo.beat)
        ports = self.ports()
        self._ports = ports = replace(ports, store=guarded(ports.store, ports.clock, live))
        self._capable: tuple[str, ...] | None = None
        self._image_format = ports.hypervisor.image_format
        dice = random.Random(f"pauses of {site.seed}")
        self._orchestrator = Orchestrator(
            self._catalog, ports, leases=leases, settings=live, rules=self.rules(), limits=self.limits, dice=dice
        )

    def _trust(self) -> Trust:
        settings = self.live()
        return Trust(
            certificates_verified=settings.certificates_verified, link_local_allowed=settings.link_local_allowed
        )

    def settings(self) -> Settings:
        """The settings where nobody gives others, and no file in the state directory does."""
        return Settings()

    def ports(self) -> Ports:
        """The world; a variant of the zoo may wrap one of its ports."""
        return connect(self.site, self.live)

    def rules(self) -> Rules:
        """The tables; a variant of the zoo may replace an entry."""
        return Rules()

    def limits(self) -> Limits:
        """How much may be in flight at once."""
        settings = self.live()
        return Limits(
            clones_per_volume=settings.clones_per_volume,
            clones_per_node=settings.clones_per_node,
            copies_per_host=self.site.copies_per_host,
        )

    def _carry_out(
        self,
        operation: OperationId,
        kind: type[OrderT],
        draw_up: Callable[[Session], OrderT],
        *,
        same: Callable[[OrderT], bool],
    ) -> OrderT:
        """Run an order to its end. It is drawn up again in the opening transaction: what it rests on may have changed.

        An operation id that is known means the order which it stood for, and nothing else.
        """

        def drawn(session: Session) -> OrderT:
            return replace(draw_up(session), caller=self._caller)

        job = self._catalog.job(operation)
        order = self._read(drawn) if job is None else job.order
        if not isinstance(order, kind) or (job is not None and not same(order)):
            raise InvalidRequestError(f"Operation {operation} was another request; choose an id of its own for this.")

        def check(session: Session) -> None:
            if drawn(session) != order:
                raise ConflictError(f"What operation {operation} is about has changed meanwhile; ask again.")

        volume = None if isinstance(order, DeleteTemplate) else order.volume
        snapshot = order.snapshot if isinstance(order, OF_SNAPSHOTS) else None
        source = order.from_snapshot if isinstance(order, CreateVolume) else None
        self._submit(order, volume=volume, snapshot=snapshot or source, check=check)
        return order

    def _submit(
        self, order: Order, *, volume: str | None, snapshot: str | None, check: Callable[[Session], None]
    ) -> None:
        """Open the order's job and run it to its end; a server that answers first and works later only opens it."""
        self._orchestrator.submit(order, volume=volume, snapshot=snapshot, check=check)

    def _new_uuid(self, kind: str, operation: OperationId) -> str:
        """Derived from the operation, so that a request sent again after a lost answer means the same object."""
        return str(uuid.uuid5(_NAMES, f"{self.site.seed} {kind} {operation}"))

    def _capable_cluster(self) -> str | None:
        """The first cluster of hosts that can use a clone, "" for the site's own; asked once a life (R-061).

        Of hosts that do not answer it shows when they must.
        """
        if self._capable is None:
            able, silent = [], []
            for name, hosts in self._clusters().items():
                try:
                    able += [name] if hosts.resigns() else []
                except CallError as error:
                    LOG.warning("Whether hosts can re-sign cannot be seen: %s", error)
                    silent.append(name)
            if silent:
                return next(iter(able), silent[0])
            self._capable = tuple(able)
        return next(iter(self._capable), None)

    def _clusters(self) -> Mapping[str, Hypervisor]:
        """The clusters of hosts by name, the site's own first."""
        further = {name: reach.hypervisor for name, reach in self._ports.further.items() if reach.hypervisor}
        return {"": self._ports.hypervisor, **further}

    def _clones_are_usable(self) -> bool:
        return self._capable_cluster() is not None

    def _require_usable_clones(self, of_what: str) -> None:
        if not self._clones_are_usable():
            raise InvalidRequestError(
                f"{of_what} needs a clone that a host can use, and no host of this site can re-sign one."
            )

    def _image_store_for(self, made: str) -> str:
        """One of the site's image stores, the same whenever the same thing is to be made."""
        return self._image_stores[uuid.uuid5(_NAMES, made).int % len(self._image_stores)]

    def _read(self, query: Callable[Concatenate[Session, P], T], *given: P.args, **named: P.kwargs) -> T:
        with self._catalog.reading() as session:
            return query(session, *given, **named)

    def close(self) -> None:
        """Let go of the catalog; connections close with their ports."""
        self._catalog.close()
