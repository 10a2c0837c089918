"""How a command that serves ends: when it is told to, by Ctrl-C or SIGTERM, and not in the middle of anything."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

END_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def ended_by_signal() -> Iterator[Callable[[], object]]:
    """Keep the signals to end from every thread that starts within; the function that is given waits for one."""
    masked_before = signal.pthread_sigmask(signal.SIG_BLOCK, END_SIGNALS)
    try:
        yield lambda: signal.sigwait(END_SIGNALS)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, masked_before)
