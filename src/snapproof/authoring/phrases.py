"""The phrase book: every step that a scenario may say, found where pytest-bdd keeps what its decorators were told.

How a scenario finds its step while it runs is pytest-bdd's affair.
"""

import importlib
import importlib.util
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import cast

from pytest_bdd.parsers import StepParser
from pytest_bdd.steps import StepFunctionContext, step_function_context_registry

ANY_KIND = "*"
KINDS = ("given", "when", "then")
FIELD = re.compile(r"\{(?P<name>\w*)(?P<format>:[^}]*)?\}")
FORMATS: Mapping[str, str] = {"": "words", ":d": "a whole number", ":f": "a number", ":g": "a number", ":w": "a word"}
"""What a field of a phrase takes, as people say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """One wording of one step. `fields` are its blanks with what they take; `needs` are the fixtures that it asks for.

    `about` is what its module says of itself.
    """

    kind: str
    pattern: str
    says: str
    module: str
    about: str
    function: str
    path: Path
    line: int
    fields: Mapping[str, str]
    needs: tuple[str, ...]
    coroutine: bool
    parser: StepParser

    def matches(self, kind: str, text: str) -> bool:
        """Say whether a step of this kind and text would be done by it."""
        return self.kind in {kind, ANY_KIND} and self.parser.is_matching(text)

    @property
    def home(self) -> tuple[str, int]:
        """Which function it belongs to; one function may have several wordings, and its name may be `_`."""
        return self.module, self.line

    @property
    def place(self) -> str:
        """Where its code is, as an editor finds it: in the folder of its own package, whatever the machine."""
        return f"{'/'.join(self.path.parts[-2:])}:{self.line}"

    @property
    def wording(self) -> str:
        """The wording with plain names in its blanks."""
        return FIELD.sub(r"{\g<name>}", self.pattern)

    @property
    def skeleton(self) -> str:
        """The wording without the names of its blanks: two phrases with the same one say the same."""
        return FIELD.sub("{}", self.pattern)


def phrases_of(modules: Iterable[str], conftests: Iterable[Path] = ()) -> tuple[Phrase, ...]:
    """Import step modules, and conftest.py files that have none to be imported by, and list what they say."""
    known = {importlib.import_module(name).__name__ for name in modules}
    known |= {_import_file(path) for path in conftests}
    return tuple(phrase for phrase in known_phrases() if phrase.module in known)


def known_phrases() -> tuple[Phrase, ...]:
    """List every step that this process has imported, by kind and then in the order of the code."""
    found = [_phrase(context) for context in step_function_context_registry.values()]
    return tuple(sorted(found, key=lambda each: (_rank(each.kind), each.module, each.line, each.pattern)))


def conftests_beside(folder: Path) -> tuple[Path, ...]:
    """The conftest.py files of a folder of features and of what lies below it."""
    return tuple(sorted(folder.rglob("conftest.py")))


def by_module(phrases: Iterable[Phrase]) -> Iterator[tuple[str, str, list[Phrase]]]:
    """Group by the noun that a module is about: its last name, the first line of its docstring, its phrases."""
    groups: dict[str, list[Phrase]] = {}
    for phrase in phrases:
        groups.setdefault(phrase.module, []).append(phrase)
    for module in sorted(groups):
        first = groups[module][0]
        yield first.path.stem, first.about, groups[module]


def _rank(kind: str) -> int:
    return KINDS.index(kind) if kind in KINDS else len(KINDS)


def _phrase(context: StepFunctionContext) -> Phrase:
    function = cast(FunctionType, inspect.unwrap(context.step_func))  # what a decorator stands above
    fields = {field["name"]: _takes(field["format"] or "") for field in FIELD.finditer(context.parser.name)}
    return Phrase(
        kind=context.type or ANY_KIND,
        pattern=context.parser.name,
        says=inspect.getdoc(function) or "",
        module=function.__module__,
        about=str(function.__globals__.get("__doc__") or "").partition("\n")[0],
        function=function.__name__,
        path=Path(inspect.getsourcefile(function) or ""),
        line=function.__code__.co_firstlineno,
        fields=fields,
        needs=tuple(name for name in inspect.signature(function).parameters if name not in fields),
        coroutine=inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function),
        parser=context.parser,
    )


def _takes(written: str) -> str:
    return FORMATS.get(written, f"what fits '{written.removeprefix(':')}'")


def _import_file(path: Path) -> str:
    """Import a file that is on nobody's path, under a name that no other file has."""
    name = f"snapproof_conftest_{len(step_function_context_registry)}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported: it is no Python file.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return name
