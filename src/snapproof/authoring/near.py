"""Near misses: what somebody may have meant who wrote a step that nobody has defined, and how to define it.

Where the phrases come from is phrases.py's.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from snapproof.authoring.phrases import ANY_KIND, Phrase

BLANK = re.compile(r'"[^"]*"|\b\d+\b')
LIKENESS_MIN = 0.6
SHOWN_MAX = 3
STEM = 4


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


def kindred(kind: str, text: str, phrases: Sequence[Phrase]) -> tuple[Phrase, ...]:
    """Phrases of a kind that share words with a step, those first that share the rarest."""
    asked = _stems(BLANK.sub("", text))
    of_kind = {each.skeleton: each for each in phrases if each.kind in {kind, ANY_KIND}}
    stems = {skeleton: _stems(skeleton) for skeleton in of_kind}
    spoken = Counter(stem for each in stems.values() for stem in each)
    weight = {skeleton: sum(1 / spoken[stem] for stem in asked & each) for skeleton, each in stems.items()}
    ranked = sorted((skeleton for skeleton in weight if weight[skeleton]), key=lambda skeleton: -weight[skeleton])
    return tuple(of_kind[skeleton] for skeleton in ranked[:SHOWN_MAX])


def advice(kind: str, text: str, phrases: Sequence[Phrase]) -> str:
    """Say in a few lines what can be done about a step that nobody has defined."""
    lines = [f"No step reads '{kind.capitalize()} {text}'."]
    near = near_misses(kind, text, phrases)
    same = [each for each in near if each.phrase.parser.is_matching(text)]
    if same:
        lines.append(f"It is there as a {same[0].phrase.kind.capitalize()}; did you mean that?")
    if shown := _filled_up([each.phrase for each in near], kindred(kind, text, phrases)):
        lines.append("Near misses:" if near else "Nothing comes near; steps that share a word with it:")
        lines += [f"  {told(each)}   ({each.place})" for each in shown]
    lines += [
        "`snapproof steps WORD` shows all that can be said of something.",
        "Or define it, in a conftest.py beside your features (in a checkout of snapproof, in steps/):",
        *imports(kind),
        *snippet(kind, text),
    ]
    return "\n".join(lines)


def _filled_up(near: Sequence[Phrase], kin: Iterable[Phrase]) -> list[Phrase]:
    """A few phrases; where too few are near, those that share a word."""
    return [*near, *(each for each in kin if each not in near)][:SHOWN_MAX]


def told(phrase: Phrase) -> str:
    """Write a phrase as a scenario would say it, with its blanks open."""
    kind = "Given, When or Then" if phrase.kind == ANY_KIND else phrase.kind.capitalize()
    return f"{kind} {phrase.wording}"


def imports(kind: str) -> list[str]:
    """Write what the snippet needs."""
    return [
        f"  from pytest_bdd import {', '.join(sorted(('parsers', kind)))}",
        "  from snapproof.lab import Lab",
        "  from snapproof.steps.scene import Scene",
    ]


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
    strange = 0.0 if phrase.kind in {kind, ANY_KIND} else 0.1
    if _but_for_quotation_marks(text, phrase):
        return 0.99 - strange
    skeleton = phrase.skeleton.replace('"{}"', "{}")
    ratio = SequenceMatcher(None, asked, _words(skeleton)).ratio()
    letters = SequenceMatcher(None, " ".join(asked), skeleton).ratio()
    return max(ratio, letters) - strange


def _but_for_quotation_marks(text: str, phrase: Phrase) -> bool:
    """Whether it would fit without quotation marks, and with small letters for capitals."""
    parts = (re.escape(part) for part in phrase.skeleton.replace('"', "").split("{}"))
    return re.fullmatch("(.+)".join(parts), text.replace('"', ""), re.IGNORECASE) is not None


def _words(text: str) -> list[str]:
    return text.split()


def _stems(text: str) -> set[str]:
    """The beginnings of its longer words, so that `lists` is kin to `list`."""
    return {word[:STEM] for word in re.findall(r"[a-z]+", text.lower()) if len(word) >= STEM}
