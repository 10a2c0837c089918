"""How much space is promised, written, frozen and really used, and what was read and written: figures that add up.

What volumes hold, deleted ones included, adds up to what the cluster holds. A block that several share is unique once.
"""

from collections.abc import Iterable
from typing import Any

from snapproof.simulators.blocks import BLOCK_BYTES
from snapproof.simulators.clock import moment
from snapproof.simulators.solidfire.limits import METADATA_BYTES_PER_BLOCK, SAMPLE_MS
from snapproof.simulators.solidfire.plant import SLICE_SERVICE_ID, Fullness, stage_of
from snapproof.simulators.solidfire.records import Volume
from snapproof.simulators.solidfire.sessions import SAMPLE_S, Counters
from snapproof.simulators.solidfire.state import State

IOPS_MAX = 50_000


def capacity(state: State) -> dict[str, Any]:
    """Show the space of the whole cluster.

    Clients divide by these figures: blocks of all kinds are 0 as long as nothing is written, or none is.
    """
    plant, counters = state.plant, state.counters
    unique = state.blocks.used_blocks()
    written = sum(volume.disk.mapped_blocks for volume in state.volumes)
    blank = max(1, state.provisioned_bytes // BLOCK_BYTES - written) if written else 0
    reads, read_bytes, writes, write_bytes = counters.last_sample(state.clock.time())
    operations = counters.read_ops + counters.write_ops
    return {
        "activeBlockSpace": unique * BLOCK_BYTES,
        "activeSessions": len(state.sessions),
        "averageIOPS": int(operations / max(1.0, state.clock.time() - state.started_s)),
        "clusterRecentIOSize": (read_bytes + write_bytes) // max(1, reads + writes),
        "currentIOPS": int((reads + writes) / SAMPLE_S),
        "maxIOPS": IOPS_MAX,
        "maxOverProvisionableSpace": state.provisioned_bytes_max,
        "maxProvisionedSpace": plant.size_bytes,
        "maxUsedMetadataSpace": plant.metadata_bytes,
        "maxUsedSpace": plant.size_bytes,
        "nonZeroBlocks": written,
        "peakActiveSessions": plant.peak_sessions,
        "peakIOPS": int(counters.peak_ops / SAMPLE_S),
        "provisionedSpace": state.provisioned_bytes,
        "snapshotNonZeroBlocks": state.frozen_blocks,
        "timestamp": state.stamp(),
        "totalOps": operations,
        "uniqueBlocks": unique if written else 0,
        "uniqueBlocksUsedSpace": unique * BLOCK_BYTES if written else 0,
        "usedMetadataSpace": unique * METADATA_BYTES_PER_BLOCK,
        "usedMetadataSpaceInSnapshots": max(0, unique - written) * METADATA_BYTES_PER_BLOCK,
        "usedSpace": unique * BLOCK_BYTES,
        "zeroBlocks": blank,
    }


def full_threshold(state: State) -> dict[str, Any]:
    """Show at which stages blocks and metadata are, and where the next ones begin."""
    plant, thresholds = state.plant, state.plant.thresholds
    blocks = thresholds.stages(plant.size_bytes, thresholds.stage3_percent)
    metadata = thresholds.stages(plant.metadata_bytes, thresholds.stage3_metadata_percent)
    used_metadata = state.used_bytes // BLOCK_BYTES * METADATA_BYTES_PER_BLOCK
    of_metadata = stage_of(metadata, used_metadata)
    return {
        "blockFullness": state.fullness.shown,
        "fullness": max(state.fullness, of_metadata).shown,
        "maxMetadataOverProvisionFactor": thresholds.over_provision_factor,
        "metadataFullness": of_metadata.shown,
        "sliceReserveUsedThresholdPct": 5,
        "stage2AwareThreshold": thresholds.stage2_aware,
        "stage2BlockThresholdBytes": blocks[Fullness.AWARE],
        "stage2MetadataThresholdBytes": metadata[Fullness.AWARE],
        "stage3BlockThresholdBytes": blocks[Fullness.LOW],
        "stage3BlockThresholdPercent": thresholds.stage3_percent,
        "stage3LowThreshold": 2,
        "stage3MetadataThresholdBytes": metadata[Fullness.LOW],
        "stage3MetadataThresholdPercent": thresholds.stage3_metadata_percent,
        "stage4BlockThresholdBytes": blocks[Fullness.CRITICAL],
        "stage4CriticalThreshold": 1,
        "stage4MetadataThresholdBytes": metadata[Fullness.CRITICAL],
        "stage5BlockThresholdBytes": blocks[Fullness.CONSUMED],
        "stage5MetadataThresholdBytes": metadata[Fullness.CONSUMED],
        "sumTotalClusterBytes": plant.size_bytes,
        "sumTotalMetadataClusterBytes": plant.metadata_bytes,
        "sumUsedClusterBytes": state.used_bytes,
        "sumUsedMetadataClusterBytes": used_metadata,
    }


def efficiency(state: State, volumes: Iterable[Volume]) -> dict[str, Any]:
    """Show what thin provisioning and sharing save over these volumes and their snapshots. Nothing is compressed."""
    found = list(volumes)
    written = sum(volume.disk.mapped_blocks for volume in found)
    frozen = [snapshot.image for volume in found for snapshot in volume.snapshots]
    named = written + sum(image.mapped_blocks for image in frozen)
    unique = state.blocks.distinct_blocks([*(volume.disk for volume in found), *frozen])
    promised = sum(volume.total_size for volume in found) // BLOCK_BYTES
    return {
        "compression": 1.0,
        "deduplication": named / unique if unique else 1.0,
        "thinProvisioning": promised / written if written else 1.0,
        "timestamp": state.stamp(),
        "missingVolumes": [],
    }


def traffic(counters: Counters, now_s: float) -> dict[str, int]:
    """Show what was read and written, in all and during the last sample. Nothing here takes time, so latency is 0."""
    reads, read_bytes, writes, write_bytes = counters.last_sample(now_s)
    return {
        "actualIOPS": int((reads + writes) / SAMPLE_S),
        "averageIOPSize": (read_bytes + write_bytes) // max(1, reads + writes),
        "clientQueueDepth": 0,
        "latencyUSec": 0,
        "normalizedIOPS": int((reads + writes) / SAMPLE_S),
        "readBytes": counters.read_bytes,
        "readBytesLastSample": read_bytes,
        "readLatencyUSec": 0,
        "readLatencyUSecTotal": 0,
        "readOps": counters.read_ops,
        "readOpsLastSample": reads,
        "unalignedReads": counters.unaligned_reads,
        "unalignedWrites": counters.unaligned_writes,
        "writeBytes": counters.write_bytes,
        "writeBytesLastSample": write_bytes,
        "writeLatencyUSec": 0,
        "writeLatencyUSecTotal": 0,
        "writeOps": counters.write_ops,
        "writeOpsLastSample": writes,
    }


def volume_stats(state: State, volume: Volume) -> dict[str, Any]:
    """Show the figures of one volume."""
    now_s, mapped = state.clock.time(), volume.disk.mapped_blocks
    figures = traffic(volume.seldom.counters or Counters(), now_s)
    hosts = {"deadSecondaries": [], "liveSecondaries": [], "primary": SLICE_SERVICE_ID}
    return {
        **figures,
        "accountID": volume.account_id,
        "asyncDelay": None,
        "burstIOPSCredit": 0,
        "desiredMetadataHosts": None,
        "metadataHosts": hosts,
        "nonZeroBlocks": mapped,
        "samplePeriodMSec": SAMPLE_MS,
        "throttle": 0,
        "timestamp": moment(now_s),
        "totalLatencyUSec": 0,
        "volumeAccessGroups": volume.seldom.volume_access_groups or [],
        "volumeID": volume.volume_id,
        "volumeSize": volume.total_size,
        "volumeUtilization": figures["actualIOPS"] / volume.qos.max_iops,
        "zeroBlocks": volume.total_size // BLOCK_BYTES - mapped,
    }


_SUMMED = (
    "actualIOPS", "nonZeroBlocks", "normalizedIOPS", "readBytes", "readBytesLastSample", "readOps", "readOpsLastSample",
    "unalignedReads", "unalignedWrites", "volumeSize", "writeBytes", "writeBytesLastSample", "writeOps",
    "writeOpsLastSample", "zeroBlocks",
)  # fmt: skip


def summed_stats(state: State, volumes: Iterable[Volume], **whose: object) -> dict[str, Any]:
    """Show the figures of several volumes added up, for an account or an access group."""
    rows = [volume_stats(state, volume) for volume in volumes]
    total = {name: sum(row[name] for row in rows) for name in _SUMMED}
    return {
        **dict.fromkeys(("averageIOPSize", "burstIOPSCredit", "clientQueueDepth", "latencyUSec"), 0),
        **dict.fromkeys(("readLatencyUSec", "readLatencyUSecTotal", "totalLatencyUSec", "throttle"), 0),
        **dict.fromkeys(("writeLatencyUSec", "writeLatencyUSecTotal"), 0),
        **total,
        "accountID": 0,
        "samplePeriodMSec": SAMPLE_MS,
        "timestamp": moment(state.clock.time()),
        "volumeAccessGroups": [],
        "volumeID": 0,
        "volumeUtilization": 0,
        **whose,
    }


def cluster_stats(state: State) -> dict[str, Any]:
    """Show the figures of the cluster: they outlive the volumes that they were counted on."""
    now_s = state.clock.time()
    figures = traffic(state.counters, now_s)
    return {
        **figures,
        "clusterUtilization": figures["actualIOPS"] / IOPS_MAX,
        "samplePeriodMsec": SAMPLE_MS,
        "servicesCount": 2,
        "servicesTotal": 2,
        "timestamp": moment(now_s),
    }
