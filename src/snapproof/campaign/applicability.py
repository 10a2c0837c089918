"""Which kinds of fault a call or an act can meet in a campaign, and of every other kind the reason why not: one table.

What a kind does is in simulators/faults.py, and which errors a service can show is its own dialect's.
"""

import re
from collections.abc import Mapping

from snapproof.campaign.turning import CLOCK, HOLDING_UP, TURN, UNDER_LOCK

FAULT_KINDS = ("refused", "lost_before", "lost_after", "crash_before", "crash_after")
"""The five kinds that apply to every call, since any call can be refused, lost or died at."""

UNTOLD = ("lost_late", "twice")
"""What calls meet that change something: an effect of which the caller hears nothing, late or once more."""

ARRAY_KINDS = (
    "refused:xRecvTimeout", "error_after:xRecvTimeout", "refused:xNotPrimary", "refused:xPermissionDenied", "down",
)  # fmt: skip
"""What calls of an array can meet besides: the error that says nothing of whether the call was done, in both truths.

That another node has taken over; and a no that is final: an unnamed refusal passes, and what is tried again never has
to be taken back.
"""

HOST_KINDS = ("refused:OPERATION_NOT_ALLOWED", "down")
"""What calls of hosts can meet besides: a no that is final, and hosts that are away."""

KVM_KINDS = ("error_after:8", "down")
"""What commands on a KVM host can meet besides: iscsiadm gives up a login that comes about; hosts that are away."""

CATALOG_KINDS = CLOCK
"""What a commit can meet besides: the clock is set behind the driver's back. Elsewhere between two commits is alike."""

READING = re.compile(r"\w[\w-]*\.(?:\w+\.)?(?:List|Head|Get|get|scan|size|open|list|read|blockdev|hosts)")
"""Calls and acts that change nothing, by name."""

FINAL = frozenset({"refused:xPermissionDenied", "refused:OPERATION_NOT_ALLOWED"})
LEFT_FOR_LATER = FINAL | {"down"}
"""Where cleaning up meets these, a driver may leave something for its next life: a no, or nobody there for long."""

_OF_ALL_S3 = (
    "refused:RequestTimeTooSkewed", "refused:InternalError", "error_after", "truncated", "hang_after", "down",
)  # fmt: skip
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

_OF_SERVICES: Mapping[str, tuple[str, ...]] = {
    "array": ARRAY_KINDS,
    "host": HOST_KINDS,
    "kvm": KVM_KINDS,
    "s3": _OF_ALL_S3,
    "catalog": CATALOG_KINDS,
}
"""What calls can meet besides that no table names."""

_OF_ALL_NFS = ("refused:ESTALE", "error_after", "hang_after", "down")
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

_UNTOLD_OF: Mapping[str, tuple[str, ...]] = {"array": UNTOLD, "host": UNTOLD, "kvm": ("lost_late",), "s3": UNTOLD}
"""Services whose calls can be on their way for long; and most can be asked again by somebody between."""

STORES = frozenset({"s3", "nfs", "export"})
"""The services of which a world has those of its store only."""

WORDS = (
    *FAULT_KINDS, "error_after", "hang_before", "hang_after", "truncated", "damaged", "http500_before", "http500_after",
    *UNTOLD, "down", *CLOCK,
)  # fmt: skip
"""Every word that a fault can begin with; behind a colon it may name an error, or what is damaged."""

_AS_LOST_BEFORE = "No answer and no effect is what lost_before shows; that it takes a minute more is told by scenarios."
_AS_LOST_AFTER = "No answer that can be used, and the effect is there: what lost_after shows."
_AS_REFUSED = "An answer without an error's name says what lost_before and lost_after say, and nothing more."
_UNCHANGED = "It changes nothing, so when and how often it takes effect shows nowhere."
_CLOCK = "That the clock is set is met by commits; elsewhere between two of them is alike."
_NO_CONTENT = "It carries no content of ours that could be damaged; answers that lie are told by scenarios."
_HTTP: Mapping[str, str] = {
    "hang_before": _AS_LOST_BEFORE,
    "hang_after": _AS_LOST_AFTER,
    "truncated": _AS_LOST_AFTER,
    "damaged": _NO_CONTENT,
    "http500_before": _AS_REFUSED,
    "http500_after": _AS_REFUSED,
    **dict.fromkeys(UNTOLD, _UNCHANGED),
    **dict.fromkeys(CLOCK, _CLOCK),
}
_NO_HTTP = "It is no HTTP exchange."
_ACT_HAS_NO_CALLER = "An act of the server has no answer to lose and no caller to die; the client's call meets this."

