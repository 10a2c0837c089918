"""Names and paths, derived from ids alone so that whoever lost an answer can look for what it may have made.

What may stand in a name is the array's and the store's rule; which ids there are is the catalog's.
"""

import re
import uuid

from snapproof.driver import InvalidRequestError
from snapproof.vocabulary import OF_ARRAY_VOLUMES

LUN_NAME_CHARACTERS_MAX = 64
ACCOUNT_CHARACTERS_MAX = 53
"""An account's name on the array has at most 64 characters, and CloudStack_ in front."""
_UUID_CHARACTERS = 36
_IDS = uuid.UUID("7a0b7c52-6a55-5c3e-9d55-3b8c7d0f2a11")


def id_of(kind: str, name: str) -> str:
    """The UUID of an account, a domain, a user or a job's files: it follows from their names, which are unique."""
    return str(uuid.uuid5(_IDS, f"{kind} {name}"))


def own_file(job: str) -> str:
    """The uuid by which a job calls its files where another may have used the snapshot's."""
    return id_of("file", job)


NAME_CHARACTERS_MAX = 255
"""CloudStack's limit of a volume's and of a snapshot's name."""


def require_name(kind: str, name: str) -> None:
    """Refuse a name that is longer than the catalog keeps. Raises InvalidRequestError."""
    if len(name) > NAME_CHARACTERS_MAX:
        raise InvalidRequestError(
            f"A {kind}'s name has at most {NAME_CHARACTERS_MAX} characters, and this one has {len(name)}; shorten it."
        )


def array_name(name: str, uuid: str) -> str:
    """Name an array volume or snapshot: letters, digits and hyphens, at most 64, unique by the uuid at its end."""
    room = LUN_NAME_CHARACTERS_MAX - _UUID_CHARACTERS - 1
    plain = re.sub(r"[^A-Za-z0-9]", "-", name)[:room].strip("-")
    return f"{plain}-{uuid}" if plain else uuid


def require_account(account: str) -> None:
    """Raise ValueError for a name that is no account's: it becomes part of paths, and of names on the array."""
    if not re.fullmatch(rf"[A-Za-z0-9][A-Za-z0-9_-]{{0,{ACCOUNT_CHARACTERS_MAX - 1}}}", account):
        raise ValueError(
            f"{account[:ACCOUNT_CHARACTERS_MAX]!r} is no account's name: letters, digits, - and _ only, "
            f"at most {ACCOUNT_CHARACTERS_MAX}."
        )


def temporary_lun_name(snapshot_uuid: str) -> str:
    """Name the short-lived clone that a snapshot is copied from."""
    return f"backup-of-{snapshot_uuid}"


def backup_path(account: str, volume_uuid: str, file_uuid: str) -> str:
    """Where a backup lies, on NFS and as S3 key alike (R-005)."""
    return f"snapshots/{_part(account)}/{_part(volume_uuid)}/{_part(file_uuid)}.vhd"


def staging_path(account: str, volume_uuid: str, made_uuid: str) -> str:
    """The directory of the export in which hosts write or read what one job makes, beside the backups it belongs to."""
    return backup_path(account, volume_uuid, made_uuid).removesuffix(".vhd") + ".part"


def template_path(account: str, template_uuid: str) -> str:
    """Where a template lies, on NFS and as S3 key alike."""
    return f"template/tmpl/{_part(account)}/{_part(template_uuid)}.vhd"


def template_staging(account: str, template_uuid: str) -> str:
    """The directory of the export in which a host writes a template."""
    return template_path(account, template_uuid).removesuffix(".vhd") + ".part"


def array_reference(snapshot_id: int) -> str:
    """How the catalog writes down where an array snapshot is (CloudStack's install path)."""
    return f"SfSnapshotId={snapshot_id}"


def volume_reference(lun_id: int) -> str:
    """How the catalog writes down which array volume a snapshot is, where it is no array snapshot."""
    return f"{OF_ARRAY_VOLUMES}{lun_id}"


def array_volume_id(reference: str) -> int | None:
    """Read what `volume_reference` wrote; None for an array snapshot."""
    return int(reference.removeprefix(OF_ARRAY_VOLUMES)) if reference.startswith(OF_ARRAY_VOLUMES) else None


def array_snapshot_id(reference: str) -> int:
    """Read what `array_reference` wrote."""
    return int(reference.removeprefix("SfSnapshotId="))


def _part(text: str) -> str:
    """One component of a path."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", text):
        raise ValueError(f"{text!r} cannot be part of a backup's path: letters, digits, - and _ only.")
    return text
