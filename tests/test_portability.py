"""What would make our code work on one processor or one release of Python alone is found in it, and is not there.

Other interpreters are tried by `tox -e py314` and its like, where they are installed; this looks at the text alone.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("src/snapproof", "simulators", "reference_impl", "fixtures", "steps")

GONE = (
    "aifc|asynchat|asyncore|audioop|cgi|cgitb|chunk|crypt|distutils|imghdr|imp|lib2to3|mailcap|msilib|nis|nntplib"
    "|ossaudiodev|pipes|pkg_resources|smtpd|sndhdr|spwd|sunau|telnetlib|uu|xdrlib"
)
"""Modules that Python 3.12 to 3.15 have no more."""

FADING = frozenset({"utcnow", "utcfromtimestamp", "get_event_loop_policy", "set_event_loop_policy", "find_loader"})
"""What newer releases warn of and then leave out."""

OF_THE_MACHINE = frozenset({"maxsize", "machine", "processor", "architecture"})
"""What a program asks that goes on differently by the machine. Of the order of bytes it asks to put it right."""

PACKING = frozenset({"pack", "unpack", "pack_into", "unpack_from", "calcsize", "iter_unpack", "Struct"})
FORMAT = re.compile(r"^[<>!]|^\d*[sBbc?x]*$")
"""With its order of bytes; single bytes have none."""

WORDS = re.compile(rf"\b(struct|{'|'.join([*OF_THE_MACHINE, *FADING])}|(import|from) +({GONE}))\b")
"""What is looked at more closely stands beside one of these."""

LINGER = "struct.pack('ii', 1, 0)"
"""What the kernel takes for SO_LINGER is in the machine's own order, everywhere."""


@pytest.fixture(scope="module")
def modules() -> Mapping[str, ast.Module]:
    """Every module of ours that has one of the words, by its place; to read all of them takes longer."""
    paths = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    assert len(paths) > 100
    texts = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    return {place: ast.parse(text) for place, text in texts.items() if WORDS.search(text)}


def bound_to_a_machine(module: ast.Module) -> Iterator[str]:
    """Name native formats of struct, and questions about the processor."""
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and node.attr in OF_THE_MACHINE and _names(node.value) & {"sys", "platform"}:
            yield ast.unparse(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in PACKING:
            first = node.args[0] if node.args else None
            written = str(first.value) if isinstance(first, ast.Constant) else ">"
            if "struct" in _names(node.func.value) and not FORMAT.match(written) and ast.unparse(node) != LINGER:
                yield ast.unparse(node)


def gone_elsewhere(module: ast.Module) -> Iterator[str]:
    """Name what newer Pythons have no more."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
            yield from (module for module in modules if re.match(rf"({GONE})(\.|$)", module))
        if isinstance(node, ast.Attribute) and node.attr in FADING:
            yield node.attr


def _names(node: ast.expr) -> set[str]:
    return {node.id} if isinstance(node, ast.Name) else set()


@pytest.mark.requirement(id="R-118")
def test_no_order_of_bytes_and_no_processor_is_taken_for_granted(modules: Mapping[str, ast.Module]) -> None:
    found = {place: list(bound_to_a_machine(module)) for place, module in modules.items()}
    assert {place: said for place, said in found.items() if said} == {}


@pytest.mark.requirement(id="R-118")
def test_nothing_is_used_that_newer_pythons_have_no_more(modules: Mapping[str, ast.Module]) -> None:
    found = {place: list(gone_elsewhere(module)) for place, module in modules.items()}
    assert {place: said for place, said in found.items() if said} == {}


@pytest.mark.parametrize(
    "line",
    [
        "struct.pack('I', 7)",
        "struct.unpack_from('=Q', b, 0)",
        "struct.Struct('@hh')",
        "sys.maxsize",
        "platform.machine()",
    ],
)
def test_what_is_bound_to_a_machine_is_named(line: str) -> None:
    assert len(list(bound_to_a_machine(ast.parse(line)))) == 1


@pytest.mark.parametrize(
    "line", ["struct.pack('>I', 7)", "struct.unpack('<QQ', b)", "struct.pack('4s', b)", "sys.platform"]
)
def test_what_is_the_same_everywhere_is_left_in_peace(line: str) -> None:
    assert list(bound_to_a_machine(ast.parse(line))) == []


@pytest.mark.parametrize("line", ["import imp", "from distutils import core", "import cgi as c", "datetime.utcnow()"])
def test_what_newer_pythons_have_not_is_named(line: str) -> None:
    assert len(list(gone_elsewhere(ast.parse(line)))) == 1
