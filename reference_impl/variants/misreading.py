"""Variants that misread what callers, arrays and their own books say. The table of all is zoo.toml."""

import locale
import unicodedata
from dataclasses import replace
from typing import Any

from snapproof.driver import BackendError, InvalidRequestError
from snapproof.reference_impl.adapters.element import ElementArray
from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core import effects as fx
from snapproof.reference_impl.core.effects import Facts
from snapproof.reference_impl.core.orders import TakeSnapshot
from snapproof.reference_impl.core.states import SnapshotEvent
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.performing import PERFORMERS
from snapproof.reference_impl.ports import GoneError, Owner, Ports, RefusedError, TransientError
from snapproof.reference_impl.recording.snapshots import begin_take, succeed_take
from snapproof.reference_impl.rules import Rules
from snapproof.reference_impl.settings import Settings
from snapproof.reference_impl.variants.moving import with_recorder
from snapproof.vocabulary import LocationType, OperationId, PolicyId, Snapshot, SnapshotRequest


class ReadsCapitalsOnly(ReferenceDriver):
    """Breaks R-006: a location is understood in capitals alone."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Compare, do not read."""
        if request.location is not None and request.location not in tuple(LocationType):
            raise InvalidRequestError("Use PRIMARY or SECONDARY.")
        return super().take_snapshot(request)


class BlamesItself(ReferenceDriver):
    """Breaks R-010 (hazard C11): a caller's mistake is answered as an internal error."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Hide whose fault it is."""
        try:
            return super().take_snapshot(request)
        except InvalidRequestError as error:
            raise BackendError(f"Internal error: {error}") from error


class RecordsPayload(ReferenceDriver):
    """Breaks R-026 (hazard C3): the bytes lie on secondary storage, and the record says PRIMARY."""

    def rules(self) -> Rules:
        """Write the default over what was asked for."""

        def succeed(tx: Transaction, order: TakeSnapshot, facts: Facts) -> None:
            succeed_take(tx, order, facts)
            tx.relocate(order.snapshot, LocationType.PRIMARY)

        return Rules(recorders=with_recorder(TakeSnapshot, succeed=succeed))


class KeepsCharging(ReferenceDriver):
    """Breaks R-045: a snapshot that the array refused is counted for ever."""

    def rules(self) -> Rules:
        """Say Error, give nothing back."""

        def fail(tx: Transaction, order: TakeSnapshot, _facts: Facts) -> None:
            tx.move_snapshot(order.snapshot, SnapshotEvent.OPERATION_FAILED)

        return Rules(recorders=with_recorder(TakeSnapshot, fail=fail))


class KnowsByName(ReferenceDriver):
    """Breaks R-053: whoever asks for a second snapshot of a name is given the first."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Look for the name."""
        known = [row for row in self.list_snapshots(volume=request.volume) if row.name == request.name]
        return known[0] if known else super().take_snapshot(request)


class StumblesOverGaps(ReferenceDriver):
    """Breaks R-056 (hazard C28): a snapshot whose array copy somebody removed cannot be deleted any more."""

    def rules(self) -> Rules:
        """Take gone for a failure."""
        careful = PERFORMERS[fx.DeleteArraySnapshot]

        def delete(bench: Any, effect: fx.DeleteArraySnapshot, _facts: Facts) -> Facts:
            try:
                bench.ports.array.delete_snapshot(effect.snapshot_id)
            except GoneError as error:
                raise RefusedError(str(error)) from error
            return {}

        return Rules(performers={**PERFORMERS, fx.DeleteArraySnapshot: replace(careful, do=delete)})


class NearestVolumeArray(ElementArray):
    """An array whose volumes are looked up by `startVolumeID` and never compared (hazard C5)."""

    def take_snapshot(self, lun_id: int, *, name: str, owner: Owner) -> int:
        """Take a snapshot of whatever is found first."""
        rows = self._call("ListVolumes", startVolumeID=lun_id, limit=1)["volumes"]
        return super().take_snapshot(rows[0]["volumeID"], name=name, owner=owner)


class TakesNeighbour(ReferenceDriver):
    """Breaks R-057 (hazard C5): where a LUN is gone, the next one is snapshotted in its place."""

    def ports(self) -> Ports:
        """Look up carelessly."""
        return replace(super().ports(), array=NearestVolumeArray(self.site.array, group=self.site.hosts_group))


class ForgetsOperations(ReferenceDriver):
    """Breaks R-095: a request that is sent again is a new request."""

    asked = 0

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Number the requests by itself."""
        self.asked += 1
        return super().take_snapshot(replace(request, operation=OperationId(f"{request.operation}-{self.asked}")))


class HasNoPatience(ReferenceDriver):
    """Breaks R-096: an error that would pass is the end."""

    def settings(self) -> Settings:
        """One attempt."""
        return Settings(attempts_max=1)


class StubbornArray(ElementArray):
    """An array whose every no is taken for a not yet."""

    def take_snapshot(self, lun_id: int, *, name: str, owner: Owner) -> int:
        """Call every refusal a passing one."""
        try:
            return super().take_snapshot(lun_id, name=name, owner=owner)
        except RefusedError as error:
            raise TransientError(str(error)) from error


class NeverTakesNo(ReferenceDriver):
    """Breaks R-097: what the array refuses for good is asked for again and again."""

    def ports(self) -> Ports:
        """Hear not yet."""
        return replace(super().ports(), array=StubbornArray(self.site.array, group=self.site.hosts_group))


class BillsFailures(ReferenceDriver):
    """Breaks R-183: a snapshot is billed when it is asked for, and stays billed when it fails."""

    def rules(self) -> Rules:
        """Bill first."""

        def begin(tx: Transaction, order: TakeSnapshot) -> None:
            begin_take(tx, order)
            tx.bill(order.account, order.snapshot, LocationType.PRIMARY, order.size_bytes)

        return Rules(recorders=with_recorder(TakeSnapshot, begin=begin))


class FoldsNames(ReferenceDriver):
    """Breaks R-126: names are normalised on their way in, so that what looks alike is alike."""

    def _take(self, request: SnapshotRequest, policy: PolicyId | None = None) -> Snapshot:
        """Take it under the compatible name."""
        return super()._take(replace(request, name=unicodedata.normalize("NFKC", request.name)), policy)


class ReadsByLocale(ReferenceDriver):
    """Breaks R-125 (hazard C22): letters are made capitals by the rules of the process's language, as Java does it."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """In Turkish, an i becomes a dotted capital."""
        language = locale.setlocale(locale.LC_CTYPE).partition("_")[0]
        wanted = request.location or ""
        dotted = wanted.replace("i", "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}") if language == "tr" else wanted
        return super().take_snapshot(replace(request, location=dotted.upper() or None))


class LooksBeforeItReads(ReferenceDriver):
    """Breaks R-010: the array is asked about the volume before anybody has read what is wanted."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Look first."""
        self._ports.array.get_lun(self.lun_of(request.volume))
        return super().take_snapshot(request)
