"""The orchestration of snapshots speaks of arrays, LUNs and snapshots, and of no make of array.

Which module may import which is checked by the import contracts; here are the words that an import does not show.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "reference_impl"
FOR_THE_ARRAY = ("adapters/element", "adapters/__init__", "connecting.py", "variants/")
"""The driver for this make of array, who plugs it in, and variants that spoil it."""

OF_RECORDS = {"core/names.py": {"SfSnapshotId", "SfVolumeId"}, "catalog/": {"SfSnapshotId", "SfVolumeId", "SolidFire"}}
"""What CloudStack's own tables hold, as install paths and the provider of a pool: words of records, not of calls."""

WORDS = re.compile(
    r"""SolidFire | Sf[A-Z]\w+ | (?<![.\w])Element(?!Tree|\w) | [Jj][Ss][Oo][Nn]-?[Rr][Pp][Cc] | \b[MS]VIP\b
    | (?:volume|snapshot|account|volumeAccessGroup|clone)IDs?\b | asyncHandle | (?:min|max|burst)IOPS
    | \b(?:Create|Clone|List|Delete|Modify|Purge)(?:Volume|Snapshot|Account)s?\b(?!\()
    | \bx[A-Z]\w+(?:Exist|Exceeded)\b""",
    re.VERBOSE,
)
"""Names of the array's API: its methods, members, errors and addresses. Our own classes are called with brackets."""

OWN_ORDERS = {"CreateVolume", "DeleteAccount", "DeleteSnapshot", "DeleteVolume", "ListSnapshots", "ListVolumes"}
"""Orders of ours that happen to be called as methods of the array are: these words are CloudStack's commands too."""


def foreign_words(path: str, text: str) -> Iterator[str]:
    """Name each word of the array's that stands in the text of a module, by its line."""
    if path.startswith(FOR_THE_ARRAY):
        return
    allowed = {word for place, words in OF_RECORDS.items() if path.startswith(place) for word in words} | OWN_ORDERS
    for number, line in enumerate(text.splitlines(), 1):
        for found in WORDS.finditer(line):
            if found[0] not in allowed:
                yield f"{path}:{number}: {found[0]}"


@pytest.mark.requirement(id="R-175")
def test_no_word_of_the_arrays_api_stands_outside_the_driver_for_it() -> None:
    modules = {path.relative_to(ROOT).as_posix(): path for path in sorted(ROOT.rglob("*.py"))}
    assert len(modules) > 40
    found = [word for name, path in modules.items() for word in foreign_words(name, path.read_text(encoding="utf-8"))]
    assert found == []


@pytest.mark.parametrize(
    "planted",
    ["row['volumeID']", "# a SolidFire cluster", "call('CloneVolume')", "SfTemplateId", "xVolumeIDDoesNotExist"],
)
def test_a_planted_word_is_found(planted: str) -> None:
    assert len(list(foreign_words("orchestrator.py", f"\n{planted}\n"))) == 1
    assert list(foreign_words("adapters/element.py", planted)) == []


def test_a_word_of_records_is_allowed_where_records_are_and_nowhere_else() -> None:
    assert list(foreign_words("core/names.py", "SfSnapshotId=")) == []
    assert list(foreign_words("orchestrator.py", "SfSnapshotId=")) == ["orchestrator.py:1: SfSnapshotId"]
