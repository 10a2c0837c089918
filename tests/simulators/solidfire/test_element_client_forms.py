"""Forms of a request that only one client sends, but depends on; each names the client."""

from typing import Any


def test_a_clone_asked_for_with_zeros_is_the_source_again_for_trident(world: Any, disk: dict[str, Any]) -> None:
    wanted = {"volumeID": 1, "name": "copy", "newAccountID": 0, "newSize": 0, "access": "", "snapshotID": 0}
    copy = world.result("CloneVolume", **wanted)["volume"]
    for member in ("accountID", "totalSize", "access"):
        assert copy[member] == disk[member]
