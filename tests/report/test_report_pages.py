"""The files of a report with everything in it: they agree, follow schemas, lead to one another, and hide secrets."""

import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from cucumber_messages import Envelope, message_converter

from snapproof import cli
from snapproof.register import Status
from snapproof.report.cucumber import STATE_TYPE
from snapproof.report.envelope import iso, schema
from snapproof.report.files import FILE_NAMES, remove_files, write_files
from snapproof.report.ledger import LEDGER_NAME
from snapproof.report.packet import reproduce
from snapproof.report.pages import lines_of, page_of_feature
from snapproof.report.product import MAKERS_OWN
from snapproof.report.redaction import without_password
from snapproof.report.summary import Summary
from snapproof.timeline import MOMENTS_MAX, Kind, Moment, abridged
from snapproof.verdict import State

ROOT = Path(__file__).parents[2]


class Links(HTMLParser):
    """What a page leads to, and what on it can be led to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.leads_to: list[str] = []
        self.marks: list[str] = []
        self.loads: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a":
            self.leads_to.append(given.get("href") or "")
        if given.get("id"):
            self.marks.append(given["id"] or "")
        if tag in {"script", "img", "iframe"} or (tag == "link" and given.get("href") != "data:,"):
            self.loads.append(tag)


def pages(report: Path) -> list[Path]:
    return sorted(report.rglob("*.html"))


def messages(report: Path) -> list[dict[str, dict[str, object]]]:
    return [json.loads(line) for line in (report / "messages.ndjson").read_text(encoding="utf-8").splitlines()]


def counts_of(report: Path) -> Iterator[tuple[str, Counter[str]]]:
    """How many scenarios ended in which state, by every file that says so."""
    run = json.loads((report / "run.json").read_text(encoding="utf-8"))
    yield "run.json", +Counter(run["counts"]["scenarios"])
    cases = ET.parse(report / "junit.xml").iterfind(".//testcase//property[@name='state']")
    yield "junit.xml", Counter(each.attrib["value"] for each in cases)
    states = [
        m["attachment"]["body"] for m in messages(report) if m.get("attachment", {}).get("mediaType") == STATE_TYPE
    ]
    yield "messages.ndjson", Counter(json.loads(str(body))["state"] for body in states)
    first = (report / "index.html").read_text(encoding="utf-8")
    panel = first.partition('id="scenario-counts"')[2].partition("</section>")[0]
    told = re.findall(r'data-state="([A-Z-]+)" data-count="(\d+)"', panel)
    yield "index.html", Counter({state: int(count) for state, count in told})


def test_every_file_counts_alike(golden: Path) -> None:
    wanted = Counter({str(state): 1 for state in State}) + Counter(["NOT-SUPPORTED"])
    assert dict(counts_of(golden)) == dict.fromkeys(dict(counts_of(golden)), wanted)
    assert len(dict(counts_of(golden))) == 4


def test_an_excluded_requirement_is_told_with_its_reason_everywhere(golden: Path) -> None:
    run = json.loads((golden / "run.json").read_text(encoding="utf-8"))
    reason = "It speaks of documents, and no driver writes any."
    assert run["counts"]["excluded"] == 1
    assert (run["requirements"]["R-003"]["status"], run["requirements"]["R-003"]["reason"]) == ("excluded", reason)
    for page in ("index.html", "matrix.html", "requirements/R-003.html", "junit.xml", "messages.ndjson"):
        assert reason in (golden / page).read_text(encoding="utf-8")
    assert "1 excluded" in (golden / "badge.svg").read_text(encoding="utf-8")
    assert "1 excluded" in (golden / "junit.xml").read_text(encoding="utf-8")
    assert "1 excluded" in str(messages(golden)[-1])
    assert "tests/report/test_report_pages.py::test_x" in (golden / "requirements/R-003.html").read_text()


def test_the_envelope_follows_its_schema_and_the_schema_is_the_published_one(golden: Path) -> None:
    published = json.loads((ROOT / "docs/run.schema.json").read_text(encoding="utf-8"))
    assert published == json.loads(json.dumps(schema())), "write it anew: python -m snapproof.report.envelope"
    run = json.loads((golden / "run.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(published).validate(run)
    for broken in ({**run, "schema": 1}, {**run, "started": "yesterday"}, {**run, "counts": {}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(published).validate(broken)


def test_the_messages_are_cucumbers_own(golden: Path) -> None:
    """Read by Cucumber's own types and written again, nothing is lost or made up."""
    for message in messages(golden):
        assert message_converter.to_dict(message_converter.from_dict(message, Envelope)) == message


