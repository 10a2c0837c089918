"""Schedules: which workflow meets which faults, as one line of text that survives changes of the code it is about.

`take-secondary/v1 store=nfs seed=0 :: array.CloneVolume#1=lost_after; catalog.commit#3=crash_after`
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

FAULT_KINDS = ("refused", "lost_before", "lost_after", "crash_before", "crash_after")
"""The five kinds that apply to every call, since any call can be refused, lost or died at."""

_OF_ALL_S3 = ("refused:RequestTimeTooSkewed", "refused:InternalError", "error_after", "truncated", "hang_after")
_OF_SENT = ("refused:BadDigest", "damaged:request-cut", "damaged:request-flipped")
_OF_KEPT = ("damaged:stored-cut", "damaged:stored-flipped")
_OF_TOLD = ("damaged:answer-cut", "damaged:answer-flipped")

S3_KINDS: Mapping[str, tuple[str, ...]] = {
    "s3.AbortMultipartUpload": _OF_ALL_S3,
    "s3.CompleteMultipartUpload": (
        *_OF_ALL_S3, *_OF_KEPT, *_OF_TOLD, "refused:InternalError-in-200", "error_after:InternalError-in-200",
    ),
    "s3.CreateMultipartUpload": (*_OF_ALL_S3, *_OF_TOLD),
    "s3.DeleteObject": _OF_ALL_S3,
    "s3.GetObject": (*_OF_ALL_S3, *_OF_TOLD),
    "s3.HeadObject": _OF_ALL_S3,
    "s3.ListMultipartUploads": _OF_ALL_S3,
    "s3.PutObject": (*_OF_ALL_S3, *_OF_SENT, *_OF_KEPT),
    "s3.UploadPart": (*_OF_ALL_S3, *_OF_SENT),
}  # fmt: skip
"""What calls of a bucket can meet besides: S3's own refusals, answers cut or withheld, content that is damaged."""

_OF_ALL_NFS = ("refused:ESTALE", "error_after", "hang_after")
_OF_CHANGES = (*_OF_ALL_NFS, "refused:EROFS")
_OF_GROWTH = (*_OF_CHANGES, "refused:ENOSPC", "refused:EDQUOT")

NFS_KINDS: Mapping[str, tuple[str, ...]] = {
    "nfs.close": _OF_GROWTH,
    "nfs.create": _OF_GROWTH,
    "nfs.delete": _OF_ALL_NFS,
    "nfs.delete_directory": _OF_ALL_NFS,
    "nfs.list": _OF_ALL_NFS,
    "nfs.make_directories": _OF_GROWTH,
    "nfs.open": _OF_ALL_NFS,
    "nfs.rename": _OF_GROWTH,
    "nfs.size": _OF_ALL_NFS,
}
"""What calls on an export can meet besides: the server's own refusals, answers withheld.

That nothing can be deleted for good is told by scenarios: a driver may then leave something for its next life.
"""

_FAILING = ("refused:EIO", "refused:ESTALE")
_GROWING = (*_FAILING, "refused:EROFS", "refused:ENOSPC", "refused:EDQUOT")
_KEEPING = (*_GROWING, "refused:REBOOT")

ACT_KINDS: Mapping[str, tuple[str, ...]] = {
    "export.create": _GROWING,
    "export.delete": _FAILING,
    "export.delete_directory": _FAILING,
    "export.fsync": _KEEPING,
    "export.list": _FAILING,
    "export.make_directories": _GROWING,
    "export.open": _FAILING,
    "export.read": _FAILING,
    "export.rename": _GROWING,
    "export.size": _FAILING,
    "export.write": _KEEPING,
}
"""What the acts of an NFS server can meet, whoever causes them; an act has no answer that could be lost."""


def kinds_for(call: str) -> tuple[str, ...]:
    """Name the kinds of fault that a call or an act of the sweep meets: `s3.PutObject#1`, `export.write#3`."""
    name = call.partition("#")[0]
    if name in ACT_KINDS:
        return ACT_KINDS[name]
    return FAULT_KINDS + S3_KINDS.get(name, ()) + NFS_KINDS.get(name, ())


_TEXT = re.compile(
    r"(?P<workflow>[a-z-]+)/v(?P<version>\d+) store=(?P<store>\w+) seed=(?P<seed>\d+)(?P<still> guest=still)?"
    r"(?: :: (?P<faults>.+))?",
    re.ASCII,
)
_FAULT = re.compile(r"(?P<call>[\w.]+#\d+)=(?P<fault>\w+(?::[\w-]+)?)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One case of a campaign. `faults` are pairs of a call and a fault's word, in the order in which they strike.

    A guest that is `still` writes nothing while the driver works, so that histories can meet in the same state.
    """

    workflow: str
    version: int = 1
    store: str
    seed: int
    still: bool = False
    faults: tuple[tuple[str, str], ...] = ()

    def meeting(self, call: str, fault: str) -> "Schedule":
        """The same, and then one more fault."""
        return replace(self, faults=(*self.faults, (call, fault)))

    def __str__(self) -> str:
        head = (
            f"{self.workflow}/v{self.version} store={self.store} seed={self.seed}{' guest=still' if self.still else ''}"
        )
        faults = "; ".join(f"{call}={fault}" for call, fault in self.faults)
        return f"{head} :: {faults}" if faults else head


def read_schedule(text: str) -> Schedule:
    """Read a schedule back from its line. Raises ValueError with the form that it should have."""
    found = _TEXT.fullmatch(text.strip())
    parts = [part.strip() for part in (found["faults"] or "").split(";")] if found else []
    faults = [_FAULT.fullmatch(part) for part in parts if part]
    if found is None or None in faults:
        form = Schedule(workflow="take-secondary", store="nfs", seed=0, faults=(("array.CloneVolume#1", "lost_after"),))
        raise ValueError(f"{text!r} is no schedule; one reads: {form}")
    return Schedule(
        workflow=found["workflow"],
        version=int(found["version"]),
        store=found["store"],
        seed=int(found["seed"]),
        still=found["still"] is not None,
        faults=tuple((fault["call"], fault["fault"]) for fault in faults if fault is not None),
    )
