"""Port: what disks held and hold, known without the driver. Everything else that a lab can do is in lab.py."""

from collections.abc import Sequence
from typing import Protocol

from snapproof.vocabulary import Content, Snapshot, Template, Volume


class KnowingLab(Protocol):
    """What guests remember, and what is found on array volumes."""

    def guest_content(self, volume: Volume) -> Content | None:
        """What guests wrote to the volume in all; None if none ever used it."""

    def content_when_taken(self, snapshot: Snapshot) -> Content:
        """What the guest had on its disk when the array took this snapshot, from the guest's own memory."""

    def content_frozen(self, array_snapshot: int) -> Content | None:
        """What the guest had on its disk when the array took the one of this number; None if none ever used it."""

    def contents_asked_for(self, template: Template) -> Sequence[Content]:
        """What those snapshots held of which a template of this name was asked for; none if nobody heard of it."""

    def content_of(self, volume: Volume) -> Content:
        """The guest-visible bytes of a volume, read from the LUN behind the driver's back."""

    def content_of_lun(self, array_volume: int) -> Content:
        """The guest-visible bytes of the disk on an array volume, read behind the driver's back."""

    def disk_uuid_of_lun(self, array_volume: int) -> str:
        """The uuid of the one disk on an array volume, as hosts know it."""
