"""Variants that go wrong with templates. The table of all is zoo.toml."""

from dataclasses import replace

from snapproof.reference_impl.adapters.nfs import NfsStore
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.ports import Image, Ports


class _MovesBackups(NfsStore):
    def stage(self, image: Image, staging: str) -> str:
        staged = f"{staging}/{image.path.rpartition('/')[2]}"
        self.directory.make_directories(staging)
        self.directory.rename(image.path, staged)
        return staged


class MakesTheBackupATemplate(ReferenceDriver):
    """Breaks R-017: a backup is moved to where templates are, and the snapshot has lost its bytes."""

    def ports(self) -> Ports:
        """Make no second file where backups are files."""
        ports = super().ports()
        return ports if self.site.bucket else replace(ports, store=_MovesBackups(self.site.export))
