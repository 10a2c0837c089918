"""What administrators added beside volumes, snapshots and access groups, as lines for judges: no times, no secrets."""

from collections.abc import Iterator

from snapproof.simulators.solidfire.state import State


def lines(state: State) -> Iterator[str]:
    """Name group snapshots, QoS policies, initiators in no group (groups name theirs), and what is set up beside."""
    for group in state.group_snapshots:
        yield f"group snapshot {group.group_snapshot_id} {group.name} of snapshots {group.members}"
    for policy in state.qos_policies:
        yield f"qos policy {policy.qos_policy_id} {policy.name} of volumes {policy.volume_ids}"
    for known in state.initiators:
        if not known.volume_access_groups:
            yield f"initiator {known.initiator_id} {known.initiator_name} in no access group"
    for schedule in state.settings.schedules:
        row = schedule.row
        yield f"schedule {row.schedule_id} {row.schedule_name} of volumes {row.schedule_info.volumes}"
    for network in state.settings.networks:
        yield f"virtual network {network.number} {network.name} with tag {network.tag}"
    for target in state.settings.backup_targets:
        yield f"backup target {target.backup_target_id} {target.name}"
    for container in state.settings.containers:
        yield f"storage container {container.name} of account {container.account_id}"
