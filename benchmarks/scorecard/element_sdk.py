"""solidfire-sdk-python, used as its README shows: one call of the SDK for each verb, nothing repeated or looked up."""

from importlib.metadata import version
from typing import Any

from solidfire.common import ApiServerError  # type: ignore[import-not-found]  # in its own environment
from solidfire.factory import ElementFactory  # type: ignore[import-not-found]  # in its own environment
from solidfire.models import QoS  # type: ignore[import-not-found]  # in its own environment

GIB = 1 << 30


class ElementSdk:
    """The SDK in a driver's place."""

    VERSION = version("solidfire-sdk-python")
    PRODUCT = "solidfire-sdk-python"

    def __init__(self, place: str, username: str, password: str) -> None:
        self._element = ElementFactory.create(place, username, password, print_ascii_art=False)

    def create_volume(self, volume: Any) -> dict[str, Any]:
        """CreateVolume, for an account that is made when it is first needed."""
        qos = volume.qos
        made = self._element.create_volume(
            name=f"v-{volume.id}",
            account_id=self._account(volume.account),
            total_size=volume.size_gib * GIB,
            enable512e=True,
            qos=QoS(min_iops=qos["minIOPS"], max_iops=qos["maxIOPS"], burst_iops=qos["burstIOPS"]),
        )
        return self._told(made.volume_id)

    def delete_volume(self, volume: Any) -> None:
        """DeleteVolume and PurgeDeletedVolume."""
        self._element.delete_volume(volume.number)
        self._element.purge_deleted_volume(volume.number)

    def create_snapshot(self, snapshot: Any) -> dict[str, Any]:
        """CreateSnapshot."""
        made = self._element.create_snapshot(snapshot.volume.number, name=f"s-{snapshot.id}")
        return {"provider_id": str(made.snapshot_id)}

    def delete_snapshot(self, snapshot: Any) -> None:
        """DeleteSnapshot, if its number is known."""
        if snapshot.number:
            self._element.delete_snapshot(snapshot.number)

    def create_volume_from_snapshot(self, volume: Any, snapshot: Any) -> dict[str, Any]:
        """CloneVolume, waited for by its handle."""
        made = self._element.clone_volume(
            snapshot.volume.number, name=f"v-{volume.id}", snapshot_id=snapshot.number, new_size=volume.size_gib * GIB
        )
        answer = self._element.get_async_result(made.async_handle)
        while answer["status"] == "running":
            answer = self._element.get_async_result(made.async_handle)
        return self._told(made.volume_id)

    def revert_to_snapshot(self, _context: Any, volume: Any, snapshot: Any) -> None:
        """RollbackToSnapshot."""
        self._element.rollback_to_snapshot(volume.number, snapshot.number, save_current_state=False)

    def _account(self, name: str) -> int:
        try:
            return int(self._element.get_account_by_name(name).account.account_id)
        except ApiServerError:
            return int(self._element.add_account(name).account_id)

    def _told(self, number: int) -> dict[str, Any]:
        (row,) = self._element.list_volumes(volume_ids=[number]).volumes
        return {"provider_id": str(number), "provider_location": str(row.iqn)}
