"""How `snapproof run` starts pytest: a child with our settings and plugins only, so that nobody else's leak in.

In-process, the package would be imported before pytest could rewrite its assertions.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from snapproof.discovery import FEATURES, HOME, SETTINGS
from snapproof.naming import full_name

PLUGINS = ("pytest_bdd.plugin", "snapproof.plugin")
FOREIGN = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a run was asked to do."""

    driver: str
    seed: int
    report: Path
    profile: str = ""
    register: str = ""
    timeout_s: float | None = None
    keyword: str = ""
    marks: str = ""
    workers: str = ""
    parts: Sequence[str] = ()
    targets: Sequence[str] = ()
    extra: Sequence[str] = ()  # for pytest; the replay line of a failure puts its scenario here


def command(order: Order, *, folder: Path) -> list[str]:
    """Build the command line of the child; `folder` is where the user stands."""
    named = (*order.targets, *(word for word in order.extra if _names_scenarios(word)))
    targets = [canonical(target, folder) for target in named] or [str(FEATURES)]
    options = {
        "--snapproof-driver": full_name(order.driver),
        "--snapproof-seed": str(order.seed),
        "--snapproof-report": str(order.report.resolve()),
        "--snapproof-profile": order.profile and str((folder / order.profile).resolve()),
        "--snapproof-register": order.register and str((folder / order.register).resolve()),
        "--snapproof-timeout": "" if order.timeout_s is None else str(order.timeout_s),
    }
    return [
        *(sys.executable, "-m", "pytest", "-c", str(SETTINGS)),
        *(f"-p{plugin}" for plugin in PLUGINS),
        *(("-pxdist.plugin", f"-n{order.workers}") if order.workers else ()),
        *_roots(targets, folder),
        *("-o", f"cache_dir={order.report.resolve() / 'cache'}"),
        *(f"{name}={value}" for name, value in options.items() if value),
        *(f"--snapproof-part={part}" for part in order.parts),
        *(("-k", order.keyword) if order.keyword else ()),
        *(("-m", order.marks) if order.marks else ()),
        *(word for word in order.extra if not _names_scenarios(word)),
        *targets,
    ]


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """Keep the folder where the user stands off sys.path, and plugins and options of other runs out."""
    kept = {name: value for name, value in given.items() if name not in FOREIGN}
    return kept | {"PYTHONSAFEPATH": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONUNBUFFERED": "1"}


def canonical(target: str, folder: Path) -> str:
    """Find a feature where the package has it, so that `features/x.feature::test_y` means the same everywhere."""
    path, colons, test = target.partition("::")
    here = (folder / path).resolve()
    parts = Path(path).parts
    if here.is_relative_to(FEATURES.resolve()):
        return f"{FEATURES / here.relative_to(FEATURES.resolve())}{colons}{test}"
    if not here.exists() and parts[:1] == (FEATURES.name,) and FEATURES.joinpath(*parts[1:]).exists():
        return f"{FEATURES.joinpath(*parts[1:])}{colons}{test}"
    return f"{here}{colons}{test}"


def _names_scenarios(word: str) -> bool:
    return word.partition("::")[0].endswith(".feature")


def _roots(targets: Sequence[str], folder: Path) -> tuple[str, ...]:
    """A vendor's own features bring their conftest.py; our own are judged without one."""
    outside = [target for target in targets if not Path(target).is_relative_to(FEATURES)]
    root = folder if outside else HOME
    return f"--rootdir={root}", f"--confcutdir={root}"
