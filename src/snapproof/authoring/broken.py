"""The broken zoo as a table: which variant of the reference implementation breaks which requirement, and what is said.

That each of them is really caught is proved by tests/zoo; here nothing runs.
"""

import inspect
import tomllib
from importlib import import_module
from importlib.resources import files

import msgspec

PACKAGE = "snapproof.reference_impl.variants"


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the zoo. `expect` stands in the message of a scenario that catches it."""

    driver: str
    breaks: str
    expect: str
    hazard: str = ""

    @property
    def selector(self) -> str:
        """What `snapproof run --driver` takes."""
        return f"{PACKAGE}.{self.driver}"

    @property
    def mistake(self) -> str:
        """What it does wrong, in the words of its docstring."""
        module, _, name = self.selector.partition(":")
        return " ".join((inspect.getdoc(getattr(import_module(module), name)) or "").split())


def zoo() -> tuple[Variant, ...]:
    """Every variant, in the order of zoo.toml."""
    text = (files(PACKAGE) / "zoo.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text)["variant"], tuple[Variant, ...])
