"""`product.yaml`: which product was judged, with what result. What no run can know is left to its maker to fill in.

Written without a library for YAML: each scalar is JSON, which is YAML too.
"""

import json
from collections.abc import Iterable, Mapping

from snapproof.report.envelope import iso
from snapproof.report.summary import Summary
from snapproof.verdict import State

MAKERS_OWN = ("vendor", "website", "documentation", "contact")
"""What its maker fills in before he hands the packet over."""


def product(summary: Summary) -> str:
    """Write it down. Every count is the verdict's."""
    head, driver, verdict = summary.head, summary.driver, summary.verdict
    facts: Mapping[str, object] = {
        **dict.fromkeys(MAKERS_OWN, ""),
        "name": driver.name if driver else "",
        "version": driver.version if driver else "",
        "driver": head.driver,
        "capabilities": list(driver.capabilities) if driver else [],
        "conclusion": str(verdict.conclusion),
        "summary": verdict.text,
        "date": iso(head.started_s)[:10],
        "suite": f"snapproof {head.suite_version}",
        "set": {"name": summary.register.set_name, "sha256": summary.register.sha256},
        "requirements": {str(state): count for state, count in verdict.requirement_counts.items() if count},
        "profiles": dict(verdict.profiles),
        "deviations": sorted(name for name, result in summary.results.items() if result.state is State.XFAIL),
    }
    told = "# What was judged, and with what result. Fill in what stands empty.\n"
    return told + "".join(f"{line}\n" for name, fact in facts.items() for line in _lines(name, fact))


def _lines(name: str, fact: object) -> Iterable[str]:
    if not isinstance(fact, dict | list) or not fact:
        yield f"{name}: {_scalar(fact)}"
        return
    yield f"{name}:"
    rows = [f"{_scalar(key)}: {_scalar(each)}" for key, each in fact.items()] if isinstance(fact, dict) else []
    yield from (f"  {row}" for row in rows or [f"- {_scalar(each)}" for each in fact])


def _scalar(fact: object) -> str:
    return json.dumps(fact, ensure_ascii=False)
