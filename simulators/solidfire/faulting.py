"""What is wrong with a cluster: what it notices itself and what a judge raises, resolved or not."""

from collections.abc import Iterator, Mapping
from typing import Any

from snapproof.simulators.clock import moment
from snapproof.simulators.solidfire.plant import NODE_ID, ClusterFault, FaultScope, Fullness, Severity
from snapproof.simulators.solidfire.state import Numbered, State

FULL = "blockClusterFull"
DRIVE_AVAILABLE = "driveAvailable"

_FULLNESS: Mapping[Fullness, tuple[Severity, str]] = {
    Fullness.LOW: (Severity.WARNING, "The cluster runs low on block space."),
    Fullness.CRITICAL: (Severity.ERROR, "The cluster is critically full: it takes no more snapshots."),
    Fullness.CONSUMED: (Severity.CRITICAL, "The block space of the cluster is consumed."),
}


def raise_fault(
    state: State, *, code: str, severity: str, scope: str, details: str, drive_ids: tuple[int, ...] = ()
) -> ClusterFault:
    """Let something be wrong."""
    fault = ClusterFault(
        number=state.next_number(Numbered.FAULT),
        code=code,
        severity=severity,
        scope=scope,
        details=details,
        raised_s=state.clock.time(),
        drive_ids=drive_ids,
    )
    state.plant.faults.append(fault)
    state.record("fault raised", fault_id=fault.number, code=code, severity=severity)
    return fault


def resolve(state: State, fault: ClusterFault) -> None:
    """Let it be right again."""
    if not fault.resolved_s:
        fault.resolved_s = state.clock.time()
        state.record("fault resolved", fault_id=fault.number, code=fault.code)


def current(state: State) -> Iterator[ClusterFault]:
    """Yield what is wrong now."""
    return (fault for fault in state.plant.faults if not fault.resolved_s)


def notice(state: State) -> None:
    """Raise and resolve what the cluster notices itself: how full it is."""
    stage = state.fullness
    severity, details = _FULLNESS.get(stage, (None, ""))
    for fault in [fault for fault in current(state) if fault.code == FULL]:
        if fault.severity == severity:
            return
        resolve(state, fault)
    if severity:
        raise_fault(state, code=FULL, severity=severity.value, scope=FaultScope.CLUSTER.value, details=details)


def shown(fault: ClusterFault) -> dict[str, Any]:
    """Show a fault as ListClusterFaults does."""
    of_node = fault.scope in {FaultScope.NODE, FaultScope.DRIVE, FaultScope.SERVICE}
    return {
        "clusterFaultID": fault.number,
        "code": fault.code,
        "data": None,
        "date": moment(fault.raised_s),
        "details": fault.details,
        "driveID": fault.drive_ids[0] if fault.drive_ids else 0,
        "driveIDs": list(fault.drive_ids),
        "externalSource": None,
        "networkInterface": "",
        "nodeHardwareFaultID": 0,
        "nodeID": NODE_ID if of_node else 0,
        "resolved": bool(fault.resolved_s),
        "resolvedDate": moment(fault.resolved_s) if fault.resolved_s else "",
        "serviceID": 0,
        "severity": fault.severity,
        "type": fault.scope,
    }
