"""A site whose every call first looks whether its caller may still act. Who may is decided by the catalog's leases.

The fence stands around the wires, so that also a verb of many calls stops in its middle. What is on its way already
cannot be called back: that is for the sweep, which knows nobody's snapshots and clones by their owner tag.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from snapproof.reference_impl.adapters.transport import Transport
from snapproof.reference_impl.adapters.trust import USUAL_TRUST, Trust
from snapproof.site import Answer, Clock, Directory, Endpoint, Site


class _Fenced:
    """A directory each of whose verbs looks first."""

    def __init__(self, inner: object, require: Callable[[], None]) -> None:
        self._inner = inner
        self._require = require

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._inner, name)

        def fenced_verb(*given: Any, **named: Any) -> Any:
            self._require()
            return verb(*given, **named)

        return fenced_verb


@dataclass(frozen=True, slots=True)
class _WatchfulClock:
    """A clock whose sleepers wake up to the question whether the job is still theirs."""

    inner: Clock
    require: Callable[[], None]

    def time(self) -> float:
        return self.inner.time()

    def sleep(self, seconds: float) -> None:
        self.inner.sleep(seconds)
        self.require()


def fenced(
    site: Site,
    require: Callable[[], None],
    trust: Trust = USUAL_TRUST,
    *,
    before_array: Callable[[], None] = lambda: None,
) -> Site:
    """Put a fence around everything that the site lets us reach; `require` raises where the caller was overtaken.

    Connections are opened here, to whom `trust` allows; what is asked of a bucket is signed and needs no TLS. An array
    is called when `before_array` returns.
    """

    def require_at_array() -> None:
        before_array()
        require()

    signed, bucket = replace(trust, plain_allowed=True), site.bucket
    return replace(
        site,
        array=_behind(site.array, require_at_array, trust),
        hypervisor=_behind(site.hypervisor, require, trust),
        bucket=bucket and replace(bucket, endpoint=_behind(bucket.endpoint, require, signed, url=bucket.url)),
        export=_fenced(site.export, require),
        clock=_WatchfulClock(site.clock, require),
        further_pools=tuple(
            replace(pool, array=_behind(pool.array, require_at_array, trust)) for pool in site.further_pools
        ),
        further_clusters=tuple(
            replace(cluster, hypervisor=_behind(cluster.hypervisor, require, trust))
            for cluster in site.further_clusters
        ),
        further_stores=tuple(replace(store, export=_fenced(store.export, require)) for store in site.further_stores),
    )


def _fenced(export: Directory, require: Callable[[], None]) -> Directory:
    directory: Any = _Fenced(export, require)  # as wide as the export, whatever verbs it has
    narrowed: Directory = directory
    return narrowed


def _behind(endpoint: Endpoint, require: Callable[[], None], trust: Trust, *, url: str | None = None) -> Endpoint:
    transport = Transport(replace(endpoint, url=url or endpoint.url), trust=trust)

    def exchange(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        require()
        return transport.exchange(method, path, headers, body)

    return replace(endpoint, wire=exchange)