def test_every_message_speaks_of_what_was_told_before(golden: Path) -> None:
    known: set[str] = set()
    for message in messages(golden):
        ((kind, said),) = message.items()
        for name in ("pickleId", "testCaseId", "testCaseStartedId", "testRunStartedId", "testStepId"):
            assert said.get(name) is None or str(said[name]) in known, (kind, said)
        known |= {str(said["id"])} if "id" in said else set()
        known |= {str(step["id"]) for step in said.get("testSteps", [])}  # type: ignore[attr-defined]  # of a test case


@pytest.mark.parametrize(
    ("state", "statuses"),
    [
        (State.PASS, ["PASSED", "PASSED", "PASSED", "PASSED"]),
        (State.FAIL, ["PASSED", "FAILED", "SKIPPED", "SKIPPED"]),
        (State.XFAIL, ["PASSED", "PENDING", "SKIPPED", "SKIPPED"]),
        (State.NOT_TESTABLE, ["PASSED", "SKIPPED", "SKIPPED", "SKIPPED"]),
        (State.NOT_RUN, ["SKIPPED", "SKIPPED", "SKIPPED", "SKIPPED"]),
        (State.XPASS, ["PASSED", "PASSED", "PASSED", "FAILED"]),
    ],
)
def test_a_state_is_told_in_cucumbers_words(golden: Path, state: State, statuses: list[str]) -> None:
    told = messages(golden)
    bodies = [m["attachment"] for m in told if m.get("attachment", {}).get("mediaType") == STATE_TYPE]
    (case,) = [
        each["testCaseStartedId"]
        for each in bodies
        if json.loads(str(each["body"]))["state"] == state and "states.feature" in json.dumps(_case_of(told, each))
    ]
    ends = [m["testStepFinished"] for m in told if m.get("testStepFinished", {}).get("testCaseStartedId") == case]
    assert [end["testStepResult"]["status"] for end in ends] == statuses  # type: ignore[index]  # a message, read as JSON


def _case_of(told: list[dict[str, dict[str, object]]], attachment: dict[str, object]) -> dict[str, object]:
    started = next(
        m["testCaseStarted"] for m in told if m.get("testCaseStarted", {}).get("id") == attachment["testCaseStartedId"]
    )
    case = next(m["testCase"] for m in told if m.get("testCase", {}).get("id") == started["testCaseId"])
    return next(m["pickle"] for m in told if m.get("pickle", {}).get("id") == case["pickleId"])


def test_every_link_of_every_page_leads_somewhere(golden: Path) -> None:
    found = {page: Links(page) for page in pages(golden)}
    assert len(found) == 2 + 4 + 2, "verdict and matrix, a page for each requirement and each feature"
    for page, links in found.items():
        for link in links.leads_to:
            path, _, mark = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), f"{page.name} leads to {link}"
            assert not mark or mark in Links(target).marks, f"{page.name} leads to {link}"
        assert len(links.marks) == len(set(links.marks)), f"{page.name} has a mark twice"


def test_no_page_loads_anything_or_runs_what_others_wrote(golden: Path) -> None:
    for page in pages(golden):
        text = page.read_text(encoding="utf-8")
        assert Links(page).loads == [], page.name
        assert "http://" not in text, page.name
        assert "<script" not in text, page.name


