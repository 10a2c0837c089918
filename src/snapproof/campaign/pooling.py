"""Pooling: one kind of fault at every call of a workflow at once, which is told from none by a single case.

As in group testing of blood: where a pool breaks, shrinking finds the one that did it. What the first faults of a pool
keep from happening is not tried by it, and what two calls do late may cancel; so every other call is a pool as well.
"""

from collections.abc import Iterator
from dataclasses import replace

from snapproof.campaign.applicability import UNTOLD, kinds_for
from snapproof.campaign.running import Case
from snapproof.campaign.schedule import Schedule

REVEALING = (
    "lost_after", "damaged:stored-flipped", "lost_late", "twice", "error_after", "error_after:xRecvTimeout", "refused",
)  # fmt: skip
"""Kinds that do not end a driver at its first call, and differ from one another; the others come behind them."""


def everywhere(case: Case) -> Iterator[Schedule]:
    """Give schedules for each kind of fault: every call that can meet it does, the first time that it is made.

    Every other call alone meets it too: at once where what is done twice or late may cancel, else behind all kinds.
    """
    if case.schedule.faults:
        return
    pools: dict[str, list[tuple[str, str]]] = {}
    for crossing in case.crossings:
        if crossing.label.endswith("#1"):
            for kind in kinds_for(crossing.label):
                pools.setdefault(kind, []).append((crossing.label, kind))
    first = [kind for kind in REVEALING if kind in pools]
    later = [kind for kind in pools if kind not in REVEALING]
    halved = [kind for kind in UNTOLD if kind in pools]
    parts = [
        *(pools[kind] for kind in first),
        *(pools[kind][start::2] for kind in halved for start in (0, 1)),
        *(pools[kind] for kind in later),
        *(pools[kind][start::2] for kind in (*first, *later) if kind not in halved for start in (0, 1)),
    ]
    for part in filter(None, parts):
        yield replace(case.schedule, faults=tuple(part), if_met=True)
