"""Cases on a dask cluster, for `snapproof campaign --cluster`: workers of this machine, or of a scheduler's address.

A worker that dies takes nothing along: its cases are run again elsewhere, and each is given once, in the order of the
schedules. Dask gives up one of which four workers have died. This is the one address of dask, an optional extra.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from snapproof.campaign.exploring import RunAll, WorkerDiedError
from snapproof.campaign.running import Case, RunCase
from snapproof.campaign.schedule import Schedule

ANSWER_S_MAX = 30
"""How long a scheduler has to answer."""
CURE = "--cluster needs dask's distributed: pip install 'snapproof[cluster]'."


class NoClusterError(Exception):
    """There is no cluster to run on; the message says what is missing."""


@contextmanager
def on_cluster(where: str, run_case: RunCase) -> Iterator[RunAll]:
    """Run cases on so many new workers of this machine, or on the cluster of a scheduler's address.

    Raises NoClusterError where dask is not installed or nobody answers.
    """
    try:
        from distributed import Client, KilledWorker, LocalCluster
    except ImportError as error:
        raise NoClusterError(CURE) from error
    with ExitStack() as opened:
        place = where
        if where.isdecimal():
            no_dashboard: Any = None  # dask's word for it, which its annotation does not know
            place = opened.enter_context(
                LocalCluster(n_workers=int(where), threads_per_worker=1, dashboard_address=no_dashboard)
            )
        try:
            client = opened.enter_context(Client(place, timeout=ANSWER_S_MAX))
        except OSError as error:
            raise NoClusterError(f"No dask scheduler answers at {where}: {error}.") from error

        def run_all(schedules: Sequence[Schedule]) -> Iterator[Case]:
            for schedule, future in zip(schedules, client.map(run_case, schedules, pure=False), strict=True):
                try:
                    yield future.result()
                except KilledWorker as error:
                    raise WorkerDiedError([schedule]) from error

        yield run_all
