"""The broken zoo as a table: which variant of the reference implementation breaks which requirement, and what is said.

That each of them is really caught is proved by tests/zoo; here nothing runs.
"""

import inspect
import tomllib
from importlib import import_module
from importlib.resources import files
from typing import Any

import msgspec

PACKAGE = "snapproof.reference_impl.variants"


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the zoo. `expect` stands in the message of a scenario that catches it.

    `where` stands in that scenario's id: it is tried before the others of the requirement, to save time.
    """

    driver: str
    breaks: str
    expect: str
    hazard: str = ""
    where: str = ""

    @property
    def selector(self) -> str:
        """What `snapproof run --driver` takes."""
        return f"{PACKAGE}.{self.driver}"

    @property
    def mistake(self) -> str:
        """What it does wrong, in the words of its docstring."""
        module, _, name = self.selector.partition(":")
        return " ".join((inspect.getdoc(getattr(import_module(module), name)) or "").split())


class Planted(Variant, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A variant of what no driver can be asked: a test of ours plants it, and hears what `expect` says."""

    caught_by: str

    def planted(self) -> Any:
        """The driver's class, for the test."""
        module, _, name = self.selector.partition(":")
        return getattr(import_module(module), name)


class FaultMistake(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of faults.toml: a variant that holds its promises until so many `faults` strike a workflow."""

    driver: str
    workflow: str
    store: str
    faults: int

    @property
    def selector(self) -> str:
        """What `snapproof campaign --driver` takes."""
        return f"{PACKAGE}.{self.driver}"


def fault_mistakes() -> tuple[FaultMistake, ...]:
    """Every variant that a campaign finds, in the order of faults.toml."""
    text = files(PACKAGE).joinpath("faults.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text)["mistake"], tuple[FaultMistake, ...])


def zoo() -> tuple[Variant, ...]:
    """Every variant that a scenario catches, in the order of zoo.toml."""
    return msgspec.convert(_tables()["variant"], tuple[Variant, ...])


def planted() -> tuple[Planted, ...]:
    """Every variant that a test of ours catches, in the order of zoo.toml."""
    return msgspec.convert(_tables()["planted"], tuple[Planted, ...])


def planted_for(hazard: str) -> Planted:
    """The variant that a test plants for a hazard."""
    (found,) = (each for each in planted() if each.hazard == hazard)
    return found


def _tables() -> dict[str, Any]:
    return tomllib.loads((files(PACKAGE) / "zoo.toml").read_text(encoding="utf-8"))
