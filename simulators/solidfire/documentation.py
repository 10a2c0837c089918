"""What is served and how much is behind it, as a page that is written by the code.

`python -m snapproof.simulators.solidfire.documentation > docs/element-methods.md`; a test holds the two together.
"""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict

from snapproof.simulators.solidfire.calls import methods
from snapproof.simulators.solidfire.errors import ERRORS
from snapproof.simulators.solidfire.guesses import CHOICES, GUESSED
from snapproof.simulators.solidfire.method import Method, Standing
from snapproof.simulators.solidfire.surface.pages import Known, Tier, pages

GENERAL_ERRORS = (
    "xMissingParameter", "xInvalidParameterType", "xInvalidParameter", "xUnrecognizedEnumString", "xUnknownAPIMethod",
)  # fmt: skip
"""What any method may answer; the tables name only what a method answers beside them."""

_TIERS: Mapping[Tier, str] = {
    Tier.STORAGE: "storage drivers and exporters",
    Tier.ADMINISTRATION: "deployment and monitoring tools",
    Tier.REST: "the rest of the cluster that has state",
    Tier.HARDWARE: "nodes, hardware, certificates, foreign systems",
}
_INTRODUCTION = """\
# Methods of the simulated Element cluster

This page is written by `python -m snapproof.simulators.solidfire.documentation`; change the tables in
`simulators/solidfire/surface/` or the rules in `simulators/solidfire/methods/`, then write it anew.

- **real**: a rule reads or changes what the array remembers. **default**: an answer of the right shape that means
  nothing; nothing is remembered. **refused**: `xUnknownAPIMethod`, for the reason given.
- **seen**: a public client other than the vendor's own calls the method. **documented**: only the vendor's Python SDK
  and CLI have it. **guessed**: they have it, but do not tell since which version.
- Parameters are written as in the tables: `?` may be missing, `[]` is a list, `{}` a map, the last number the version
  that brought it. The vendor's Python SDK and CLI call every method and are not named among the clients.
- An error without a method is only ever answered by an armed fault. Any method may answer """


def page() -> str:
    """Write the whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _INTRODUCTION + ", ".join(f"`{name}`" for name in GENERAL_ERRORS) + "."
    served = methods()
    yield from ("", "## Shares", "")
    yield from _shares(list(served.values()))
    for noun, tables in pages().items():
        if tables.methods:
            yield from ("", f"## {noun.replace('_', ' ').capitalize()}", "")
            yield "| method | tier | since | door | parameters | own errors | evidence | clients | state |"
            yield "|---|---|---|---|---|---|---|---|---|"
            yield from (_row(served[name]) for name in sorted(tables.methods))
    yield from ("", "## Errors", "", "| error | evidence | message | methods |", "|---|---|---|---|")
    yield from (_error(name, list(served.values())) for name in ERRORS)
    yield from ("", "## Guesses", "", "Errors that answer doubtful situations:", "")
    yield from (f"- {situation.replace('_', ' ')}: `{error}`" for situation, error in asdict(GUESSED).items())
    yield from ("", "Choices behind the behaviour that no cluster has confirmed:", "")
    yield from (f"- {choice}" for choice in CHOICES)


def _shares(served: list[Method]) -> Iterator[str]:
    yield "| tier | methods | real | default | refused | seen | documented | guessed |"
    yield "|---|---|---|---|---|---|---|---|"
    for tier, whose in _TIERS.items():
        yield _share(f"{tier}: {whose}", [method for method in served if method.entry.tier == tier])
    yield _share("all", served)
    unreal = sum(m.standing is Standing.DEFAULT and m.entry.tier is not Tier.HARDWARE for m in served)
    yield from ("", f"Not yet real in tiers 1a, 1b and 2: {unreal} methods. See also the [guesses](#guesses).")


def _share(title: str, among: list[Method]) -> str:
    counts = Counter[str](method.standing for method in among) + Counter[str](m.entry.evidence for m in among)
    cells = [f"{counts[word]} ({counts[word] / len(among):.0%})" for word in (*Standing, *Known)]
    return f"| {title} | {len(among)} | {' | '.join(cells)} |"


def _row(method: Method) -> str:
    entry = method.entry
    takes = ", ".join(f"{name} {text.replace(' since', '')}" for name, text in entry.takes.items())
    state = f"refused: {entry.refused}" if method.standing is Standing.REFUSED else str(method.standing)
    cells = (
        f"`{method.name}`", entry.tier, entry.since, entry.endpoint, takes, ", ".join(entry.errors),
        entry.evidence, ", ".join(entry.clients), state,
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _error(name: str, served: list[Method]) -> str:
    error = ERRORS[name]
    message = f"a page of HTTP {error.http}" if error.http != 200 else f"`{error.pattern or name}`"
    whose = "any" if name in GENERAL_ERRORS else ", ".join(m.name for m in served if name in m.entry.errors)
    return f"| `{name}` | {error.evidence} | {message} | {whose} |"


if __name__ == "__main__":
    sys.stdout.write(page())
