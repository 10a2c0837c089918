"""How arguments of a call are read: each kind makes a value of what came over the wire, or refuses it as xapi does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from snapproof.simulators.xenserver.failures import XapiError
from snapproof.simulators.xenserver.state import NULL, R, Session, State, Table

Kind: TypeAlias = Callable[[State, object], object]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One call: what performs it and the kinds of its arguments, those in `optional` from the right."""

    perform: Callable[..., object]
    kinds: tuple[Kind, ...] = ()
    optional: tuple[Kind, ...] = ()
    of_session: bool = False  # `perform` takes the caller's session first


def text(_state: State, value: object) -> str:
    if not isinstance(value, str):
        raise XapiError("FIELD_TYPE_ERROR", "string")
    return value


def number(state: State, value: object) -> int:
    """xapi writes integers as strings and takes both."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        return int(text(state, value))
    except ValueError:
        raise XapiError("FIELD_TYPE_ERROR", "int") from None


def flag(_state: State, value: object) -> bool:
    if not isinstance(value, bool):
        raise XapiError("FIELD_TYPE_ERROR", "bool")
    return value


def record(_state: State, value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise XapiError("FIELD_TYPE_ERROR", "record")
    return value


def mapping(state: State, value: object) -> dict[str, str]:
    """A map of strings; numbers in it are taken as their text."""
    return {str(key): str(content) for key, content in record(state, value).items()}


def ref(table: Callable[[State], Table[R]]) -> Callable[[State, object], R]:
    def read(state: State, value: object) -> R:
        return table(state).find(text(state, value))

    return read


def maybe(kind: Callable[[State, object], T]) -> Callable[[State, object], T | None]:
    """A ref that may be NULL."""

    def read(state: State, value: object) -> T | None:
        return None if value is None or value in ("", NULL) else kind(state, value)

    return read


a_pool = ref(lambda state: state.pools)
a_host = ref(lambda state: state.hosts)
an_sr = ref(lambda state: state.srs)
a_pbd = ref(lambda state: state.pbds)
a_vdi = ref(lambda state: state.vdis)
a_vbd = ref(lambda state: state.vbds)
a_vm = ref(lambda state: state.vms)
a_task = ref(lambda state: state.tasks)
a_session = ref(lambda state: state.sessions)


def field(state: State, fields: Mapping[str, object], name: str, kind: Callable[[State, object], T]) -> T:
    """Read one field of the record that a create call takes; raises FIELD_TYPE_ERROR where it is missing."""
    if name not in fields:
        raise XapiError("FIELD_TYPE_ERROR", name)
    return kind(state, fields[name])


def read_arguments(
    method: str, of: Method, state: State, session: Session, arguments: tuple[object, ...]
) -> list[object]:
    """Check the number of arguments and read each by its kind."""
    most, least = len(of.kinds) + len(of.optional), len(of.kinds)
    if not least <= len(arguments) <= most:
        raise XapiError("MESSAGE_PARAMETER_COUNT_MISMATCH", method, str(most), str(len(arguments)))
    kinds = (*of.kinds, *of.optional)
    read = [kind(state, value) for kind, value in zip(kinds, arguments, strict=False)]
    return [session, *read] if of.of_session else read
