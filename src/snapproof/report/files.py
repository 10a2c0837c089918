"""All files that are made from a run's ledger, written into its folder; each appears whole or not at all."""

from collections.abc import Iterator
from pathlib import Path

from snapproof.report.badge import badge, badge_facts
from snapproof.report.cucumber import messages
from snapproof.report.envelope import envelope, enveloped
from snapproof.report.junit import junit
from snapproof.report.ledger import LEDGER_NAME
from snapproof.report.matrix_page import ENVELOPE_NAME, MATRIX_NAME, Column, matrix_page
from snapproof.report.packet import PACKET_NAME, write_packet
from snapproof.report.pages import PAGE_NAME, Pages
from snapproof.report.product import product
from snapproof.report.summary import Summary

JUNIT_NAME = "junit.xml"
MESSAGES_NAME = "messages.ndjson"
BADGE_NAME = "badge.svg"
BADGE_FACTS_NAME = "badge.json"
PRODUCT_NAME = "product.yaml"
FOLDERS = ("requirements", "features")
FILE_NAMES = (
    PAGE_NAME,
    ENVELOPE_NAME,
    JUNIT_NAME,
    MESSAGES_NAME,
    BADGE_NAME,
    BADGE_FACTS_NAME,
    PRODUCT_NAME,
    MATRIX_NAME,
    PACKET_NAME,
)


def write_files(folder: Path, summary: Summary) -> None:
    """Write everything, the packet of it all last."""
    names = [LEDGER_NAME]
    for name, content in _files(summary):
        _write(folder / name, content)
        names.append(name)
    write_packet(folder, summary, iter(names))


def write_first_page(folder: Path, summary: Summary) -> None:
    """Write the first page alone, while a run goes on."""
    _write(folder / PAGE_NAME, Pages(summary).first().encode())


def remove_files(folder: Path) -> None:
    """Remove what an earlier run has left, and nothing that is not ours."""
    pages = [page for name in FOLDERS for page in (folder / name).rglob("*.html") if _is_ours(page)]
    for path in (*pages, *(folder / name for name in (LEDGER_NAME, *FILE_NAMES))):
        path.unlink(missing_ok=True)


def _is_ours(page: Path) -> bool:
    """Whether snapproof has written it: somebody may want a report in a folder that has features of its own."""
    with page.open("rb") as file:
        return b'content="snapproof"' in file.read(200)


def _files(summary: Summary) -> Iterator[tuple[str, bytes]]:
    pages = Pages(summary)
    yield ENVELOPE_NAME, envelope(summary)
    yield JUNIT_NAME, junit(summary)
    yield MESSAGES_NAME, messages(summary)
    yield BADGE_NAME, badge(summary).encode()
    yield BADGE_FACTS_NAME, badge_facts(summary)
    yield PRODUCT_NAME, product(summary).encode()
    yield MATRIX_NAME, matrix_page([Column(run=enveloped(summary), link="./")], root="./").encode()
    for name, text in pages.all():
        yield name, text.encode()
    yield PAGE_NAME, pages.first().encode()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_bytes(content)
    fresh.replace(path)