def test_the_page_of_a_requirement_tells_both_sides_the_clock_and_the_replay(golden: Path) -> None:
    text = (golden / "requirements/R-001.html").read_text(encoding="utf-8")
    for fact in (
        "CreateSnapshot#1",
        "snapshot created",
        "lost_after at",
        "+1 h",
        "snapproof run --seed 7 --",
        "zoo:Broken",
    ):
        assert fact in text


def test_a_feature_is_documented_with_how_each_row_ended(golden: Path) -> None:
    text = (golden / "features/states.html").read_text(encoding="utf-8")
    for state in State:
        assert re.search(rf"<td>{state}</td><td>.*?#s[0-9a-f]{{10}}.*?</td>", text, re.DOTALL)
    assert "What a run can end in." in text
    assert "Rule: A rule has scenarios of its own" in (golden / "features/deep/down.html").read_text(encoding="utf-8")


def test_the_packet_holds_all_of_it_and_equal_runs_have_equal_packets(
    golden: Path, summary: Summary, tmp_path: Path
) -> None:
    (tmp_path / LEDGER_NAME).write_bytes((golden / LEDGER_NAME).read_bytes())
    write_files(tmp_path, summary)
    assert (tmp_path / "packet.zip").read_bytes() == (golden / "packet.zip").read_bytes()
    with zipfile.ZipFile(golden / "packet.zip") as packet:
        inside = {name.partition("/")[2] for name in packet.namelist()}
    outside = {path.relative_to(golden).as_posix() for path in golden.rglob("*") if path.is_file()}
    assert inside == (outside | {"REPRODUCE.md", "requirements.toml"}) - {"packet.zip"}


def test_the_terminal_tells_what_is_excluded_and_why(golden: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["report", str(golden)])
    said = capsys.readouterr().out
    assert re.search(r"R-003 +- excluded +It speaks of doc", said)


def test_the_packet_says_how_to_judge_again(summary: Summary) -> None:
    assert "snapproof run --driver golden.driver:Driver --seed 7" in reproduce(summary)


def test_the_badge_for_machines_says_what_the_badge_says(golden: Path, summary: Summary) -> None:
    facts = json.loads((golden / "badge.json").read_text(encoding="utf-8"))
    drawn = (golden / "badge.svg").read_text(encoding="utf-8")
    said, _, day = facts["message"].rpartition(" · ")
    assert facts["schemaVersion"] == 1
    assert (facts["label"] in drawn, said in drawn, facts["color"] in drawn) == (True, True, True)
    assert facts["isError"] is (summary.verdict.exit_code != 0)
    assert day == iso(summary.head.started_s)[:10]


def test_the_product_is_told_with_every_count_of_the_verdict_and_what_its_makers_own_up_to(
    golden: Path, summary: Summary
) -> None:
    told = import_module("yaml").safe_load((golden / "product.yaml").read_text(encoding="utf-8"))
    counts = summary.verdict.requirement_counts
    assert told["requirements"] == {str(state): count for state, count in counts.items() if count}
    assert told["set"] == {"name": summary.register.set_name, "sha256": summary.register.sha256}
    assert summary.driver is not None
    assert [told[name] for name in ("name", "version", "driver")] == [
        summary.driver.name,
        summary.driver.version,
        summary.head.driver,
    ]
    assert told["conclusion"] == summary.verdict.conclusion
    excused = [name for name, result in summary.results.items() if result.state is State.XFAIL]
    assert excused
    assert told["deviations"] == sorted(excused)
    assert [told[name] for name in MAKERS_OWN] == [""] * len(MAKERS_OWN)


def test_a_password_in_a_drivers_uri_is_told_to_nobody() -> None:
    hidden = without_password("cloudstack+http://root:hunter2@127.0.0.1:8080/client/api")
    assert hidden == "cloudstack+http://root:***@127.0.0.1:8080/client/api"
    assert without_password("cmd:./driver --port 1:2") == "cmd:./driver --port 1:2"