REASONS: Mapping[str, Mapping[str, str]] = {
    "array": _HTTP,
    "host": {
        **_HTTP,
        "error_after": "A failure of XenAPI says that nothing was done; tasks that fail later are told by scenarios.",
    },
    "kvm": {**_HTTP, "twice": "A command is told to one agent over one connection; nobody between asks again."},
    "s3": {
        **_HTTP,
        "http500_before": "S3 says it by name, as refused:InternalError.",
        "http500_after": "S3 says it by name, as error_after.",
    },
    "nfs": {
        "hang_before": _AS_LOST_BEFORE,
        **dict.fromkeys(UNTOLD, "A server answers a call whose number it knows, without doing it again."),
        **dict.fromkeys(CLOCK, _CLOCK),
        "truncated": "The client's kernel takes a cut answer for none and asks again.",
        "damaged": "What a server loses or cannot keep is met by the acts export.write and export.fsync.",
        "http500_before": _NO_HTTP,
        "http500_after": _NO_HTTP,
    },
    "catalog": {
        **dict.fromkeys(UNTOLD, "A commit arrives once, or is rolled back when its connection is gone."),
        "down": "Reading is no call here; databases that go away are tested with real ones.",
        "error_after": "A database that refuses a commit has not committed.",
        "hang_before": _AS_LOST_BEFORE,
        "hang_after": _AS_LOST_AFTER,
        "truncated": _NO_HTTP,
        "damaged": "A commit gives no content back; that a database keeps its rows is its own business.",
        "http500_before": _NO_HTTP,
        "http500_after": _NO_HTTP,
    },
    "export": {word: _ACT_HAS_NO_CALLER for word in WORDS if word != "refused"},
}
"""Why a service's calls do not meet a kind, by service and word."""


EVERY_CALL = "every call"
"""What stands for the calls of a schedule whose faults strike at all of them."""
POINTS: Mapping[str, str] = {"catalog.begin": "It is no call: nothing is asked of anybody there."}
"""Points at which others may come first, and why they meet no fault."""
_UNDER_LOCK = "Whoever commits holds the lock of the database: others wait for it, whoever has the turn."


def kinds_for(call: str) -> tuple[str, ...]:
    """Name the kinds of fault that a call or an act meets: `s3.PutObject#1`, `export.write#3`."""
    name = call.partition("#")[0]
    if name in ACT_KINDS or name in POINTS:
        return ACT_KINDS.get(name, ())
    service = service_of(name)
    untold = () if READING.match(name) else _UNTOLD_OF.get(service, ())
    return FAULT_KINDS + (S3_KINDS.get(name) or NFS_KINDS.get(name) or _OF_SERVICES.get(service, ())) + untold


def why_not(call: str, word: str) -> str:
    """Say why a call or an act does not meet faults of this word; empty if it does. Raises KeyError for neither."""
    name = call.partition("#")[0]
    if name == EVERY_CALL:
        return ""
    if word in HOLDING_UP:
        return _why_not_held_up(name, word)
    if name in POINTS:
        return POINTS[name]
    if any(kind.partition(":")[0] == word for kind in kinds_for(call)):
        return ""
    if word == "damaged" and service_of(name) == "s3":
        return "It carries no object, and its answer is too short to lose anything unseen."
    return REASONS[service_of(name)][word]


def _why_not_held_up(name: str, word: str) -> str:
    if name in ACT_KINDS:
        return _ACT_HAS_NO_CALLER
    return _UNDER_LOCK if word == TURN and name in UNDER_LOCK else ""


def service_of(name: str) -> str:
    """The service of a call, the first of its kind for those that are numbered: `array` for `array-2.ListVolumes`."""
    return name.partition(".")[0].partition("-")[0]


def is_of_a_store(name: str) -> bool:
    """Say whether this is a call or an act of a secondary store. A case without any is the same run on each of them."""
    return service_of(name) in STORES
