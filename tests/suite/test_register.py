"""The register of requirements: what is read, and what is refused with the place and the cure."""

from pathlib import Path

import pytest

from snapproof.register import Level, RegisterError, Status, read_register

LINE = '[[requirement]]\nid = "R-001"\ntext = "asks"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "requirements.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_requirement_is_core_and_planned_until_the_register_says_otherwise(tmp_path: Path) -> None:
    register = read_register(write(tmp_path, f'set = "2026-11"\n{LINE}'))
    assert [(each.id, each.level, each.status) for each in register.requirements] == [
        ("R-001", Level.CORE, Status.PLANNED)
    ]
    assert register.folder == tmp_path


def test_a_changed_register_is_another_set(tmp_path: Path) -> None:
    before = read_register(write(tmp_path, f'set = "2026-11"\n{LINE}'))
    after = read_register(write(tmp_path, f'set = "2026-11"\n{LINE}status = "tested"\n'))
    assert before.sha256 != after.sha256


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("set = ", "malformed"),
        (LINE, "missing required field `set`"),
        (f'set = "x"\n{LINE}colour = "red"\n', "unknown field `colour`"),
        (f'set = "x"\n{LINE}level = "hard"\n', "Invalid enum value"),
        (f'set = "x"\n{LINE}{LINE}', "holds R-001 twice"),
        (f'set = "x"\n{LINE}level = "extended"\n', "names no capability"),
        (f'set = "x"\n{LINE}status = "excluded"\n', "a reason belongs to every excluded requirement"),
        (f'set = "x"\n{LINE}reason = "Why not."\n', "a reason belongs to every excluded requirement"),
    ],
)
def test_a_register_that_contradicts_itself_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(RegisterError, match=complaint):
        read_register(write(tmp_path, text))


def test_a_register_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RegisterError, match="cannot be read"):
        read_register(tmp_path / "requirements.toml")
