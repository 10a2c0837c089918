"""What we depend on: pinned by hashes, under licences that go with ours, written down as a bill of materials.

Run it as `python tests/check_supply.py CHECKOUT [BILL]`: it checks, and writes the bill (CycloneDX) where one is named.
Known vulnerabilities are looked up by pip-audit, in `tox -e supply`.
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PINNED = "pinned.txt"
BILL = "docs/bill-of-materials.json"
ALLOWED = re.compile(r"(0BSD|Apache|MIT|BSD|CC0-1\.0|PSF|Python Software Foundation|Unlicense|Zlib)\b", re.IGNORECASE)
"""Licences under which code goes with Apache-2.0, by their names and expressions (category A of the ASF)."""
UNCHANGED = {"certifi": "Mozilla Public License 2.0"}
"""What is under a licence that lets it be used beside ours as it is, and asks that its own files stay under it."""
NOT_HERE = {"colorama": "BSD-3-Clause", "pywin32": "PSF-2.0", "tzdata": "Apache-2.0"}
"""What other systems than the one that checks depend on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One line of the list: a version, and the files that are it."""

    name: str
    version: str
    hashes: tuple[str, ...]


def pins(text: str) -> tuple[Pin, ...]:
    """Read the list that uv writes."""
    found = []
    for block in re.split(r"\n(?=\S)", text.strip()):
        head = re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", block)
        hashes = tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})", block))
        if head:
            found.append(Pin(name=canonicalize_name(head[1]), version=head[2], hashes=hashes))
        elif not block.startswith("#"):
            found.append(Pin(name=block.partition("\n")[0], version="", hashes=()))
    return tuple(found)


def unpinned(declared: Sequence[str], known: Sequence[Pin]) -> Iterator[str]:
    """Name what is not fixed to one version and its hashes, and what was declared otherwise since."""
    versions = {pin.name: pin.version for pin in known}
    for pin in known:
        if not pin.version or not pin.hashes:
            yield f"{pin.name} is not pinned to a version with hashes."
    for line in declared:
        wanted = Requirement(line)
        version = versions.get(canonicalize_name(wanted.name), "")
        if not version or Version(version) not in wanted.specifier:
            yield f"{line} is declared, and {version or 'nothing'} is pinned; write the list anew."


def licence_of(name: str) -> str:
    """Tell what a package says of its own licence: an expression, else classifiers, else a line of text."""
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return NOT_HERE.get(name, "")
    classifiers = [line.rpartition(" :: ")[2] for line in about.get_all("Classifier") or [] if "License ::" in line]
    told = [line for field in ("License-Expression", "License") for line in about.get_all(field) or []]
    said = " OR ".join(classifiers) or next(iter(told), "")
    return said.partition("\n")[0][:80]


def goes_with_ours(licence: str) -> bool:
    """Say whether one of the licences that may be chosen asks for nothing that Apache-2.0 does not."""
    return any(
        all(ALLOWED.match(each.strip("() ")) for each in choice.split(" AND ")) for choice in licence.split(" OR ")
    )


def unfit(licences: Mapping[str, str]) -> Iterator[str]:
    """Name what is under a licence that does not go with ours, or under none that is told."""
    for name, licence in licences.items():
        if not goes_with_ours(licence) and not licence.startswith(UNCHANGED.get(name, "-")):
            yield f"{name} is under {licence or 'no licence that it tells'}."


def bill(known: Sequence[Pin], licences: Mapping[str, str], *, version: str) -> dict[str, Any]:
    """Write everything down as CycloneDX 1.6 wants it; the same pins give the same bill."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "name": "snapproof",
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": [
            {
                "type": "library",
                "name": pin.name,
                "version": pin.version,
                "purl": f"pkg:pypi/{pin.name}@{pin.version}",
                "licenses": [{"license": {"name": licences[pin.name]}}],
                "hashes": [{"alg": "SHA-256", "content": each} for each in pin.hashes],
            }
            for pin in sorted(known, key=lambda pin: pin.name)
        ],
    }


def looked_at(checkout: Path) -> tuple[list[str], dict[str, Any]]:
    """Check a checkout; give the findings and the bill."""
    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    known = pins((checkout / PINNED).read_text(encoding="utf-8"))
    licences = {pin.name: licence_of(pin.name) for pin in known}
    findings = [*unpinned(project["dependencies"], known), *unfit(licences)]
    return findings, bill(known, licences, version=metadata.version("snapproof"))


def main(checkout: Path, to: Path | None) -> None:
    """Say what is wrong and fail; write the bill where it was asked for."""
    findings, written = looked_at(checkout)
    if to is not None:
        to.write_text(json.dumps(written, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    sys.exit("\n".join(findings) or None)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
