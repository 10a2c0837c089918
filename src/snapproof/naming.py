"""Drivers by their names: `MODULE:FACTORY`, short ones, and URIs that open a door.

Who is judged in a run of the suite is in selection.py.
"""

import importlib

from snapproof.driver import DriverFactory

ALIASES = {"reference": "snapproof.reference_impl.driver:ReferenceDriver"}
"""Short names of drivers that come with the package."""

OVER_PRIMARY = "reference?primary="
"""What stands before the URI of a primary-storage driver that the reference is to work with."""

SCHEMES = {
    "contract": "snapproof.drivers.outside:spoken_to",
    "cmd": "snapproof.drivers.outside:CommandDriver",
    "http": "snapproof.drivers.outside:UrlDriver",
    "https": "snapproof.drivers.outside:UrlDriver",
    "csi+unix": "snapproof.drivers.csi.door:CsiDriver",
    "csi+cmd": "snapproof.drivers.csi.door:CsiCommand",
    "docker": "snapproof.drivers.container:ContainerDriver",
    "cinder": "snapproof.drivers.cinder.door:CinderDriver",
}
"""Doors to drivers that are not simply called, by the scheme of the URI that names the driver."""

CURE = (
    "Name it MODULE:FACTORY, and install its package in this environment or add its folder to PYTHONPATH "
    "(the current folder is not searched); or give a URI: cmd:./driver, http://127.0.0.1:8080."
)


class UnknownDriverError(ValueError):
    """No driver can be had by that name; the sentence says why, and what a name is."""


def full_name(name: str) -> str:
    """Give the full name of a driver that may be called by a short one."""
    return ALIASES.get(name, name)


def short_name(name: str) -> str:
    """Give the short name of a driver that has one, for people to read."""
    return next((short for short, full in ALIASES.items() if full == full_name(name)), name)


def load_driver(name: str) -> DriverFactory:
    """Import `MODULE:FACTORY`, or open the door that a URI names. Raises UnknownDriverError."""
    module_name, _, attribute = name.partition(":")
    if name.startswith(OVER_PRIMARY):
        return _opened(name, "snapproof.drivers.outside:OverPrimary")
    if not module_name or not attribute:
        raise UnknownDriverError(f"'{name}' names no driver. {CURE}")
    if module_name in SCHEMES:
        return _opened(name, SCHEMES[module_name])
    try:
        module = importlib.import_module(module_name)
    except Exception as exc:
        reason = f"{type(exc).__name__}: {exc}"
        raise UnknownDriverError(f"The driver '{name}' cannot be imported ({reason}). {CURE}") from exc
    factory: DriverFactory | None = getattr(module, attribute, None)
    if not callable(factory):
        raise UnknownDriverError(f"{module_name} has no callable '{attribute}'. {CURE}")
    return factory


def _opened(uri: str, door: str) -> DriverFactory:
    module_name, _, attribute = door.partition(":")
    try:
        opened: DriverFactory = getattr(importlib.import_module(module_name), attribute)(uri)
    except ValueError as exc:
        raise UnknownDriverError(str(exc)) from exc
    return opened


def driver_package(factory: DriverFactory) -> str:
    """Name the package whose code is the driver's, so that an error from inside it is blamed on the driver.

    A driver outside this process has none: all code that can raise here is ours.
    """
    parts = str(getattr(factory, "__module__", "")).split(".")
    if parts[:2] == ["snapproof", "drivers"]:
        return ""
    return ".".join(parts[:2] if parts[0] == "snapproof" else parts[:1])
