"""Variants that believe what bad people say: names, links, copies. The table of all is zoo.toml."""

import os
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from snapproof.reference_impl.adapters.mounted import MountedDirectory
from snapproof.reference_impl.adapters.nfs import NfsStore
from snapproof.reference_impl.adapters.s3 import S3Store
from snapproof.reference_impl.core.effects import Effect, PublishImage
from snapproof.reference_impl.core.orders import Order, TakeSnapshot
from snapproof.reference_impl.core.plans import Plan, plan_for
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.orchestrator import Rules
from snapproof.reference_impl.ports import Image, Ports


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
