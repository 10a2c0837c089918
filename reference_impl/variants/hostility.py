"""Variants that believe what bad people say: names, links, copies. The table of all is zoo.toml."""

import os
import posixpath
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from snapproof.driver import BackendError
from snapproof.reference_impl.adapters.element import ElementArray
from snapproof.reference_impl.adapters.mounted import MountedDirectory
from snapproof.reference_impl.adapters.nfs import NfsStore
from snapproof.reference_impl.adapters.s3 import S3Bucket, S3Store
from snapproof.reference_impl.core.effects import Effect, PublishImage
from snapproof.reference_impl.core.orders import Order, TakeSnapshot
from snapproof.reference_impl.core.plans import Plan, plan_for
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.ports import CallError, Image, Ports
from snapproof.reference_impl.rules import Rules
from snapproof.vocabulary import Snapshot, SnapshotRequest

WEEK_S = 7 * 86_400


class PutsTheNameIntoThePath(ReferenceDriver):
    """Breaks R-144: a backup's path is put together from what its caller sent."""

    def rules(self) -> Rules:
        """Call the file as the operation is called."""

        def plan(order: Order) -> Plan:
            if not isinstance(order, TakeSnapshot):
                return plan_for(order)
            return tuple(replace(step, effect=self._named(order, step.effect)) for step in plan_for(order))

        return Rules(plan=plan)

    def _named(self, order: TakeSnapshot, effect: Effect) -> Effect:
        if not isinstance(effect, PublishImage):
            return effect
        folder = posixpath.dirname(effect.path)
        return replace(effect, path=posixpath.normpath(f"{folder}/{order.job}.vhd".replace("\0", "")))


class PutsTheNameIntoTheKey(PutsTheNameIntoThePath):
    """Breaks R-147: an object's key is put together from what its caller sent."""


class FollowingDirectory(MountedDirectory):
    """The export by paths, as most programs walk it: a link is as good as what it leads to."""

    @contextmanager
    def _parent(self, path: str) -> Iterator[tuple[int, str]]:
        folder, _, name = path.rpartition("/")
        at = os.open(self._root / folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield at, name
        finally:
            os.close(at)


class FollowsLinks(ReferenceDriver):
    """Breaks R-145: a planted link is followed, and what it leads to is deleted."""

    def ports(self) -> Ports:
        """Walk the export by paths."""
        ports = super().ports()
        if self.site.export_path is None or not isinstance(ports.store, NfsStore):
            return ports
        return replace(ports, store=NfsStore(FollowingDirectory(self.site.export_path)))


class PrefixStore(NfsStore):
    """A store that deletes whatever begins like the backup (hazard C15)."""

    def delete(self, path: str) -> None:
        """Delete `<path without its ending>*`."""
        folder, _, name = path.rpartition("/")
        with self.opened(path):
            names = self.directory.list(folder)
        for found in names:
            if found.startswith(name.removesuffix(".vhd")):
                self.forget_file(f"{folder}/{found}")


class DeletesByPrefix(ReferenceDriver):
    """Breaks R-146 (hazard C15): deleting a backup takes along whatever begins with its name."""

    def ports(self) -> Ports:
        """Delete by pattern where backups are files."""
        ports = super().ports()
        return replace(ports, store=PrefixStore(ports.store.directory)) if isinstance(ports.store, NfsStore) else ports


class TrustingNfsStore(NfsStore):
    """A store whose backups are what they were, surely."""

    def fetch(self, image: Image, staging: str) -> str:
        """Hand the file over unread."""
        return image.path


class TrustingS3Store(S3Store):
    """A bucket whose objects are what they were, surely."""

    def fetch(self, image: Image, staging: str) -> str:
        """Expect what is there."""
        found = self.published(image.path)
        return super().fetch(found or image, staging)


class RestoresWhatIsThere(ReferenceDriver):
    """Breaks R-164: whatever lies under a backup's path is restored."""

    def ports(self) -> Ports:
        """Check nothing."""
        ports = super().ports()
        if isinstance(ports.store, S3Store):
            return replace(ports, store=TrustingS3Store(ports.store.directory, ports.store.bucket))
        return replace(ports, store=TrustingNfsStore(self.site.export))


class RunsAShell(ReferenceDriver):
    """Breaks R-158: a snapshot's name is part of a command line."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Have the system's own log know of it, in a hurry."""
        command = f": snapshot {request.name}"
        subprocess.run(command, shell=True, check=False, cwd=self.site.state_directory)  # noqa: S602  the deviation itself
        return super().take_snapshot(request)


class SigningBucket(S3Bucket):
    """A bucket whose objects say who wrote them, and how."""

    def put(self, key: str, body: bytes, *, digest: str, subject: str = "") -> None:
        """Write the keys beside the bytes."""
        endpoint = self.place.endpoint
        written = {"x-amz-meta-written-with": f"{endpoint.username}:{endpoint.password.reveal()}"}
        self.request("PUT", key, body=body, headers=written)


class KeepsKeysInTheStore(ReferenceDriver):
    """Breaks R-153: whoever can read an object's metadata can read every object."""

    def ports(self) -> Ports:
        """Sign objects with the keys themselves."""
        ports = super().ports()
        if self.site.bucket is None or not isinstance(ports.store, S3Store):
            return ports
        return replace(ports, store=S3Store(ports.store.directory, SigningBucket(self.site.bucket)))


class LeavesClonesInTheBin(ReferenceDriver):
    """Breaks R-165: a temporary volume is deleted, and its bytes stay where the array would restore them from."""

    def ports(self) -> Ports:
        """Purge nothing."""
        return replace(super().ports(), array=HoardingArray(self.site.array, group=self.site.hosts_group))


class HoardingArray(ElementArray):
    """An array whose deleted volumes stay deleted, and no more."""

    def purge_lun(self, lun_id: int) -> None:
        """Leave it to the array's own time."""


class AsksForTheCluster(ReferenceDriver):
    """Breaks R-170: it looks at nodes, which takes rights that nobody needs for snapshots."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """See first who is there."""
        array = ElementArray(self.site.array, group=self.site.hosts_group)
        try:
            array.ask("ListActiveNodes")
        except CallError as error:
            raise BackendError(str(error)) from error
        return super().take_snapshot(request)


class ForgetsTheKey(ReferenceDriver):
    """Breaks R-166: what the site says of encryption is not passed on."""

    def ports(self) -> Ports:
        """Write as ever."""
        ports = super().ports()
        if self.site.bucket is None or not isinstance(ports.store, S3Store):
            return ports
        plain = replace(self.site.bucket, key_id="")
        return replace(ports, store=S3Store(ports.store.directory, S3Bucket(plain)))


class LinkingBucket(S3Bucket):
    """A bucket that is read by links which are good for a week, in form at least."""

    def read(self, key: str, size_bytes: int) -> Iterator[bytes]:
        """Ask by such a link first."""
        self.request("GET", key, query={"X-Amz-Expires": WEEK_S})
        return super().read(key, size_bytes)


class LinksForAWeek(ReferenceDriver):
    """Breaks R-153: whoever finds a link that it used can read the backup a week later."""

    def ports(self) -> Ports:
        """Read by links."""
        ports = super().ports()
        if self.site.bucket is None or not isinstance(ports.store, S3Store):
            return ports
        return replace(ports, store=S3Store(ports.store.directory, LinkingBucket(self.site.bucket)))
