"""The tables as they are read from the pages beside this module, once, when somebody first asks for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TypeAlias

import msgspec

Members: TypeAlias = Mapping[str, str]
"""Names with the shapes of what they stand for."""


class Served(StrEnum):
    """Which door serves a method: 443 of the cluster, 442 of a node."""

    CLUSTER = "cluster"
    NODE = "node"
    BOTH = "both"


class Tier(StrEnum):
    """How much depends on a method."""

    STORAGE = "1a"  # storage drivers and exporters call it
    ADMINISTRATION = "1b"  # deployment and monitoring tools call it
    REST = "2"  # the rest of the cluster that has state
    HARDWARE = "3"  # nodes, hardware, certificates, foreign systems


class Known(StrEnum):
    """How a method is known."""

    SEEN = "seen"  # a public client other than the vendor's own calls it
    DOCUMENTED = "documented"  # only the vendor's own SDK and CLI have it
    GUESSED = "guessed"  # they have it, but not the version in which it appeared


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What is known of one method. `open` says that its result has no members of its own that are always there."""

    tier: Tier
    endpoint: Served
    since: str
    evidence: Known
    takes: Members
    gives: Members
    open: bool = False
    refused: str = ""
    """Why a cluster like ours has no such method; empty for one that answers."""
    clients: tuple[str, ...] = ()
    """Public clients that call it; the vendor's Python SDK and CLI call them all and are not named."""
    errors: tuple[str, ...] = ()
    """Errors of its own, beside those that any method may answer."""


class Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One file of the tables."""

    methods: dict[str, Entry] = {}
    types: dict[str, dict[str, str]] = {}
    enumerations: dict[str, tuple[str, ...]] = {}


@dataclass(frozen=True, slots=True)
class Surface:
    """Every method, every type that methods take or give, every enumeration, by name."""

    methods: Mapping[str, Entry]
    types: Mapping[str, Members]
    enumerations: Mapping[str, tuple[str, ...]]


@cache
def pages() -> Mapping[str, Page]:
    """Read every page, by its noun; they are read once and never change."""
    folder = files("snapproof.simulators.solidfire.surface")
    decode = msgspec.json.Decoder(Page).decode
    return {
        page.name.removesuffix(".json"): decode(page.read_bytes())
        for page in sorted(folder.iterdir(), key=lambda found: found.name)
        if page.name.endswith(".json")
    }


@cache
def surface() -> Surface:
    """Put all pages together."""
    methods: dict[str, Entry] = {}
    types: dict[str, Members] = {}
    enumerations: dict[str, tuple[str, ...]] = {}
    for page in pages().values():
        methods |= page.methods
        types |= page.types
        enumerations |= page.enumerations
    return Surface(methods=methods, types=types, enumerations=enumerations)
