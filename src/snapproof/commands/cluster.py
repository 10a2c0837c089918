"""Cases on a dask cluster, for `snapproof campaign --cluster`: workers of this machine, or of a scheduler's address.

A worker that dies takes nothing along: its cases are run again elsewhere, and each is given once, in the order of the
schedules. This is the one address of dask, an optional extra.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from snapproof.campaign.exploring import RunAll
from snapproof.campaign.running import RunCase

RETRIES = 3
"""How often a case is run again whose worker died."""
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
        from distributed import Client, LocalCluster
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
        yield lambda schedules: (
            future.result() for future in client.map(run_case, schedules, pure=False, retries=RETRIES)
        )
