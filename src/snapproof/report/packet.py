"""`packet.zip`: all of a run in one file, with its register and how to repeat it. Equal runs, equal bytes."""

import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from snapproof.report.envelope import iso
from snapproof.report.summary import Summary

PACKET_NAME = "packet.zip"
LEFT_OUT = frozenset({PACKET_NAME, "pytest.log"})
EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)
"""What the format can tell at the earliest."""


def write_packet(folder: Path, summary: Summary, names: Iterator[str]) -> None:
    """Put these files of the report's folder, the register and a page on how to repeat the run into one file."""
    path = folder / PACKET_NAME
    moment = max(EARLIEST, datetime.fromtimestamp(summary.head.started_s, UTC)).timetuple()[:6]
    fresh = path.with_suffix(".new")
    with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED) as packet:

        def put(name: str, content: bytes) -> None:
            member = zipfile.ZipInfo(f"snapproof-report/{name}", moment)
            member.compress_type = zipfile.ZIP_DEFLATED
            packet.writestr(member, content)

        put("REPRODUCE.md", reproduce(summary).encode())
        put("requirements.toml", summary.register.path.read_bytes())
        for name in sorted({*names} - LEFT_OUT):
            put(name, (folder / name).read_bytes())
    fresh.replace(path)


def reproduce(summary: Summary) -> str:
    """Write down what was judged, with what result, and how anybody can judge it again."""
    head, driver = summary.head, summary.driver
    named = f"{driver.name} {driver.version}" if driver else "it never said its name"
    chosen = "".join(f"- {title}: {text}\n" for title, text in head.chosen.items())
    return f"""\
# {summary.verdict.conclusion}: {named}

{summary.verdict.text}

- driver: `{head.driver}`
- declared: {", ".join(driver.capabilities) if driver else "nothing"}
- set: {summary.register.set_name} (SHA-256 of requirements.toml: {summary.register.sha256})
- seed: {head.seed}
- suite: snapproof {head.suite_version}, Python {head.python}, {head.platform}
- started: {iso(head.started_s)}
{chosen}
## Again

    pip install snapproof=={head.suite_version}
    snapproof run --driver {head.driver} --seed {head.seed}

A password that the driver's URI holds is not written down here; put it in again. `index.html` shows the verdict first,
`run.json` says the same to programs, `messages.ndjson` holds every step as Cucumber Messages, `results.ndjson` every
record with its timeline.
"""
