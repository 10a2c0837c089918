"""The login phase: who the initiator is and proves to be, which target it wants, and what both sides agree on.

Ends with a target that is open, or with the status that tells the initiator why not. Sockets are not read here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from snapproof.simulators.fabric import LoginRefusedError
from snapproof.simulators.iscsi.chap import Chap, ChapError, Credentials
from snapproof.simulators.iscsi.keys import (
    KEYS,
    NOT_UNDERSTOOD,
    REJECT,
    TEXT_BYTES_MAX,
    BadTextError,
    Negotiation,
    pairs_of,
)
from snapproof.simulators.iscsi.pdu import FINAL, SEGMENT_BYTES_MAX, Request
from snapproof.simulators.iscsi.targets import Opened, Targets, UnknownTargetError, Visitor

CONTINUED = 0x40
PORTAL_GROUP = "1"
_NAME_BYTES_MAX = 223
_WHO = frozenset({"InitiatorName", "InitiatorAlias", "TargetName", "SessionType"})
_PROOFS = frozenset({"AuthMethod", "CHAP_A", "CHAP_N", "CHAP_R", "CHAP_I", "CHAP_C"})


class Stage(IntEnum):
    """How far a login is."""

    SECURITY = 0
    OPERATIONAL = 1
    FULL_FEATURE = 3


class Status(IntEnum):
    """How a login ends badly: class and detail."""

    INITIATOR_ERROR = 0x0200
    AUTHENTICATION_FAILED = 0x0201
    NOT_AUTHORIZED = 0x0202
    NOT_FOUND = 0x0203
    BAD_VERSION = 0x0205
    MISSING_PARAMETER = 0x0207
    BAD_SESSION_TYPE = 0x0209
    NO_SUCH_SESSION = 0x020A
    INVALID_REQUEST = 0x020B
    UNAVAILABLE = 0x0301


class LoginFailedError(Exception):
    """The login ends here; the initiator is told the status, the journal the sentence."""

    def __init__(self, status: Status, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What to say to a login request; `finished` when the full feature phase begins after it."""

    flags: int
    pairs: list[tuple[str, str]]
    finished: bool = False


