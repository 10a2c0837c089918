"""The API answers in the language that a client asks for, and names no product."""

import json

import pytest

from snapproof.fixtures.asking import Asker
from snapproof.fixtures.management import Management


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ("de-DE,de;q=0.9,en;q=0.8", "Der API-Schlüssel, die Signatur oder ihre Zeit ist falsch; nichts wurde getan."),
        ("en", "The API key, the signature or its time is wrong; nothing was done."),
        ("fr", "The API key, the signature or its time is wrong; nothing was done."),
        ("", "The API key, the signature or its time is wrong; nothing was done."),
    ],
)
def test_a_refusal_is_said_in_the_language_that_is_asked_for(management: Management, wish: str, words: str) -> None:
    headers = {"accept-language": wish} if wish else {}
    status, _, body = management.door("GET", "/client/api?command=listZones&response=json", headers, b"")
    (answer,) = json.loads(body).values()
    assert (status, answer["errortext"]) == (401, words)


@pytest.mark.requirement(id="R-108")
@pytest.mark.parametrize("command", ["listCapabilities", "listApis", "listZones", "listSnapshots", "nonsense"])
def test_no_product_is_named_to_a_client(root: Asker, command: str) -> None:
    answer = root.raw(root.signed({"command": command, "response": "json"}))
    assert "snapproof" not in json.dumps(answer).casefold()
