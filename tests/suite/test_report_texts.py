"""Small parts of a report: secrets stay out, the ledger survives a torn line, JUnit stays well-formed."""

import base64
from pathlib import Path
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from snapproof.report.ledger import Ledger, LedgerReader, read_ledger
from snapproof.report.records import RunFinished, ScenarioStarted
from snapproof.report.redaction import redact
from snapproof.report.states import duration

SECRETS = st.text(alphabet=st.characters(codec="ascii", exclude_characters="*"), min_size=4, max_size=20)


@given(before=st.text(), secret=SECRETS, after=st.text())
def test_no_form_of_a_secret_is_left_in_a_text(before: str, secret: str, after: str) -> None:
    forms = (secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode())
    for form in forms:
        assert form not in redact(f"{before}{form}{after}", [secret])


@given(before=st.binary(), secret=SECRETS, after=st.binary())
def test_of_a_secret_in_longer_base64_hardly_a_character_is_left(before: bytes, secret: str, after: bytes) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(before + secret.encode() + after).decode()
        assert len(whole) - len(redact(whole, [secret]).replace("***", "")) >= len(secret)


def test_a_secret_inside_another_is_hidden_with_it() -> None:
    assert redact("password=hunter22", ["hunter", "hunter22"]) == "password=***"


def test_an_empty_secret_hides_nothing() -> None:
    assert redact("plain", [""]) == "plain"


def test_a_line_that_is_still_written_is_left_for_later(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.append(ScenarioStarted(node="one"))
    ledger.close()
    reader = LedgerReader(tmp_path)
    assert [*reader.fresh()] == [ScenarioStarted(node="one")]
    with (tmp_path / "results.ndjson").open("ab") as file:
        file.write(b'{"record":"run-fin')
        file.flush()
        assert not [*reader.fresh()]
        file.write(b'ished","finished_s":1.0}\n')
    assert [*reader.fresh()] == [RunFinished(finished_s=1.0)]
    assert len(read_ledger(tmp_path)) == 2


def test_durations_are_written_as_briefly_as_they_can_be_read() -> None:
    assert [duration(seconds) for seconds in (0.0, 0.012, 3.14159, 125)] == ["< 1 ms", "12 ms", "3.1 s", "2 min 5 s"]
