"""The reports that scripts fetch beside the API: which service keeps which volume, and which blocks."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from snapproof.simulators.solidfire.plant import NODE_ID, SLICE_SERVICE_ID, DriveStatus
from snapproof.simulators.solidfire.state import State

BINS = 64
"""Real clusters have 65,536; the share of each service is what matters."""


def _slices(state: State) -> dict[str, Any]:
    return {
        "services": [{"nodeID": NODE_ID, "serviceID": SLICE_SERVICE_ID, "status": "healthy"}],
        "slices": [
            {
                "deadSecondaries": [],
                "liveSecondaries": [],
                "primary": SLICE_SERVICE_ID,
                "sliceID": volume.volume_id,
                "volumeID": volume.volume_id,
            }
            for volume in state.volumes
        ],
    }


def _bins(state: State) -> dict[str, Any]:
    drives = [d for d in state.plant.drives.values() if d.kind == "block" and d.status == DriveStatus.ACTIVE]
    services = [SLICE_SERVICE_ID + drive.slot for drive in drives]
    return {
        "bins": [{"binID": number, "services": [services[number % len(services)]]} for number in range(BINS)],
        "services": [{"nodeID": NODE_ID, "serviceID": number, "status": "healthy"} for number in services],
    }


REPORTS: Mapping[str, Callable[[State], dict[str, Any]]] = {
    "/reports/bins.json": _bins,
    "/reports/slices.json": _slices,
}


def report(state: State, path: str) -> bytes | None:
    """Write the report of that path, if there is one."""
    if path not in REPORTS:
        return None
    with state.lock:
        return msgspec.json.encode(REPORTS[path](state))
