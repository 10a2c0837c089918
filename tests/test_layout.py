"""House rules that no linter knows, over every file that git does not ignore, each tested with a planted violation.

The rules' reasons are in CONTRIBUTING.md; layers are the affair of test_contracts.py.
"""

import ast
import io
import os
import re
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TypeAlias

import pytest
from pathspec import GitIgnoreSpec

ROOT = Path(__file__).parent.parent
LINKED = ("features", "fixtures", "reference_impl", "simulators", "steps")
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
VAGUE_MODULES = {"common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}
VAGUE_NAMES = {"data", "handle", "info", "manager", "process"}

# Written with brackets, so that this file does not break the rules it states.
UNFINISHED = re.compile(r"\b(TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b")
MACHINE_PATH = re.compile(r"(?<![\w.~$}-])/(root|home|Users|work|workspace|workspaces|builds)/[\w.]")
EXCUSE = re.compile(r"(?:noqa|type: ignore)(?P<codes>(?:: ?[A-Z]+\d+(?:, ?[A-Z]+\d+)*|\[[\w, -]+\])?)(?P<reason>.*)")


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule, where it is broken, and the cure."""

    path: PurePosixPath
    line: int
    cure: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.cure}"


Rule: TypeAlias = Callable[[PurePosixPath, str], Iterator[Finding]]


def modules_are_short(path: PurePosixPath, text: str) -> Iterator[Finding]:
    lines = len(text.splitlines())
    if path.suffix == ".py" and lines > MODULE_LINES_MAX:
        yield Finding(path, lines, f"{lines} lines; split it along its subjects, {MODULE_LINES_MAX} is the limit.")


def functions_are_short(path: PurePosixPath, text: str) -> Iterator[Finding]:
    for node in definitions(path, text):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if not isinstance(node, ast.ClassDef) and lines > FUNCTION_LINES_MAX:
            yield Finding(path, node.lineno, f"{node.name} has {lines} lines; {FUNCTION_LINES_MAX} is the limit.")


def files_say_what_lives_in_them(path: PurePosixPath, text: str) -> Iterator[Finding]:
    if path.suffix == ".py" and not ast.get_docstring(parsed(path, text)):
        yield Finding(path, 1, "Open the file with a docstring: what lives here and what does not.")


def modules_have_a_subject(path: PurePosixPath, _text: str) -> Iterator[Finding]:
    for part in (path.with_suffix("") if path.suffix == ".py" else path.parent).parts:
        if part in VAGUE_MODULES:
            yield Finding(path, 1, f"{part!r} names no subject; name what the code is about.")


def names_have_a_meaning(path: PurePosixPath, text: str) -> Iterator[Finding]:
    for node in definitions(path, text):
        if node.name.strip("_").lower() in VAGUE_NAMES:
            yield Finding(path, node.lineno, f"{node.name!r} could be anything; take the word of the field.")


def imports_are_absolute(path: PurePosixPath, text: str) -> Iterator[Finding]:
    for node in ast.walk(parsed(path, text)):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield Finding(path, node.lineno, "Import it by its whole name, from snapproof on.")


def excuses_give_a_reason(path: PurePosixPath, text: str) -> Iterator[Finding]:
    if path.suffix != ".py":
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        excuse = EXCUSE.search(token.string) if token.type == tokenize.COMMENT else None
        if excuse and not (excuse["codes"] and re.search(r"\w", excuse["reason"])):
            yield Finding(path, token.start[0], f"Give the code and the reason: {token.string}")


def nothing_is_left_unfinished(path: PurePosixPath, text: str) -> Iterator[Finding]:
    for number, line in enumerate(text.splitlines(), 1):
        if mark := UNFINISHED.search(line):
            yield Finding(path, number, f"{mark[0]}: do it, or file an issue and say what is missing.")


def no_machine_is_named(path: PurePosixPath, text: str) -> Iterator[Finding]:
    for number, line in enumerate(text.splitlines(), 1):
        if MACHINE_PATH.search(line):
            yield Finding(path, number, "An absolute path of somebody's machine; no other machine has it.")


def features_are_free_of_python(path: PurePosixPath, _text: str) -> Iterator[Finding]:
    if path.parts[0] == "features" and path.suffix == ".py" and path != PurePosixPath("features/__init__.py"):
        yield Finding(path, 1, "Features hold no Python; steps live in steps/.")


RULES: tuple[Rule, ...] = (
    modules_are_short,
    functions_are_short,
    files_say_what_lives_in_them,
    modules_have_a_subject,
    names_have_a_meaning,
    imports_are_absolute,
    excuses_give_a_reason,
    nothing_is_left_unfinished,
    no_machine_is_named,
    features_are_free_of_python,
)


@cache
def parsed(path: PurePosixPath, text: str) -> ast.Module:
    return ast.parse(text if path.suffix == ".py" else "")


def definitions(path: PurePosixPath, text: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    for node in ast.walk(parsed(path, text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node


def broken_links(root: Path) -> Iterator[Finding]:
    """Find folders that src/snapproof does not reach by a relative link."""
    for name in LINKED:
        link = root / "src/snapproof" / name
        if not link.is_symlink() or link.readlink() != Path("../..", name):
            path = PurePosixPath("src/snapproof", name)
            yield Finding(path, 1, f"Not the link it should be; `ln -s ../../{name} {path}` (core.symlinks=true).")


def tracked(root: Path) -> Iterator[PurePosixPath]:
    """Name the files under `root` that git would not ignore."""
    ignore = root / ".gitignore"
    ignored = GitIgnoreSpec.from_lines([".git/", *(ignore.read_text().splitlines() if ignore.exists() else ())])
    for folder, below, files in os.walk(root):
        here = PurePosixPath(Path(folder).relative_to(root))
        below[:] = sorted(name for name in below if not ignored.match_file(f"{here / name}/"))
        yield from (here / name for name in sorted(files) if not ignored.match_file(here / name))


def texts(root: Path) -> Iterator[tuple[PurePosixPath, str]]:
    """Read what lies under `root` and git would not ignore, except links and files that are no text.

    Git itself is not asked: whoever has the source as an archive has none.
    """
    for name in tracked(root):
        file = root / name
        if file.is_symlink():
            continue
        try:
            yield PurePosixPath(name), file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def findings(root: Path, rule: Rule) -> list[str]:
    return [str(finding) for path, text in texts(root) for finding in rule(path, text)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_its_rules(rule: Rule) -> None:
    assert findings(ROOT, rule) == []


def test_the_five_folders_are_reached_by_relative_links() -> None:
    assert list(broken_links(ROOT)) == []


def test_test_files_have_names_of_their_own() -> None:
    names = [path.name for path, _ in texts(ROOT) if path.parts[0] == "tests" and path.name.startswith("test_")]
    assert sorted(names) == sorted(set(names))


def test_continuous_integration_runs_the_command_of_the_readme() -> None:
    command = re.search(r"^python3 -m venv .*tox.*$", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert command
    assert command[0] in (ROOT / "README.md").read_text().splitlines()


PLANTED: tuple[tuple[Rule, str, str, int], ...] = (
    (modules_are_short, "steps/long.py", "\n" * 401, 401),
    (functions_are_short, "steps/long.py", "\nasync def take() -> None:\n" + "    ...\n" * 50, 2),
    (files_say_what_lives_in_them, "tests/mute.py", "x = 1\n", 1),
    (modules_have_a_subject, "steps/utils.py", "", 1),
    (modules_have_a_subject, "steps/common/volumes.py", "", 1),
    (names_have_a_meaning, "steps/vague.py", "class Lun:\n    def handle(self) -> None: ...\n", 2),
    (names_have_a_meaning, "steps/vague.py", "class Data: ...\n", 1),
    (imports_are_absolute, "steps/near.py", "\nfrom . import volumes\n", 2),
    (excuses_give_a_reason, "steps/excused.py", "import os  # noqa\n", 1),
    (excuses_give_a_reason, "steps/excused.py", "import os  # noqa: F401\n", 1),
    (excuses_give_a_reason, "steps/excused.py", "x: int = ''  # type: ignore[assignment]\n", 1),
    (nothing_is_left_unfinished, "docs/plan.md", "\n\nTO" + "DO later\n", 3),
    (no_machine_is_named, "docs/plan.md", "see /" + "home/ada/notes\n", 1),
    (features_are_free_of_python, "features/backup/steps.py", "", 1),
)


@pytest.mark.parametrize(("rule", "file", "text", "line"), PLANTED)
def test_a_planted_violation_is_reported_with_its_place(
    rule: Rule, file: str, text: str, line: int, tmp_path: Path
) -> None:
    planted = tmp_path / file
    planted.parent.mkdir(parents=True)
    planted.write_text(text)
    assert [finding.partition(": ")[0] for finding in findings(tmp_path, rule)] == [f"{file}:{line}"]


def test_every_rule_has_a_planted_violation() -> None:
    assert {rule for rule, *_ in PLANTED} == set(RULES)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (excuses_give_a_reason, "import os  # noqa: F401  the name is what others import\n"),
        (excuses_give_a_reason, "x: int = ''  # type: ignore[assignment]  # the wire may say so\n"),
        (excuses_give_a_reason, "x = '# noqa'\n"),
        (no_machine_is_named, "x = 'https://example.org/home/page'\n"),
        (no_machine_is_named, "x = '/var/run/sr-mount/home/x'\n"),
        (nothing_is_left_unfinished, "x = 'XXXX'\n"),
        (functions_are_short, "def take() -> None:\n" + "    ...\n" * 49),
    ],
)
def test_what_is_allowed_stays_allowed(rule: Rule, text: str) -> None:
    assert list(rule(PurePosixPath("steps/fine.py"), text)) == []


def test_a_file_that_git_ignores_is_nobodys_business(tmp_path: Path) -> None:
    (tmp_path / "build").mkdir()
    (tmp_path / "build/utils.py").write_text("")
    assert findings(tmp_path, modules_have_a_subject) == [
        "build/utils.py:1: 'utils' names no subject; name what the code is about."
    ]
    (tmp_path / ".gitignore").write_text("build/\n")
    assert findings(tmp_path, modules_have_a_subject) == []


def test_a_folder_that_git_checked_out_as_text_is_reported(tmp_path: Path) -> None:
    (tmp_path / "src/snapproof").mkdir(parents=True)
    (tmp_path / "src/snapproof/steps").write_text("../../steps")
    assert [str(finding.path) for finding in broken_links(tmp_path)] == [f"src/snapproof/{name}" for name in LINKED]
