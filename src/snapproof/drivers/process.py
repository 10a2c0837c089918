"""A driver in a process of its own: started, watched, killed and started again, with what it says kept in a file.

What is said to it while it lives is in remote.py.
"""

import contextlib
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import msgspec

from snapproof.driver import DriverKilledError
from snapproof.drivers.contract import VERSION, BrokenContractError, DriverDiedError, DriverSilentError

START_S = 30.0
"""How long a driver may take to say that it is ready."""
END_S = 5.0
"""How long it may take to end when asked to, before it is killed."""
LOG_NAME = "driver.log"
_TAIL_LINES = 12


class Ready(msgspec.Struct, frozen=True):
    """The line that a driver prints when it can be asked: where, and which version of the contract it speaks."""

    ready: str
    contract: str


class Life:
    """One process of a driver, the leader of its own group, so that its children go with it."""

    def __init__(self, command: Sequence[str], *, environment: Mapping[str, str], folder: Path) -> None:
        self._command = command
        self._killed = self._ready = False
        self._log_path = folder / LOG_NAME
        self._log = self._log_path.open("ab")
        try:
            self._child = subprocess.Popen(  # noqa: S603  what the user named
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._log,
                env={**os.environ, **environment},
                process_group=0,
            )
        except OSError as error:
            self._log.close()
            raise DriverDiedError(f"{command[0]} cannot be started: {error.strerror}.") from error
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        assert self._child.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self._child.stdout,), daemon=True)
        self._reader.start()

    def wait_until_ready(self, patience_s: float = START_S) -> Ready:
        """Wait for the ready line; other lines are noise, kept in the log. Raises DriverDiedError or its like."""
        ends_s = time.monotonic() + patience_s
        while (left_s := ends_s - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left_s)
            except queue.Empty:
                break
            if not line:
                self._let_end()
                raise DriverDiedError(self.about("ended before it was ready"))
            with contextlib.suppress(msgspec.MsgspecError):
                ready = msgspec.json.decode(line, type=Ready)
                self._ready = True
                return spoken(ready)
        raise DriverDiedError(self.about(f"said nothing like a ready line within {patience_s:g} s"))

    def explain(self, complaint: Exception) -> BaseException:
        """Say whose fault it is that there was no answer."""
        self._let_end()
        if self._killed:
            return DriverKilledError(str(complaint))
        if self._child.poll() is not None:
            return DriverDiedError(self.about("died"))
        return DriverSilentError(str(complaint))

    def lives(self) -> bool:
        """Say whether the process has not ended."""
        return self._child.poll() is None

    def kill(self) -> None:
        """End it at once, children and all, as the lab's faults want it."""
        self._killed = True
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)

    def close(self) -> None:
        """Ask it to end, and see to it."""
        if self._child.poll() is None:
            self._child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(END_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)  # its children too
        self._child.wait()
        self._reader.join(END_S)
        self._log.close()

    def _read(self, stdout: IO[bytes]) -> None:
        with stdout:
            for line in stdout:
                self._log.write(line)
                self._log.flush()
                if not self._ready:
                    self._lines.put(line)
        self._lines.put(b"")

    def _let_end(self) -> None:
        """A process that dies closes its pipes and sockets first; a moment later it is known how it ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(0.5)

    def about(self, why: str) -> str:
        """Say what became of it, and quote its end."""
        code = self._child.poll()
        said = last_words(self._log_path)
        return f"The driver {' '.join(self._command)} {why} (exit code {code}). Its last words:\n{said}"


def last_words(log: Path) -> str:
    """Quote the end of a driver's log."""
    tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:]
    return "\n".join(f"  {line}" for line in tail) or "  (nothing)"


def spoken(ready: Ready) -> Ready:
    """Give the ready line of a driver that speaks our contract. Raises BrokenContractError."""
    if ready.contract.partition(".")[0] != VERSION.partition(".")[0]:
        raise BrokenContractError(f"The driver speaks contract {ready.contract}; this suite speaks {VERSION}.")
    return ready
