"""Messages in the API's own sense: what somebody should read about an object, kept until it is destroyed."""

from collections.abc import Callable, Mapping
from datetime import datetime

from snapproof.simulators.xenserver.failures import XapiError
from snapproof.simulators.xenserver.records import KINDS
from snapproof.simulators.xenserver.rows import Notice
from snapproof.simulators.xenserver.state import State

TABLES = {
    "VM": "VM",
    "Host": "host",
    "SR": "SR",
    "Pool": "pool",
    "VDI": "VDI",
}
"""Classes about which there may be messages here, as messages call them, and as the API calls them."""


def tell(state: State, name: str, *, priority: int, cls: str, obj_uuid: str, body: str) -> Notice:
    """Leave a message."""
    state.record("message created", name=name, about=obj_uuid)
    return state.notices.add(
        Notice(
            ref=state.new_ref(),
            uuid=state.new_uuid(),
            name=name,
            priority=priority,
            cls=cls,
            obj_uuid=obj_uuid,
            body=body,
            time_s=state.clock.time(),
        )
    )


def _create(state: State, name: str, priority: int, cls: str, obj_uuid: str, body: str) -> str:
    kind = TABLES.get(cls)
    if kind is None or state.tables[kind].of_uuid(obj_uuid) is None:
        raise XapiError("UUID_INVALID", cls, obj_uuid)
    return tell(state, name, priority=priority, cls=cls, obj_uuid=obj_uuid, body=body).ref


def _since(state: State, since: datetime) -> dict[str, dict[str, object]]:
    """Give what came after a moment, and at it."""
    late = {notice.ref for notice in state.notices if notice.time_s >= since.timestamp()}
    return {ref: record for ref, record in KINDS["message"].records(state).items() if ref in late}


def _about(state: State, cls: str, obj_uuid: str, since: datetime) -> dict[str, dict[str, object]]:
    return {
        ref: record
        for ref, record in _since(state, since).items()
        if (record["cls"], record["obj_uuid"]) == (cls, obj_uuid)
    }


def _destroy_many(state: State, notices: list[Notice]) -> None:
    for notice in notices:
        state.notices.remove(notice)


NOTICE_RULES: Mapping[str, Callable[..., object]] = {
    "message.create": _create,
    "message.get": _about,
    "message.get_since": _since,
    "message.destroy_many": _destroy_many,
}
