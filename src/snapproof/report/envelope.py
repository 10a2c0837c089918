"""`run.json`: what a run claims, in one small file that other programs read; and the JSON Schema that it follows.

`python -m snapproof.report.envelope` writes the schema anew, into docs/run.schema.json.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from snapproof.register import Level, Status
from snapproof.report.records import DriverIdentity
from snapproof.report.summary import Summary
from snapproof.verdict import Conclusion, State

SCHEMA_VERSION: Literal[2] = 2
SCHEMA_ID = "https://snapproof.example/run.schema.json"
Count = Annotated[int, msgspec.Meta(ge=0)]
Instant = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$")]


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What is concluded, of everything and of each profile: `core`, and each capability that requirements extend."""

    conclusion: Conclusion
    text: str
    exit_code: Literal[0, 1, 2, 3]
    profiles: dict[str, str]


class Judge(msgspec.Struct, frozen=True, kw_only=True):
    """By which set of requirements."""

    name: str
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many of each state. `requirements` are those of the set; planned and excluded ones are counted beside it."""

    requirements: dict[State, Count]
    scenarios: dict[State, Count]
    planned: Count
    excluded: Count


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """With what it was judged, and on what."""

    snapproof: str
    python: str
    platform: str


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """How one requirement ended. `reason` is that of an excluded one."""

    text: str
    status: Status
    level: Level
    capability: str
    state: State
    reason: str
    scenarios: tuple[str, ...]


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    schema: Literal[2]
    verdict: Claim
    set: Judge
    counts: Counts
    selector: str
    driver: DriverIdentity | None
    seed: Count
    chosen: dict[str, str]
    environment: Environment
    started: Instant
    finished: Instant | None
    interrupted: bool
    requirements: dict[str, Judged]


def enveloped(summary: Summary) -> Envelope:
    """Put the claim of a run into its envelope. Every count is the verdict's."""
    verdict, head = summary.verdict, summary.head
    return Envelope(
        schema=SCHEMA_VERSION,
        verdict=Claim(
            conclusion=verdict.conclusion,
            text=verdict.text,
            exit_code=msgspec.convert(verdict.exit_code, Literal[0, 1, 2, 3]),
            profiles=dict(verdict.profiles),
        ),
        set=Judge(name=summary.register.set_name, sha256=summary.register.sha256),
        counts=Counts(
            requirements=dict(verdict.requirement_counts),
            scenarios=dict(verdict.scenario_counts),
            planned=verdict.planned,
            excluded=verdict.excluded,
        ),
        selector=head.driver,
        driver=summary.driver,
        seed=head.seed,
        chosen=head.chosen,
        environment=Environment(snapproof=head.suite_version, python=head.python, platform=head.platform),
        started=iso(head.started_s),
        finished=iso(summary.finished_s) if summary.finished_s is not None else None,
        interrupted=summary.interrupted,
        requirements=_requirements(summary),
    )


def _requirements(summary: Summary) -> dict[str, Judged]:
    return {
        each.requirement.id: Judged(
            text=each.requirement.text,
            status=each.requirement.status,
            level=each.requirement.level,
            capability=each.requirement.capability,
            state=each.state,
            reason=each.requirement.reason,
            scenarios=each.scenarios,
        )
        for each in summary.verdict.requirements
    }


def envelope(summary: Summary) -> bytes:
    """Write the envelope as JSON."""
    return msgspec.json.format(msgspec.json.encode(enveloped(summary)), indent=2) + b"\n"


def schema() -> dict[str, Any]:
    """The JSON Schema of the envelope."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, "title": "A run of snapproof"}
    return {**head, **msgspec.json.schema(Envelope)}


def iso(seconds: float) -> str:
    """Write a time as people and programs both read it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def main(folder: Path) -> None:
    """Write the schema anew."""
    text = msgspec.json.format(msgspec.json.encode(schema()), indent=2)
    (folder / "run.schema.json").write_bytes(text + b"\n")


if __name__ == "__main__":
    main(Path("docs"))
