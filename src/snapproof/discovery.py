"""Finding the parts of an installed snapproof: its step modules, its features, its settings for pytest.

Only names and paths; nothing is imported here but the package `snapproof` itself.
"""

import pkgutil
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

HOME = Path(__file__).parent
LINKED = ("simulators", "reference_impl", "fixtures", "steps", "features")
FEATURES = HOME / "features"
STEPS = "snapproof.steps"
SETTINGS = HOME / "suite.toml"
REGISTER_NAME = "requirements.toml"


def plugin_modules(names: Iterable[str]) -> Iterator[str]:
    """Expand packages to their modules. Raises pytest.UsageError where a checkout has texts in place of links."""
    refuse_texts_for_links(HOME)
    for name in names:
        spec = find_spec(name)
        if spec is None:
            raise pytest.UsageError(f"snapproof_plugins names '{name}', which is not installed in this environment.")
        if spec.submodule_search_locations is None:
            yield name
            continue
        for module in pkgutil.iter_modules(spec.submodule_search_locations):
            yield f"{name}.{module.name}"


def refuse_texts_for_links(home: Path) -> None:
    """Say in one sentence what is wrong where git has checked the folder links out as text files."""
    if any((home / name).is_file() for name in LINKED):
        raise pytest.UsageError(
            "git checked the folder links in src/snapproof out as text: set core.symlinks=true and check out again."
        )


def default_register() -> Path:
    """The register that comes with the package."""
    refuse_texts_for_links(HOME)
    return FEATURES / REGISTER_NAME


def register_above(target: Path) -> Path | None:
    """The register that features belong to: the nearest at or above them, no higher than where one stands."""
    here = target.resolve()
    for folder in (here, *here.parents):
        if (folder / REGISTER_NAME).is_file():
            return folder / REGISTER_NAME
        if folder == Path.cwd():
            break
    return None


def register_for(named: str, targets: Sequence[str]) -> Path:
    """The register that is named, or that the features belong to; else the one that comes with the package."""
    if named:
        return Path(named)
    above = register_above(Path(targets[0].partition("::")[0])) if targets else None
    return above or default_register()
