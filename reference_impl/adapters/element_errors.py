"""What names of an Element cluster's errors mean for the call's effect: one table, and how a refusal is translated."""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

from snapproof.reference_impl.ports import CallError, GoneError, RefusedError, TransientError, UnknownOutcomeError

_NAME = re.compile(r"x[A-Za-z0-9]{1,63}")


class Meaning(Enum):
    """What an error name says about the call's effect."""

    TRANSIENT = TransientError
    AMBIGUOUS = UnknownOutcomeError
    GONE = GoneError


MEANINGS: Mapping[str, Meaning] = {
    "xDBVersionMismatch": Meaning.TRANSIENT,
    "xNotPrimary": Meaning.TRANSIENT,
    "xNotReadyForIO": Meaning.TRANSIENT,
    "xSliceNotRegistered": Meaning.TRANSIENT,
    "xMaxClonesPerVolumeExceeded": Meaning.TRANSIENT,
    "xMaxClonesPerNodeExceeded": Meaning.TRANSIENT,
    "xMaxSnapshotsPerNodeExceeded": Meaning.TRANSIENT,
    # A timeout inside the cluster: Cinder retries these blindly, which is how duplicates are made.
    "xDBConnectionLoss": Meaning.AMBIGUOUS,
    "xDBOperationTimeout": Meaning.AMBIGUOUS,
    "xDBNoServerResponse": Meaning.AMBIGUOUS,
    "xRecvTimeout": Meaning.AMBIGUOUS,
    "xRpcTimeout": Meaning.AMBIGUOUS,
    "xSnapshotFailed": Meaning.AMBIGUOUS,
    "xInternalError": Meaning.AMBIGUOUS,
    "xVolumeIDDoesNotExist": Meaning.GONE,
    "xVolumeDoesNotExist": Meaning.GONE,
    "xSnapshotIDDoesNotExist": Meaning.GONE,
    "xDBNoSuchPath": Meaning.GONE,
    "xUnknownAccount": Meaning.GONE,
}
"""Names that mean something else than a final no."""


def refusal(method: str, error: Mapping[str, Any]) -> CallError:
    """Translate by the table. The cluster's text is kept out: it may quote parameters."""
    name = str(error.get("name", ""))
    kind = MEANINGS[name].value if name in MEANINGS else RefusedError
    return kind(f"The array refused {method}: {name}.", name=name if _NAME.fullmatch(name) else "another name")
