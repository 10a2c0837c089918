"""Hosts that are logged in: their sessions end one by one, with their volume, or with the account that let them in."""

from collections.abc import Callable

from snapproof.simulators.solidfire.records import Volume
from snapproof.simulators.solidfire.sessions import Opening, Session
from snapproof.simulators.solidfire.state import State


def drop(state: State, volume: Volume, session: Session, reason: str) -> None:
    """End one session, unless it has ended."""
    if volume.seldom.sessions and volume.sessions.get(session.opening.key) is session:
        del volume.sessions[session.opening.key]
        state.sessions.drop(session.opening.number)
        session.drop(reason)


def drop_where(state: State, volume: Volume, lost: Callable[[Opening], bool], reason: str) -> None:
    """End the sessions of a volume that may not go on."""
    for session in list((volume.seldom.sessions or {}).values()):
        if lost(session.opening):
            drop(state, volume, session, reason)


def drop_account(state: State, account_id: int, reason: str) -> None:
    """End the sessions that an account's CHAP secret opened."""
    for session in list(state.sessions):
        if session.opening.account_id == account_id:
            drop(state, state.volumes[session.opening.volume_id], session, reason)
