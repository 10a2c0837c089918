"""The phrase book: every step stands in it, its document is the one in docs/, and near is told from far."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapproof import cli
from snapproof.authoring.near import advice, near_misses, snippet
from snapproof.authoring.phrase_book import phrase_book
from snapproof.authoring.phrases import Phrase, phrases_of
from snapproof.discovery import STEPS, plugin_modules

ROOT = Path(__file__).parents[2]
OWN_STEPS = '''
from pytest_bdd import parsers, then


@then(parsers.parse('the moon is {percent:d} percent full'))
def the_moon(percent: int) -> None:
    """Look up."""
'''


@pytest.fixture(scope="module")
def phrases() -> tuple[Phrase, ...]:
    return phrases_of(plugin_modules([STEPS]))


def test_the_document_is_the_one_that_the_steps_generate(phrases: tuple[Phrase, ...]) -> None:
    written = (ROOT / "docs" / "steps.md").read_text(encoding="utf-8")
    assert written == phrase_book(phrases), "write it anew: snapproof steps --markdown > docs/steps.md"


def test_every_step_module_has_a_chapter_and_every_wording_a_line(phrases: tuple[Phrase, ...]) -> None:
    document = phrase_book(phrases)
    for module in sorted((ROOT / "steps").glob("*.py")):
        wordings = module.read_text(encoding="utf-8").count("\n@given(") + module.read_text().count("\n@when(")
        wordings += module.read_text(encoding="utf-8").count("\n@then(")
        noun = module.stem.replace("_", " ").capitalize()
        chapter = document.partition(f"\n## {noun}\n")[2].partition("\n## ")[0]
        assert chapter.count("\n- **`") == wordings, module.name


def test_a_step_with_a_slip_is_told_its_next_of_kin(phrases: tuple[Phrase, ...]) -> None:
    near = near_misses("then", 'the array snapshot of "nightly" has gone', phrases)
    assert near[0].phrase.pattern == 'the array snapshot of "{name}" is gone'
    assert near[0].likeness < 1


def test_a_step_of_another_kind_is_said_to_be_one(phrases: tuple[Phrase, ...]) -> None:
    assert "It is there as a Given; did you mean that?" in advice("when", "an hour passes", phrases)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("the snapshot nightly is BackedUp on PRIMARY", 'the snapshot "{name}" is {state} on {location}'),
        ('The Array Snapshot of "nightly" is Gone', 'the array snapshot of "{name}" is gone'),
        ("nothing else has changed", "all that has changed is {changes}"),
        ('"nightly" costs nothing', 'nothing is billed for "{name}"'),
    ],
)
def test_what_a_newcomer_writes_leads_to_what_he_means(phrases: tuple[Phrase, ...], text: str, meant: str) -> None:
    (wanted,) = (each for each in phrases if each.pattern == meant)
    assert f"  Then {wanted.wording}   (" in advice("then", text, phrases).partition("Or define it")[0]


def test_a_step_like_no_other_has_no_near_miss_but_a_beginning(phrases: tuple[Phrase, ...]) -> None:
    said = advice("then", "pigs fly", phrases)
    assert "Near misses" not in said
    assert "def pigs_fly(lab: Lab, scene: Scene) -> None:" in said


@given(st.text(alphabet="abc 'Z\"19{}", max_size=30))
def test_whatever_is_written_the_beginning_of_its_step_is_python(text: str) -> None:
    compile("\n".join(line.removeprefix("  ") for line in snippet("then", text)), "snippet", "exec")


def test_steps_of_a_conftest_are_known_too_with_what_their_blanks_take(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(OWN_STEPS, encoding="utf-8")
    (moon,) = phrases_of((), [tmp_path / "conftest.py"])
    assert moon.matches("then", "the moon is 12 percent full")
    assert not moon.matches("when", "the moon is 12 percent full")
    assert not moon.matches("then", "the moon is half full")
    assert (dict(moon.fields), moon.needs, moon.says) == ({"percent": "a whole number"}, (), "Look up.")


def test_a_word_finds_its_steps_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["steps", "array", "gone"]) == 0
    said = capsys.readouterr().out
    assert 'Then the array snapshot of "{name}" is gone' in said
    assert "a guest has written" not in said
    assert cli.main(["steps", "unicorn"]) == 1


def test_the_names_of_blanks_are_nobodys_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["steps", "seconds"]) == 0
    assert "{seconds} seconds" in capsys.readouterr().out
    assert cli.main(["steps", "{number}"]) == 1