def test_an_earlier_report_is_removed_and_nothing_else(summary: Summary, tmp_path: Path) -> None:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements/mine.txt").write_text("mine", encoding="utf-8")
    (tmp_path / LEDGER_NAME).write_bytes(b"")
    write_files(tmp_path, summary)
    (tmp_path / "features/mine.html").write_text("<!doctype html>mine", encoding="utf-8")
    remove_files(tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["mine.html", "mine.txt"]


@pytest.mark.parametrize(
    ("uri", "page"),
    [
        ("features/take/primary.feature", "features/take/primary.html"),
        ("my/naming.feature", "features/my/naming.html"),
        ("/elsewhere/x.feature", "features/elsewhere/x.html"),
        ("../up.feature", "features/up.html"),
    ],
)
def test_the_page_of_a_feature_lies_in_the_report_wherever_the_feature_lies(uri: str, page: str) -> None:
    assert page_of_feature(uri) == page


def test_a_timeline_too_long_to_be_read_keeps_both_ends() -> None:
    moments = [Moment(float(n), Kind.CALL, "array", f"call {n}") for n in range(MOMENTS_MAX + 50)]
    kept = abridged(moments)
    assert len(kept) == MOMENTS_MAX + 1
    assert (kept[0], kept[-1]) == (moments[0], moments[-1])
    assert "50 moments are left out" in kept[MOMENTS_MAX // 2].text
    assert abridged(moments[:MOMENTS_MAX]) == tuple(moments[:MOMENTS_MAX])


def test_a_line_of_a_timeline_knows_how_far_the_clock_has_moved() -> None:
    moments = tuple(Moment(at, Kind.CALL, "array", "") for at in (5.0, 5.0, 65.0, 64.0))
    assert [line.passed_s for line in lines_of(moments)] == [0.0, 0.0, 60.0, 0.0]
    assert lines_of(()) == []


def test_runs_stand_side_by_side_and_lead_into_their_reports(
    golden: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = tmp_path / "alone.json"
    run = json.loads((golden / "run.json").read_text(encoding="utf-8"))
    del run["requirements"]["R-001"]
    alone.write_text(json.dumps(run), encoding="utf-8")
    page = golden.parent / "matrix.html"
    assert cli.main(["matrix", str(golden), str(alone), "--to", str(page)]) == 0
    assert capsys.readouterr().out.count("Golden: harness error") == 2
    text = page.read_text(encoding="utf-8")
    assert "not in its set" in text
    for link in Links(page).leads_to:
        assert (page.parent / link.partition("#")[0]).exists() or link == "#main", link
    assert [link for link in Links(page).leads_to if link.startswith("report/requirements/R-002")]


@pytest.mark.parametrize(("content", "said"), [(None, "cannot be read"), ("{}", "is no run of this version")])
def test_what_is_no_run_is_a_mistake_of_usage(
    tmp_path: Path, content: str | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content, encoding="utf-8")
    assert cli.main(["matrix", str(tmp_path), "--to", str(tmp_path / "m.html")]) == 4
    assert said in capsys.readouterr().err


def test_a_report_is_written_anew_from_what_a_crash_has_left(golden: Path, tmp_path: Path) -> None:
    lines = (golden / LEDGER_NAME).read_bytes().splitlines(keepends=True)
    (tmp_path / LEDGER_NAME).write_bytes(b"".join(lines[:4]) + lines[4][:100])
    assert cli.main(["report", str(tmp_path)]) == 2
    assert all((tmp_path / name).exists() for name in FILE_NAMES)
    assert "The run was cut short" in (tmp_path / "index.html").read_text(encoding="utf-8")
    assert cli.main(["report", str(tmp_path / "nowhere")]) == 4


def test_the_golden_run_has_every_state_and_every_standing(summary: Summary) -> None:
    assert {result.state for result in summary.results.values()} == set(State)
    assert {each.requirement.status for each in summary.verdict.requirements} == set(Status)
