"""`messages.ndjson`: the run as Cucumber Messages, for everything that reads those.

Cucumber knows fewer states than we do: ours stands beside each test case in an attachment, so that nothing is lost.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any, TypeAlias

from snapproof.report.records import ScenarioFinished, Step
from snapproof.report.sources import Node, Source, read_sources
from snapproof.report.summary import Summary
from snapproof.verdict import State

Message: TypeAlias = dict[str, Any]

PROTOCOL = "34.2.0"
STATE_TYPE = "application/vnd.snapproof.state+json"
EXCLUDED_TYPE = "application/vnd.snapproof.excluded+json"
RUN_ID = "run"
AFTER_ID = "after"
STATUS_OF_STATE = {
    State.NOT_SUPPORTED: "SKIPPED",
    State.NOT_RUN: "SKIPPED",
    State.NOT_TESTABLE: "SKIPPED",
    State.XFAIL: "PENDING",
}
"""Of the step in which a scenario ended early; every other state is FAILED."""
TYPES = {"given": "Context", "when": "Action", "then": "Outcome"}


def messages(summary: Summary) -> bytes:
    """Write every message, one a line."""
    return b"".join(json.dumps(each, ensure_ascii=False).encode() + b"\n" for each in _messages(summary))


def _messages(summary: Summary) -> Iterator[Message]:
    sources = read_sources(summary)
    yield {"meta": _meta(summary)}
    for source in sources:
        yield from (dict(each) for each in source.messages)
    yield {"hook": _after_hook()}
    yield {"testRunStarted": {"id": RUN_ID, "timestamp": _instant(summary.head.started_s)}}
    by_uri = {source.uri: source for source in sources}
    numbers = count(1)
    for result in summary.results.values():
        yield from _case(result, by_uri.get(result.scenario.uri), f"case-{next(numbers)}", summary)
    for row in summary.excluded:
        yield {"attachment": _run_wide({"requirement": row.id, "status": row.status, "reason": row.reason})}
    finished_s = summary.head.started_s if summary.finished_s is None else summary.finished_s
    yield {
        "testRunFinished": {
            "testRunStartedId": RUN_ID,
            "message": summary.verdict.text,
            "success": summary.verdict.exit_code == 0,
            "timestamp": _instant(finished_s),
        }
    }


def _case(result: ScenarioFinished, source: Source | None, case: str, summary: Summary) -> Iterator[Message]:
    """One scenario: the case, its beginning, its steps, what is attached to it, its end."""
    known = source.pickles.get((result.scenario.line, result.scenario.example)) if source else None
    pickle = known or _own_pickle(result, case)
    if known is None:
        yield {"pickle": pickle}
    steps = [f"{case}-{number}" for number in range(1, len(pickle["steps"]) + 1)]
    yield {"testCase": _test_case(case, pickle, steps)}
    began_s = max(summary.head.started_s, result.ended_s - result.seconds)
    started = f"{case}-1st"
    yield {"testCaseStarted": {"id": started, "testCaseId": case, "attempt": 0, "timestamp": _instant(began_s)}}
    at_s = began_s
    for test_step, (status, seconds, said) in zip([*steps, f"{case}-{AFTER_ID}"], _ends(result), strict=False):
        place = {"testCaseStartedId": started, "testStepId": test_step}
        yield {"testStepStarted": {**place, "timestamp": _instant(at_s)}}
        at_s += seconds
        ended = {"status": status, "duration": _duration(seconds), **({"message": said} if said else {})}
        yield {"testStepFinished": {**place, "testStepResult": ended, "timestamp": _instant(at_s)}}
    for attachment in _attachments(result):
        yield {"attachment": {"testCaseStartedId": started, "contentEncoding": "IDENTITY", **attachment}}
    ended_s = max(at_s, result.ended_s)
    yield {"testCaseFinished": {"testCaseStartedId": started, "timestamp": _instant(ended_s), "willBeRetried": False}}


def _ends(result: ScenarioFinished) -> Iterator[tuple[str, float, str]]:
    """How each step ended, and after them the look at what else has changed."""
    early = any(step.outcome in {"failed", "undefined"} for step in result.scenario.steps)
    for step in result.scenario.steps:
        yield _status(step, result.state), step.seconds, _said(result) if step.outcome == "failed" else ""
    told = not early and result.state is not State.PASS
    after = STATUS_OF_STATE.get(result.state, "FAILED") if told else "SKIPPED" if early else "PASSED"
    yield after, 0.0, _said(result) if told else ""


def _status(step: Step, state: State) -> str:
    if step.outcome == "failed":
        return STATUS_OF_STATE.get(state, "FAILED")
    return {"passed": "PASSED", "undefined": "UNDEFINED"}.get(step.outcome, "SKIPPED")


def _said(result: ScenarioFinished) -> str:
    return "\n".join(part for part in (result.reason, result.detail) if part)


def _attachments(result: ScenarioFinished) -> Iterator[Message]:
    state = {"state": result.state, "reason": result.reason, "replay": result.replay}
    yield {"mediaType": STATE_TYPE, "body": json.dumps(state, ensure_ascii=False), "fileName": "state.json"}
    for each in result.attachments:
        yield {"mediaType": "text/plain", "body": each.text, "fileName": f"{each.title}.txt"}


def _run_wide(said: Message) -> Message:
    body = json.dumps(said, ensure_ascii=False)
    return {"testRunStartedId": RUN_ID, "contentEncoding": "IDENTITY", "mediaType": EXCLUDED_TYPE, "body": body}


def _test_case(case: str, pickle: Node, steps: Iterable[str]) -> Message:
    pairs = zip(steps, pickle["steps"], strict=True)
    own = [{"id": name, "pickleStepId": step["id"], "stepDefinitionIds": []} for name, step in pairs]
    after = {"id": f"{case}-{AFTER_ID}", "hookId": AFTER_ID}
    return {"id": case, "pickleId": pickle["id"], "testRunStartedId": RUN_ID, "testSteps": [*own, after]}


def _own_pickle(result: ScenarioFinished, case: str) -> Node:
    """Stand in for a scenario that no feature file has: our own fault, or a file that is gone."""
    scenario = result.scenario
    return {
        "id": f"{case}-pickle",
        "uri": scenario.uri or scenario.id,
        "name": scenario.name,
        "language": "en",
        "astNodeIds": [],
        "tags": [{"name": f"@{tag}", "astNodeId": ""} for tag in scenario.tags],
        "steps": [
            {
                "id": f"{case}-pickle-{number}",
                "text": step.text,
                "type": TYPES.get(step.type, "Unknown"),
                "astNodeIds": [],
            }
            for number, step in enumerate(scenario.steps, 1)
        ],
    }


def _meta(summary: Summary) -> Message:
    head = summary.head
    return {
        "protocolVersion": PROTOCOL,
        "implementation": {"name": "snapproof", "version": head.suite_version},
        "runtime": {"name": "Python", "version": head.python},
        "os": {"name": head.platform},
        "cpu": {"name": head.platform.rpartition("-")[0] or head.platform},
    }


def _after_hook() -> Message:
    name = "Nothing else may have changed"
    return {
        "id": AFTER_ID,
        "name": name,
        "type": "AFTER_TEST_CASE",
        "sourceReference": {"uri": "fixtures/scenario_lab.py"},
    }


def _instant(seconds: float) -> Message:
    return {"seconds": int(seconds), "nanos": int(seconds % 1 * 1e9)}


def _duration(seconds: float) -> Message:
    return _instant(max(0.0, seconds))
