"""The process that hosts a Cinder driver: reads its arguments, says where it can be asked, and answers until its end.

Started by boot.py in the environment that has Cinder.
"""

import argparse
import json
import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from snapproof.drivers.cinder.answers import translated
from snapproof.drivers.cinder.book import Book
from snapproof.drivers.cinder.bridge import Bridge
from snapproof.drivers.cinder.nursery import fork_on_demand, preload
from snapproof.drivers.cinder.posts import VERSION, Posts, server_of

BOOK_NAME = "cinder.json"


def start(driver: str, options: Mapping[str, str], site: Mapping[str, Any]) -> Bridge:
    """Begin a life at a site. Raises DriverError."""
    from snapproof.drivers.cinder.cloud import CinderCloud

    try:
        cloud = CinderCloud(driver, options, site)
    except Exception as error:
        raise translated(error) from error
    return Bridge(cloud, Book(Path(site["state_directory"]) / BOOK_NAME))


def main(arguments: list[str]) -> int:
    """Serve, or be a nursery of processes that do."""
    parser = argparse.ArgumentParser(prog="snapproof host cinder://", description=__doc__)
    parser.add_argument("driver", help="the class, as volume_driver in cinder.conf names it")
    parser.add_argument("options", nargs="*", metavar="OPTION=VALUE", help="of the backend's section in cinder.conf")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--nursery", metavar="PATH", help="serve nothing; fork a life for whoever connects there")
    asked = parser.parse_args(arguments)
    options = dict(option.split("=", 1) for option in asked.options)
    begin = partial(start, asked.driver, options)
    if asked.nursery:
        preload(asked.driver)
        fork_on_demand(asked.nursery, lambda: serve(begin))
        return 0
    return serve(begin, asked.port)


def serve(begin: Callable[[Mapping[str, Any]], Bridge], port: int = 0) -> int:
    """Answer until a signal ends the process."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    warnings.simplefilter("ignore")
    server = server_of(Posts(begin), port)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    sys.stdout.write(json.dumps({"ready": f"http://127.0.0.1:{server.server_port}", "contract": VERSION}) + "\n")
    sys.stdout.flush()
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
