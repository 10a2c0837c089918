"""One life of the reference driver in a process of its own, for test_process_death.py: one verb, then the end.

It is told where to work by a line of JSON and speaks to its services over real sockets.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from snapproof.reference_impl.adapters.mounted import MountedDirectory
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.settings import Settings
from snapproof.site import Endpoint, S3Place, Site
from snapproof.vocabulary import LocationType, OperationId, Secret, SnapshotRequest, VolumeId

T = TypeVar("T")


class WallClock:
    """The machine's own time; it waits less than it is asked to, for a test is in a hurry."""

    def time(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.01))  # noqa: TID251  a process of its own has no other clock


class NoSeam:
    """Commits of this process meet nothing but its death."""

    def cross(self, service: str, method: str, perform: Callable[[], T], *, refuse: Callable[[str], T]) -> T:
        return perform()


def site_of(told: dict[str, Any]) -> Site:
    """Describe the services at their addresses."""
    bucket = told["bucket"] and S3Place(endpoint=_endpoint(told["bucket"]), bucket=told["bucket"]["name"])
    return Site(
        array=_endpoint(told["array"]),
        array_portal=told["array_portal"],
        hosts_group=told["hosts_group"],
        hypervisor=_endpoint(told["hypervisor"]),
        export_url=told["export_url"],
        export=MountedDirectory(Path(told["export"])),
        bucket=bucket,
        state_directory=Path(told["state_directory"]),
        clock=WallClock(),
        call_point=NoSeam(),
        seed=told["seed"],
    )


def _endpoint(told: dict[str, str]) -> Endpoint:
    return Endpoint(
        url=told["url"], username=told["username"], password=Secret(told["password"]), ca_pem=told.get("ca_pem")
    )


def main() -> None:
    """Read where to work and what to do, do it, and say how it ended."""
    told = json.loads(sys.stdin.readline())
    catalog = told["catalog"] and Secret(told["catalog"])
    driver = ReferenceDriver(site_of(told), Settings(catalog_url=catalog))
    if told["verb"] == "take":
        request = SnapshotRequest(
            operation=OperationId("take"),
            volume=VolumeId(told["volume"]),
            name="nightly",
            location=LocationType.SECONDARY,
        )
        driver.take_snapshot(request)
    else:
        driver.reconcile()
    driver.close()
    sys.stdout.write("ended\n")


if __name__ == "__main__":
    main()
