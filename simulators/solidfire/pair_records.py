"""What a cluster remembers of its pairs: clusters by number, ends of volume pairs, offers. No rule lives here."""

from typing import Any

import msgspec

from snapproof.simulators.blocks import BlockImage
from snapproof.simulators.solidfire.records import VolumePairRow, wire_name
from snapproof.simulators.solidfire.shelf import Shelf


class ClusterPairRow(msgspec.Struct, kw_only=True, rename=wire_name, gc=False):
    """The other cluster of a pair, as ListClusterPairs shows it."""

    cluster_name: str = ""
    cluster_pair_id: int
    cluster_pair_uuid: str
    cluster_uuid: str | None = None
    latency: int = 0
    mvip: str = ""
    status: str = ""
    version: str = ""


class ClusterPair(msgspec.Struct, kw_only=True, gc=False):
    """A pair of clusters seen from one of them; `offered` while nobody has answered its key."""

    row: ClusterPairRow
    offered: bool


class Line(msgspec.Struct, kw_only=True, gc=False):
    """What both ends of a volume pair share: how far the connection has come. Never shown."""

    mode: str
    since_s: float
    polls: int = 0
    flowing: bool = False
    started: bool = False
    """Whether it ever came to flow."""


class VolumeEnd(msgspec.Struct, kw_only=True):
    """One end of a volume pair. `image` is what both ends held after the last shipment, as frozen on this side."""

    row: VolumePairRow
    volume_id: int
    cluster_uuid: str
    line: Line
    paused: bool = False
    image: BlockImage | None = None


class Offer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A volume whose key nobody has answered yet."""

    volume_pair_uuid: str
    volume_id: int
    mode: str


class Pairing:
    """All pairs of a cluster. A volume has one pair, or one open offer, at most."""

    def __init__(self) -> None:
        self.clusters: Shelf[ClusterPair] = Shelf()
        self.ends: dict[int, VolumeEnd] = {}
        self.offers: dict[int, Offer] = {}

    def remembered(self) -> list[Any]:
        """Everything but contents, to compare before with after."""
        return [list(self.clusters), list(self.offers.values()), [[e.row, e.paused] for e in self.ends.values()]]
