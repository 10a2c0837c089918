"""The sweep over single cells: every call that a workflow makes, every act that it causes, times every kind of fault.

Other strategies are in strategies.py, and how any of them is run is in exploring.py.
"""

from snapproof.campaign.exploring import require_clean
from snapproof.campaign.running import OpenLab, run
from snapproof.campaign.schedule import Schedule
from snapproof.campaign.strategies import up_to
from snapproof.campaign.together import bare


def cells(workflow: str, store: str, seed: int, open_lab: OpenLab) -> tuple[Schedule, ...]:
    """Name every cell of a workflow. Raises RuntimeError if the workflow fails without any fault."""
    clean = require_clean(run(bare(workflow, store, seed=seed), open_lab))
    return tuple(up_to(1)(clean))
