"""Near misses: what somebody may have meant who wrote a step that nobody has defined, and how to define it.

Where the phrases come from is phrases.py's.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from snapproof.authoring.phrases import ANY_KIND, Phrase

BLANK = re.compile(r'"[^"]*"|\b\d+\b')
LIKENESS_MIN = 0.6
SHOWN_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """A phrase that is like a step, and how like, from 0 to 1."""

    phrase: Phrase
    likeness: float


def near_misses(kind: str, text: str, phrases: Iterable[Phrase]) -> tuple[NearMiss, ...]:
    """The phrases that come nearest, best first. One of the right kind goes before another."""
    asked = _words(BLANK.sub("{}", text))
    found = [NearMiss(phrase=each, likeness=_likeness(asked, text, kind, each)) for each in phrases]
    near = sorted((each for each in found if each.likeness >= LIKENESS_MIN), key=lambda each: -each.likeness)
    return tuple(near[:SHOWN_MAX])


def advice(kind: str, text: str, phrases: Iterable[Phrase]) -> str:
    """Say in a few lines what can be done about a step that nobody has defined."""
    lines = [f"No step reads '{kind.capitalize()} {text}'."]
    near = near_misses(kind, text, phrases)
    same = [each for each in near if each.phrase.parser.is_matching(text)]
    if same:
        lines.append(f"It is there as a {same[0].phrase.kind.capitalize()}; did you mean that?")
    if near:
        lines.append("Near misses:")
        lines += [f"  {told(each.phrase)}   ({each.phrase.place})" for each in near]
    lines += ["Or define it, in steps/ or in a conftest.py beside your features:", *snippet(kind, text)]
    return "\n".join(lines)


def told(phrase: Phrase) -> str:
    """Write a phrase as a scenario would say it, with its blanks open."""
    kind = "Given, When or Then" if phrase.kind == ANY_KIND else phrase.kind.capitalize()
    return f"{kind} {phrase.wording}"


def snippet(kind: str, text: str) -> list[str]:
    """Write the Python with which the step could begin. It fails until somebody says what must be seen."""
    names = iter(("name", "other", "third", "fourth", "fifth", "sixth", "seventh", "eighth"))
    fields: list[str] = []

    def blank(match: re.Match[str]) -> str:
        name = next(names, "more")
        number = not match[0].startswith('"')
        fields.append(f"{name}: {'int' if number else 'str'}")
        return f"{{{name}:d}}" if number else f'"{{{name}}}"'

    pattern = BLANK.sub(blank, text).replace("'", "\\'")
    function = "_".join(re.findall(r"[a-z]+", BLANK.sub("", text).lower())) or "it_is_so"
    parameters = ", ".join(["lab: Lab", "scene: Scene", *fields])
    return [
        f"  @{kind}(parsers.parse('{pattern}'))",
        f"  def {function}({parameters}) -> None:",
        '      """Say here what it does or looks at."""',
        "      raise NotImplementedError",
    ]


def _likeness(asked: list[str], text: str, kind: str, phrase: Phrase) -> float:
    if phrase.parser.is_matching(text):
        return 1.0
    ratio = SequenceMatcher(None, asked, _words(phrase.skeleton)).ratio()
    letters = SequenceMatcher(None, " ".join(asked), phrase.skeleton).ratio()
    return max(ratio, letters) - (0.0 if phrase.kind in {kind, ANY_KIND} else 0.1)


def _words(text: str) -> list[str]:
    return text.split()
