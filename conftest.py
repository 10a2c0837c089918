"""Settings of every pytest run in this checkout. What a driver's author needs as well belongs into snapproof.plugin."""

import os
import signal

from hypothesis import settings


def pytest_configure() -> None:
    """Judge examples by their outcome, not by how busy the machine is, and print how to repeat a failure.

    Continuous integration draws the same examples every time, so that a change is blamed for what it changed; whoever
    runs the tests by hand draws new ones, which is how new failures are found.

    A shell without job control starts what it puts into the background with Ctrl-C ignored, and every child inherits
    that: the commands under test would not hear the signals that tests send them.
    """
    settings.register_profile("house", deadline=None, print_blob=True)
    settings.register_profile("ci", parent=settings.get_profile("house"), derandomize=True)
    settings.load_profile("ci" if os.environ.get("CI") else "house")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
