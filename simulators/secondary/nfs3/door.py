"""The NFS program, version 3: which procedure is which, which of them the seam knows as a call, and how each refuses.

Where records come from and answers go to is server.py's.
"""

import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from snapproof.simulators.faults import AnswerLostError
from snapproof.simulators.secondary.export_tree import ExportTree, RebootedError
from snapproof.simulators.secondary.nfs3 import figures, files, listing, names
from snapproof.simulators.secondary.nfs3.mounting import NFS, mount_program, port_mapper
from snapproof.simulators.secondary.nfs3.rpc import Call, Program, answer
from snapproof.simulators.secondary.nfs3.served import Served
from snapproof.simulators.secondary.nfs3.statuses import Status, StatusError, status_of
from snapproof.simulators.secondary.nfs3.xdr import Reader, uint
from snapproof.simulators.secondary.nfs_faults import ERRNOS, refusal

Perform: TypeAlias = Callable[[Served, Reader], bytes]

LOST_MAX = 64
"""Answers that never arrived and are kept for a client that asks again."""


@dataclass(frozen=True, slots=True)
class Procedure:
    """One procedure. `words` is how many words a refusal has behind its status, all saying "not known".

    `call` is what the seam knows it by: what a client in our own process would have called. `once` is said of what must
    not be done twice when its answer was lost and the client asks again.
    """

    name: str
    perform: Perform
    words: int
    call: str = ""
    once: bool = False


PROCEDURES: Mapping[int, Procedure] = {
    1: Procedure("GETATTR", files.get_attributes, 0, "size"),
    2: Procedure("SETATTR", files.set_attributes, 2, once=True),
    3: Procedure("LOOKUP", names.look_up, 1, "open"),
    4: Procedure("ACCESS", files.access, 1),
    5: Procedure("READLINK", files.read_link, 1),
    6: Procedure("READ", files.read, 1),
    7: Procedure("WRITE", files.write, 2),
    8: Procedure("CREATE", names.create, 2, "create", once=True),
    9: Procedure("MKDIR", names.make_directory, 2, "make_directories", once=True),
    10: Procedure("SYMLINK", names.symbolic_link, 2, once=True),
    11: Procedure("MKNOD", names.make_node, 2, once=True),
    12: Procedure("REMOVE", names.remove, 2, "delete", once=True),
    13: Procedure("RMDIR", names.remove_directory, 2, "delete_directory", once=True),
    14: Procedure("RENAME", names.rename, 4, "rename", once=True),
    15: Procedure("LINK", names.link, 3, once=True),
    16: Procedure("READDIR", listing.read_directory, 1, "list"),
    17: Procedure("READDIRPLUS", listing.read_directory_plus, 1, "list"),
    18: Procedure("FSSTAT", figures.space, 1),
    19: Procedure("FSINFO", figures.abilities, 1),
    20: Procedure("PATHCONF", figures.path_limits, 1),
    21: Procedure("COMMIT", files.commit, 2, "close"),
}
"""NFSPROC3 by number; number 0 does nothing."""


class Door:
    """One export behind records: bytes in, bytes out. It raises what the seam raises for answers that never come."""

    def __init__(self, tree: ExportTree, *, name: str, edition: int, port: Callable[[], int]) -> None:
        self.served = Served(tree, edition=edition)
        self._lost: OrderedDict[tuple[int, int, int], bytes] = OrderedDict()
        programs = (self._program(), mount_program(lambda: self.served, name), port_mapper(port))
        self._programs = {program.number: program for program in programs}

    def __call__(self, message: memoryview) -> bytes:
        """Answer one record. Raises AnswerLostError or one of its kinds, CrashedError, and NoRpcError."""
        return answer(message, self._programs)

    def close(self) -> None:
        """Leave the export in good order."""
        self.served.close()

    def _program(self) -> Program:
        procedures = {number: self._answering(number, procedure) for number, procedure in PROCEDURES.items()}
        return Program(number=NFS, version=3, procedures={0: _nothing, **procedures})

    def _answering(self, number: int, procedure: Procedure) -> Callable[[Call], bytes]:
        """Let a procedure answer with a status, once, and past the seam if the seam knows it."""

        def answered(call: Call) -> bytes:
            return self._met(procedure, call.arguments, [])

        def answered_once(call: Call) -> bytes:
            key = (call.xid, number, zlib.crc32(call.arguments.rest()))
            if (kept := self._lost.pop(key, None)) is not None:
                return kept
            done: list[bytes] = []
            try:
                return self._met(procedure, call.arguments, done)
            except AnswerLostError:
                if done:
                    self._lost[key] = done[0]
                    while len(self._lost) > LOST_MAX:
                        self._lost.popitem(last=False)
                raise

        return answered_once if procedure.once else answered

    def _met(self, procedure: Procedure, arguments: Reader, done: list[bytes]) -> bytes:
        def perform() -> bytes:
            done.append(self._performed(procedure, procedure.perform, arguments))
            return done[0]

        def refuse(name: str) -> bytes:
            if procedure.perform is files.commit and not done:
                self._performed(procedure, _giving_up, arguments)
            return _refused(procedure, status_of(refusal(name if name in ERRNOS else "EIO")))

        if not procedure.call:
            return perform()
        return self.served.tree.seam.cross("nfs", procedure.call, perform, refuse=refuse)

    def _performed(self, procedure: Procedure, perform: Perform, arguments: Reader) -> bytes:
        try:
            with self.served.tree.turn:
                return uint(Status.OK) + perform(self.served, arguments)
        except StatusError as error:
            return _refused(procedure, error.status)
        except RebootedError as error:
            raise AnswerLostError("The server went down before it answered.") from error
        except OSError as error:
            return _refused(procedure, status_of(error))


def _refused(procedure: Procedure, status: Status) -> bytes:
    return uint(status, *[0] * procedure.words)


def _giving_up(served: Served, arguments: Reader) -> bytes:
    files.give_up(served, arguments)
    return b""


def _nothing(call: Call) -> bytes:
    call.arguments.end()
    return b""