class Login:
    """One login from its first request to its end."""

    def __init__(self, targets: Targets, *, address: str, nonce: Callable[[int], bytes]) -> None:
        self._targets = targets
        self._address = address
        self._nonce = nonce
        self.negotiation = Negotiation()
        self.initiator = self.target = ""
        self.discovery = False
        self.isid = b""
        self._stage: Stage | None = None
        self._text = bytearray()
        self._method = ""
        self._chap: Chap | None = None
        self._chap_name = ""
        self._declared = False

    @property
    def visitor(self) -> Visitor:
        """Who logs in, as far as it is proven."""
        chap = self._chap if self._chap_name else None
        return Visitor(
            initiator=self.initiator,
            isid=self.isid,
            address=self._address,
            chap_name=self._chap_name,
            chap_algorithm=chap.algorithm if chap else "",
            mutual=bool(chap and chap.mutual),
        )

    def answer(self, request: Request) -> Answer:
        """Take the next request. Raises LoginFailedError."""
        stage, wanted = self._stages(request)
        self._text += request.payload
        if len(self._text) > TEXT_BYTES_MAX:
            raise LoginFailedError(Status.INITIATOR_ERROR, "The text of the login is too long.")
        if request.flags & CONTINUED:
            return Answer(flags=stage << 2, pairs=[])
        keys = self._taken_text()
        first = self._stage is None
        if first:
            self._introduce(request, keys)
        self._stage = stage
        pairs = self._said(stage, keys)
        if first and not self.discovery:
            pairs.append(("TargetPortalGroupTag", PORTAL_GROUP))
        if wanted is None or not self._secured(stage):
            return Answer(flags=stage << 2, pairs=pairs)
        self._stage = wanted
        return Answer(flags=FINAL | stage << 2 | wanted, pairs=pairs, finished=wanted is Stage.FULL_FEATURE)

    def _stages(self, request: Request) -> tuple[Stage, Stage | None]:
        """Read the present stage, and the one that the initiator wants to go on to."""
        present, following = request.flags >> 2 & 3, request.flags & 3
        if present not in {Stage.SECURITY, Stage.OPERATIONAL} or self._stage not in {None, present}:
            raise LoginFailedError(Status.INVALID_REQUEST, f"The login cannot be at stage {present} now.")
        if not request.flags & FINAL:
            return Stage(present), None
        if following <= present or following == 2 or request.flags & CONTINUED:
            raise LoginFailedError(Status.INVALID_REQUEST, f"Stage {following} does not follow stage {present}.")
        return Stage(present), Stage(following)

    def _taken_text(self) -> dict[str, str]:
        try:
            pairs = pairs_of(bytes(self._text))
        except BadTextError as error:
            raise LoginFailedError(Status.INITIATOR_ERROR, str(error)) from error
        self._text.clear()
        keys = dict(pairs)
        if len(keys) < len(pairs):
            raise LoginFailedError(Status.INITIATOR_ERROR, "A text key came twice.")
        return keys

    def _introduce(self, request: Request, keys: Mapping[str, str]) -> None:
        self.isid = request.header[8:14]
        if request.header[3] > 0:
            raise LoginFailedError(Status.BAD_VERSION, "The initiator speaks no version 0 of iSCSI.")
        if request.number(14, 2):
            raise LoginFailedError(Status.NO_SUCH_SESSION, "Sessions have one connection here; none can be added.")
        session_type = keys.get("SessionType", "Normal")
        if session_type not in {"Normal", "Discovery"}:
            raise LoginFailedError(Status.BAD_SESSION_TYPE, "SessionType is neither Normal nor Discovery.")
        self.discovery = session_type == "Discovery"
        self.initiator = _name(keys, "InitiatorName")
        self.target = "" if self.discovery else _name(keys, "TargetName")

    def _said(self, stage: Stage, keys: Mapping[str, str]) -> list[tuple[str, str]]:
        pairs: list[tuple[str, str]] = []
        if stage is Stage.SECURITY:
            pairs += self._proven(keys)
        elif not self._secured(stage):
            raise LoginFailedError(Status.AUTHENTICATION_FAILED, f"{self.initiator} skipped the proof that it owes.")
        for name, value in keys.items():
            if name in _WHO or (name in _PROOFS and stage is Stage.SECURITY):
                continue
            answer = REJECT if name in _PROOFS else self.negotiation.offered(name, value)
            if answer is not None and len(name) <= 63:
                pairs.append((name, answer))
        if not self._declared and (stage is Stage.OPERATIONAL or any(name in KEYS for name in keys)):
            self._declared = True
            pairs.append(("MaxRecvDataSegmentLength", str(SEGMENT_BYTES_MAX)))
        return pairs

    def _proven(self, keys: Mapping[str, str]) -> list[tuple[str, str]]:
        """Agree on a method, challenge, judge: whichever the keys are for."""
        if "AuthMethod" in keys:
            self._method = self._chosen(keys["AuthMethod"].split(","))
            return [("AuthMethod", self._method)]
        try:
            if "CHAP_A" in keys and self._method == "CHAP":
                self._chap = Chap(keys["CHAP_A"], self._nonce)
                return self._chap.opening()
            if "CHAP_N" in keys and self._chap is not None and not self._chap_name:
                answer = self._chap.answer(keys, self._credentials(keys["CHAP_N"]))
                self._chap_name = keys["CHAP_N"]
                return answer
        except ChapError as error:
            raise LoginFailedError(Status.AUTHENTICATION_FAILED, f"{self.initiator}: {error}") from error
        if _PROOFS & keys.keys():
            raise LoginFailedError(Status.INITIATOR_ERROR, "CHAP keys came out of their order.")
        return []

    def _chosen(self, offered: list[str]) -> str:
        for method in offered:
            if method == "CHAP" or (method == "None" and not self._owes_proof()):
                return method
        raise LoginFailedError(
            Status.AUTHENTICATION_FAILED, f"{self.initiator} must prove itself by CHAP and offered {offered}."
        )

    def _credentials(self, name: str) -> Credentials:
        found = self._targets.credentials(initiator=self.initiator, name=name)
        if found is None:
            raise ChapError("Nobody has this CHAP name.")
        return found

    def _owes_proof(self) -> bool:
        return self._targets.proof_needed(initiator=self.initiator, target=self.target)

    def _secured(self, stage: Stage) -> bool:
        if self._chap_name or (self._method == "None"):
            return True
        if self._method == "CHAP":
            return False
        if self._owes_proof():
            if stage is Stage.SECURITY:
                raise LoginFailedError(Status.AUTHENTICATION_FAILED, f"{self.initiator} offers no proof.")
            return False
        return True

    def open(self) -> Opened:
        """Open the target, at the end. Raises LoginFailedError."""
        try:
            return self._targets.open(self.visitor, self.target)
        except UnknownTargetError as error:
            raise LoginFailedError(Status.NOT_FOUND, str(error)) from error
        except LoginRefusedError as error:
            raise LoginFailedError(Status.NOT_AUTHORIZED, str(error)) from error


def _name(keys: Mapping[str, str], key: str) -> str:
    name = keys.get(key, "")
    if not name:
        raise LoginFailedError(Status.MISSING_PARAMETER, f"The login lacks {key}.")
    if len(name) > _NAME_BYTES_MAX or not name.isprintable() or not name.isascii() or name == NOT_UNDERSTOOD:
        raise LoginFailedError(Status.INITIATOR_ERROR, f"{key} is no iSCSI name.")
    return name.lower()
