"""Reading backups again: now and then a few chunks of each, held against what was written, before anybody needs them.

What is found is marked and told once; a store that does not answer says nothing against a backup. Restores verify for
themselves, whatever stands here.
"""

import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta

from snapproof.digests import Manifest, read_through
from snapproof.driver import DriverError
from snapproof.reference_impl.catalog import queries
from snapproof.reference_impl.catalog.queries import Backup
from snapproof.reference_impl.catalog.store import Catalog, Session
from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core.image import FOOTER_BYTES, HEADER_BYTES, BrokenImageError, check_image
from snapproof.reference_impl.orchestrator import Orchestrator
from snapproof.reference_impl.ports import CallError, GoneError, Ports
from snapproof.reference_impl.settings import Settings
from snapproof.site import ReadableFile
from snapproof.vocabulary import Alert

LOG = logging.getLogger("snapproof.verify")

AT_ONCE = 20
"""How many backups are read in one turn of due work, so that nothing else waits long for it."""


class Verifier:
    """The verifications of one life; when each backup was read last is in the catalog."""

    def __init__(
        self,
        catalog: Catalog,
        orchestrator: Orchestrator,
        ports: Ports,
        settings: Callable[[], Settings],
        dice: random.Random,
    ) -> None:
        self._catalog = catalog
        self._orchestrator = orchestrator
        self._ports = ports
        self._settings = settings
        self._dice = dice
        self._unread: frozenset[str] = frozenset()

    def run_due(self) -> None:
        """Read what nobody has read for an interval, as far as the stores answer."""
        settings = self._settings()
        if not settings.verify_share:
            return
        before = self._catalog.now() - timedelta(seconds=settings.verify_interval_s)
        with self._catalog.reading() as session:
            found = queries.backups_due(session, before, AT_ONCE + len(self._unread))
        due = [backup for backup in found if backup.snapshot not in self._unread]
        if not due:
            self._unread = frozenset()  # those that could not be read have their turn again
        for backup in due:
            try:
                self.verify(backup)
            except (CallError, DriverError) as error:
                told = {"snapshot": backup.snapshot, "outcome": "failed", "cause": str(error)}
                LOG.warning("backup %s could not be verified: %s", backup.snapshot, error, extra=told)
                self._unread |= {backup.snapshot}

    def verify(self, backup: Backup) -> str | None:
        """Read a part of one backup; say what is wrong with it, if anything. Raises CallError, DriverError."""
        manifest = backup.image.manifest
        try:
            with self._ports.at("", backup.store).store.reading(backup.image.path) as file:
                damage = _outer_damage(backup, file)
                if damage is None and manifest is not None and backup.damage is None:
                    damage = self._inner_damage(backup, manifest, file)
                elif damage is None:  # a part of what was found damaged proves nothing
                    digest, manifest = read_through(file)
                    damage = None if digest == backup.image.digest else backup.damage or "it is not what was written"
        except GoneError:
            damage = "it is gone"
        self._mark(backup, damage, manifest if backup.image.manifest is None and damage is None else None)
        return damage

    def _inner_damage(self, backup: Backup, manifest: Manifest, file: ReadableFile) -> str | None:
        """Draw chunks, and hold each against its digest."""
        wanted = max(1, -(-manifest.chunks * self._settings().verify_share // 100))
        for number in sorted(self._dice.sample(range(manifest.chunks), min(wanted, manifest.chunks))):
            start = number * manifest.chunk_bytes
            if not manifest.holds(file, number):
                stop = min(start + manifest.chunk_bytes, backup.image.physical_size_bytes)
                return f"its bytes {start} to {stop} are not what was written"
        return None

    def _mark(self, backup: Backup, damage: str | None, manifest: Manifest | None) -> None:
        """Write down what was found, and tell what was not known before."""
        if damage is not None:
            told = {"snapshot": backup.snapshot, "outcome": "damaged", "cause": damage}
            LOG.error("the backup of snapshot %s is damaged: %s", backup.snapshot, damage, extra=told)
        news = damage is not None and backup.damage is None
        began = self._catalog.now() - timedelta(seconds=1)  # not every database keeps parts of a second

        def write(session: Session, tx: Transaction) -> None:
            if queries.backup(session, backup.snapshot) is None:
                return  # somebody has deleted it meanwhile
            tx.mark_verified(backup.snapshot, manifest, damage=damage)
            if news:
                tx.alert(_alert(backup, damage))

        self._orchestrator.write(write, lambda: self._marked(backup, damage, began))

    def _marked(self, backup: Backup, damage: str | None, began: datetime) -> bool | None:
        """Whether it was written although nobody said so."""
        with self._catalog.reading() as session:
            now = queries.backup(session, backup.snapshot)
        return now is None or (now.damage == damage and now.verified is not None and now.verified >= began) or None


def _alert(backup: Backup, damage: str | None) -> Alert:
    text = (
        f"The backup of snapshot {backup.snapshot} at {backup.image.path} is damaged: {damage}. It cannot be restored; "
        "take another one while the volume is there."
    )
    return Alert(subject=backup.snapshot, text=text)


def _outer_damage(backup: Backup, file: ReadableFile) -> str | None:
    """Size, footer and header."""
    if file.size_bytes != backup.image.physical_size_bytes:
        return f"it has {file.size_bytes} bytes instead of {backup.image.physical_size_bytes}"
    start = file.read_at(0, FOOTER_BYTES + HEADER_BYTES)
    end = file.read_at(max(0, file.size_bytes - FOOTER_BYTES), FOOTER_BYTES)
    try:
        check_image(start, end, path="it", size_bytes=backup.size_bytes)
    except BrokenImageError as error:
        return str(error).rstrip(".")
    return None
