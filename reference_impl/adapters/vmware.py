"""The hypervisor port where the hosts run VMware: it refuses everything, for nothing here speaks to such hosts.

CloudStack takes a machine snapshot there before the array's, and keeps OVA files; the driver refuses before it asks.
"""

from collections.abc import Sequence
from typing import NoReturn, Self

from snapproof.reference_impl.ports import Disk, HostFacts, ImageFormat, RefusedError


class VmwareHypervisor:
    """Hosts that nobody here can talk to."""

    image_format = ImageFormat.OVA

    def towards(self, *, portal: str, export_url: str) -> Self:
        """The same."""
        return self

    def resigns(self) -> bool:
        """Nothing is known of them; what they cannot do is refused by their format."""
        return True

    def examine(self) -> Sequence[HostFacts]:
        """Nobody can be asked."""
        return ()

    def repositories(self, target: str) -> Sequence[str]:
        """None that is known."""
        return ()

    def resign(self, target: str) -> None:
        """Refuse."""
        _refuse(target)

    def snapshot_disk(self, target: str) -> str:
        """Refuse."""
        _refuse(target)

    def drop_disk_snapshots(self, target: str) -> None:
        """Nothing: there are none."""

    def copy_disk(self, source: str, disk: str | None, target: str) -> str:
        """Refuse."""
        _refuse(source)

    def attach(self, target: str) -> Disk:
        """Refuse."""
        _refuse(target)

    def copy_out(self, target: str, directory: str) -> str:
        """Refuse."""
        _refuse(target)

    def copy_in(self, directory: str, file: str, target: str, *, size_bytes: int) -> None:
        """Refuse."""
        _refuse(target)

    def is_formatted(self, target: str) -> bool:
        """As it is: nothing is ever written."""
        return True

    def wipe(self, target: str) -> None:
        """Nothing: nothing was ever written."""

    def grow_disk(self, target: str, size_bytes: int) -> None:
        """Refuse."""
        _refuse(target)

    def detach(self, target: str) -> None:
        """Nothing: nothing was ever attached."""

    def clear_unused(self, target: str) -> bool:
        """Nothing: what these hosts do is not known here."""
        return False

    def detach_export(self, directory: str) -> None:
        """Nothing: nothing was ever mounted."""


def _refuse(what: str) -> NoReturn:
    raise RefusedError(f"VMware hosts are not spoken to here; {what} is left as it is.")
