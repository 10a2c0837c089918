"""Which walks of a snapshot from state to state are legal: the judge's own table, written from the specification.

The reference implementation has another one, by event; a driver that keeps its own book is judged by this one.
"""

from collections.abc import Mapping

from snapproof.vocabulary import SnapshotState

_S = SnapshotState

LEGAL: Mapping[SnapshotState, frozenset[SnapshotState]] = {
    _S.ALLOCATED: frozenset({_S.CREATING, _S.ERROR}),
    _S.CREATING: frozenset({_S.CREATED_ON_PRIMARY, _S.BACKED_UP, _S.ERROR}),
    _S.CREATED_ON_PRIMARY: frozenset({_S.BACKING_UP, _S.BACKED_UP, _S.ERROR}),
    _S.BACKING_UP: frozenset({_S.BACKING_UP, _S.BACKED_UP, _S.ERROR}),
    _S.BACKED_UP: frozenset({_S.BACKING_UP, _S.COPYING, _S.DESTROYING}),
    _S.COPYING: frozenset({_S.BACKED_UP}),
    _S.DESTROYING: frozenset({_S.DESTROYING, _S.DESTROYED, _S.BACKED_UP}),
    _S.DESTROYED: frozenset(),
    _S.ERROR: frozenset({_S.DESTROYING}),
}

TERMINAL = frozenset({_S.BACKED_UP, _S.ERROR, _S.DESTROYED})
"""Where a snapshot may rest when nothing is under way."""
