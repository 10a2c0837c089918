"""Writes whose data is still on its way: what came without being asked for, and what we asked for, burst by burst."""

from snapproof.simulators.iscsi.pdu import FINAL, NO_TAG, Request


class SequenceError(Exception):
    """A Data-Out is not the one that is due: the command fails, the session goes on."""


class Gathering:
    """A command that waits for its data. `wanted` bytes are enough; whatever comes beyond them is not kept."""

    __slots__ = ("_buffer", "_burst", "_burst_end", "_data_sn", "_tag", "asks", "received", "request", "wanted")

    def __init__(self, request: Request, *, wanted: int, first_burst: int) -> None:
        self.request = request.kept()
        self.wanted = wanted
        self._buffer = bytearray(wanted)
        self.received = 0
        self.asks = 0
        self._tag = NO_TAG
        self._data_sn = 0
        self._burst_end = min(request.word, first_burst)
        self._burst = not request.flags & FINAL
        self._take(request.payload)

    @property
    def content(self) -> memoryview:
        """What has come."""
        return memoryview(self._buffer)[: min(self.received, self.wanted)]

    @property
    def complete(self) -> bool:
        return not self._burst and self.received >= self.wanted

    @property
    def idle(self) -> bool:
        """Whether nothing is on its way, so that more must be asked for."""
        return not self._burst

    def ask(self, tag: int, burst_bytes_max: int) -> tuple[int, int, int]:
        """Begin a burst that we ask for; return its number, where it begins and how long it is."""
        length = min(burst_bytes_max, self.wanted - self.received)
        self._tag, self._data_sn, self._burst = tag, 0, True
        self._burst_end = self.received + length
        self.asks += 1
        return self.asks - 1, self.received, length

    def add(self, request: Request) -> None:
        """Take a Data-Out PDU. Raises SequenceError for one that is not the next."""
        if not self._burst or request.word != self._tag:
            raise SequenceError("Nobody asked for this Data-Out.")
        if request.number(36) != self._data_sn or request.number(40) != self.received:
            raise SequenceError("A Data-Out came out of its order.")
        if self.received + len(request.payload) > self._burst_end:
            raise SequenceError("A Data-Out is longer than the burst.")
        self._data_sn += 1
        self._take(request.payload)
        if request.flags & FINAL:
            self._burst = False
            if self._tag != NO_TAG and self.received < self._burst_end:
                raise SequenceError("A burst that was asked for ended early.")

    def _take(self, payload: memoryview) -> None:
        kept = payload[: max(0, self.wanted - self.received)]
        self._buffer[self.received : self.received + len(kept)] = kept
        self.received += len(payload)
