"""Text requests after the login: SendTargets, in as many pieces as the answer needs."""

from snapproof.simulators.iscsi.keys import NOT_UNDERSTOOD, TEXT_BYTES_MAX, BadTextError, pairs_of, text_of
from snapproof.simulators.iscsi.login import CONTINUED, PORTAL_GROUP, Login
from snapproof.simulators.iscsi.pdu import FINAL, NO_TAG, Request
from snapproof.simulators.iscsi.targets import Targets

_TAG = 1


class Discovery:
    """The text exchange of one session; there is one at a time."""

    def __init__(self, targets: Targets, login: Login, *, portal: str) -> None:
        self._targets, self._login, self._portal = targets, login, portal
        self._asked = bytearray()
        self._left = b""

    def answer(self, request: Request, segment_bytes: int) -> tuple[bytes, int, int] | None:
        """Give the next piece with its flags and tag; None for a request that cannot be understood."""
        if request.word != NO_TAG and self._left:
            return self._piece(segment_bytes)
        self._asked += request.payload
        if len(self._asked) > TEXT_BYTES_MAX:
            return None
        if request.flags & CONTINUED:
            return b"", 0, _TAG
        asked = bytes(self._asked)
        self._asked.clear()
        try:
            pairs = pairs_of(asked)
        except BadTextError:
            return None
        self._left = text_of(pair for name, value in pairs for pair in self._answered(name, value))
        return self._piece(segment_bytes)

    def _piece(self, segment_bytes: int) -> tuple[bytes, int, int]:
        piece, self._left = self._left[:segment_bytes], self._left[segment_bytes:]
        return (piece, CONTINUED, _TAG) if self._left else (piece, FINAL, NO_TAG)

    def _answered(self, name: str, value: str) -> list[tuple[str, str]]:
        if name != "SendTargets":
            answer = self._login.negotiation.offered(name, value)
            return [] if answer is None else [(name, answer)]
        if value == "All" and not self._login.discovery:
            return [(name, NOT_UNDERSTOOD)]
        wanted = value.lower() if value not in {"All", ""} else self._login.target
        return [
            pair
            for target in self._targets.discovered(self._login.visitor)
            if not wanted or target == wanted
            for pair in (("TargetName", target), ("TargetAddress", f"{self._portal},{PORTAL_GROUP}"))
        ]
