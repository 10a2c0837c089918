"""The agents' door: commands as JSON over HTTP, bytes in and out. Every command passes the seam as `kvm.<program>`.

POST /run with `{"host": 0, "command": ["blockdev", …]}` answers `{"code": 0, "stdout": "", "stderr": ""}`. GET /hosts
answers `{"hosts": ["kvm-host-1", …]}`, in the order of their numbers, and passes the seam as `kvm.hosts`.
"""

import base64
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

import msgspec

from snapproof.simulators.faults import SERVER_FAILURE, AnswerCutError, Dialect, UnfitFaultError
from snapproof.simulators.kvm.commands import PROGRAMS
from snapproof.simulators.kvm.hosts import KvmHosts
from snapproof.simulators.kvm.state import CommandError
from snapproof.simulators.seam import Seam
from snapproof.simulators.serving import Answer

BODY_BYTES_MAX = 64 * 2**10
_JSON = {"content-type": "application/json"}
_TEXT = {"content-type": "text/plain"}
_DOORS = {("POST", "/run"), ("GET", "/hosts")}
CALLS = (*PROGRAMS, "hosts")
"""What passes the seam here."""


def check_name(_method: str, name: str) -> None:
    """A command fails by its exit code, from 1 to 255."""
    if not (name.isdecimal() and 1 <= int(name) <= 255):
        raise UnfitFaultError(f"A command ends with an exit code from 1 to 255, not with {name!r}.")


DIALECT = Dialect(check_name=check_name, unfit={"twice": "ssh runs a command once; write lost_after."})
"""Every other fault makes sense here; an error is named by its exit code."""


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One command for one host."""

    host: int
    command: tuple[str, ...]


class _BadRequestError(Exception):
    """This request is answered with another status than 200, and with the reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class _FailedError(Exception):
    """This request is answered with HTTP 500."""


class Endpoint:
    """The door to the agents of all hosts."""

    def __init__(
        self,
        hosts: KvmHosts,
        *,
        username: str,
        password: str,
        seam: Seam | None = None,
        turn: AbstractContextManager[object] | None = None,
    ) -> None:
        self._hosts = hosts
        self._login = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
        self._seam = seam
        self._turn: AbstractContextManager[object] = turn or nullcontext()

    def __call__(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if (method, target) not in _DOORS:
            return 404, _TEXT, b"POST a command to /run, or GET /hosts.\n"
        if not hmac.compare_digest(headers.get("authorization", "").encode(), self._login.encode()):
            return 401, {**_TEXT, "www-authenticate": "Basic"}, b"Agents take orders from their own server only.\n"
        try:
            return 200, _JSON, self._listed() if method == "GET" else self._told(body)
        except _BadRequestError as bad:
            return bad.status, _TEXT, f"{bad}\n".encode()
        except _FailedError:
            return 500, _TEXT, b"The agent failed.\n"
        except AnswerCutError as cut:
            raise AnswerCutError(str(cut), (200, _JSON, cut.answer)) from cut

    def _listed(self) -> bytes:
        return self._crossed("hosts", lambda: json.dumps({"hosts": self._hosts.names()}).encode())

    def _told(self, body: bytes) -> bytes:
        try:
            asked = msgspec.json.decode(body[: BODY_BYTES_MAX + 1], type=Request)
        except (msgspec.DecodeError, RecursionError) as error:
            raise _BadRequestError(400, "A command is a host's number and a list of words, as JSON.") from error
        if not self._hosts.has(asked.host):
            raise _BadRequestError(404, "There is no such host.")
        if not asked.command:
            return self._ran(asked.host, asked.command)
        program = asked.command[0].rpartition("/")[2].split("#")[0] or "nothing"
        return self._crossed("".join(program.split()), lambda: self._ran(asked.host, asked.command))

    def _crossed(self, name: str, answer: Callable[[], bytes]) -> bytes:
        return answer() if self._seam is None else self._seam.cross("kvm", name, answer, refuse=_refused)

    def _ran(self, host: int, command: Sequence[str]) -> bytes:
        try:
            with self._turn:
                return _answer(0, self._hosts.run(host, command), "")
        except CommandError as error:
            return _answer(error.code, "", f"{error.said}\n")


def _refused(name: str) -> bytes:
    if name == SERVER_FAILURE:
        raise _FailedError
    return _answer(int(name or 1), "", "The command failed.\n")


def _answer(code: int, said: str, complained: str) -> bytes:
    return json.dumps({"code": code, "stdout": said, "stderr": complained}).encode()
