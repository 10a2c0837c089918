"""Every call either meets a kind of fault or has a reason why not; results are laid out cell by cell."""

from pathlib import Path

import msgspec
import pytest
from markupsafe import escape

from snapproof.campaign.applicability import ACT_KINDS, WORDS, kinds_for, why_not
from snapproof.campaign.coverage import NEVER_CALLED, NEVER_TRIED, columns_of, tables_of
from snapproof.campaign.results import Told, append, joined
from snapproof.campaign.turning import CLOCK
from snapproof.fixtures.services import DIALECTS, calls
from snapproof.report.coverage_page import Covered, coverage_page
from snapproof.simulators.faults import FAULTS, fault_named
from snapproof.simulators.journal import Journal
from snapproof.simulators.seam import Seam

OF_CAMPAIGNS = ("array.", "host.", "s3.", "nfs.")
NAMES = sorted({"catalog.commit", *ACT_KINDS, *(name for name in calls() if name.startswith(OF_CAMPAIGNS))})


def test_every_word_is_a_fault_of_the_seam_or_sets_the_clock() -> None:
    assert set(WORDS) == {*FAULTS, *CLOCK}


def test_every_cell_can_be_or_says_why_not() -> None:
    for name in NAMES:
        met = {kind.partition(":")[0] for kind in kinds_for(name)}
        assert met == {word for word in WORDS if not why_not(name, word)}, name
        assert len(set(kinds_for(name))) == len(kinds_for(name))


def test_a_point_is_no_call_and_an_act_has_no_caller_to_be_held_up() -> None:
    assert kinds_for("catalog.begin#1") == ()
    assert all(why_not("catalog.begin#1", word) for word in WORDS)
    assert not why_not("catalog.begin#1", "turn")
    assert why_not("catalog.commit#1", "turn")
    assert why_not("export.write#1", "overtaken") == why_not("export.write#1", "lost_after") != ""


def test_every_kind_of_a_cell_can_be_armed() -> None:
    seam = Seam(Journal(lambda: 0.0), dialects=DIALECTS)
    for name in NAMES:
        for kind in set(kinds_for(name)) - set(CLOCK):
            seam.check(name, fault_named(kind))


def test_numbered_services_are_of_their_kind() -> None:
    assert kinds_for("array-2.ListVolumes#1") == kinds_for("array.ListVolumes#1")
    assert why_not("host-2.SR.scan", "truncated") == why_not("host.SR.scan", "truncated") != ""


HEAD = "take-secondary/v1 store=nfs seed=0"
RESULTS = [
    Told(case=HEAD, ending="succeeded", reached=("array.CloneVolume", "catalog.commit")),
    Told(case=f"{HEAD} :: array.CloneVolume#1=refused", ending="BackendError"),
    Told(case=f"{HEAD} :: array.CloneVolume#2=refused:xRecvTimeout", ending="BackendError"),
    Told(
        case=f"{HEAD} :: array.CloneVolume#1=refused; catalog.commit#3=crash_after",
        ending="crashed",
        broken=("I2: <b>orphan</b>",),
    ),
    Told(case=f"{HEAD} :: array.CloneVolume#1=overtaken", ending="ConflictError"),
    Told(case="resize/v1 store=s3 seed=0", ending="succeeded", reached=("host.VDI.resize",)),
]


@pytest.mark.parametrize(
    ("workflow", "call", "word", "state", "text"),
    [
        (1, "array.CloneVolume", "refused", Covered.VIOLATION, "1 of 3"),
        (1, "catalog.commit", "crash_after", Covered.VIOLATION, "1 of 1"),
        (1, "catalog.commit", "truncated", Covered.NOT_APPLICABLE, "n/a"),
        (1, "catalog.commit", "refused", Covered.NOT_REACHED, NEVER_TRIED),
        (1, "catalog.commit", "overtaken", Covered.NOT_REACHED, NEVER_TRIED),
        (1, "array.CloneVolume", "overtaken", Covered.OK, "1"),
        (1, "host.VDI.resize", "refused", Covered.NOT_REACHED, NEVER_CALLED),
        (0, "host.VDI.resize", "refused", Covered.NOT_REACHED, NEVER_TRIED),
        (0, "host.VDI.resize", "http500_after", Covered.NOT_APPLICABLE, "n/a"),
    ],
)
def test_a_cell_is_what_the_results_say(workflow: int, call: str, word: str, state: Covered, text: str) -> None:
    tables = tables_of(RESULTS)
    assert [table.title for table in tables] == ["resize on s3 by reference", "take-secondary on nfs by reference"]
    cell = dict(tables[workflow].rows)[call][columns_of(RESULTS).index(word)]
    assert cell.state is state
    assert text in {cell.text, cell.why}


def test_why_a_cell_is_empty_can_be_read_without_a_mouse() -> None:
    table = tables_of(RESULTS)[1]
    reasons = table.reasons(columns_of(RESULTS))
    empty = [cell.why for _, cells in table.rows for cell in cells if cell.why]
    assert empty
    assert reasons.keys() == set(empty)
    below = coverage_page(columns_of(RESULTS), [table]).partition("</table>")[2]
    assert all(str(escape(why)) in below for why in reasons)


def test_the_page_shows_what_broke_as_text() -> None:
    page = coverage_page(columns_of(RESULTS), tables_of(RESULTS))
    assert "I2: &lt;b&gt;orphan&lt;/b&gt;" in page
    assert "snapproof replay &#39;take-secondary/v1" in page or "snapproof replay 'take-secondary/v1" in page
    assert page.count("<tbody>") == 2


def test_drivers_share_no_table_and_each_line_replays_its_own(tmp_path: Path) -> None:
    held = Told(case=f"{HEAD} :: array.CloneVolume#1=refused", ending="BackendError")
    broken = msgspec.structs.replace(held, driver="cmd:./acme --fast", broken=("I2: orphan",))
    append(tmp_path / "one", [held])
    append(tmp_path / "two", [broken])
    tables = tables_of(joined([tmp_path / "one", tmp_path / "two"]))
    assert [(table.title, table.count(Covered.VIOLATION)) for table in tables] == [
        ("take-secondary on nfs by cmd:./acme --fast", 1),
        ("take-secondary on nfs by reference", 0),
    ]
    ((line, _),) = tables[0].broken
    assert line == f"snapproof replay --driver 'cmd:./acme --fast' '{broken.case}'"


def test_what_holds_up_has_a_column_only_where_it_was_tried() -> None:
    assert columns_of(RESULTS[:2]) == WORDS
    assert columns_of(RESULTS) == (*WORDS, "overtaken")
