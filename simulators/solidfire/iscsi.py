"""The cluster's storage address: volumes as iSCSI targets, open to whom the API lets in, by CHAP or by access group.

How iSCSI and SCSI go is in simulators/iscsi/. An IQN is a volume, LUN 0 is its disk.
"""

import errno
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import TypeAlias

from snapproof.simulators.blocks import BlockImage
from snapproof.simulators.fabric import LoginRefusedError
from snapproof.simulators.faults import Fault
from snapproof.simulators.iscsi.chap import Credentials
from snapproof.simulators.iscsi.portal import Portal, serve
from snapproof.simulators.iscsi.targets import Identity, Lun, Opened, UnknownTargetError, Visitor
from snapproof.simulators.journal import Fact, Journal
from snapproof.simulators.solidfire import groups, hosts
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.records import AccountRow, Initiator, Snapshot, Volume
from snapproof.simulators.solidfire.sessions import ChapUsed, Session

VENDOR, PRODUCT, REVISION = "SolidFir", "SSD SAN", "0001"
_ALGORITHMS = {"5": "MD5", "6": "SHA1", "7": "SHA-256", "8": "SHA3-256"}
_LUN_MAX = 16383

Turn: TypeAlias = AbstractContextManager[object]
"""A lock that whoever holds it may take again."""
NOBODY_ELSE: Turn = nullcontext()
Meet: TypeAlias = Callable[[str], Fault | None]


def undisturbed(_act: str) -> None:
    """Let nothing go wrong."""


class _Guard:
    """The turn of the world, then the lock of the array: the order in which everybody takes them."""

    def __init__(self, turn: Turn, lock: Turn) -> None:
        self._turn, self._lock = turn, lock

    def __enter__(self) -> None:
        self._turn.__enter__()
        self._lock.__enter__()

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._lock.__exit__(kind, exc, tb)
        self._turn.__exit__(kind, exc, tb)


