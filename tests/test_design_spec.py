"""The completed design document: every heading of the template, every requirement, and no link into nowhere."""

import re
from pathlib import Path

import pytest

from snapproof.discovery import default_register
from snapproof.reference_impl.catalog.schema import BACKUP_MANIFEST, OUTBOX, STORAGE_LEAK, USAGE_STORAGE
from snapproof.reference_impl.recording import RECORDERS
from snapproof.register import read_register

ROOT = Path(__file__).parent.parent
SPEC = (ROOT / "docs" / "design-spec.md").read_text(encoding="utf-8")
RANGE = re.compile(r"R-(\d{3})(?:…R-(\d{3}))?")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
TEMPLATE = (
    "Bug reference", "Branch", "Introduction", "Purpose", "References", "Document history", "Glossary",
    "Feature specifications", "Deliberately not supported, and open items", "Quality risks", "Supportability",
    "Configuration characteristics", "Deployment and system requirements", "Interoperability and compatibility",
    "Localization and internationalization", "Performance and scalability", "Security", "Marketing", "User communities",
    "Use cases", "Architecture and design description", "Alternatives", "Patterns", "Main algorithms",
    "Components that change, and that depend on it", "Database", "Performance implications", "Web services APIs",
    "UI flow",
    "IP clearance", "Usage impact", "Appendix",
)  # fmt: skip
"""What the template asked for, in its order."""


def named(text: str) -> set[str]:
    """The requirements that a text names, ranges written out."""
    return {
        f"R-{number:03}" for first, last in RANGE.findall(text) for number in range(int(first), int(last or first) + 1)
    }


def test_every_heading_of_the_template_is_there_in_its_order() -> None:
    headings = [line.lstrip("#").strip() for line in SPEC.splitlines() if line.startswith("##")]
    assert [heading for heading in headings if heading in TEMPLATE] == list(TEMPLATE)


def test_every_requirement_stands_under_some_heading() -> None:
    assert {each.id for each in read_register(default_register()).requirements} == named(SPEC)


@pytest.mark.parametrize("target", sorted(set(LINK.findall(SPEC))))
def test_a_link_leads_somewhere(target: str) -> None:
    assert (ROOT / "docs" / target).exists()


def test_ranges_are_written_out() -> None:
    assert named("R-001…R-003 and R-007") == {"R-001", "R-002", "R-003", "R-007"}


def test_every_type_of_audit_event_and_every_table_of_ours_is_named() -> None:
    types = {recorder.audit for recorder in RECORDERS.values()} | {"SNAPSHOTPOLICY.CREATE", "SNAPSHOTPOLICY.DELETE"}
    ours = {table.name for table in (BACKUP_MANIFEST, OUTBOX, STORAGE_LEAK, USAGE_STORAGE)}
    assert [name for name in sorted(types | ours) if f"`{name}`" not in SPEC] == []
