"""The contract as an OpenAPI 3.1 document, written from its own tables: `python -m snapproof.drivers.openapi`.

What a maker of drivers should know beside it is in docs/driver-contract.md.
"""

import json
import sys
from typing import Any

import msgspec

from snapproof.drivers.contract import (
    BEGIN,
    CALLER,
    FAILED,
    IDEMPOTENCY_KEY,
    JOBS,
    JSON,
    KINDS,
    PROBLEM,
    VERSION,
    Job,
    Problem,
    SiteMessage,
    verbs,
)

ABOUT = """\
What a driver outside snapproof's own process answers. Every verb is one POST; the same operation id sent twice means
the same operation, not a second one. Work that takes long may be answered 202 with a job, which is then polled.
"""


_CALLER: dict[str, Any] = {
    "name": CALLER,
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "The account on whose behalf this is asked; without it, the lab asks, who may everything.",
}
_KEY: dict[str, Any] = {
    "name": IDEMPOTENCY_KEY,
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "The operation's id again, percent-encoded, where the message is about an operation.",
}


def document() -> dict[str, Any]:
    """Write the document."""
    types = [SiteMessage, Job, Problem, *(verb.body for verb in verbs().values())]
    answers = [verb.answer for verb in verbs().values() if verb.answer is not type(None)]
    schemas, components = msgspec.json.schema_components([*types, *answers], ref_template="#/components/schemas/{name}")
    bodies = dict(zip((verb.name for verb in verbs().values()), schemas[3 : len(types)], strict=True))
    named = iter(schemas[len(types) :])
    paths: dict[str, Any] = {
        BEGIN: {"post": _operation("begin", "Begin a life of the driver at a site.", schemas[0], None)},
        f"{JOBS}{{job}}": {"get": _poll()},
    }
    for verb in verbs().values():
        answer = None if verb.answer is type(None) else next(named)
        paths[verb.path] = {"post": _operation(verb.name, verb.purpose, bodies[verb.name], answer)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "snapproof: contract of drivers", "version": VERSION, "description": ABOUT},
        "paths": paths,
        "components": {"schemas": json.loads(json.dumps(components))},  # defaults as JSON has them: no tuples
    }


def _operation(name: str, purpose: str, body: dict[str, Any], answer: dict[str, Any] | None) -> dict[str, Any]:
    summary = purpose.partition("\n")[0]
    return {
        "operationId": name,
        "summary": summary,
        "description": purpose,
        "parameters": [] if name == "begin" else [_CALLER, _KEY],
        "requestBody": {"required": True, "content": {JSON: {"schema": body}}},
        "responses": {**_done(answer), **_later(), **_problems()},
    }


def _poll() -> dict[str, Any]:
    return {
        "operationId": "job",
        "summary": "Ask for a job that was begun: its verb's own answer when it is over, 202 until then.",
        "parameters": [{"name": "job", "in": "path", "required": True, "schema": {"type": "string"}}],
        "responses": {"200": {"description": "Over; the body is that of the verb."}, **_later(), **_problems()},
    }


def _done(answer: dict[str, Any] | None) -> dict[str, Any]:
    if answer is None:
        return {"204": {"description": "Done."}, "200": {"description": "Done; the body is not looked at."}}
    return {"200": {"description": "Done.", "content": {JSON: {"schema": answer}}}}


def _later() -> dict[str, Any]:
    content = {JSON: {"schema": {"$ref": "#/components/schemas/Job"}}}
    return {"202": {"description": "Begun; ask for the job.", "content": content}}


def _problems() -> dict[str, Any]:
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        str(kind.status): {"description": f"{kind.uri}: {_sentence(kind.error)}", "content": content}
        for kind in (*KINDS, FAILED)
    }


def _sentence(error: type[Exception]) -> str:
    return " ".join((error.__doc__ or "").split())


if __name__ == "__main__":
    sys.stdout.write(json.dumps(document(), indent=2, ensure_ascii=False) + "\n")
