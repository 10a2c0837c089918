"""What users are told, in their language: sentences of the code found in the catalogue messages.toml, by id.

The code says what it has to say in English, where it happens. A sentence that is in no catalogue stays English.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

ENGLISH = "en"
_PLACE = re.compile(r"\{(\d+)\}")


@dataclass(frozen=True)
class Message:
    """One message: its id, and its sentence in each language."""

    id: str
    sentences: Mapping[str, str]

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What recognises its English sentence, whatever stands in its places."""
        parts = _PLACE.split(self.sentences[ENGLISH])
        return re.compile(
            "".join("(.*)" if index % 2 else re.escape(part) for index, part in enumerate(parts)), re.DOTALL
        )

    @property
    def plain_characters(self) -> int:
        """How much of it is said by itself: of two that fit, the one that says more is meant."""
        return len(_PLACE.sub("", self.sentences[ENGLISH]))


class Messages:
    """The catalogue, the most telling messages first."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self.messages = sorted(messages, key=lambda message: -message.plain_characters)
        self.languages = tuple(sorted({language for message in messages for language in message.sentences}))

    def recognised(self, text: str) -> tuple[Message, Sequence[str]] | None:
        """Which message a sentence is, and what stands in its places, in the order of the English one."""
        for message in self.messages:
            if found := message.pattern.fullmatch(text):
                return message, found.groups()
        return None

    def translated(self, text: str, language: str) -> str:
        """Say a sentence in another language, and the sentences in its places."""
        found = self.recognised(text) if language != ENGLISH else None
        if found is None or language not in found[0].sentences:
            return text
        values = [self.translated(value, language) for value in found[1]]
        return _PLACE.sub(lambda place: values[int(place[1])], found[0].sentences[language])

    def preferred(self, accept_language: str) -> str:
        """Which language an Accept-Language header asks for: the first that there is, else English."""
        for wanted in accept_language[:1_000].split(","):
            language = wanted.partition(";")[0].partition("-")[0].strip().casefold()
            if language in self.languages:
                return language
        return ENGLISH


def read_messages() -> Messages:
    """Read the catalogue that comes with the package."""
    rows = tomllib.loads((files("snapproof.reference_impl") / "messages.toml").read_text(encoding="utf-8"))
    return Messages([Message(id=name, sentences=row) for name, row in rows.items()])
