"""`run.json`: what a run claims, in one small file that other programs read."""

from datetime import UTC, datetime

import msgspec

from snapproof.report.summary import Summary

SCHEMA_VERSION = 1


def envelope(summary: Summary) -> bytes:
    """Put the claim of a run into JSON. Every count is the verdict's."""
    verdict, head, driver = summary.verdict, summary.head, summary.driver
    claim = {
        "schema": SCHEMA_VERSION,
        "verdict": {
            "conclusion": verdict.conclusion,
            "text": verdict.text,
            "exit_code": verdict.exit_code,
            "profiles": dict(verdict.profiles),
        },
        "set": {"name": summary.register.set_name, "sha256": summary.register.sha256},
        "counts": {
            "requirements": dict(verdict.requirement_counts),
            "scenarios": dict(verdict.scenario_counts),
            "planned": verdict.planned,
            "excluded": verdict.excluded,
        },
        "driver": {"selector": head.driver, **(msgspec.to_builtins(driver) if driver else {})},
        "seed": head.seed,
        "environment": {"snapproof": head.suite_version, "python": head.python, "platform": head.platform},
        "started": iso(head.started_s),
        "finished": iso(summary.finished_s) if summary.finished_s is not None else None,
        "interrupted": summary.interrupted,
        "requirements": {
            each.requirement.id: {"state": each.state, "status": each.requirement.status, "scenarios": each.scenarios}
            for each in verdict.requirements
        },
    }
    return msgspec.json.format(msgspec.json.encode(claim), indent=2) + b"\n"


def iso(seconds: float) -> str:
    """Write a time as people and programs both read it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
