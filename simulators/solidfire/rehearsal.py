"""A copy of a cluster to try changes on before they are made: what they make up is the same, and nobody sees them.

The copy stands for what administrators set up. Contents, snapshots, jobs, pairs and sessions are those of the cluster
itself and must not be touched through it.
"""

import copy
from itertools import chain

from snapproof.simulators.blocks import BlockStore
from snapproof.simulators.journal import Journal
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.records import NO_ATTRIBUTES, Volume


def rehearsal(array: Array) -> Array:
    """Copy the cluster. It costs time by the number of its volumes; the caller holds the lock."""
    shared = chain(
        (array.lock, array.clock, array.web, array.peers, array.identity, array.plant, array.scripts),
        (array.snapshots, array.group_snapshots, array.jobs, array.running, array.cloning_into, array.pairing),
        (array.bulk, array.sessions, array.counters, array.caller, array.limits, Volume.USUAL, NO_ATTRIBUTES),
        array.snapshots,
        (volume.disk for volume in array.volumes),
        (session for volume in array.volumes for session in (volume.seldom.sessions or {}).values()),
    )
    known: dict[int, object] = {id(thing): thing for thing in shared}
    known[id(array.blocks)] = BlockStore()
    known[id(array.events)] = []
    known[id(array._journal)] = Journal(array.clock.time)  # noqa: SLF001  the copy tells nobody what happens to it
    twin = copy.deepcopy(array, known)
    twin.plant = copy.copy(array.plant)
    twin.plant.settings = dict(array.plant.settings)
    return twin
