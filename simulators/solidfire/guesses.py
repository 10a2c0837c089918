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
    clone_target_gone: str = "xVolumeIDDoesNotExist"  # in the async result, the new volume being deleted on the way
    unknown_id: str = "xInvalidParameter"  # a schedule, virtual network, backup target or container that is not there


GUESSED = Guesses()

CHOICES: tuple[str, ...] = (
    "The list of supported versions of a 12.x cluster is assembled from what clients mention.",
    "unusedParameters is a list of names beside result or error, present only when something was ignored.",
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
    "No block is ever a duplicate of another in GetClusterCapacity, and nothing compresses.",
    "Deleted volumes count against the number of volumes until they are purged.",
    "Username uniqueness looks at upper and lower case.",
    "One node owns every volume, so the clone bound per node holds for the whole cluster.",
    "Of two members of one name in a body the last one counts.",
    "An id that is an object, a list or a boolean is refused.",
    "A UUID may come in any case and is kept in lower case; what is none is refused.",
    "Objects in parameters are checked member by member; members that no table knows are dropped without a word.",
    "ModifySchedule needs only the scheduleID; CreateSchedule needs what the vendor's SDK sends.",
    "A method whose version nobody tells appeared with its nearest siblings; so did CreateCluster and the histograms.",
    "A made-up answer holds zeros, empty lists and the first word of an enumeration; its times are of 1970.",
    "GET with a query string is answered like POST; every value then is a string.",
)
