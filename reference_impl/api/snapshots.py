"""Commands about snapshots and their policies."""

from collections.abc import Mapping
from dataclasses import replace

from snapproof.driver import InvalidRequestError, NotFoundError
from snapproof.reference_impl.api.command import LISTS, OWNERS, PAGES, Command, table
from snapproof.reference_impl.api.desk import Body, Desk, Given
from snapproof.reference_impl.api.parameters import flag, identities, identity, one_of, tags, text, whole
from snapproof.reference_impl.api.shapes import shaped
from snapproof.reference_impl.core.access import Operation
from snapproof.reference_impl.core.locations import read_location
from snapproof.reference_impl.rights import Thing
from snapproof.vocabulary import LocationType, Policy, PolicyId, PolicyRequest, SnapshotId, SnapshotRequest, VolumeId

INTERVALS = ("HOURLY", "DAILY", "WEEKLY", "MONTHLY")


def create(desk: Desk, given: Given) -> Body:
    """Take a snapshot; policyid is CloudStack's own word for a run of its scheduler, and nobody else's."""
    if given.get("policyid") not in {None, "0"}:
        raise InvalidRequestError("policyid is for the runs of policies; leave it out for a snapshot by hand.")
    owner = desk.rights.require(Operation.TAKE_SNAPSHOT, Thing.VOLUME, given["volumeid"])
    if {"account", "projectid"} & given.keys() and desk.owner(given) != owner:
        raise InvalidRequestError(f"Volume {given['volumeid']} is another account's; so are its snapshots.")
    request = SnapshotRequest(
        operation=desk.job,
        volume=VolumeId(given["volumeid"]),
        name=given.get("name", ""),
        location=given.get("locationtype"),
        async_backup=given.get("asyncbackup", False),
        quiesce=given.get("quiescevm", False),
    )
    taken = desk.driver.take_snapshot(request)
    desk.life.put_tags(taken.account, "Snapshot", taken.id, given.get("tags", {}))
    return {"id": taken.id, "jobid": desk.job}


def archive(desk: Desk, given: Given) -> Body:
    """Move a snapshot to secondary storage."""
    moved = desk.driver.archive_snapshot(desk.job, SnapshotId(given["id"]))
    return {"id": moved.id, "jobid": desk.job}


def delete(desk: Desk, given: Given) -> Body:
    """Delete every copy of a snapshot."""
    desk.driver.delete_snapshot(desk.job, SnapshotId(given["id"]))
    return {"jobid": desk.job}


def revert(desk: Desk, given: Given) -> Body:
    """Take a snapshot's volume back to it."""
    desk.driver.revert_volume(desk.job, SnapshotId(given["id"]), keep_present=given.get("keeppresent", False))
    return {"jobid": desk.job}


def list_snapshots(desk: Desk, given: Given) -> Body:
    """List snapshots."""
    wanted = dict(given)
    if "locationtype" in wanted:
        wanted["locationtype"] = read_location(wanted["locationtype"], LocationType.PRIMARY)
    if "snapshottype" in wanted and "intervaltype" not in wanted:
        wanted["intervaltype"] = list(INTERVALS) if wanted["snapshottype"] == "RECURRING" else "MANUAL"
    return desk.listed("snapshot", wanted, "id", "name", "volumeid", "locationtype", "intervaltype")


def create_policy(desk: Desk, given: Given) -> Body:
    """Put a policy into force."""
    request = PolicyRequest(
        operation=desk.job,
        volume=VolumeId(given["volumeid"]),
        interval=given["intervaltype"],
        schedule=given["schedule"],
        timezone=given["timezone"],
        keep_max=given["maxsnaps"],
        location=given.get("locationtype"),
    )
    made = desk.driver.create_policy(request)
    return {"snapshotpolicy": _told(desk, made.id)}


def update_policy(desk: Desk, given: Given) -> Body:
    """Change what is given of a policy, and nothing else."""
    desk.rights.require(Operation.CHANGE_POLICY, Thing.POLICY, given["id"])
    known = desk.life.policy(PolicyId(given["id"]))
    if known is None:
        raise NotFoundError(f"There is no snapshot policy {given['id']}.")
    changed: Policy = replace(
        known,
        interval=given.get("intervaltype", known.interval),
        schedule=given.get("schedule", known.schedule),
        timezone=given.get("timezone", known.timezone),
        keep_max=given.get("maxsnaps", known.keep_max),
        location=read_location(given.get("locationtype"), known.location),
    )
    desk.life.change_policy(desk.job, changed)
    return {"snapshotpolicy": _told(desk, known.id)}


