"""The life of initiators: made known by name, on their own or through an access group, and forgotten.

Nothing is checked here: the methods did that.
"""

from collections.abc import Mapping
from typing import Any

from snapproof.simulators.solidfire.records import Initiator
from snapproof.simulators.solidfire.state import Numbered, State


def create(state: State, name: str) -> Initiator:
    """Make a host known, in no group yet."""
    initiator = Initiator(
        initiator_id=state.next_number(Numbered.INITIATOR),
        initiator_name=name,
        volume_access_groups=[],
        attributes={},
        virtual_network_ids=[],
    )
    state.initiators.put(initiator.initiator_id, initiator)
    state.initiator_ids[name] = initiator.initiator_id
    state.record("initiator created", initiator_id=initiator.initiator_id, initiator=name)
    return initiator


def forget(state: State, initiator: Initiator) -> None:
    """Let go of a host that is in no group."""
    state.initiators.drop(initiator.initiator_id)
    del state.initiator_ids[initiator.initiator_name]
    state.record("initiator deleted", initiator_id=initiator.initiator_id, initiator=initiator.initiator_name)


def configure(state: State, initiator: Initiator, settings: Mapping[str, Any]) -> None:
    """Set what was given under its wire name; where CHAP is required, make up the name and the secrets that miss."""
    initiator.alias = settings.get("alias", initiator.alias)
    initiator.attributes = settings.get("attributes", initiator.attributes)
    initiator.require_chap = settings.get("requireChap", initiator.require_chap)
    initiator.virtual_network_ids = settings.get("virtualNetworkIDs", initiator.virtual_network_ids)
    initiator.chap_username = settings.get("chapUsername", initiator.chap_username)
    initiator.initiator_secret = settings.get("initiatorSecret", initiator.initiator_secret)
    initiator.target_secret = settings.get("targetSecret", initiator.target_secret)
    if initiator.require_chap:
        initiator.chap_username = initiator.chap_username or initiator.initiator_name
        initiator.initiator_secret = initiator.initiator_secret or state.new_secret()
        initiator.target_secret = initiator.target_secret or state.new_secret()
    if settings:
        state.record(
            "initiator modified",
            initiator_id=initiator.initiator_id,
            alias=initiator.alias,
            require_chap=initiator.require_chap,
        )
