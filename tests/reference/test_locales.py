"""No locale and no order of hashing has a say: the same seed gives the same history, to the last byte of its journal.

The locales are compiled here, so that none has to be installed.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from snapproof.authoring.broken import planted_for
from snapproof.campaign.workflows import WORKFLOWS

LOCALES = (
    *(("C", "0"), ("C", "1"), ("tr_TR.UTF-8", "0"), ("ja_JP.UTF-8", "1")),
    *(("de_DE.UTF-8", "0"), ("ar_EG.UTF-8", "1")),
)
"""Each with a seed for hashing."""

CHILD = """
import json, locale, sys
locale.setlocale(locale.LC_ALL, "")
from snapproof.authoring.broken import planted_for
from snapproof.campaign.running import run
from snapproof.campaign.schedule import Schedule
from snapproof.campaign.together import bare
from snapproof.campaign.workflows import WORKFLOWS
from snapproof.fixtures.caller import Caller
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.reference_impl.configuring import read_settings
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.core import names, plans

if sys.argv[1:] == ["planted"]:
    plain = names.array_name
    plans.array_name = lambda name, uuid: plain(format(1234.5, "n").replace(",", "x") + name, uuid)

kind = planted_for("C22").planted() if sys.argv[1:] == ["by locale"] else ReferenceDriver
texts = [" secondary ", "primary", "PRIMARY", "Primary", "secondary", "pr\\u0131mary", "PR\\u0130MARY"]
with lab_opener(kind)(Schedule(workflow="take-secondary", store="nfs", seed=5)) as lab:
    caller = Caller(lab)
    volume = caller.used_volume()
    outcomes = [caller.take(f"i\\u0130 {number}", volume.id, text) for number, text in enumerate(texts)]
    for row in lab.driver.list_snapshots():
        caller.delete(f"delete {row.name}", row.id).raise_if_failed()
    told = {
        "locale": locale.setlocale(locale.LC_NUMERIC),
        "digest": lab.journal_digest(),
        "outcomes": [str(outcome.error or outcome.value.location) for outcome in outcomes],
        "settings": str(read_settings(["snapshot.call.backoff = 1.5"]).settings),
    }
schedules = [bare(name, "nfs", seed=5) for name in WORKFLOWS if sys.argv[1:] == ["all"]]
schedules += [bare("take-secondary", "s3", seed=5)][: len(schedules)]
told["workflows"] = {str(each): run(each, lab_opener(ReferenceDriver)).digest for each in schedules}
print(json.dumps(told))
"""


def compiled(name: str, directory: Path) -> None:
    language, _, charset = name.partition(".")
    program = shutil.which("localedef")
    if program is None or not Path("/usr/share/i18n/locales", language).exists():
        said = f"The sources of locale {name} are not installed, so none can be compiled."
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(said)
    subprocess.run([program, "-i", language, "-f", charset, str(directory / name)], check=False, capture_output=True)


def histories(locales: Sequence[tuple[str, str]], directory: Path, *given: str) -> Sequence[dict[str, Any]]:
    """Let the same things happen under each locale, in a process each."""
    children = []
    for name, hash_seed in locales:
        if not name.startswith("C"):
            compiled(name, directory)
        told = {"LC_ALL": name, "LOCPATH": str(directory), "PYTHONHASHSEED": hash_seed, "PYTHONUTF8": "1"}
        command = [sys.executable, "-c", CHILD, *given]
        children.append(
            subprocess.Popen(command, env={**os.environ, **told}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        )
    ended = [(*child.communicate(timeout=240), child.returncode) for child in children]
    assert all(code == 0 for _, _, code in ended), [err.decode()[-2000:] for _, err, _ in ended]
    return [json.loads(out) for out, _, _ in ended]


@pytest.mark.requirement(id="R-125")
def test_the_same_seed_gives_the_same_history_under_every_locale(tmp_path: Path) -> None:
    found = histories(LOCALES, tmp_path, "all")
    assert [one.pop("locale") for one in found] == [name for name, _ in LOCALES], "Not every locale was in force."
    assert found[0]["outcomes"][:5] == ["SECONDARY", "PRIMARY", "PRIMARY", "PRIMARY", "SECONDARY"]
    assert all("is no location type" in said for said in found[0]["outcomes"][5:])
    assert len(found[0]["workflows"]) == len(WORKFLOWS) + 1
    assert all(one == found[0] for one in found)


def test_a_number_that_is_written_in_the_locales_way_is_found(tmp_path: Path) -> None:
    one, other = histories((("C", "1"), ("de_DE.UTF-8", "1")), tmp_path, "planted")
    assert one["digest"] != other["digest"]


def test_a_place_that_is_read_by_the_locale_is_refused_in_turkish(tmp_path: Path) -> None:
    (found,) = histories([("tr_TR.UTF-8", "1")], tmp_path, "by locale")
    assert planted_for("C22").expect in found["outcomes"][1]
    assert found["outcomes"][2] == "PRIMARY"
