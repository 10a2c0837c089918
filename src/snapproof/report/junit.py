"""`junit.xml`: what continuous integration reads. Our ten states become its three, and stand in the properties."""

import re
from xml.etree import ElementTree as ET

from snapproof.report.records import ScenarioFinished
from snapproof.report.summary import Summary
from snapproof.verdict import State

ELEMENT_OF_STATE = {
    State.NOT_SUPPORTED: "skipped",
    State.XFAIL: "skipped",
    State.NOT_RUN: "skipped",
    State.NOT_TESTABLE: "skipped",
    State.XPASS: "failure",
    State.FAIL: "failure",
    State.TIMEOUT: "failure",
    State.DRIVER_CRASH: "failure",
    State.HARNESS_ERROR: "error",
}
_FORBIDDEN_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(summary: Summary) -> bytes:
    """Write every scenario of the verdict as a test case, those that did not run included."""
    counts = summary.verdict.scenario_counts
    totals = {
        plural: str(sum(counts[state] for state, element in ELEMENT_OF_STATE.items() if element == kind))
        for plural, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))
    }
    suite = ET.Element(
        "testsuite",
        attrib=totals,
        name="snapproof",
        tests=str(sum(counts.values())),
        time=f"{sum(result.seconds for result in summary.results.values()):.3f}",
    )
    head = {"verdict": summary.verdict.text, "seed": str(summary.head.seed), "driver": summary.head.driver}
    _properties(suite, head | {f"excluded:{row.id}": f"{row.id}: {row.reason}" for row in summary.excluded})
    for result in summary.results.values():
        suite.append(_case(result, summary))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _case(result: ScenarioFinished, summary: Summary) -> ET.Element:
    scenario = result.scenario
    name = f"{scenario.name} [{scenario.example}]" if scenario.example else scenario.name
    case = ET.Element("testcase", classname=_clean(scenario.uri), name=_clean(name), time=f"{result.seconds:.3f}")
    properties = {"state": result.state.value, "seed": str(summary.head.seed), "driver": summary.head.driver}
    _properties(case, properties | {f"requirement:{each}": each for each in scenario.requirements})
    if element := ELEMENT_OF_STATE.get(result.state):
        said = ET.SubElement(case, element, message=_clean(f"{result.state}: {result.reason}"))
        said.text = _clean("\n".join(part for part in (result.detail, result.replay) if part))
    return case


def _properties(parent: ET.Element, values: dict[str, str]) -> None:
    properties = ET.SubElement(parent, "properties")
    for name, value in values.items():
        ET.SubElement(properties, "property", name=name.partition(":")[0], value=_clean(value))


def _clean(text: str) -> str:
    return _FORBIDDEN_IN_XML.sub("\ufffd", text)
