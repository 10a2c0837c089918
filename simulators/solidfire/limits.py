"""The numbers of GetLimits by their wire names, and the few bounds that GetLimits does not tell. No rule lives here."""

from collections.abc import Mapping

LIMITS: Mapping[str, int] = {
    "accountCountMax": 5000,
    "accountNameLengthMax": 64,
    "accountNameLengthMin": 1,
    "backupTargetNameLengthMax": 64,
    "backupTargetNameLengthMin": 1,
    "bulkVolumeJobsPerNodeMax": 8,
    "bulkVolumeJobsPerVolumeMax": 2,
    "chapCredentialsCountMax": 15000,
    "cloneJobsPerNodeMax": 8,
    "cloneJobsPerVirtualVolumeMax": 8,
    "cloneJobsPerVolumeMax": 2,
    "clusterAdminAccountMax": 5000,
    "clusterAdminInfoNameLengthMax": 1024,
    "clusterAdminInfoNameLengthMin": 1,
    "clusterPairsCountMax": 4,
    "fibreChannelVolumeAccessMax": 16384,
    "initiatorAliasLengthMax": 224,
    "initiatorCountMax": 10000,
    "initiatorNameLengthMax": 224,
    "initiatorsPerVolumeAccessGroupCountMax": 128,
    "iscsiSessionsFromFibreChannelNodesMax": 4096,
    "maxAuthSessionsForCluster": 1024,
    "maxAuthSessionsPerUser": 1024,
    "nodesPerClusterCountMax": 100,
    "nodesPerClusterCountMin": 3,
    "qosPolicyCountMax": 500,
    "scheduleNameLengthMax": 244,
    "secretLengthMax": 16,
    "secretLengthMin": 12,
    "snapshotNameLengthMax": 64,
    "snapshotsPerVolumeMax": 32,
    "virtualVolumeCountMax": 8000,
    "virtualVolumesPerAccountCountMax": 10000,
    "volumeAccessGroupCountMax": 1000,
    "volumeAccessGroupLunMax": 16383,
    "volumeAccessGroupNameLengthMax": 64,
    "volumeAccessGroupNameLengthMin": 1,
    "volumeAccessGroupsPerInitiatorCountMax": 1,
    "volumeAccessGroupsPerVolumeCountMax": 4,
    "volumeBurstIOPSMax": 200_000,
    "volumeBurstIOPSMin": 100,
    "volumeCountMax": 4000,
    "volumeMaxIOPSMax": 200_000,
    "volumeMaxIOPSMin": 100,
    "volumeMinIOPSMax": 15_000,
    "volumeMinIOPSMin": 50,
    "volumeNameLengthMax": 64,
    "volumeNameLengthMin": 1,
    "volumeSizeMax": 17_592_186_044_416,
    "volumeSizeMin": 1_000_000_000,
    "volumesPerAccountCountMax": 2000,
    "volumesPerGroupSnapshotMax": 32,
    "volumesPerVolumeAccessGroupCountMax": 2000,
}

ATTRIBUTES_BYTES_MAX = 1000
VOLUMES_PER_CALL_MAX = 500
"""How many volumes a call for several of them may name."""
BODY_BYTES_MAX = 1 << 20
BLOCK_BYTES = 4096
SIZE_STEP_BYTES = 1 << 20
PURGE_AFTER_S = 8 * 3600.0
PROVISIONED_BYTES_MAX = 1 << 50
"""What the cluster holds without over-provisioning; a volume may claim space up to OVER_PROVISION_FACTOR times it."""
OVER_PROVISION_FACTOR = 5
BLOCK_DRIVES = 8
"""How many drives hold the contents; one more lies ready."""
CRITICAL_PERCENT = 90
STAGE3_PERCENT = 5
STAGE2_AWARE = 2
METADATA_BYTES_PER_BLOCK = 32
SAMPLE_MS = 500
DEFAULT_QOS = {"minIOPS": 50, "maxIOPS": 15_000, "burstIOPS": 15_000}
BURST_TIME_S = 60
FIFO_SIZE = 24
CURVE: Mapping[str, int] = {
    "4096": 100,
    "8192": 160,
    "16384": 270,
    "32768": 500,
    "65536": 1000,
    "131072": 1950,
    "262144": 3900,
    "524288": 7600,
    "1048576": 15_000,
}
"""The relative cost of one operation by its size in bytes."""
