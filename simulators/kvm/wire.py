"""The agents' door: commands as JSON over HTTP, bytes in and out. Every command passes the seam as `kvm.<program>`.

POST /run with `{"host": 0, "command": ["blockdev", …]}` answers `{"code": 0, "stdout": "", "stderr": ""}`.
"""

import base64
import hmac
import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

import msgspec

from snapproof.simulators.faults import SERVER_FAILURE, AnswerCutError, Dialect, UnfitFaultError
from snapproof.simulators.kvm.hosts import KvmHosts
from snapproof.simulators.kvm.state import CommandError
from snapproof.simulators.seam import Seam
from snapproof.simulators.serving import Answer

BODY_BYTES_MAX = 64 * 2**10
_JSON = {"content-type": "application/json"}
_TEXT = {"content-type": "text/plain"}


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
        if (method, target) != ("POST", "/run"):
            return 404, _TEXT, b"POST a command to /run.\n"
        if not hmac.compare_digest(headers.get("authorization", "").encode(), self._login.encode()):
            return 401, {**_TEXT, "www-authenticate": "Basic"}, b"Agents take orders from their own server only.\n"
        try:
            asked = msgspec.json.decode(body[: BODY_BYTES_MAX + 1], type=Request)
        except (msgspec.DecodeError, RecursionError):
            return 400, _TEXT, b"A command is a host's number and a list of words, as JSON.\n"
        if not self._hosts.has(asked.host):
            return 404, _TEXT, b"There is no such host.\n"
        try:
            return 200, _JSON, self._crossed(asked.host, asked.command)
        except _FailedError:
            return 500, _TEXT, b"The agent failed.\n"
        except AnswerCutError as cut:
            raise AnswerCutError(str(cut), (200, _JSON, cut.answer)) from cut

    def _crossed(self, host: int, command: Sequence[str]) -> bytes:
        if self._seam is None or not command:
            return self._ran(host, command)
        program = command[0].rpartition("/")[2].split("#")[0] or "nothing"
        return self._seam.cross("kvm", "".join(program.split()), lambda: self._ran(host, command), refuse=_refused)

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
