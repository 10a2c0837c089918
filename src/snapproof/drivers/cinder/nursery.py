"""A process that has imported Cinder once and forks a life whenever one is wanted: importing takes longer than judging.

Runs in the environment that has Cinder until its standard input ends. Who wants a life is in lease.py.
"""

import contextlib
import ctypes
import importlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
"""Of Linux: which signal a process is sent when the one that forked it ends."""


def preload(driver: str) -> None:
    """Import Cinder and the driver's module; what cannot be imported is told by the life that misses it."""
    with contextlib.suppress(ImportError):
        importlib.import_module("snapproof.drivers.cinder.cloud")
        importlib.import_module(driver.rpartition(".")[0])


def fork_on_demand(path: str, live: Callable[[], int]) -> None:
    """Fork a process for everybody who connects, until standard input ends. It returns in no child."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them here
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(path)
        door.listen()
        sys.stdout.write("listening\n")
        sys.stdout.flush()
        while True:
            ready, _, _ = select.select([door, sys.stdin], [], [])
            if sys.stdin in ready:
                return
            leased, _ = door.accept()
            if os.fork() == 0:
                door.close()
                _become(leased)
                os._exit(live())
            leased.close()


def _become(leased: socket.socket) -> None:
    """Join the group of whoever asked, speak through its streams and see its environment; end with the nursery.

    The connection stays open until this process ends; that is how its end is noticed.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    told, descriptors, _, _ = socket.recv_fds(leased, 1 << 20, 2)
    for number, descriptor in enumerate(descriptors, 1):
        os.dup2(descriptor, number)
        os.close(descriptor)
    asked = json.loads(told)
    os.setpgid(0, asked["group"])
    os.environ.update(asked["environment"])
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    leased.detach()
