"""Drivers that are odd and valid: each differs from the reference where the contract leaves it open, and stays green.

They keep scenarios from demanding more than the requirement does. What is odd on the wire alone is in tests/zoo.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import wraps
from typing import Any, NoReturn, TypeVar

from snapproof.driver import DriverError, DriverUnderTest, NotSupportedError
from snapproof.reference_impl.adapters.element import ElementArray
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.ports import Array, Lun, Owner, Ports, Reach
from snapproof.reference_impl.settings import Settings
from snapproof.reference_impl.variants.retelling import Retelling, without_stores
from snapproof.site import Site
from snapproof.vocabulary import (
    AccountId,
    Capability,
    Description,
    LocationType,
    Qos,
    Snapshot,
    SnapshotRequest,
    Template,
    Volume,
    VolumeId,
)

T = TypeVar("T", bound=type[ReferenceDriver])
PAUSE_S = 0.4
GIB = 1 << 30
UUID_CHARACTERS = 36
ROOMY_BYTES_MAX = 1 << 40


class ListsBackwards(Retelling):
    """Lists the newest first: the contract orders events, and no lists."""

    def list_volumes(self, account: AccountId | None = None) -> Sequence[Volume]:
        """From behind."""
        return super().list_volumes(account)[::-1]

    def told(self, rows: Sequence[Snapshot], *, of: VolumeId | None) -> Sequence[Snapshot]:
        """From behind."""
        return rows[::-1]

    def list_templates(self, account: AccountId | None = None) -> Sequence[Template]:
        """From behind."""
        return super().list_templates(account)[::-1]


def refusing(*verbs: str) -> Callable[[T], T]:
    """Let a driver's class refuse verbs."""

    def refuse(*_given: Any, **_named: Any) -> NoReturn:
        raise NotSupportedError("It does not do that, and never said so.")

    def refused(kind: T) -> T:
        for verb in verbs:
            setattr(kind, verb, refuse)
        return kind

    return refused


BOOKS = ("resource_counts", "audit_events", "usage_events", "usage_records", "array_usage", "alerts", "state_changes")
TEMPLATES = ("create_template", "list_templates", "delete_template")
POLICIES = ("create_policy", "list_policies", "delete_policy")


@refusing(*BOOKS, *TEMPLATES, *POLICIES, "archive_snapshot", "revert_volume", "resize_volume", "cancel", "reconcile")
class DoesLittle(ReferenceDriver):
    """Declares snapshots on the array and nothing else, and refuses the rest."""

    def describe(self) -> Description:
        """Say so."""
        return Description(name="little", version="1", capabilities=frozenset({Capability.SNAPSHOT_PRIMARY}))


@refusing(*BOOKS)
class KeepsNoBooks(ReferenceDriver):
    """Does everything, and counts, bills and reports nothing of it."""

    def describe(self) -> Description:
        """Say so."""
        kept = {
            Capability.ACCOUNTING,
            Capability.AUDIT_EVENTS,
            Capability.USAGE_EVENTS,
            Capability.STATE_CHANGES,
            Capability.ALERTS,
        }
        return Description(name="bookless", version="1", capabilities=frozenset(Capability) - kept)


@refusing(*TEMPLATES, *POLICIES, "archive_snapshot", "revert_volume", "resize_volume", "cancel", "queued_operations")
class OnlyBacksUp(ReferenceDriver):
    """Declares backups and volumes made of them: no snapshot on the array is offered to anybody."""

    def describe(self) -> Description:
        """Say so."""
        served = {Capability.SNAPSHOT_SECONDARY, Capability.VOLUME_FROM_SECONDARY, Capability.RECONCILE}
        return Description(name="backups", version="1", capabilities=frozenset(served))

    def settings(self) -> Settings:
        """Where nobody names a place, it is the only one."""
        return replace(super().settings(), location_default=LocationType.SECONDARY)


class HasMorePatience(ReferenceDriver):
    """Tries every call up to ten times, with longer pauses: from two to ten attempts are good."""

    def settings(self) -> Settings:
        """At the upper end."""
        return replace(super().settings(), attempts_max=10, backoff_s=2.0)


class HasLessPatience(ReferenceDriver):
    """Tries every call three times, with shorter pauses, and asks hosts and array more often how far they are."""

    def settings(self) -> Settings:
        """Near the lower end."""
        return replace(super().settings(), attempts_max=3, backoff_s=0.5, copy_poll_s=0.2, clone_poll_s=0.1)


class RepairsAtOnce(ReferenceDriver):
    """Takes up what an earlier life left when it starts, not only when it is told to."""

    def __init__(self, site: Site, settings: Settings | None = None) -> None:
        super().__init__(site, settings)
        with suppress(DriverError):  # what cannot be repaired now is repaired when somebody asks for it
            self.reconcile()


