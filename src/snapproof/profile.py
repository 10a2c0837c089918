"""A driver's profile, `driver.toml` beside the driver: who it is, how it is started, what it can bear, what is known.

Exceptions live here, with the product, never in our features. The environment wins over the file. How a deviation is
judged is verdict.py's, and how limits are honoured is fixtures/limits.py's.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from pathlib import Path

import msgspec

from snapproof.vocabulary import Capability, Secret

PROFILE_NAME = "driver.toml"
"""What `snapproof run` reads where it finds it and no driver is named."""

VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*\Z")


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


class Control(StrEnum):
    """What the suite may do behind the driver's back: everything; look without breaking; nothing at all."""

    FULL = "full"
    INSPECT = "inspect"
    NONE = "none"


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the driver cannot bear more of. What a scenario asks beyond it is not asked, and counts as not supported."""

    name_characters_max: int | None = None
    volume_bytes_min: int | None = None
    volume_bytes_max: int | None = None
    snapshots_per_volume_max: int | None = None
    operations_at_once_max: int | None = None

    def said(self) -> Iterator[tuple[str, int]]:
        """Give those that are set."""
        for name in self.__struct_fields__:
            if (value := getattr(self, name)) is not None:
                yield name, value


NO_LIMITS = Limits()


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a profile may say.

    `parameters` and `credentials` are variables in the environment of a driver that we start. A credential is
    `env:NAME` or `file:PATH`, never the secret itself. `capabilities`, where they are listed, are what the driver must
    declare, no more and no less.
    """

    driver: str = ""
    control: Control = Control.FULL
    capabilities: frozenset[Capability] | None = None
    parameters: dict[str, str] = {}
    credentials: dict[str, str] = {}
    limits: Limits = NO_LIMITS
    deviation: tuple[Deviation, ...] = ()

    def secrets(self, environment: Mapping[str, str]) -> Mapping[str, Secret]:
        """Fetch the credentials from where they are kept. Raises ProfileError."""
        return {name: _fetched(name, place, environment) for name, place in self.credentials.items()}

    def shown(self) -> dict[str, str]:
        """Say it in a report: as it was resolved, without a secret."""
        told = {
            "control": "" if self.control is Control.FULL else str(self.control),
            "capabilities": ", ".join(sorted(self.capabilities or ())),
            "parameters": ", ".join(f"{name}={value}" for name, value in sorted(self.parameters.items())),
            "credentials": ", ".join(f"{name}=*** from {place}" for name, place in sorted(self.credentials.items())),
            "limits": ", ".join(f"{name}={value}" for name, value in self.limits.said()),
            "deviations": ", ".join(each.scenario for each in self.deviation),
        }
        return {title: text for title, text in told.items() if text}


def read_profile(path: Path, environment: Mapping[str, str] | None = None) -> Profile:
    """Read a profile; what the environment says stands above it. Raises ProfileError."""
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ProfileError(f"The profile {path} cannot be read: {exc.strerror}.") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ProfileError(f"The profile {path} is malformed: {exc}.") from exc
    profile = _checked(written, f"The profile {path} is malformed")
    return _checked(_overridden(written, environment), "The environment is") if environment else profile


def profile_of(path: str, environment: Mapping[str, str]) -> Profile:
    """Read the profile that somebody named, or else take what the environment says alone. Raises ProfileError."""
    if path:
        return read_profile(Path(path), environment)
    return _checked(_overridden({}, environment), "The environment is")


def _checked(written: Mapping[str, object], where: str) -> Profile:
    try:
        profile = msgspec.convert(written, Profile)
    except msgspec.ValidationError as exc:
        raise ProfileError(f"{where}: {exc}.") from exc
    for name in (*profile.parameters, *profile.credentials):
        if not VARIABLE.match(name):
            raise ProfileError(f"{where}: {name!r} is no name of a variable; write capitals, digits and underscores.")
    return profile


def _overridden(written: Mapping[str, object], environment: Mapping[str, str]) -> Mapping[str, object]:
    """Put SNAPPROOF_DRIVER, _CONTROL, _CAPABILITIES, _LIMIT_... and _PARAMETER_... in place of what is written."""
    merged = dict(written)
    plain = {name: environment.get(f"SNAPPROOF_{name.upper()}") for name in ("driver", "control")}
    merged |= {name: value for name, value in plain.items() if value}
    if "SNAPPROOF_CAPABILITIES" in environment:
        words = environment["SNAPPROOF_CAPABILITIES"].split(",")
        merged["capabilities"] = [word.strip() for word in words if word.strip()]
    for table, prefix in (("limits", "SNAPPROOF_LIMIT_"), ("parameters", "SNAPPROOF_PARAMETER_")):
        said = {name.removeprefix(prefix): value for name, value in environment.items() if name.startswith(prefix)}
        kept = merged.get(table, {})
        if said and isinstance(kept, Mapping):
            merged[table] = {**kept, **(_numbers(said) if table == "limits" else said)}
    return merged


def _numbers(said: Mapping[str, str]) -> Mapping[str, int | str]:
    """Read limits; what is no number is left for the check to complain of."""
    return {name.lower(): int(text) if text.isdecimal() else text for name, text in said.items()}


def _fetched(name: str, place: str, environment: Mapping[str, str]) -> Secret:
    kind, _, where = place.partition(":")
    if kind == "env" and environment.get(where):
        return Secret(environment[where])
    if kind == "file":
        try:
            return Secret(Path(where).expanduser().read_text(encoding="utf-8").rstrip("\n"))
        except OSError as exc:
            raise ProfileError(f"The credential {name} cannot be read from {where}: {exc.strerror}.") from exc
    if kind == "env":
        raise ProfileError(f"The credential {name} is to come from the variable {where}, which is not set.")
    raise ProfileError(
        f"The credential {name} says neither env:NAME nor file:PATH; a secret does not belong in a profile."
    )
