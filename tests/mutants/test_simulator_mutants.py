"""Proof that the simulators' own tests bite: flip one rule of a simulator, and the test that is named must notice.

The flips are a table, simulators.toml. Each is made in a forked child, where one function is compiled anew with a few
of its words changed; so whoever holds the function already, a table of rules too, meets the flip. A short sample runs
always, `SNAPPROOF_ALL_MUTANTS=1` all of them.
"""

import ast
import functools
import importlib
import inspect
import os
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import CodeType, FunctionType

import msgspec
import pytest

from snapproof.commands.forked import in_a_child
from snapproof.commands.until_said import UntilSaid

ROOT = Path(__file__).parents[2]
PACKAGE = "snapproof.simulators"
STRIDE = 1 if os.environ.get("SNAPPROOF_ALL_MUTANTS") else 12


class Mutant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the table. `flips` says what the simulator then does wrong.

    In the function at `where`, `was` stands once, and `becomes` takes its place. The test `noticed_by` must fail,
    `saying` these words in its failure, or in the name of its case.
    """

    name: str
    flips: str
    where: str
    was: str
    becomes: str
    noticed_by: str
    saying: str

    @property
    def test(self) -> str:
        """As pytest calls it."""
        return str(ROOT / "tests" / "simulators" / self.noticed_by)


class Noticed(msgspec.Struct, frozen=True):
    """What became of the tests: how many passed, and what those said that failed."""

    passed: int
    said: tuple[str, ...]


MUTANTS = msgspec.convert(
    tomllib.loads(Path(__file__).with_name("simulators.toml").read_text(encoding="utf-8"))["mutant"],
    tuple[Mutant, ...],
)
CHOSEN = MUTANTS[::STRIDE]


def function_at(where: str) -> FunctionType:
    """Find the function that is written at `module:name`, below whatever decorates it."""
    module, _, name = where.partition(":")
    found: object = importlib.import_module(f"{PACKAGE}.{module}")
    for part in name.split("."):
        found = inspect.getattr_static(found, part)
    found = found.fget if isinstance(found, property) else getattr(found, "__func__", found)
    function = inspect.unwrap(found) if callable(found) else found
    assert isinstance(function, FunctionType), f"{where} is no function."
    return function


def flipped(mutant: Mutant) -> CodeType:
    """Compile the mutant's function with the change in it. Raises AssertionError where the words do not stand once."""
    function = function_at(mutant.where)
    lines, first = inspect.getsourcelines(function)
    text = "".join(lines)
    assert text.count(mutant.was) == 1, f"{mutant.was!r} stands {text.count(mutant.was)} times in {mutant.where}."
    module = inspect.getsource(inspect.getmodule(function) or function).splitlines(keepends=True)
    module[first - 1 : first - 1 + len(lines)] = [text.replace(mutant.was, mutant.becomes)]
    compiled = compile("".join(module), function.__code__.co_filename, "exec", dont_inherit=True)
    (code,) = [code for code in _codes(compiled) if code.co_qualname == function.__qualname__]
    return code


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


class Listener(UntilSaid):
    """Counts the tests that pass and keeps what failed ones say, until one of them says what was waited for."""

    def __init__(self, until: str) -> None:
        super().__init__(until)
        self.passed, self.said = 0, list[str]()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a test says; a fixture that breaks is not a test that notices."""
        if report.when != "call":
            return
        self.passed += report.passed
        if report.failed:
            self.said.append(f"{report.nodeid}\n{report.longreprtext}")
            self.hear(self.said[-1])


def run(tests: Sequence[str], *, flip: Callable[[], None] = lambda: None, until: str = "") -> Noticed:
    """Run tests in a child of this process, after a flip that only the child sees."""

    def speak() -> bytes:
        listener = Listener(until)
        flip()
        options = ("-q", "--tb=short", "-pno:cacheprovider", "-pno:randomly", f"--rootdir={ROOT}")
        pytest.main([*options, "-c", str(ROOT / "pyproject.toml"), *tests], plugins=[listener])
        return msgspec.json.encode(Noticed(listener.passed, tuple(listener.said)))

    text = in_a_child(speak)
    assert text, "The child ended without telling how."
    return msgspec.json.decode(text, type=Noticed)


def run_flipped(mutant: Mutant) -> Noticed:
    """Run the test that must notice a mutant, with the mutant in place."""
    return run([mutant.test], flip=functools.partial(_put, mutant), until=mutant.saying)


def _put(mutant: Mutant) -> None:
    function_at(mutant.where).__code__ = flipped(mutant)


@pytest.mark.parametrize("mutant", CHOSEN, ids=lambda mutant: mutant.name)
def test_a_flipped_rule_is_noticed(mutant: Mutant) -> None:
    noticed = run_flipped(mutant)
    assert noticed.said, f"{mutant.name} survived {mutant.noticed_by}: {mutant.flips}"
    assert any(mutant.saying in text for text in noticed.said), f"Nobody said {mutant.saying!r}: {noticed.said[0]}"


def test_where_nothing_is_flipped_the_same_tests_pass() -> None:
    tests = sorted({mutant.test for mutant in CHOSEN})
    noticed = run(tests)
    assert not noticed.said
    assert noticed.passed >= len(tests)


def test_a_flip_that_changes_nothing_is_noticed_by_nobody() -> None:
    first = MUTANTS[0]
    assert run_flipped(msgspec.structs.replace(first, becomes=first.was)).said == ()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_flip_finds_its_place_and_its_test(mutant: Mutant) -> None:
    code = function_at(mutant.where).__code__
    assert flipped(mutant).replace(co_linetable=code.co_linetable) != code
    file, _, name = mutant.noticed_by.partition("::")
    assert name in _functions(ROOT / "tests" / "simulators" / file)
    assert mutant.flips.endswith(".")


@functools.cache
def _functions(file: Path) -> frozenset[str]:
    return frozenset(
        node.name for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.FunctionDef)
    )


def test_no_two_mutants_have_one_name() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
