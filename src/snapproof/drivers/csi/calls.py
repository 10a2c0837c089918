"""Calls of a CSI controller over gRPC, with the patience of a container orchestrator, and what their failures mean."""

import random
import socket
from collections.abc import Callable, Mapping
from typing import Any

import grpc

from snapproof.driver import (
    BackendError,
    CancelledError,
    ConflictError,
    DeniedError,
    DriverError,
    InvalidRequestError,
    LimitExceededError,
    NotFoundError,
    NotSupportedError,
    UnavailableError,
)
from snapproof.drivers.contract import BrokenContractError, DriverSilentError
from snapproof.drivers.csi.messages import Messages
from snapproof.drivers.remote import PATIENCE_S
from snapproof.site import Clock

TRIES_MAX = 5
PAUSE_S = 0.04
NOT_FINAL = frozenset({"UNAVAILABLE", "ABORTED", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"})
"""After these an orchestrator asks again, by the same name: nobody knows whether the call has worked."""

MEANINGS: Mapping[str, type[DriverError]] = {
    "INVALID_ARGUMENT": InvalidRequestError,
    "NOT_FOUND": NotFoundError,
    "ALREADY_EXISTS": ConflictError,
    "ABORTED": ConflictError,
    "FAILED_PRECONDITION": ConflictError,
    "OUT_OF_RANGE": LimitExceededError,
    "RESOURCE_EXHAUSTED": LimitExceededError,
    "UNIMPLEMENTED": NotSupportedError,
    "UNAUTHENTICATED": DeniedError,
    "PERMISSION_DENIED": DeniedError,
    "CANCELLED": CancelledError,
    "UNAVAILABLE": UnavailableError,
    "DEADLINE_EXCEEDED": UnavailableError,
}
"""What status codes say in the words of the port; all others are failures for good."""


class Calls:
    """One connection to a controller, through a socket of this machine."""

    def __init__(
        self,
        path: str,
        *,
        clock: Clock,
        dice: random.Random,
        explain: Callable[[Exception], BaseException],
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._path, self._clock, self._dice, self._explain = path, clock, dice, explain
        self._patience_s = patience_s
        self._messages = Messages()
        self._channel = grpc.insecure_channel(f"unix:{path}", options=[("grpc.default_authority", "localhost")])

    def ask(self, call: str, request: Mapping[str, Any] | None = None) -> Any:
        """Make a call such as `Controller/CreateVolume`, again until it is final, and give the message it answers.

        Raises DriverError or DoorError.
        """
        method = call.rpartition("/")[2]
        body = self._messages.written(f"{method}Request", request or {})
        for tries in range(1, TRIES_MAX + 1):
            try:
                return self._once(call, method, body)
            except _StatusError as status:
                if status.name not in NOT_FINAL or tries == TRIES_MAX:
                    raise self._meaning(status, method) from status
            self._clock.sleep(PAUSE_S * 2**tries * self._dice.uniform(1.0, 1.4))
        raise AssertionError("The last try returns or raises.")

    def close(self) -> None:
        """End the connection."""
        self._channel.close()

    def _once(self, call: str, method: str, body: bytes) -> Any:
        began_s = self._clock.time()
        try:
            answer = self._channel.unary_unary(f"/csi.v1.{call}")(body, timeout=self._patience_s)
        except grpc.RpcError as error:
            if self._clock.time() - began_s >= self._patience_s:
                raise DriverSilentError(f"{method} got no answer within {self._patience_s:g} s.") from error
            raise _StatusError(error.code().name, error.details() or "") from error
        try:
            return self._messages.read(f"{method}Response", answer)
        except ValueError as error:
            raise BrokenContractError(f"The driver's answer to {method} is no message of CSI ({error}).") from error

    def _meaning(self, status: "_StatusError", method: str) -> BaseException:
        said = f"{method}: {status.name}: {status.details}"
        if status.name == "UNAVAILABLE" and not _listens(self._path):
            return self._explain(ConnectionError(said))
        return MEANINGS.get(status.name, BackendError)(said)


class _StatusError(Exception):
    """A status that is not OK."""

    def __init__(self, name: str, details: str) -> None:
        super().__init__(f"{name}: {details}")
        self.name, self.details = name, details


def _listens(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0
