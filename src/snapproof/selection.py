"""What the suite and the lab fixture tell each other: driver and seed one way, facts of a scenario the other.

How a driver is judged is not said here, nor how a lab is built; what names drivers have is in naming.py.
"""

import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import pytest

from snapproof.discovery import default_register
from snapproof.driver import DriverFactory, EquippedFactory
from snapproof.lab import NotTestableError
from snapproof.naming import UnknownDriverError, full_name, load_driver
from snapproof.profile import Control, Profile, ProfileError, profile_of
from snapproof.register import Register, RegisterError, read_register
from snapproof.timeline import Moment
from snapproof.vocabulary import Capability, Description

_FACTORY = pytest.StashKey[DriverFactory]()
_PROFILE = pytest.StashKey[Profile]()
_REGISTER = pytest.StashKey[Register]()
SECRETS = pytest.StashKey[set[str]]()
DESCRIPTION = pytest.StashKey[Description]()
TIMELINE = pytest.StashKey[list[Moment]]()
"""What the lab has heard, as far as it has; a lab that hears nothing leaves it out."""

BREAKING = frozenset({"crash", "fault"})
"""Tags of scenarios that break things behind the driver's back."""

ATTACHMENTS = pytest.StashKey[list[tuple[str, str]]]()


class CapabilityMissingError(Exception):
    """The driver does not declare what this scenario needs; the verdict is NOT-SUPPORTED."""


class ProfileBrokenError(AssertionError):
    """The driver is not what its own profile says; the verdict is FAIL."""


class SuiteError(Exception):
    """The suite itself is wrong; the verdict is HARNESS-ERROR."""


def driver_name(config: pytest.Config) -> str:
    """Give the driver's full name from option or ini file; empty where none is named."""
    return full_name(config.getoption("snapproof_driver") or config.getini("snapproof_driver"))


def selected_driver(config: pytest.Config) -> DriverFactory:
    """Give the factory of the driver under test; imported at the first call. Raises pytest.UsageError."""
    if _FACTORY not in config.stash:
        try:
            factory = load_driver(driver_name(config))
        except UnknownDriverError as exc:
            raise pytest.UsageError(str(exc)) from exc
        config.stash.setdefault(SECRETS, set()).update(equip(factory, selected_profile(config)))
        config.stash[_FACTORY] = factory
    return config.stash[_FACTORY]


def equip(factory: DriverFactory, profile: Profile) -> Collection[str]:
    """Give a driver that we start the parameters and credentials of its profile; the result is what is secret.

    Raises pytest.UsageError.
    """
    try:
        secrets = {name: secret.reveal() for name, secret in profile.secrets(os.environ).items()}
    except ProfileError as exc:
        raise pytest.UsageError(str(exc)) from exc
    if given := {**profile.parameters, **secrets}:
        if not isinstance(factory, EquippedFactory):
            raise pytest.UsageError(
                "The profile's parameters and credentials reach only a driver that we start: cmd:, docker:."
            )
        factory.equip(given)
    return secrets.values()


def selected_seed(config: pytest.Config) -> int:
    """Give the seed of the run."""
    return int(config.getoption("snapproof_seed") or 0)


def selected_parts(config: pytest.Config) -> Sequence[str]:
    """Name the parts of the lab that shall be real."""
    return tuple(config.getoption("snapproof_part") or ())


def selected_register(config: pytest.Config) -> Register:
    """Give the register that the run is judged by; read at the first call. Raises pytest.UsageError."""
    if _REGISTER not in config.stash:
        try:
            config.stash[_REGISTER] = read_register(Path(config.getoption("snapproof_register") or default_register()))
        except RegisterError as exc:
            raise pytest.UsageError(str(exc)) from exc
    return config.stash[_REGISTER]


def selected_profile(config: pytest.Config) -> Profile:
    """Give the driver's profile, an empty one where none is named. Raises pytest.UsageError."""
    if _PROFILE not in config.stash:
        named = config.getoption("snapproof_profile")
        try:
            config.stash[_PROFILE] = profile_of(named or "", os.environ)
        except ProfileError as exc:
            raise pytest.UsageError(str(exc)) from exc
    return config.stash[_PROFILE]


def check_capabilities(item: pytest.Item, description: Description) -> None:
    """Note who the driver says it is, and leave the scenario if the driver does not declare what its tags need.

    Raises CapabilityMissingError.
    """
    item.stash[DESCRIPTION] = description
    check_profile(selected_profile(item.config), description, {mark.name for mark in item.iter_markers()})
    needed = {Capability(mark.kwargs["id"]) for mark in item.iter_markers("capability")}
    if missing := sorted(needed - description.capabilities):
        raise CapabilityMissingError(f"{description.name} does not declare {', '.join(missing)}.")


def check_profile(profile: Profile, description: Description, marks: Collection[str]) -> None:
    """Hold the driver to its profile, and leave the scenario if it needs more control than the profile gives.

    Raises ProfileBrokenError or NotTestableError.
    """
    if profile.capabilities is not None and (odd := profile.capabilities ^ description.capabilities):
        raise ProfileBrokenError(
            f"{description.name} does not declare what its profile says: {', '.join(sorted(odd))} in one of them only."
        )
    if profile.control is Control.NONE:
        raise NotTestableError("The scenario looks behind the driver, and its profile gives control 'none'.")
    if profile.control is Control.INSPECT and not BREAKING.isdisjoint(marks):
        raise NotTestableError("The scenario breaks things behind the driver, and its profile gives control 'inspect'.")


def conceal(item: pytest.Item, secrets: Iterable[str]) -> None:
    """Keep these texts out of everything that is reported, from now on and for the rest of the run."""
    item.config.stash.setdefault(SECRETS, set()).update(secrets)


def attach(item: pytest.Item, title: str, text: str) -> None:
    """Show a text beside this scenario's result unless it passes: a journal, an inventory. Secrets are taken out."""
    item.stash.setdefault(ATTACHMENTS, []).append((title, text))
