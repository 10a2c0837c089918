"""What is written down as a run goes on, one record a line: it started, a scenario started, it finished, the run did.

Records hold what was seen. What follows from it is summary.py's and the verdict's.
"""

import msgspec

from snapproof.timeline import Moment
from snapproof.verdict import State


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One Gherkin step, as rendered for this scenario. `outcome` is passed, failed, undefined or not reached."""

    keyword: str
    text: str
    line: int
    type: str  # given, when or then
    table: tuple[tuple[str, ...], ...] = ()
    docstring: str = ""
    outcome: str = "not reached"
    seconds: float = 0.0


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """Which scenario, or which row of an outline. `id` is the same in a checkout and in an installed package."""

    id: str
    uri: str
    feature: str
    name: str
    line: int
    example: str = ""
    tags: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A text that was shown beside a scenario."""

    title: str
    text: str


class DriverIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Who the driver said it was, and what it declared."""

    name: str
    version: str
    capabilities: tuple[str, ...]


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """A broken variant that the scenarios of a requirement catch: its selector, its mistake, and what is then said."""

    selector: str
    mistake: str
    says: str


class RunStarted(msgspec.Struct, frozen=True, kw_only=True, tag="run-started", tag_field="record"):
    """The head of a run: by what it is judged, and what should run."""

    suite_version: str
    register_path: str
    driver: str
    seed: int
    started_s: float
    python: str
    platform: str
    expected: tuple[Scenario, ...]
    chosen: dict[str, str] = {}  # what else the command line said: profile, filters, limits
    proofs: dict[str, tuple[Proof, ...]] = {}  # by requirement


class ScenarioStarted(msgspec.Struct, frozen=True, kw_only=True, tag="scenario-started", tag_field="record"):
    """A scenario has begun; if no more is heard of it, the process died in the middle."""

    node: str


class ScenarioFinished(msgspec.Struct, frozen=True, kw_only=True, tag="scenario-finished", tag_field="record"):
    """How a scenario ended. `reason` is one sentence or more; `detail` is what a developer wants to see."""

    node: str
    scenario: Scenario
    state: State
    seconds: float = 0.0
    reason: str = ""
    detail: str = ""
    replay: str = ""
    driver: DriverIdentity | None = None
    attachments: tuple[Attachment, ...] = ()
    timeline: tuple[Moment, ...] = ()
    ended_s: float = 0.0  # by the clock of the process in charge


class RunFinished(msgspec.Struct, frozen=True, kw_only=True, tag="run-finished", tag_field="record"):
    """The end of a run that ended by itself."""

    finished_s: float
    interrupted: bool = False


Record = RunStarted | ScenarioStarted | ScenarioFinished | RunFinished
