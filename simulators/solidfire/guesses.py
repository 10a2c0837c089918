"""What nobody verified on a cluster: the error we answer in doubtful situations, and the choices behind the behaviour.

A trace of a real cluster corrects the simulator here, not in the rules.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Guesses:
    """Doubtful situations, each with the name of the error that answers it."""

    dead_handle: str = "xDBNoSuchPath"  # GetAsyncResult or CancelClone of what is not there (any more)
    deleted_volume: str = "xVolumeIDDoesNotExist"  # deleting a deleted volume again; every other use of one
    volume_not_deleted: str = "xInvalidParameter"  # restoring or purging an active volume
    bad_body: str = "xInvalidAPIParameter"  # a body that is not one JSON object, or nests too deep
    bad_name: str = "xInvalidParameter"  # too long, or with characters that are not allowed
    bad_value: str = "xInvalidParameter"  # a number out of range; parameters that contradict each other
    bad_type: str = "xInvalidParameterType"
    too_many: str = "xExceededLimit"  # a GetLimits bound without an error name of its own
    account_in_use: str = "xInvalidParameter"  # RemoveAccount while a volume, even a deleted one, remains
    still_cloning: str = "xNotReadyForIO"  # a snapshot, clone or rollback of a volume whose own clone is unfinished
    snapshot_in_use: str = "xNotReadyForIO"  # deleting a snapshot that a clone job reads
    cluster_full: str = "xSnapshotFailed"  # CreateSnapshot at fullness stage 4 or 5
    unknown_administrator: str = "xInvalidParameter"
    first_administrator: str = "xInvalidParameter"  # removing it, or taking its right to do everything
    clone_target_gone: str = "xVolumeIDDoesNotExist"  # in the async result, the new volume being deleted on the way
    unknown_id: str = "xInvalidParameter"  # a schedule, virtual network, backup target or container that is not there
    network_in_use: str = "xInvalidParameter"  # removing a virtual network that initiators are bound to
    unknown_cluster_pair: str = "xInvalidParameter"
    cluster_pair_in_use: str = "xInvalidParameter"  # RemoveClusterPair while volumes are paired over it
    unlike_volumes: str = "xInvalidParameter"  # pairing volumes of two sizes


GUESSED = Guesses()

CHOICES: tuple[str, ...] = (
    "The list of supported versions of a 12.x cluster is assembled from what clients mention.",
    "What was ignored comes back in warning.unusedParameters beside a result, as once seen of 11.7; not on refusals.",
    "A parameter newer than the endpoint's version counts as unknown; replies look the same at every version.",
    "A whole number may come as a string or as 12.0, a boolean as 'true' or 'false' in any case; nothing else is bent.",
    "limit 0 means no limit; a negative limit or start is refused.",
    "Unknown ids in volumeIDs of ListVolumes are left out of the answer.",
    "A volume that is being cloned into is listed as active at once, but logs in only when the clone is finished.",
    "A clone that fails or is cancelled takes its new volume with it, without a stay among the deleted.",
    "Deleting the source of a running clone is allowed; the clone finishes, its point in time was the call.",
    "Deleting the target of a running clone is allowed; the job then completes with an error. Restored, it is whole.",
    "Restoring a deleted volume puts it back into the access groups that still remember it.",
    "Snapshots of a deleted volume stay listed, and may be deleted, until the purge.",
    "Checksums of snapshots are 0x0; snapshot status is done at once.",
    "A FIFO snapshot pushes out the oldest FIFO one when the pool or the volume is full and minFifoSize allows it.",
    "An expirationTime that has passed already is refused.",
    "A snapshot that expires while a clone job reads it stays until the job is finished.",
    "A rollback without saveCurrentState answers an empty result.",
    "A locked account may still log in through access groups.",
    "A block that several volumes and snapshots share is unique once; equal content is not looked for.",
    "Stage 5 is the whole size, stage 4 90 % of it; 3 and 2 begin stage3BlockThresholdPercent below the next.",
    "Every stored block takes 32 bytes of metadata; maxMetadataOverProvisionFactor bounds what may be provisioned.",
    "Volumes that are deleted and not yet purged have statistics too, so that volumes add up to the cluster.",
    "A sample is half a second; latencies are 0, nothing takes time; averageIOPS is over the cluster's life.",
    "Efficiencies count a volume's snapshots too; deduplication is what is named over what is stored, 1 for nothing.",
    "One block drive of nine lies ready; a drive job takes two seconds; drives that are being removed do not count.",
    "The metadata drive is never removed, nor drives without which the stored blocks would not fit.",
    "The only fault that the cluster notices is blockClusterFull: a warning at stage 3, an error at 4, critical at 5.",
    "ListEvents tells every change in order; of more than maxEvents the newest; a filter by node leaves nothing.",
    "ClearClusterFaults forgets resolved faults; current ones only when told to, and what lasts is raised again.",
    "Time, SNMP, LDAP, logging, banner, features, encryption and the node's networks are stored and change nothing.",
    "No node waits to join; adding one is xDBNoSuchPath, removing the last is refused.",
    "/reports/slices.json and /reports/bins.json name the one node's services; their layout is invented.",
    "Deleted volumes count against the number of volumes until they are purged.",
    "Username uniqueness looks at upper and lower case.",
    "One node owns every volume, so the clone bound per node holds for the whole cluster.",
    "An id that is an object, a list or a boolean is refused.",
    "A UUID may come in any case and is kept in lower case; what is none is refused.",
    "Objects in parameters are checked member by member; members that no table knows are dropped without a word.",
    "ModifySchedule needs only the scheduleID; CreateSchedule needs what the vendor's SDK sends.",
    "A method whose version nobody tells appeared with its nearest siblings; so did CreateCluster and the histograms.",
    "A made-up answer holds zeros, empty lists and the first word of an enumeration; its times are of 1970.",
    "The key of a pair is the hexadecimal form of JSON; an open offer is listed, counts as a pair, is Misconfigured.",
    "A pair that one side removed, or with a cluster of another process, is Misconfigured; one cut off, Disconnected.",
    "A pair of clusters is not removed while volumes are paired over it; a volume has one pair at most.",
    "The end of a volume pair with access replicationTarget is the target, whichever end began; none or two: paused.",
    "An asynchronous target follows in cycles as long as a replication takes; a synchronous one is equal at once.",
    "A pair begins Idle, resumes as ResumingDataTransfer, and is Active when the time of a replication has passed.",
    "When the roles of a pair change, the new target takes the contents of the new source; unsent writes are lost.",
    "A replicated snapshot keeps name, UUID, creation and expiry, but is an own instance; deletion there is only told.",
    "Deleting a paired volume is allowed and pauses the pair; the purge ends it on that side.",
    "The only script is bv_internal.py, with endpoints s3 and solidfire; swift fails inside the result.",
    "What a bulk volume job's bucket holds is our own layout; restoring part of it with range works.",
    "Ranges of a bulk volume job are GET, PUT and DELETE of <url><key>?lba=&blocks=, without any other authority.",
    "A job without a script stays until it is reported complete or failed; its idleness ends nothing.",
    "The temporary snapshot of a bulk volume read is listed, as bulk-volume-<n>, and cannot be deleted meanwhile.",
    "GET with a query string is answered like POST; every value then is a string.",
    "A QoS of its own ends that a volume follows a policy; a clone takes the values of a policy without following it.",
    "A deleted policy leaves its values behind; SetDefaultQoS changes volumes to come only.",
    "A deleted volume still follows its policy, and keeps its LUN in the access groups that remember it.",
    "A volume gets the lowest LUN that is free; LUNs that a call does not name stay as they are.",
    "The histograms of QoS count nothing: volumes here are never under load.",
    "DeleteVolumes and its kin take exactly one list of ids, at most 500 volumes, and do all or nothing.",
    "Accounts and access groups name those of their volumes that the call is for: the active, or the deleted ones.",
    "A group snapshot loses members that expire or are deleted on their own, and ends with the last one.",
    "ModifyGroupSnapshot changes every member. Status of a group is done at once.",
    "A rollback to a group is refused as a whole when one volume cannot be rolled back.",
    "Schedules: the first run of an interval is at the first five-minute boundary, or at startingDate; times are UTC.",
    "Schedules: recurring is true unless it is given; one that does not recur is gone after its run.",
    "Schedules: paused ones catch nothing up; runNextInterval runs one at the next boundary and is then false.",
    "Schedules: toBeDeleted shows until the next boundary; errors of a run show until the next run.",
    "Schedules: a volume that is gone does not end a schedule, it fails every run.",
    "An initiator is created only once whatever its case; moving one to a group takes it out of the group before.",
    "DeleteInitiators takes initiators out of their groups; requireChap makes up the name and secrets that miss.",
    "CopyVolume cuts the hosts of the volume that is overwritten off until it is finished, and needs equal sizes.",
    "A copy that fails or is cancelled leaves the overwritten volume, with what was copied.",
    "A clone of CloneMultipleVolumes without a name has the name of its source; CancelClone does not end one of them.",
    "Virtual networks, backup targets and storage containers are settings: they change nothing that hosts see.",
    "A storage container shows the secrets of its account; deleting the container leaves the account.",
    "Which right of an administrator covers which method is assembled in rights.py; one right of a method is enough.",
    "The first administrator stays, and keeps every right; who lacks a right is refused before parameters are read.",
    "An HTTP 500 is a page like those of 401 and 404.",
    "A cluster of an older release answers 404 at the paths of newer versions, and may lack what tables call optional.",
    "ListDriveHardware lists every drive of the node, whether in use or not, with or without force.",
    "A cluster structure holds active volumes, no contents, no ciphers, and secrets but no passwords.",
    "SetClusterStructure finds networks again by VLAN tag, volumes by name and account, the rest by name.",
    "What a set structure holds is there at once, or refused as a whole; its handle completes after two seconds.",
    "A set structure changes nothing that was there but default QoS, features, NTP, SNMP and logging hosts.",
    "An id in a set structure means what its own part tells, else what the cluster has under it.",
    "The asynchronous result of SetClusterStructure has the type SetClusterStructure, which also filters the lists.",
    "SetClusterStructure passes over an NTP part without servers.",
    "A host of an access group with a volume logs in without CHAP, unless the initiator has requireChap.",
    "An initiator's own chapUsername counts before an account of that name, and only while it has requireChap.",
    "The CHAP name of an account opens its own volumes; others only where an access group does, for whom it may.",
    "Of the methods that a host offers the first possible counts: a wrong secret is refused, group or no group.",
    "The target proves itself by targetSecret under the name that the host gave, by MD5, SHA1, SHA-256 or SHA3-256.",
    "Discovery without CHAP is refused to hosts in no access group; nobody discovers what it may not open.",
    "A login to a deleted volume finds no target (0203); to a locked one, or one of others, is not authorized (0202).",
    "Locking an account ends the iSCSI sessions that its secret opened; a new secret, or enableChap false, ends none.",
    "A volume that goes to another account ends the sessions that the old account's secret opened.",
    "LUNs have vendor SolidFir, product SSD SAN, revision 0001, the last half of the NAA identifier as serial number.",
    "Blocks are of 4096 bytes, with enable512e of 512; LUNs are thin, and unmapped blocks read as zeros.",
    "Persistent reservations live as long as the portal and are no part of a dump.",
)