def delete_policies(desk: Desk, given: Given) -> Body:
    """End one policy or several; none of them, if one may not be."""
    wanted = [*given.get("ids", []), *([given["id"]] if "id" in given else [])]
    if not wanted:
        raise InvalidRequestError("Parameter id or ids is missing; one of them must be given.")
    for policy in wanted:
        desk.rights.require(Operation.DELETE_POLICY, Thing.POLICY, policy)
    for policy in wanted:
        desk.driver.delete_policy(desk.job, PolicyId(policy))
    return {"success": True}


def list_policies(desk: Desk, given: Given) -> Body:
    """List the policies of a volume, or one by its id."""
    return desk.listed("snapshotpolicy", {"listall": True, **given}, "id", "volumeid")


def _told(desk: Desk, policy: str) -> Mapping[str, object]:
    row = desk.life.one("snapshotpolicy", policy)
    assert row is not None, f"Policy {policy} was ended by somebody else at this moment."
    return shaped("snapshotpolicy", row)


LOCATION = text("locationtype", "PRIMARY (the array) or SECONDARY, in any case; the site's default without it", most=32)
COMMANDS = table(
    Command(
        name="createSnapshot",
        purpose="Take a snapshot of a volume.",
        use=create,
        asynchronous=True,
        shape="snapshot",
        parameters=(
            identity("volumeid", "the volume", required=True),
            text("name", "what to call it"),
            LOCATION,
            flag("asyncbackup", "end the job when the array has it; the backup goes on"),
            flag("quiescevm", "let the guest write out first; refused where nobody can ask it to"),
            text("policyid", "the runs of policies have one", most=64),
            *OWNERS,
            tags(),
        ),
    ),
    Command(
        name="archiveSnapshot",
        purpose="Move a snapshot from the array to secondary storage.",
        use=archive,
        asynchronous=True,
        shape="snapshot",
        answers_as="createSnapshot",  # as CloudStack does
        parameters=(identity("id", "the snapshot", required=True),),
    ),
    Command(
        name="listSnapshots",
        purpose="List snapshots.",
        use=list_snapshots,
        shape="snapshot",
        parameters=(
            identity("id", "one snapshot"),
            identities("ids", "several snapshots"),
            identity("volumeid", "those of one volume"),
            text("name", "those of one name"),
            LOCATION,
            one_of("intervaltype", "those by hand, or of one interval", "MANUAL", *INTERVALS),
            one_of("snapshottype", "those by hand, or those of policies", "MANUAL", "RECURRING"),
            *LISTS,
        ),
    ),
    Command(
        name="deleteSnapshot",
        purpose="Delete a snapshot with every copy.",
        use=delete,
        asynchronous=True,
        parameters=(identity("id", "the snapshot", required=True),),
    ),
    Command(
        name="revertSnapshot",
        purpose="Take a volume that no machine uses back to one of its snapshots on the array.",
        use=revert,
        asynchronous=True,
        parameters=(
            identity("id", "the snapshot", required=True),
            flag("keeppresent", "take a snapshot of what is there before"),
        ),
    ),
    Command(
        name="createSnapshotPolicy",
        purpose="Take snapshots of a volume by schedule.",
        use=create_policy,
        shape="snapshotpolicy",
        parameters=(
            identity("volumeid", "the volume", required=True),
            one_of("intervaltype", "how often", *INTERVALS, required=True),
            text("schedule", "minute first: 15, 15:2, 15:2:7", required=True, most=100),
            text("timezone", "where that time is", required=True, most=100),
            whole("maxsnaps", "how many are kept", least=1, most=10_000, required=True),
            LOCATION,
            flag("fordisplay", "whether users are shown it"),
        ),
    ),
    Command(
        name="updateSnapshotPolicy",
        purpose="Change a policy.",
        use=update_policy,
        shape="snapshotpolicy",
        parameters=(
            identity("id", "the policy", required=True),
            one_of("intervaltype", "how often", *INTERVALS),
            text("schedule", "minute first", most=100),
            text("timezone", "where that time is", most=100),
            whole("maxsnaps", "how many are kept", least=1, most=10_000),
            LOCATION,
            flag("fordisplay", "whether users are shown it"),
        ),
    ),
    Command(
        name="deleteSnapshotPolicies",
        purpose="End policies; their snapshots stay.",
        use=delete_policies,
        parameters=(identity("id", "one policy"), identities("ids", "several policies")),
    ),
    Command(
        name="listSnapshotPolicies",
        purpose="List policies.",
        use=list_policies,
        shape="snapshotpolicy",
        parameters=(identity("id", "one policy"), identity("volumeid", "those of one volume"), *PAGES),
    ),
)
