"""The life of initiators: made known by name, on their own or through an access group, and forgotten.

Nothing is checked here: the methods did that.
"""

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
