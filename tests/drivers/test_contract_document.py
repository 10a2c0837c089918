"""The contract's OpenAPI document: valid, written from the tables, and true of what is said over the wire."""

import json
from pathlib import Path
from typing import Any

import msgspec
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from snapproof.drivers.contract import FAILED, KINDS, verbs
from snapproof.drivers.openapi import document
from snapproof.vocabulary import AccountId, OperationId, Qos, VolumeRequest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "driver-contract.md"
PUBLISHED = ROOT / "docs" / "driver-contract.openapi.json"
REQUEST = VolumeRequest(
    operation=OperationId("op-1"),
    account=AccountId("a"),
    name="n",
    size_bytes=1,
    qos=Qos(min_iops=1, max_iops=2, burst_iops=3),
)


def complaints(schema: dict[str, Any], said: Any) -> list[str]:
    judge = Draft202012Validator({**schema, "components": document()["components"]})
    return [error.message for error in judge.iter_errors(said)]


def test_the_document_is_valid_and_published_as_it_is() -> None:
    validate(document())
    assert json.loads(PUBLISHED.read_text()) == document()


def test_every_verb_and_every_kind_of_problem_is_in_it() -> None:
    paths = document()["paths"]
    assert {path["post"]["operationId"] for path in paths.values() if "post" in path} == {*verbs(), "begin"}
    for path in paths.values():
        for operation in path.values():
            assert {str(kind.status) for kind in (*KINDS, FAILED)} <= operation["responses"].keys()
            assert operation["summary"].endswith(".")


def test_a_message_of_ours_fits_its_schema_and_a_wrong_one_does_not() -> None:
    verb = verbs()["create_volume"]
    schema = document()["paths"][verb.path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    said = json.loads(msgspec.json.encode(verb.bind(REQUEST)))
    assert complaints(schema, said) == []
    assert complaints(schema, {"request": {**said["request"], "size_bytes": "1"}}) == ["'1' is not of type 'integer'"]


def test_the_guide_names_every_verb_and_every_problem() -> None:
    page = PAGE.read_text()
    assert [verb.path for verb in verbs().values() if f"`{verb.path}`" not in page] == []
    assert [kind.uri for kind in (*KINDS, FAILED) if f"`{kind.uri}`" not in page] == []
