"""Variants that go wrong with paths, staging and uploads. Each class breaks one rule; the table of all is zoo.toml."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from snapproof.reference_impl.adapters.s3 import S3Bucket, S3Store
from snapproof.reference_impl.core import effects as fx
from snapproof.reference_impl.core.orders import Order
from snapproof.reference_impl.core.plans import Plan, plan_for
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.performing import leave
from snapproof.reference_impl.ports import Image, Ports
from snapproof.reference_impl.rules import Rules
from snapproof.reference_impl.variants.cloning import with_performer
from snapproof.reference_impl.variants.retelling import Retelling
from snapproof.vocabulary import LocationType, Snapshot, SnapshotRequest, VolumeId


def latest(path: str) -> str:
    """The one path of a volume's backups."""
    return f"{path.rpartition('/')[0]}/latest.vhd"


class OverwritesBackups(Retelling):
    """Breaks R-005: all backups of a volume lie at one path, and each replaces the one before it."""

    place = staticmethod(latest)

    def rules(self) -> Rules:
        """Publish elsewhere."""

        def plan(order: Order) -> Plan:
            return tuple(
                replace(step, effect=replace(step.effect, path=self.place(step.effect.path)))
                if isinstance(step.effect, fx.PublishImage)
                else step
                for step in plan_for(order)
            )

        return Rules(plan=plan)

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Tell where it really lies."""
        return self._told(super().take_snapshot(request))

    def told(self, rows: Sequence[Snapshot], *, of: VolumeId | None) -> Sequence[Snapshot]:
        """Tell where they really lie."""
        return [self._told(row) for row in rows]

    def _told(self, snapshot: Snapshot) -> Snapshot:
        copies = tuple(
            replace(copy, reference=self.place(copy.reference)) if copy.location is LocationType.SECONDARY else copy
            for copy in snapshot.copies
        )
        return replace(snapshot, copies=copies)


def numbered(path: str) -> str:
    """The path with something behind the snapshot's id."""
    return path.replace(".vhd", "-1.vhd")


class NumbersItsFiles(OverwritesBackups):
    """Breaks R-144: files are called by a rule of its own."""

    place = staticmethod(numbered)


class NumbersItsBackups(NumbersItsFiles):
    """Breaks R-005: a backup's name is its snapshot's id with a number behind it."""


class KeepsStagedImages(ReferenceDriver):
    """Breaks R-089: what hosts wrote on the way to the bucket stays on the export."""

    def rules(self) -> Rules:
        """Clear nothing."""
        return Rules(performers=with_performer(fx.CopyOut, lambda p: replace(p, undo=leave)))


class ForgetfulStore(S3Store):
    """A store that deletes objects and knows of no uploads."""

    def delete(self, path: str) -> None:
        """Delete the object alone."""
        self.bucket.delete(path)


class LeavesUploads(ReferenceDriver):
    """Breaks R-090: an upload that failed is never aborted, and its parts are paid for."""

    def ports(self) -> Ports:
        """Forget uploads where backups are objects."""
        ports = super().ports()
        if not isinstance(ports.store, S3Store):
            return ports
        return replace(ports, store=ForgetfulStore(ports.store.directory, ports.store.bucket))


class TrustingStore(S3Store):
    """A store that is asked what it holds, and believed."""

    def published(self, path: str) -> Image | None:
        """Take the size and the digest from the object's headers."""
        found = self.bucket.head(path)
        return Image(path=path, physical_size_bytes=found[0], digest=found[1]) if found else None


class NeverReadsBack(ReferenceDriver):
    """Breaks R-003: it calls a backup whole because the store says so, and has not looked."""

    def ports(self) -> Ports:
        """Believe where backups are objects."""
        ports = super().ports()
        if not isinstance(ports.store, S3Store):
            return ports
        return replace(ports, store=TrustingStore(ports.store.directory, ports.store.bucket))


class HastyStore(S3Store):
    """A store from which backups are fetched without comparing them with their digest."""

    def fetch(self, image: Image, staging: str) -> str:
        """Download, and that is all."""
        staged = f"{staging}/{image.path.rpartition('/')[2]}"
        self.directory.make_directories(staging)
        file = self.directory.create(staged)
        for piece in self.bucket.read(image.path, image.physical_size_bytes):
            file.write(piece)
        file.close()
        return staged


class RestoresUnchecked(ReferenceDriver):
    """Breaks R-016: it restores whatever arrives, damaged or not."""

    def ports(self) -> Ports:
        """Compare nothing where backups are objects."""
        ports = super().ports()
        if not isinstance(ports.store, S3Store):
            return ports
        return replace(ports, store=HastyStore(ports.store.directory, ports.store.bucket))


class _OldSigner:
    """Signs by version 2, in form at least: no store of today looks further."""

    def __init__(self, access_key: str) -> None:
        self._access_key = access_key

    def add_auth(self, request: Any) -> None:
        """Write the header as it was."""
        request.headers["authorization"] = f"AWS {self._access_key}:c2lnbmVkIGJ5IHNoYTE="


class SignsTheOldWay(ReferenceDriver):
    """Breaks R-121: requests to S3 are signed by version 2, which no store takes any more."""

    def ports(self) -> Ports:
        """Sign as ten years ago."""
        ports = super().ports()
        if self.site.bucket is None or not isinstance(ports.store, S3Store):
            return ports
        bucket, endpoint = S3Bucket(self.site.bucket), self.site.bucket.endpoint
        bucket.signer = _OldSigner(endpoint.username)
        return replace(ports, store=S3Store(ports.store.directory, bucket))