class _Frozen:
    """A snapshot as a disk."""

    def __init__(self, image: BlockImage) -> None:
        self._image = image

    @property
    def size_bytes(self) -> int:
        return self._image.size_bytes

    def read(self, offset: int, length: int) -> bytes:
        return self._image.read(offset, length)

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        raise OSError(errno.EROFS, "A snapshot cannot be written.")

    def discard(self, offset: int, length: int) -> None:
        raise OSError(errno.EROFS, "A snapshot cannot be written.")

    def extents(self, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
        return self._image.extents(start, end)


class _OpenVolume:
    """A volume that an initiator has open: LUN 0, and beside it the snapshots where the lab shows them."""

    def __init__(self, array: Array, volume: Volume, session: Session, guard: _Guard, *, snapshots: bool) -> None:
        self.number = session.opening.number
        self.guard = guard
        self._array, self._volume, self._session = array, volume, session
        self._shows_snapshots = snapshots
        self._disk = Lun(
            disk=session,
            identity=_identity(volume),
            block_bytes=512 if volume.enable_512e else 4096,
            writable=session.writable,
        )
        self._snapshots: dict[int, Lun] = {}

    def lun(self, number: int) -> Lun | None:
        if number == 0 or not self._shows_snapshots:
            return None if number else self._disk
        snapshot = next((found for found in self._volume.snapshots if found.snapshot_id == number), None)
        if snapshot is None:
            self._snapshots.pop(number, None)
            return None
        return self._snapshots.setdefault(number, self._frozen(snapshot))

    def _frozen(self, snapshot: Snapshot) -> Lun:
        return Lun(
            disk=_Frozen(snapshot.image),
            identity=_identity(self._volume, snapshot.snapshot_id),
            block_bytes=self._disk.block_bytes,
            writable=False,
        )

    def numbers(self) -> Sequence[int]:
        shown = self._volume.snapshots if self._shows_snapshots else ()
        return [0, *sorted(found.snapshot_id for found in shown if found.snapshot_id <= _LUN_MAX)]

    def on_drop(self, act: Callable[[], None]) -> None:
        with self.guard:
            self._session.on_drop(act)

    def close(self) -> None:
        with self.guard:
            hosts.drop(self._array, self._volume, self._session, "the host logged out")


def _identity(volume: Volume, snapshot_id: int = 0) -> Identity:
    """Name a volume as the API does; a snapshot has the number of its own where the cluster writes zeros."""
    naa, eui = volume.naa, volume.eui
    return Identity(
        vendor=VENDOR,
        product=PRODUCT,
        revision=REVISION,
        serial=naa[-16:] + (f"{snapshot_id:08x}" if snapshot_id else ""),
        naa=bytes.fromhex(f"{naa[:8]}{snapshot_id:08x}{naa[16:]}"),
        eui=bytes.fromhex(f"{eui[:24]}{snapshot_id:08x}"),
    )


class ElementTargets:
    """The targets of a cluster. `turn` is held around everything that is done with it, as by its other doors.

    `meet` gives the trouble that was ordered for an act of the target, if any.

    An Element cluster shows no snapshots to hosts; with `snapshots` a lab sees them all the same, read-only, under
    their numbers beside the volume's LUN 0.
    """

    def __init__(
        self,
        array: Array,
        *,
        journal: Journal,
        turn: Turn = NOBODY_ELSE,
        snapshots: bool = False,
        meet: Meet = undisturbed,
    ) -> None:
        self.meet = meet
        self.array = array
        self._journal = journal
        self._snapshots = snapshots
        self._guard = _Guard(turn, array.lock)

    def proof_needed(self, *, initiator: str, target: str) -> bool:
        """Whoever is in an access group with the volume needs none, unless the initiator itself requires CHAP."""
        with self._guard:
            known = self.array.initiator_named(initiator)
            if not target:
                return known is None or known.require_chap or not known.volume_access_groups
            volume = self.array.volume_at(target)
            if volume is None or not volume.active:
                return False  # there is nothing to protect; it is told when it is opened
            return known is None or known.require_chap or not groups.reaches(self.array, initiator, volume)

    def credentials(self, *, initiator: str, name: str) -> Credentials | None:
        """Find the secrets of an initiator's own CHAP name, else of the account of that name."""
        with self._guard:
            known, account = self._own_chap(initiator, name), self._account(name)
            if known is not None:
                secret, own_secret = known.initiator_secret or "", known.target_secret or ""
            elif account is not None:
                secret, own_secret = account.initiator_secret, account.target_secret
            else:
                return None
            return Credentials(name=name, secret=secret, own_name=name, own_secret=own_secret)

    def _own_chap(self, initiator: str, name: str) -> Initiator | None:
        known = self.array.initiator_named(initiator)
        return known if known is not None and known.require_chap and known.chap_username == name else None

    def _account(self, name: str) -> AccountRow | None:
        account = self.array.accounts.get(self.array.account_ids.get(name, 0))
        if account is None or account.row.status != "active" or not account.row.enable_chap:
            return None
        return account.row

    def discovered(self, visitor: Visitor) -> Sequence[str]:
        """Name the volumes of the groups and of the account through which the visitor comes."""
        with self._guard:
            array = self.array
            array.settle()
            known, account = array.initiator_named(visitor.initiator), self._account(visitor.chap_name)
            numbers = {
                number
                for group_id in (known.volume_access_groups if known else ())
                for number in array.groups[group_id].volumes
            }
            numbers.update(volume.volume_id for volume in (account.volumes if account else ()))
            return [array.volumes[number].iqn for number in sorted(numbers) if self._admits(number, visitor)]

    def _admits(self, volume_id: int, visitor: Visitor) -> bool:
        try:
            self._through(self.array.volumes[volume_id], visitor)
        except LoginRefusedError:
            return False
        return True

    def _through(self, volume: Volume, visitor: Visitor) -> int:
        """Say through which account the visitor comes, 0 for an access group. Raises LoginRefusedError for neither."""
        self.array.check_open(volume)
        account = self._account(visitor.chap_name) if visitor.chap_name else None
        own = self._own_chap(visitor.initiator, visitor.chap_name)
        if account is not None and own is None and account.account_id == volume.account_id:
            return account.account_id
        known = self.array.initiator_named(visitor.initiator)
        owes = known is not None and known.require_chap and own is None
        if owes or not groups.reaches(self.array, visitor.initiator, volume):
            raise LoginRefusedError(
                f"Neither an access group nor the account of a CHAP name leads {visitor.initiator} to"
                f" volume {volume.volume_id}."
            )
        return 0

    def open(self, visitor: Visitor, target: str) -> Opened:
        """Open a volume."""
        with self._guard:
            array = self.array
            array.settle()
            volume = array.volume_at(target)
            if volume is None or not volume.active:
                raise UnknownTargetError(f"The array has no target {target}; ListActiveVolumes names those it has.")
            account_id = self._through(volume, visitor)
            session = array.open_session(
                volume,
                visitor.initiator,
                port=visitor.port,
                address=visitor.address,
                account_id=account_id,
                chap=_chap(visitor),
            )
            return _OpenVolume(array, volume, session, self._guard, snapshots=self._snapshots)

    def record(self, event: str, **facts: Fact) -> None:
        """Journal what hosts do at this door."""
        self._journal.record("iscsi", event, **facts)


def _chap(visitor: Visitor) -> ChapUsed | None:
    if not visitor.chap_name:
        return None
    algorithm = _ALGORITHMS[visitor.chap_algorithm]
    return ChapUsed(username=visitor.chap_name, algorithm=algorithm, mutual=visitor.mutual)


def serve_iscsi(
    targets: ElementTargets, *, host: str = "127.0.0.1", port: int = 0, allow_remote: bool = False
) -> Portal:
    """Serve the volumes of a cluster until the portal is closed; the cluster tells the portal as its storage address.

    Raises CannotServeError with the cure in its message.
    """
    portal = serve(targets, host=host, port=port, allow_remote=allow_remote)
    targets.array.svip = portal.portal
    return portal


def lead_to(portal: Portal, targets: ElementTargets) -> None:
    """Let a portal serve another cluster from now on, as when a world begins anew; its sessions end."""
    portal.lead_to(targets)
    targets.array.svip = portal.portal
