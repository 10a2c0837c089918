"""Port: what bad people do in a lab. Everything else that a lab can do is in lab.py; a real rack has no such powers."""

from collections.abc import Sequence
from typing import Protocol


class HostileLab(Protocol):
    """Harm and lies. What is planted, damaged or false stays so until `repair`."""

    def plant_file(self, path: str) -> None:
        """Put a file of somebody else's beside the backups; it is no backup, and must survive until `repair`."""

    def plant_link(self, path: str) -> None:
        """Let a symbolic link stand at a path of the export until `repair`; what was there is where it leads to."""

    def tamper_with(self, path: str, how: str) -> None:
        """Change a backup behind the store's back until `repair`.

        Ways: `a flipped bit`, `a cut end`, `a false header`, `an absurd virtual size`.
        """

    def impersonate(self, service: str, mask: str) -> None:
        """Begin a life of the driver whose `array` or `host` is somebody else, until `repair`.

        Masks: `a certificate that nobody vouches for`, `a certificate of another host's`, `a certificate that has
        expired`, `no certificate at all`.
        """

    def heard_by_impostors(self) -> Sequence[str]:
        """What drivers have sent to impostors, one line for each request."""

    def links_s(self) -> Sequence[int]:
        """For how many seconds the links that were used on the store give access to whoever has them."""

    def shell_traces(self) -> Sequence[str]:
        """Where a file `shell-was-here` lies, which a shell makes that reads a hostile name as a command."""
