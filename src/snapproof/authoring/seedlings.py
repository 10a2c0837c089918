"""What `snapproof new` writes: a row of the register, a scenario that cannot pass yet, a variant that must fail.

Texts only; where they are written is the command's affair.
"""

import re
import textwrap
from dataclasses import dataclass

from snapproof.register import Register

ID = re.compile(r"R-(\d+)")
OPEN_STEP = "it is still to be said what must be seen"
"""The Then that nobody has defined: until it is replaced, the scenario fails and says what could stand there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seedling:
    """A requirement that somebody begins. `sentence` is the promise, without its full stop where it is a title."""

    id: str
    sentence: str
    capability: str

    @property
    def title(self) -> str:
        """The promise as the title of a scenario."""
        return self.sentence.rstrip(".")

    @property
    def class_name(self) -> str:
        """A name for the variant."""
        return f"Breaks{self.id.replace('-', '')}"


def next_id(register: Register | None) -> str:
    """The first id that the register does not hold, counted on from its highest."""
    numbers = [int(match[1]) for row in (register.requirements if register else ()) if (match := ID.fullmatch(row.id))]
    return f"R-{max(numbers, default=0) + 1:03}"


def register_head(set_name: str) -> str:
    """Write the first line of a register that does not exist yet."""
    return f'set = "{set_name}"\n'


def register_row(seedling: Seedling) -> str:
    """Write a row. It is called tested, so that a run counts it from the first day, and fails until it is proved."""
    level = f'level = "extended"\ncapability = "{seedling.capability}"\n' if seedling.capability else 'level = "core"\n'
    return (
        f'\n[[requirement]]\nid = "{seedling.id}"\ntext = {_quoted(seedling.title + ".")}\n'
        'passes_when = "Say here which observation proves it."\n'
        f'section = "Own"\nreference = "Say here where it comes from."\n{level}status = "tested"\n'
    )


def feature_head(name: str) -> str:
    """Write the head of a feature file that does not exist yet, named after its file."""
    return f"Feature: {name.replace('_', ' ').capitalize()}\n  Say here in a line what it is about.\n"


def scenario(seedling: Seedling) -> str:
    """Write a scenario with a world that works and a Then that is open."""
    capability = f" @capability:{seedling.capability}" if seedling.capability else ""
    return textwrap.indent(
        f"\n@req:{seedling.id}{capability}\nScenario: {seedling.title}\n"
        '  Given a volume "database" of 3 MiB\n'
        '  And a guest has written to "database"\n'
        '  When a snapshot "nightly" of "database" is taken\n'
        f"  Then {OPEN_STEP}\n",
        "  ",
        lambda line: bool(line.strip()),
    )


def variant_head() -> str:
    """Write the head of a file of variants that does not exist yet."""
    return (
        '"""Variants that must be caught: the reference implementation with one mistake each."""\n\n'
        "from snapproof.driver import BackendError\n"
        "from snapproof.reference_impl.driver import ReferenceDriver\n"
        "from snapproof.vocabulary import Snapshot, SnapshotRequest\n"
    )


def variant(seedling: Seedling) -> str:
    """Write a variant that is broken so that any scenario notices, until the mistake that is meant stands there."""
    return (
        f"\n\nclass {seedling.class_name}(ReferenceDriver):\n"
        f'    """Breaks {seedling.id}: say here which mistake it makes, one that somebody could make."""\n\n'
        "    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:\n"
        '        """Do it wrong here; for now it does nothing at all."""\n'
        f'        raise BackendError("{seedling.id} is still to be broken in a more interesting way.")\n'
    )


def zoo_row(seedling: Seedling, module: str) -> str:
    """Write the line of the zoo that makes tests/zoo run the variant."""
    return (
        f'\n[[variant]]\ndriver = "{module}:{seedling.class_name}"\nbreaks = "{seedling.id}"\n'
        'expect = "Say here what the scenario says when it catches it."\n'
    )


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
