"""What a command is: its name, what it takes, what it answers under which name, and the use case that it calls."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

from snapproof.reference_impl.api.desk import PAGE_MAX, Body, Desk
from snapproof.reference_impl.api.parameters import Parameter, flag, identity, tags, text, whole

Use: TypeAlias = Callable[[Desk, Mapping[str, Any]], Body]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command of the API. `shape` names the fields of what it answers, `answers_as` another command's name."""

    name: str
    purpose: str
    use: Use
    parameters: Sequence[Parameter] = ()
    asynchronous: bool = False
    shape: str | None = None
    answers_as: str | None = None

    @property
    def response(self) -> str:
        """The one name under which the answer stands."""
        return f"{(self.answers_as or self.name).lower()}response"


PAGES = (
    whole("page", "which page, from 1 on", least=1, most=10**6),
    whole("pagesize", "how many on a page", least=1, most=PAGE_MAX),
    text("keyword", "part of the name"),
)
OWNERS = (
    text("account", "whose things"),
    identity("domainid", "in which domain"),
    identity("projectid", "of which project; -1 for all of one's own"),
)
LISTS = (
    *PAGES,
    *OWNERS,
    flag("isrecursive", "domains below as well"),
    flag("listall", "all that may be seen"),
    tags(),
    identity("zoneid", "in which zone; there is one"),
)


def table(*commands: Command) -> Mapping[str, Command]:
    """Commands by name."""
    return MappingProxyType({command.name: command for command in commands})
