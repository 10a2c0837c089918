"""The verdict in one line, for a README: `badge.svg`, drawn by hand, and `badge.json` for whoever draws himself.

No network, no font of its own; the JSON is what shields.io reads from an endpoint.
"""

import json
from xml.sax.saxutils import escape

from snapproof.report.envelope import iso
from snapproof.report.states import KIND_OF_EXIT_CODE
from snapproof.report.summary import Summary
from snapproof.verdict import State

COLOURS = {"good": "#14713d", "bad": "#b3202c", "idle": "#7a5600", "ours": "#6b2fa8"}
LETTER_PX = 6.9
PADDING_PX = 9


def badge(summary: Summary) -> str:
    """Draw the badge: the set on the left, the conclusion with its counts on the right."""
    left, right, colour = _said(summary)
    a, b = _width(left), _width(right)
    label = escape(f"{left}: {summary.verdict.text}", {'"': "&quot;"})
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{a + b}" height="22" role="img" aria-label="{label}">
<title>{label}</title>
<clipPath id="r"><rect width="{a + b}" height="22" rx="4"/></clipPath>
<g clip-path="url(#r)"><rect width="{a}" height="22" fill="#333c4a"/>\
<rect x="{a}" width="{b}" height="22" fill="{colour}"/></g>
<g fill="#fff" font-family="system-ui,Segoe UI,Roboto,sans-serif" font-size="12" text-anchor="middle">
<text x="{a / 2}" y="15">{escape(left)}</text><text x="{a + b / 2}" y="15">{escape(right)}</text></g>
</svg>
"""


def badge_facts(summary: Summary) -> bytes:
    """Say the same, with the day of the run, and whether something failed."""
    left, right, colour = _said(summary)
    facts = {
        "schemaVersion": 1,
        "label": left,
        "message": f"{right} · {iso(summary.head.started_s)[:10]}",
        "color": colour,
        "isError": summary.verdict.exit_code != 0,
    }
    return json.dumps(facts, ensure_ascii=False, indent=2).encode() + b"\n"


def _said(summary: Summary) -> tuple[str, str, str]:
    """What it is about, what is concluded, and in which colour."""
    verdict = summary.verdict
    total = sum(verdict.requirement_counts.values())
    right = f"{verdict.conclusion} · {verdict.requirement_counts[State.PASS]}/{total}"
    return f"snapproof {summary.register.set_name}", right, COLOURS[KIND_OF_EXIT_CODE[verdict.exit_code]]


def _width(text: str) -> int:
    return round(len(text) * LETTER_PX) + 2 * PADDING_PX
