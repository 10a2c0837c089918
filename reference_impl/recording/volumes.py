"""What is written about a volume that is made, reverted or deleted."""

from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core.effects import Facts
from snapproof.reference_impl.core.orders import CreateVolume, DeleteVolume, ResizeVolume, RevertVolume
from snapproof.reference_impl.core.states import VolumeEvent
from snapproof.reference_impl.recording.recorder import Recorder, of_snapshot, of_volume, usage


def succeed_create_volume(tx: Transaction, order: CreateVolume, facts: Facts) -> None:
    """The volume exists for users from here on."""
    tx.insert_volume(
        uuid=order.volume,
        account=order.account,
        name=order.volume_name,
        lun_id=int(facts["lun"]),
        target=str(facts["target"]),
        size_bytes=order.size_bytes,
        qos=order.qos,
        pool=order.pool,
    )
    tx.usage(usage("VOLUME.CREATE", order.account, order.volume, order.size_bytes))


def begin_revert(tx: Transaction, order: RevertVolume) -> None:
    """Nobody else touches the volume from here on."""
    tx.move_volume(order.volume, VolumeEvent.REVERT_SNAPSHOT_REQUESTED)


def succeed_revert(tx: Transaction, order: RevertVolume, _facts: Facts) -> None:
    """The size is that of the snapshot by now (R-049)."""
    tx.move_volume(order.volume, VolumeEvent.OPERATION_SUCCEEDED, size_bytes=order.size_bytes)


def fail_revert(tx: Transaction, order: RevertVolume, _facts: Facts) -> None:
    """The volume is what it was."""
    tx.move_volume(order.volume, VolumeEvent.OPERATION_FAILED)


def succeed_resize(tx: Transaction, order: ResizeVolume, _facts: Facts) -> None:
    """The volume is larger from here on."""
    tx.resize_volume(order.volume, order.size_bytes)
    tx.usage(usage("VOLUME.RESIZE", order.account, order.volume, order.size_bytes))


def succeed_delete_volume(tx: Transaction, order: DeleteVolume, _facts: Facts) -> None:
    """The volume is gone for users; its LUN may outlive it."""
    tx.remove_volume(order.volume)
    tx.usage(usage("VOLUME.DELETE", order.account, order.volume, 0))


CREATE = Recorder(audit="VOLUME.CREATE", subject=of_volume, succeed=succeed_create_volume)

REVERT = Recorder(
    audit="SNAPSHOT.REVERT",
    subject=of_snapshot,
    begin=begin_revert,
    succeed=succeed_revert,
    fail=fail_revert,
)

DELETE = Recorder(audit="VOLUME.DELETE", subject=of_volume, succeed=succeed_delete_volume)

RESIZE = Recorder(audit="VOLUME.RESIZE", subject=of_volume, succeed=succeed_resize)
