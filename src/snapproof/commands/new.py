"""`snapproof new`: begin a requirement. Writes its register row, a scenario that cannot pass yet, and a broken variant.

What the texts say is in authoring/seedlings.py.
"""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from snapproof.authoring.seedlings import (
    Seedling,
    feature_head,
    next_id,
    register_head,
    register_row,
    scenario,
    variant,
    variant_head,
    zoo_row,
)
from snapproof.discovery import REGISTER_NAME, register_above
from snapproof.register import Register, RegisterError, read_register
from snapproof.verdict import EXIT_USAGE
from snapproof.vocabulary import Capability

ZOO_NAME = "zoo.toml"
EXAMPLES = """\
examples:
  snapproof new my/naming.feature "A snapshot keeps its name when it is archived."
  snapproof new my/naming.feature "An archive keeps its name." --capability archive
  snapproof new features/take/naming.feature "..." --variant reference_impl/variants/moving.py    (in a checkout)

The register is the requirements.toml beside the feature file, or in a folder above it; if there is none, it is begun.
exit codes: 0 written, 4 usage
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "new",
        help="begin a requirement: register row, scenario and broken variant",
        description="Begin a requirement: its register row, a scenario that cannot pass yet, and a broken variant.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("feature", metavar="FEATURE", help="the feature file, new or known")
    parser.add_argument("sentence", metavar="SENTENCE", help="the promise, in one sentence")
    parser.add_argument("--capability", default="", metavar="NAME", help="what a driver must declare to be asked")
    parser.add_argument("--variant", default="variants.py", metavar="FILE", help="where the broken variant goes")


def run(arguments: argparse.Namespace) -> int:
    """Write the three texts and say what comes next."""
    feature, stub = Path(arguments.feature), Path(arguments.variant)
    register_path = _register_above(feature)
    try:
        _refuse(arguments, feature)
        register = read_register(register_path) if register_path.exists() else None
        _refuse_twin(register, arguments.sentence)
    except (RegisterError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_USAGE
    sentence = " ".join(arguments.sentence.split())
    seedling = Seedling(id=next_id(register), sentence=sentence, capability=arguments.capability)
    for path, text in _texts(seedling, register_path, feature, stub).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    _tell(seedling, register_path, feature, stub)
    return 0


def _texts(seedling: Seedling, register: Path, feature: Path, stub: Path) -> Mapping[Path, str]:
    """What is to be appended to which file, with a head where the file is new."""
    zoo = stub.with_name(ZOO_NAME)
    return {
        register: ("" if register.exists() else register_head("own")) + register_row(seedling),
        feature: ("" if feature.exists() else feature_head(feature.stem)) + scenario(seedling),
        stub: ("" if stub.exists() else variant_head()) + variant(seedling),
        **({zoo: zoo_row(seedling, stub.stem)} if zoo.exists() else {}),
    }


def _register_above(feature: Path) -> Path:
    """The register that the feature file belongs to, or where it is begun."""
    found = register_above(feature)
    return Path(os.path.relpath(found)) if found else feature.parent / REGISTER_NAME


def _refuse(arguments: argparse.Namespace, feature: Path) -> None:
    if feature.suffix != ".feature":
        raise ValueError(f"'{feature}' is no feature file; let its name end in .feature.")
    if len(arguments.sentence.split()) < 3:
        raise ValueError(f"'{arguments.sentence}' is no sentence; say who does what, as a promise.")
    if arguments.capability and arguments.capability not in set(Capability):
        raise ValueError(f"No capability is called '{arguments.capability}'; there are {', '.join(Capability)}.")


def _refuse_twin(register: Register | None, sentence: str) -> None:
    wanted = " ".join(sentence.split()).rstrip(".").lower()
    for row in register.requirements if register else ():
        if row.text.rstrip(".").lower() == wanted:
            raise ValueError(f"{row.id} promises just that; tag your scenario @req:{row.id}.")


def _tell(seedling: Seedling, register: Path, feature: Path, stub: Path) -> None:
    console = Console(highlight=False, soft_wrap=True, markup=False)
    judged = f"snapproof run {feature}"
    folder = "" if str(stub.parent) == "." else f"{stub.parent}"
    lines = (
        f"{seedling.id} has begun:",
        f"  {register}: its row; say there what proves it, and where it comes from",
        f"  {feature}: its scenario; say there what must be seen",
        f"  {stub}: {seedling.class_name}, a driver that breaks it",
        "Next:",
        "  snapproof steps snapshot",
        "      shows what a scenario may say, by a word; let one of these steps stand in place of the open Then",
        f"  snapproof lint {feature}",
        "      tells what is still wrong before anything runs, and which steps come near",
        f"  {judged}",
        "      must pass on the reference implementation",
        f"  PYTHONPATH={folder or '.'} {judged} --driver {stub.stem}:{seedling.class_name}",
        "      must fail with the scenario's own words: else it proves nothing",
    )
    for line in lines:
        console.print(line)
