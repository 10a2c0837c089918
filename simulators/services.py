"""What a server serves, whatever its protocol: a maker of connections that knows those that are open."""

import asyncio
from collections.abc import Collection
from typing import Protocol


class Connection(Protocol):
    """One client of a service."""

    gone: asyncio.Future[None]
    """Done when the connection is."""

    def abort(self) -> None:
        """Drop the connection without a word."""


class Service(Protocol):
    """What a server serves: it makes a protocol for every connection and knows those that are open."""

    @property
    def scheme(self) -> str:
        """How its URLs begin."""

    @property
    def connections(self) -> Collection[Connection]:
        """Those that have been made and are not gone."""

    def connect(self) -> asyncio.BaseProtocol:
        """Make the protocol of a new connection."""

    def end(self) -> None:
        """Let go of what served the connections; all are gone."""
