"""The API's door: one HTTP exchange as a function. Reads parameters, finds out who asks, calls the command, answers.

What is not signed rightly is refused before anything else is looked at; what went wrong inside is logged, not told.
"""

import json
import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from snapproof.driver import DriverError, NotFoundError
from snapproof.reference_impl.api.accepting import ServedDriver
from snapproof.reference_impl.api.command import Command
from snapproof.reference_impl.api.commands import find
from snapproof.reference_impl.api.desk import Body, Desk
from snapproof.reference_impl.api.keys import Keys
from snapproof.reference_impl.api.pace import Pace
from snapproof.reference_impl.api.parameters import read_all
from snapproof.reference_impl.api.refusals import (
    INTERNAL,
    PARAMETER,
    TOO_MANY,
    UNAUTHORIZED,
    UNKNOWN_COMMAND,
    RefusedError,
    code_of,
    refusal,
)
from snapproof.reference_impl.api.shapes import ZONE_ID
from snapproof.reference_impl.api.signing import has_ended, is_signed
from snapproof.reference_impl.catalog.queries.ownership import User
from snapproof.reference_impl.messages import read_messages
from snapproof.reference_impl.rights import Rights
from snapproof.site import Answer

LOG = logging.getLogger("snapproof.api")
JSON = {"content-type": "application/json; charset=UTF-8", "cache-control": "no-store"}
OF_THE_PROTOCOL = frozenset({"command", "apikey", "response", "signature", "signatureversion", "expires", "ctxuserid"})
PARAMETERS_MAX = 400
BODY_MAX = 2**20
WRONG = "The API key, the signature or its time is wrong; nothing was done."


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked: the command's name as it was written, and all parameters."""

    command: str
    parameters: Mapping[str, str]

    @property
    def response(self) -> str:
        """The name of the answer, for one that nobody knows too."""
        known = find(self.command)
        return known.response if known else f"{self.command.lower()[:100] or 'error'}response"


class Door:
    """A wire. `draw` gives random bytes for ids and keys; `worked` is called when a job has been accepted."""

    def __init__(
        self,
        driver: ServedDriver,
        *,
        keys: Keys,
        draw: Callable[[int], bytes],
        pace: Pace,
        worked: Callable[[], None] = lambda: None,
    ) -> None:
        self._driver, self._keys, self._draw, self._pace, self._worked = driver.at_the_door(), keys, draw, pace, worked
        self._messages = read_messages()

    def __call__(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer one exchange."""
        request = Request(command="", parameters={})
        try:
            request = _read(method, target, headers, body)
            return _answer(200, {request.response: self._perform(request)})
        except RefusedError as error:
            return _answer(error.code, {request.response: refusal(error.code, self._said(str(error), headers))})
        except DriverError as error:
            code = code_of(error)
            return _answer(code, {request.response: refusal(code, self._said(str(error), headers))})
        except Exception:  # a server's skin: whatever it is, the client is told nothing of it
            LOG.exception("%r failed", request.command[:100])
            return _answer(INTERNAL, {request.response: refusal(INTERNAL, "The request failed; the log says why.")})

    def _said(self, text: str, headers: Mapping[str, str]) -> str:
        """In the language that the client asks for, where the catalogue has it."""
        return self._messages.translated(text, self._messages.preferred(headers.get("accept-language", "")))

    def _perform(self, request: Request) -> Body:
        user = self._who(request)
        wait_s = self._pace.wait_s(user.account)
        if wait_s > 0:
            text = f"Account {user.account} has asked too often; ask again in {round(wait_s * 1000)} ms."
            raise RefusedError(TOO_MANY, text)
        command = find(request.command)
        if command is None:
            raise RefusedError(UNKNOWN_COMMAND, f"There is no command {request.command[:100]!r}; see listApis.")
        own = {name: value for name, value in request.parameters.items() if name.lower() not in OF_THE_PROTOCOL}
        given = read_all(command.parameters, own)
        if given.get("zoneid", ZONE_ID) != ZONE_ID:
            raise NotFoundError(f"There is no zone {given['zoneid']}.")
        done = command.use(self._desk(user), given)
        self._tell(command, user, done)
        return done

    def _who(self, request: Request) -> User:
        """Whose request it is. An unknown key and a wrong signature are one and the same answer, after equal work."""
        given = {name.lower(): value for name, value in request.parameters.items()}
        api_key = given.get("apikey", "")
        user = self._driver.user_of_key(api_key) if api_key else None
        signed = is_signed(request.parameters, given.get("signature", ""), self._keys.secret_of(api_key))
        if user is None or not signed or has_ended(request.parameters, self._driver.site.clock.time()):
            raise RefusedError(UNAUTHORIZED, WRONG)
        return user

    def _desk(self, user: User) -> Desk:
        return Desk(
            life=self._driver,
            rights=Rights(self._driver.catalog, user.account),
            user=user,
            keys=self._keys,
            new_uuid=lambda: str(uuid.UUID(bytes=self._draw(16), version=4)),
        )

    def _tell(self, command: Command, user: User, done: Body) -> None:
        LOG.info("%s of account %s: %s", command.name, user.account, done.get("jobid", "answered"))
        if command.asynchronous:
            self._worked()


def _read(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Request:
    path, _, query = target.partition("?")
    if method not in {"GET", "POST"}:
        raise RefusedError(405, "Ask by GET or POST.")
    if path.rstrip("/") not in {"/client/api", ""}:
        raise RefusedError(404, "The API is at /client/api.")
    if len(body) > BODY_MAX:
        raise RefusedError(PARAMETER, f"A request has at most {BODY_MAX} bytes.")
    form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=PARAMETERS_MAX, errors="strict")
        if form:
            text = body.decode()
            pairs += parse_qsl(text, keep_blank_values=True, max_num_fields=PARAMETERS_MAX, errors="strict")
    except (ValueError, UnicodeDecodeError) as error:
        raise RefusedError(PARAMETER, f"The parameters cannot be read: at most {PARAMETERS_MAX}, in UTF-8.") from error
    parameters = dict(pairs)
    if len({name.lower() for name, _ in pairs}) != len(pairs):
        raise RefusedError(PARAMETER, "A parameter is given twice; give it once.")
    command = next((value for name, value in pairs if name.lower() == "command"), "")
    return Request(command=command, parameters=parameters)


def _answer(status: int, body: Mapping[str, object]) -> Answer:
    return status, JSON, json.dumps(body).encode()
