"""A driver's profile, a TOML file beside the driver: which driver it is, and which deviations its makers own up to.

Exceptions live here, with the product, never in our features. How a deviation is judged is verdict.py's.
"""

import tomllib
from datetime import date
from pathlib import Path

import msgspec


class ProfileError(Exception):
    """The profile cannot be read; the message says where and what to mend."""


class Deviation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A scenario that is known to fail, by its id, with the reason, a link to the issue, and the day when it ends.

    It still runs: if it passes, the deviation is stale and that is a failure.
    """

    scenario: str
    reason: str
    link: str
    expires: date | None = None

    def excuses(self, today: date) -> bool:
        """Say whether the deviation still counts; on its last day it does."""
        return self.expires is None or today <= self.expires


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a profile may say."""

    driver: str = ""
    deviation: tuple[Deviation, ...] = ()


def read_profile(path: Path) -> Profile:
    """Read a profile. Raises ProfileError."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Profile)
    except OSError as exc:
        raise ProfileError(f"The profile {path} cannot be read: {exc.strerror}.") from exc
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as exc:
        raise ProfileError(f"The profile {path} is malformed: {exc}.") from exc
