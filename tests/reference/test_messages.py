"""The catalogue of messages: every sentence that a user may be told has an id, and an entry in every language."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapproof.reference_impl.messages import ENGLISH, Message, Messages, read_messages

CODE = Path(__file__).parents[2] / "reference_impl"
TOLD = {
    *("InvalidRequestError", "NotFoundError", "ConflictError", "UnavailableError", "LimitExceededError"),
    *("DeniedError", "BackendError", "NotSupportedError", "CancelledError", "SettingError", "Alert"),
}
"""What users and operators are told with."""

AT_THE_DOOR = {"RefusedError", "refusal"}
SENTENCES_IN_VARIABLES = {"text", "reason", "WRONG"}
"""Names under which a sentence waits to be told."""

IN_VARIABLES = ("api/door.py", "sweeping.py", "recording/backups.py", "recording/snapshots.py", "policies.py")
FURTHER = {
    "There is no {} {}.",
    "{} is no account's name: letters, digits, - and _ only, at most {}.",
    "The secondary store has failed {} times in a row to {} and is left alone for {} s more; nothing was called.",
}
"""Sentences that reach users on a way of their own."""

MESSAGES = read_messages()
PLACE = re.compile(r"\{(\d+)\}")


def sentence(node: ast.AST | None) -> str | None:
    """A sentence of the code with `{}` for what is put in; None for what is no sentence."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in values)
    return None


def told_in(code: str, *, door: bool = False, variables: bool = False) -> Iterator[str]:
    """Every sentence that this code may tell."""
    for node in ast.walk(ast.parse(code)):
        found: list[ast.AST] = []
        match node:
            case ast.Call(func=ast.Name(id=name), args=given_ones, keywords=named) if name in TOLD:
                found = [*given_ones[:1], *(word.value for word in named if word.arg == "text")]
            case ast.Call(func=ast.Name(id=name), args=[_, text, *_]) if door and name in AT_THE_DOOR:
                found = [text]
            case ast.Call(func=ast.Attribute(attr="_complain"), args=[_, text]):
                found = [text]
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if variables and name in SENTENCES_IN_VARIABLES:
                found = [value]
            case ast.Raise(exc=ast.Call(func=ast.Name(id="ValueError"), args=[text])) if variables:
                found = [text]
        yield from (said for each in found if (said := sentence(each)) is not None and " " in said)


def told() -> Mapping[str, str]:
    """Every sentence of the reference implementation, and a file in which it stands."""
    found: dict[str, str] = {}
    for path in sorted(CODE.rglob("*.py")):
        name = str(path.relative_to(CODE))
        if not name.startswith("variants/"):
            code = path.read_text(encoding="utf-8")
            said = told_in(code, door=name.startswith("api/"), variables=name in IN_VARIABLES)
            found |= dict.fromkeys(said, name)
    return found


def english(message: Message) -> str:
    return PLACE.sub("{}", message.sentences[ENGLISH])


@pytest.mark.requirement(id="R-127")
def test_every_sentence_that_is_told_has_an_id() -> None:
    known = {english(message) for message in MESSAGES.messages}
    unknown = {said: file for said, file in told().items() if said not in known}
    assert unknown == {}, "Write them into reference_impl/messages.toml, in every language."


@pytest.mark.requirement(id="R-127")
def test_every_message_is_in_every_language_with_the_same_places() -> None:
    assert len(MESSAGES.languages) >= 2
    for message in MESSAGES.messages:
        assert set(message.sentences) == set(MESSAGES.languages), message.id
        places = {language: set(PLACE.findall(text)) for language, text in message.sentences.items()}
        assert all(found == places[ENGLISH] for found in places.values()), message.id
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", message.id)
        assert PLACE.findall(message.sentences[ENGLISH]) == [str(n) for n in range(len(places[ENGLISH]))]


def test_no_message_is_said_by_nobody() -> None:
    said = set(told()) | FURTHER
    assert [message.id for message in MESSAGES.messages if english(message) not in said] == []


def test_a_sentence_without_an_id_is_found() -> None:
    code = 'def f(x):\n    raise ConflictError(f"Nobody has written {x} down.")\n'
    assert list(told_in(code)) == ["Nobody has written {} down."]
    assert "Nobody has written {} down." not in {english(message) for message in MESSAGES.messages}


@pytest.mark.parametrize("message", MESSAGES.messages, ids=lambda message: message.id)
@settings(max_examples=5)
@given(data=st.data())
def test_each_sentence_is_recognised_and_said_in_the_other_language(message: Message, data: st.DataObject) -> None:
    """Ids and numbers stand in the places; whichever message recognises the sentence says the same words."""
    number = len(PLACE.findall(message.sentences[ENGLISH]))
    values = data.draw(st.lists(st.from_regex(r"[a-z0-9-]{1,12}", fullmatch=True), min_size=number, max_size=number))
    text = PLACE.sub(lambda place: values[int(place[1])], message.sentences[ENGLISH])
    found = MESSAGES.recognised(text)
    assert found is not None
    assert found[0].plain_characters >= message.plain_characters
    german = MESSAGES.translated(text, "de")
    assert german != text
    assert MESSAGES.translated(text, ENGLISH) == MESSAGES.translated(text, "xx") == text
    if found[0] is message:
        assert german == PLACE.sub(lambda place: values[int(place[1])], message.sentences["de"])


def test_a_sentence_within_a_sentence_is_translated_as_well() -> None:
    text = "Job j could not yet be taken back (There is no volume v.); reconcile tries again."
    german = (
        "Der Auftrag j ließ sich noch nicht zurücknehmen (Es gibt kein Volume v.); der Abgleich versucht es wieder."
    )
    assert MESSAGES.translated(text, "de") == german


@given(st.text(), st.text())
def test_any_text_and_any_wish_is_answered(text: str, wish: str) -> None:
    assert MESSAGES.preferred(wish) in MESSAGES.languages
    MESSAGES.translated(text, MESSAGES.preferred(wish))


@pytest.mark.parametrize(
    ("wish", "language"),
    [("de", "de"), ("de-AT,en;q=0.5", "de"), ("fr, DE;q=0.8", "de"), ("fr", "en"), ("", "en"), ("*", "en")],
)
def test_a_client_gets_the_first_language_that_there_is(wish: str, language: str) -> None:
    assert MESSAGES.preferred(wish) == language


def test_of_two_messages_that_fit_the_more_telling_one_is_meant() -> None:
    vague, exact = Message("vague", {"en": "There is no {0}."}), Message("exact", {"en": "There is no volume {0}."})
    assert Messages([vague, exact]).recognised("There is no volume 7.") == (exact, ("7",))
