"""All files that are made from a finished run, written into its folder beside the ledger."""

from pathlib import Path

from snapproof.report.envelope import envelope
from snapproof.report.junit import junit
from snapproof.report.page import page
from snapproof.report.summary import Summary

PAGE_NAME = "index.html"
ENVELOPE_NAME = "run.json"
JUNIT_NAME = "junit.xml"
FILE_NAMES = (PAGE_NAME, ENVELOPE_NAME, JUNIT_NAME)


def write_files(folder: Path, summary: Summary) -> None:
    """Write run.json, junit.xml and index.html."""
    (folder / ENVELOPE_NAME).write_bytes(envelope(summary))
    (folder / JUNIT_NAME).write_bytes(junit(summary))
    (folder / PAGE_NAME).write_text(page(summary), encoding="utf-8")
