"""The API and the rights of callers as pages that are written by the code.

`python -m snapproof.reference_impl.api.documentation api > docs/cloudstack-api.md`, and `access > docs/access.md`; a
test holds both to the tables.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping

from snapproof.accounts import Role
from snapproof.reference_impl.api.command import Command
from snapproof.reference_impl.api.commands import COMMANDS
from snapproof.reference_impl.api.refusals import CODES
from snapproof.reference_impl.api.shapes import SHAPES, Field
from snapproof.reference_impl.core.access import RIGHTS, SERVICE_RIGHTS, Operation, Relation, Service

_API = """\
# CloudStack's API

Written by `python -m snapproof.reference_impl.api.documentation api`; change the tables in `reference_impl/api/`.

The reference implementation answers CloudStack's query API at `/client/api`, by GET and POST, in JSON.
`snapproof serve` starts it beside the simulators and says `cloudstack`: `url`, `key`, `secret`.

- **Signed**: `apiKey`, and `signature` as CloudStack's clients make it: HMAC-SHA1 over the sorted parameters in lower
  case. With `signatureVersion=3` and `expires`, a request that comes later is refused. An unknown key, a wrong
  signature and a time that is over are one and the same 401.
- **Jobs**: a command that takes time answers `jobid`, and `id` where it makes something. `queryAsyncJobResult` tells
  `jobstatus` 0 (goes on), 1 (done, `jobresult`) or 2 (failed, `jobresult.errorcode` and `errortext`). What was accepted
  is done or has failed in the end, whatever becomes of the server meanwhile.
- **Refusals** have the error's number as HTTP status and `errorcode`. Somebody else's id is answered in the words for
  an id that does not exist. Unknown parameters are refused; names of parameters and commands are read in any case.
- **Only added to**: CloudStack's names and shapes are kept. Ours beside them: `locationtype` of listSnapshots and of
  policies, `sizebytes` of createVolume. A client that ignores fields it does not know works with every version.
- **Sizes** are bytes, but for `size` of createVolume and the limits of storage, which CloudStack counts in GiB.
  Moments are ISO 8601 in UTC.
- **Limits**: texts have at most 255 characters and ids 64, there are at most 50 tags, 500 things on a page, and as many
  requests of one account in a second as the server was started with; 429 says when to ask again.
- **Not here**: XML answers, log-in by password, networks, machines and offerings.
"""

_ACCESS = """\
# Who may do what

Written by `python -m snapproof.reference_impl.api.documentation access` from `reference_impl/core/access.py`; each
case is tested.

A caller acts for an account: with a role, in a domain, perhaps as a member of projects. What he may do with a thing
follows from how he stands to its owner, the nearest relation first: **own**; a **project** that he is a member of;
another account in his **domain** or below it; anybody **elsewhere**. Membership takes nothing away from who looks after
the domain. What he may not list is answered in the words for what does not exist, what he may list and not do is
denied; a role that may do something with nothing at all is denied before anything is looked at. A disabled account may
nothing, a suspended project is gone for its members.
"""


def api_page() -> str:
    """Write the page of the API."""
    return "\n".join(_api_lines()) + "\n"


def access_page() -> str:
    """Write the page of rights."""
    return "\n".join(_access_lines()) + "\n"


def _api_lines() -> Iterator[str]:
    yield _API
    yield from ("## Commands", "", "| command | for | takes | answers |", "|---|---|---|---|")
    yield from (_row(command) for _, command in sorted(COMMANDS.items()))
    yield from ("", "## Parameters", "", "A parameter in **bold** must be given.")
    for name, command in sorted(COMMANDS.items()):
        if command.parameters:
            yield from ("", f"### {name}", "", "| parameter | type | at most | for |", "|---|---|---|---|")
            for each in command.parameters:
                shown = f"**{each.name}**" if each.required else each.name
                yield f"| {shown} | {each.kind} | {each.length} | {each.purpose} |"
    yield from ("", "## Fields", "", "A field that has nothing to tell is left out.")
    for noun, fields in SHAPES.items():
        yield from ("", f"### {noun}", "", "| field | type | example | what it is |", "|---|---|---|---|")
        yield from (_field(each) for each in fields)
    yield from ("", "## Refusals", "", "| number | when |", "|---|---|", "| 401 | the request is not signed rightly |")
    yield "| 429 | the account has asked too often |"
    for error, code in sorted(CODES.items(), key=lambda pair: (pair[1], pair[0].__name__)):
        yield f"| {code} | {' '.join((error.__doc__ or '').split())} |"


def _row(command: Command) -> str:
    names = ", ".join(f"**{each.name}**" if each.required else each.name for each in command.parameters)
    answer = "a job" if command.asynchronous else command.shape or "see its fields"
    return f"| {command.name} | {command.purpose} | {names} | {answer} |"


def _field(each: Field) -> str:
    return f"| {each.name} | {each.kind} | `{json.dumps(each.example)}` | {each.purpose} |"


def _access_lines() -> Iterator[str]:
    yield _ACCESS
    yield f"| role | with what is | {' | '.join(Operation)} |"
    yield "|---|---|" + "---|" * len(Operation)
    for role in Role:
        for relation in Relation:
            rights = RIGHTS[role][relation]
            cells = " | ".join("yes" if operation in rights else "" for operation in Operation)
            yield f"| {role} | {relation} | {cells} |"
    yield from (
        "",
        "The installation itself:",
        "",
        f"| role | {' | '.join(Service)} |",
        "|---|" + "---|" * len(Service),
    )
    for role in Role:
        cells = " | ".join("yes" if service in SERVICE_RIGHTS[role] else "" for service in Service)
        yield f"| {role} | {cells} |"


PAGES: Mapping[str, Callable[[], str]] = {"api": api_page, "access": access_page}


if __name__ == "__main__":
    sys.stdout.write(PAGES[sys.argv[1]]())
