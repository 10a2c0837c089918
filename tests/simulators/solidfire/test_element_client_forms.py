"""Forms of a request that only one client sends, but depends on; each names the client."""

from typing import Any

import pytest


def test_a_clone_asked_for_with_zeros_is_the_source_again_for_trident(world: Any, disk: dict[str, Any]) -> None:
    wanted = {"volumeID": 1, "name": "copy", "newAccountID": 0, "newSize": 0, "access": "", "snapshotID": 0}
    copy = world.result("CloneVolume", **wanted)["volume"]
    for member in ("accountID", "totalSize", "access"):
        assert copy[member] == disk[member]


@pytest.mark.parametrize("mode", ["Async", "async", "SnapshotsOnly", "snapshotsonly"])
@pytest.mark.usefixtures("disk")
def test_the_mode_of_a_volume_pair_may_be_in_any_case_for_ansible(world: Any, mode: str) -> None:
    assert world.result("StartVolumePairing", volumeID=1, mode=mode)["volumePairingKey"]


@pytest.mark.usefixtures("disk")
def test_a_mode_that_is_none_is_refused_in_any_case(world: Any) -> None:
    assert world.error("StartVolumePairing", volumeID=1, mode="sometimes") == "xUnrecognizedEnumString"


def test_a_null_in_a_list_of_objects_is_no_object_for_ansible(world: Any) -> None:
    networks = [{"access": "ro", "cidr": 24, "community": "public", "network": "192.0.2.0"}]
    assert "result" in world.ask("SetSnmpACL", {"networks": networks, "usmUsers": [None]})


def test_a_null_in_a_list_of_numbers_is_refused(world: Any) -> None:
    assert world.error("ListVolumes", volumeIDs=[None]) == "xInvalidParameterType"


@pytest.mark.usefixtures("disk")
def test_statistics_of_a_volume_have_what_the_prometheus_exporter_scrapes(world: Any) -> None:
    row = world.result("ListVolumeStats", volumeIDs=[], includeVirtualVolumes=True)["volumeStats"][0]
    assert [row[name] for name in ("normalizedIOPS", "readLatencyUSecTotal", "writeLatencyUSecTotal")] == [0, 0, 0]
