"""`snapproof host`: put a Python driver behind the published contract, as the thinnest wrapper there is.

Whoever asks it posts a site first. What is said is in drivers/contract.py.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar, cast

from snapproof.commands.ending import ended_by_signal
from snapproof.commands.watching import add_log_option, begin_log, measured
from snapproof.driver import DriverFactory, DriverUnderTest
from snapproof.drivers.cinder.door import SCHEME as CINDER
from snapproof.drivers.cinder.door import become
from snapproof.drivers.contract import VERSION, Service, SiteMessage
from snapproof.drivers.hosting import Confessing, Hosting, confessed
from snapproof.naming import OVER_PRIMARY, full_name, load_driver
from snapproof.reference_impl.adapters.mounted import MountedDirectory
from snapproof.reference_impl.configuring import heeded
from snapproof.reference_impl.lending import LendingDriver
from snapproof.simulators.clock import WallClock
from snapproof.simulators.listening import CannotServeError
from snapproof.simulators.serving import serve
from snapproof.site import Endpoint, HostCluster, ImageStore, S3Place, Site, StoragePool
from snapproof.verdict import EXIT_USAGE
from snapproof.vocabulary import Secret

T = TypeVar("T")
EPILOG = """\
examples:
  snapproof host acme.driver:Driver                         prints where it can be asked, until Ctrl-C or SIGTERM
  snapproof run --driver 'cmd:snapproof host acme.driver:Driver'
                                                            judges it in a process of its own, over sockets and TLS
  snapproof host reference --log-json host.log              and writes its log as JSON; /metrics is for Prometheus
"""
BELOW = "primary"
"""The folder in the state directory that a primary-storage driver has for its own."""
NAP_S = 0.01
"""No wait is longer: what a driver waits for here is over after some questions, whatever the time."""


class HastyClock(WallClock):
    """The machine's time for drivers that wait by it, without the waiting."""

    def sleep(self, seconds: float) -> None:
        super().sleep(min(seconds, NAP_S))


class Unwatched:
    """The commits of a driver outside the lab's process meet nothing but its death."""

    def cross(self, service: str, method: str, perform: Callable[[], T], *, refuse: Callable[[str], T]) -> T:
        """Perform the call."""
        return perform()

    def reach(self, service: str, point: str) -> None:
        """Nobody comes first here but by the machine's own clock."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "host",
        help="put a Python driver behind the published contract",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "driver", metavar="MODULE:FACTORY", help="the driver, 'reference', reference?primary=URI, or cinder://CLASS"
    )
    parser.add_argument("--port", type=int, default=0, metavar="N", help="where to listen on 127.0.0.1 (default: any)")
    add_log_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal says to end; return the exit code."""
    try:
        if arguments.driver.startswith(CINDER):
            become(arguments.driver, arguments.port)
        begin_log(arguments.log_json)
        factory = _factory(arguments.driver)

        def start(message: SiteMessage) -> DriverUnderTest:
            site = site_of(message, os.environ)
            with confessed("begin"):
                return cast("DriverUnderTest", Confessing(factory(site)))

        hosting = Hosting(start)
        wire = measured(hosting, hosting.metrics)
        with ended_by_signal() as wait_for_the_end, serve(wire, port=arguments.port, blocking=True) as server:
            sys.stdout.write(json.dumps({"ready": server.url, "contract": VERSION}) + "\n")
            sys.stdout.flush()
            wait_for_the_end()
        hosting.close()
    except (CannotServeError, ValueError) as error:
        sys.stderr.write(f"snapproof host: {error}\n")
        return EXIT_USAGE
    return 0


def _factory(name: str) -> DriverFactory:
    """The driver of that name, or the reference over the primary-storage driver that it names."""
    if not name.startswith(OVER_PRIMARY):
        return load_driver(full_name(name))
    below = load_driver(full_name(name.removeprefix(OVER_PRIMARY)))

    def start(site: Site) -> DriverUnderTest:
        folder = site.state_directory / BELOW
        folder.mkdir(exist_ok=True)
        return LendingDriver(site, below(replace(site, state_directory=folder)))

    return start


def site_of(message: SiteMessage, variables: Mapping[str, str] = MappingProxyType({})) -> Site:
    """Say to a driver of this process what was said to the process, and what of its variables are settings."""
    bucket = message.bucket
    return Site(
        array=_endpoint(message.array),
        array_portal=message.array_portal,
        hosts_group=message.hosts_group,
        hypervisor=_endpoint(message.hypervisor),
        export_url=message.export_url,
        export=MountedDirectory(Path(message.export_path)),
        export_path=Path(message.export_path),
        bucket=None
        if bucket is None
        else S3Place(
            endpoint=_endpoint(bucket.service), bucket=bucket.name, by_host=bucket.by_host, key_id=bucket.key_id
        ),
        state_directory=Path(message.state_directory),
        clock=HastyClock(),
        call_point=Unwatched(),
        seed=message.seed,
        hypervisor_type=message.hypervisor_type,
        pool=message.pool,
        image_store=message.image_store,
        further_pools=tuple(
            StoragePool(
                name=pool.name,
                array=_endpoint(pool.array),
                array_portal=pool.array_portal,
                capacity_bytes=pool.capacity_bytes,
            )
            for pool in message.further_pools
        ),
        further_stores=tuple(
            ImageStore(
                name=store.name,
                export_url=store.export_url,
                export=MountedDirectory(Path(store.export_path)),
                export_path=Path(store.export_path),
            )
            for store in message.further_stores
        ),
        further_clusters=tuple(
            HostCluster(name=cluster.name, hypervisor=_endpoint(cluster.hypervisor), hosts_group=cluster.hosts_group)
            for cluster in message.further_clusters
        ),
        copies_per_host=message.copies_per_host,
        capacity_bytes=message.capacity_bytes,
        environment=heeded(variables),
    )


def _endpoint(service: Service) -> Endpoint:
    return Endpoint(
        url=service.url, username=service.username, password=Secret(service.password), ca_pem=service.ca_pem
    )
