"""Settings read from a file of `name = value` lines and from the environment, which wins. No locale has a say here.

What may stand there is settings.py. The page docs/settings.md: `python -m snapproof.reference_impl.configuring`.
"""

import logging
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import Field, dataclass, replace
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, get_type_hints

from snapproof.driver import InvalidRequestError
from snapproof.reference_impl.core.locations import read_location
from snapproof.reference_impl.settings import LiveSettings, Rule, SettingError, Settings, table
from snapproof.site import Site
from snapproof.vocabulary import LocationType, Secret

LOG = logging.getLogger("snapproof.settings")

FILE = "snapproof.properties"
"""Its name in a state directory."""

PREFIXES = ("SNAPPROOF_SNAPSHOT_", "SNAPPROOF_SECURITY_")
"""What the names of variables begin with: snapshot.backup.timeout is SNAPPROOF_SNAPSHOT_BACKUP_TIMEOUT."""

ABOUT = f"""\
# Settings

Written by `python -m snapproof.reference_impl.configuring` from the table in `reference_impl/settings.py`.

A server reads `{FILE}` in its state directory, lines of `name = value` and comments that begin with `#`,
and then the environment that it is given: `snapshot.backup.timeout` is the variable
`{PREFIXES[0]}BACKUP_TIMEOUT`, and a variable wins over a line. `snapproof host`, `serve`, `doctor`, `explain` and
`repair` give it theirs; a driver inside `snapproof run` has none, so that a seed repeats a run on every machine.
Numbers are written in plain digits with a point, truth as `true` or `false`, whatever the locale. An unknown name is
warned of in the log; a value that is none, or out of its range, is refused: at the start by not starting, later by
going on with the settings in force. A running server reads the file again whenever it does its due work.
**At once** means from the next request, wait or sweep on; what is in flight ends as it was begun. Scope **site**: give
every management server the same value. Scope **server**: each may have its own.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """What was read, and what to tell the operator about it."""

    settings: Settings
    warnings: tuple[str, ...]


def read_settings(
    lines: Iterable[str], environment: Mapping[str, str] = MappingProxyType({}), *, base: Settings | None = None
) -> Configured:
    """Read both places; what neither names is as in `base`. Raises SettingError for a value that cannot be."""
    given, warnings = _given(lines)
    names = {rule.name: (each, rule) for each, rule in table()}
    for variable in sorted(environment):
        if variable.startswith(PREFIXES):
            given[_name_of_variable(variable, names)] = environment[variable]
    values: dict[str, Any] = {}
    for name, text in given.items():
        if name in names:
            each, rule = names[name]
            values[each.name] = _value(each, rule, text)
        else:
            near = get_close_matches(name, names, n=1)
            cure = f"; do you mean {near[0]}?" if near else "; it is left out."
            warnings.append(f"There is no setting {name!a}{cure}")
    return Configured(settings=replace(base or Settings(), **values), warnings=tuple(warnings))


def heeded(variables: Mapping[str, str]) -> Mapping[str, str]:
    """Those of a process's variables that are settings, or are meant to be."""
    return {name: value for name, value in variables.items() if name.startswith(PREFIXES)}


class Configuration:
    """The settings of one server: `given` ones, its site's file over them, its site's environment over both."""

    def __init__(self, given: Settings, site: Site) -> None:
        self._given = given
        self._path = site.state_directory / FILE
        self._environment = site.environment
        self.warnings: tuple[str, ...] = ()
        self._read = self._lines()
        self.live = LiveSettings(self._configured(self._read))

    def refresh(self) -> None:
        """Follow the file, if it says something else by now; what is wrong with it is logged and changes nothing."""
        lines = self._lines()
        if lines == self._read:
            return
        self._read = lines
        try:
            waiting = self.live.change(self._configured(lines))
        except SettingError as error:
            LOG.error("The settings are left as they are: %s", error)  # noqa: TRY400  the sentence says all
            return
        LOG.info("The settings were read again from %s.", self._path.name)
        for name in waiting:
            LOG.warning("%s changes at the next start.", name)

    def _configured(self, lines: Sequence[str]) -> Settings:
        read = read_settings(lines, self._environment, base=self._given)
        self.warnings = read.warnings
        for warning in read.warnings:
            LOG.warning("%s", warning)
        return read.settings

    def _lines(self) -> Sequence[str]:
        try:
            return self._path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []


def _given(lines: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    given: dict[str, str] = {}
    warnings: list[str] = []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        name, equals, value = text.partition("=")
        if not text or text.startswith("#"):
            continue
        if not equals:
            warnings.append(f"Line {number} of the settings is no `name = value`; it is left out.")
        else:
            given[name.strip()] = value.strip()
    return given, warnings


def _name_of_variable(variable: str, names: Iterable[str]) -> str:
    known = {variable_of(name): name for name in names}
    return known.get(variable, variable)


def variable_of(name: str) -> str:
    """The variable that stands for a setting."""
    return "SNAPPROOF_" + name.replace(".", "_").translate(_CAPITALS)


_CAPITALS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?", re.ASCII)


def _truth(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _whole(text: str) -> int:
    return int(text) if _NUMBER.fullmatch(text) and "." not in text else _no_number(text)


def _fraction(text: str) -> float:
    return float(text) if _NUMBER.fullmatch(text) else _no_number(text)


def _no_number(text: str) -> Any:
    raise ValueError(text)


READERS: Mapping[object, tuple[str, Callable[[str], object]]] = {
    bool: ("true or false", _truth),
    int: ("a whole number", _whole),
    float: ("a number", _fraction),
    LocationType: ("PRIMARY or SECONDARY", read_location),
    Secret | None: ("a URL", Secret),
}
"""What a value of each type is called, and how it is read."""


def type_of(each: Field[Any]) -> object:
    """The type of a setting."""
    return get_type_hints(Settings)[each.name]


def _value(each: Field[Any], rule: Rule, text: str) -> object:
    called, read = READERS[type_of(each)]
    try:
        return read(text)
    except (ValueError, KeyError, InvalidRequestError) as error:
        raise SettingError(f"{rule.name} is {text!a}, which is not {called}.") from error


def page() -> str:
    """Write the page."""
    lines = [ABOUT, "| setting | type | default | range | scope | a change counts | what it says |"]
    lines.append("|---|---|---|---|---|---|---|")
    for each, rule in table():
        called = READERS[type_of(each)][0]
        default = {"True": "true", "False": "false", "None": "none"}.get(str(each.default)) or _number(each.default)
        bounds = "" if rule.least is None else f"{_number(rule.least)} to {_number(rule.most)}"
        cloudstack = f" CloudStack: `{rule.of}`." if rule.of else ""
        unit = " (seconds)" if each.name.endswith("_s") else ""
        lines.append(
            f"| `{rule.name}` | {called}{unit} | {default} | {bounds} | {rule.scope} | {rule.reload} "
            f"| {rule.text}{cloudstack} |"
        )
    return "\n".join([*lines, ""])


def _number(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


if __name__ == "__main__":
    sys.stdout.write(page())
