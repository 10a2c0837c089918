"""QoS policies and the volumes that follow them: a change of the policy is a change of every one of them.

Nothing is checked here: the methods did that.
"""

from bisect import insort

from snapproof.simulators.solidfire.records import QoS, QoSPolicy, Volume
from snapproof.simulators.solidfire.state import Numbered, State


def create(state: State, *, name: str, qos: QoS) -> QoSPolicy:
    """Add a policy that no volume follows yet."""
    policy = QoSPolicy(qos_policy_id=state.next_number(Numbered.QOS_POLICY), name=name, qos=qos, volume_ids=[])
    state.qos_policies.put(policy.qos_policy_id, policy)
    _record(state, "qos policy created", policy)
    return policy


def modify(state: State, policy: QoSPolicy, *, name: str, qos: QoS) -> None:
    """Give a policy and all that follows it another QoS."""
    policy.name, policy.qos = name, qos
    for volume_id in policy.volume_ids:
        state.volumes[volume_id].row.qos = qos
    _record(state, "qos policy modified", policy)


def delete(state: State, policy: QoSPolicy) -> None:
    """Remove a policy; what followed it keeps the values."""
    for volume_id in policy.volume_ids:
        state.volumes[volume_id].row.qos_policy_id = None
    state.qos_policies.drop(policy.qos_policy_id)
    _record(state, "qos policy deleted", policy)


def follow(state: State, volume: Volume, policy: QoSPolicy | None) -> None:
    """Let a volume follow this policy, or none, instead of the one before; its values are set by the caller."""
    row = volume.row
    if row.qos_policy_id is not None:
        state.qos_policies[row.qos_policy_id].volume_ids.remove(row.volume_id)
    row.qos_policy_id = policy.qos_policy_id if policy else None
    if policy:
        insort(policy.volume_ids, row.volume_id)


def _record(state: State, event: str, policy: QoSPolicy) -> None:
    state.record(
        event, qos_policy_id=policy.qos_policy_id, name=policy.name,
        min_iops=policy.qos.min_iops, max_iops=policy.qos.max_iops, burst_iops=policy.qos.burst_iops,
    )  # fmt: skip