class TellsNoStores(Retelling):
    """Knows one pool and one image store, and so says of no copy in which of them it is."""

    def __init__(self, site: Site, settings: Settings | None = None) -> None:
        super().__init__(replace(site, further_pools=(), further_stores=()), settings)

    def describe(self) -> Description:
        """All but pools."""
        said = super().describe()
        return replace(said, capabilities=said.capabilities - {Capability.POOLS})

    def told(self, rows: Sequence[Snapshot], *, of: VolumeId | None) -> Sequence[Snapshot]:
        """With places that have no names."""
        return [without_stores(row) for row in rows]

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """With places that have no names."""
        return without_stores(super().take_snapshot(request))


def slowed(kind: T) -> T:
    """Let time pass before every verb of a driver's class."""
    for name in vars(DriverUnderTest):
        verb = getattr(kind, name, None)
        if not name.startswith("_") and callable(verb) and name not in {"close", "describe", "on_behalf_of"}:
            setattr(kind, name, _after_a_pause(verb))
    return kind


def _after_a_pause(verb: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(verb)
    def asked(driver: ReferenceDriver, *given: Any, **named: Any) -> Any:
        driver.site.clock.sleep(PAUSE_S)
        return verb(driver, *given, **named)

    return asked


@slowed
class TakesItsTime(ReferenceDriver):
    """Lets some time pass before every verb, as long as a snapshot may take in all."""


class _OtherNames(ElementArray):
    """Calls what it makes by other names than the reference does; tags are what objects are known by."""

    def create_lun(self, *, account: str, name: str, size_bytes: int, qos: Qos, owner: Owner) -> Lun:
        return super().create_lun(account=account, name=_other(name), size_bytes=size_bytes, qos=qos, owner=owner)

    def find_luns(self, *, name: str, owner: Owner) -> Sequence[Lun]:
        return super().find_luns(name=_other(name), owner=owner)

    def take_snapshot(self, lun_id: int, *, name: str, owner: Owner) -> int:
        return super().take_snapshot(lun_id, name=_other(name), owner=owner)

    def find_snapshots(self, lun_id: int, *, name: str, owner: Owner) -> Sequence[int]:
        return super().find_snapshots(lun_id, name=_other(name), owner=owner)

    def start_clone(self, lun_id: int, snapshot_id: int, *, account: str, name: str, owner: Owner) -> tuple[Lun, int]:
        return super().start_clone(lun_id, snapshot_id, account=account, name=_other(name), owner=owner)


def _other(name: str) -> str:
    """The same words in another order: what makes a name unique need not stand at its end."""
    words, unique = name[:-UUID_CHARACTERS].strip("-"), name[-UUID_CHARACTERS:]
    return f"{unique}-{words}" if words else unique


class _RoomyArray(ElementArray):
    """Makes LUNs larger than they need be, but for those that are near the array's own limit."""

    def create_lun(self, *, account: str, name: str, size_bytes: int, qos: Qos, owner: Owner) -> Lun:
        wanted = size_bytes + GIB if size_bytes < ROOMY_BYTES_MAX else size_bytes
        return super().create_lun(account=account, name=name, size_bytes=wanted, qos=qos, owner=owner)


class _WaryArray(ElementArray):
    """Looks at what there is before it makes or ends anything."""

    def take_snapshot(self, lun_id: int, *, name: str, owner: Owner) -> int:
        self.snapshots_of(lun_id)
        return super().take_snapshot(lun_id, name=name, owner=owner)

    def delete_snapshot(self, snapshot_id: int) -> None:
        self.list_owned()
        super().delete_snapshot(snapshot_id)


def _over(ports: Ports, site: Site, kind: type[ElementArray]) -> Ports:
    """The same world, its arrays reached by an adapter of another kind."""

    def again(at: str, reach: Reach) -> Reach:
        pool = next((pool for pool in site.further_pools if pool.name == at), None)
        array: Array | None = kind(pool.array, group=site.hosts_group) if pool else reach.array
        return replace(reach, array=array)

    further = {name: again(name, reach) for name, reach in ports.further.items()}
    return replace(ports, array=kind(site.array, group=site.hosts_group), further=further)


class NamesOtherwise(ReferenceDriver):
    """Lets the names of LUNs and snapshots on the array begin with the uuid, which may stand anywhere in them."""

    def ports(self) -> Ports:
        """By an adapter that does."""
        return _over(super().ports(), self.site, _OtherNames)


class MakesRoom(ReferenceDriver):
    """Makes every LUN a GiB larger than the disk on it needs; the disk is what a guest was promised."""

    def ports(self) -> Ports:
        """By an adapter that does."""
        return _over(super().ports(), self.site, _RoomyArray)


class LooksTwice(ReferenceDriver):
    """Asks the array more than it must: before it takes or deletes a snapshot it reads what there is."""

    def ports(self) -> Ports:
        """By an adapter that does."""
        return _over(super().ports(), self.site, _WaryArray)
