"""Every command of the API, and the one that tells what there is to ask."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from snapproof.driver import InvalidRequestError
from snapproof.reference_impl.api import people, service, snapshots, volumes
from snapproof.reference_impl.api.command import Command
from snapproof.reference_impl.api.desk import Body, Desk, Given
from snapproof.reference_impl.api.parameters import text
from snapproof.reference_impl.api.shapes import SHAPES


def list_apis(_desk: Desk, given: Given) -> Body:
    """Tell of every command, or of one, what it takes and what it answers."""
    name = given.get("name")
    if name is not None and find(name) is None:
        raise InvalidRequestError(f"There is no command {name}; listApis without a name tells which there are.")
    found = [_told(command) for command in COMMANDS.values() if name is None or command is find(name)]
    return {"count": len(found), "api": found}


def _told(command: Command) -> Mapping[str, Any]:
    fields = SHAPES[command.shape] if command.shape else ()
    return {
        "name": command.name,
        "description": command.purpose,
        "isasync": command.asynchronous,
        "params": [
            {
                "name": each.name,
                "description": each.purpose,
                "type": each.kind,
                "length": each.length,
                "required": each.required,
            }
            for each in command.parameters
        ],
        "response": [{"name": each.name, "description": each.purpose, "type": each.kind} for each in fields],
    }


def find(name: str) -> Command | None:
    """A command by its name, in any case."""
    return _BY_LOWER_CASE.get(name.lower())


COMMANDS: Mapping[str, Command] = MappingProxyType({
    **snapshots.COMMANDS,
    **volumes.COMMANDS,
    **people.COMMANDS,
    **service.COMMANDS,
    "listApis": Command(
        name="listApis",
        purpose="Tell what there is to ask.",
        use=list_apis,
        parameters=(text("name", "one command"),),
    ),
})  # fmt: skip
_BY_LOWER_CASE: Mapping[str, Command] = MappingProxyType({name.lower(): each for name, each in COMMANDS.items()})
