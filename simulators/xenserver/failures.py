"""What xapi answers when it will not do something: a code and its arguments, always strings.

`backend` speaks for the storage manager below xapi, whose numbers are those of xapi-project/sm. No secret enters here.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum


class XapiError(Exception):
    """A refusal in xapi's own dialect: `ErrorDescription` is the code followed by its arguments."""

    def __init__(self, code: str, *arguments: str) -> None:
        super().__init__(f"{code}: {', '.join(arguments)}" if arguments else code)
        self.code = code
        self.description = (code, *arguments)


class Backend(Enum):
    """Refusals of the storage manager: its number and what it means."""

    RESIGNED = (1, "Key without a number: The SR has been successfully resigned. Attach it with type lvmoiscsi")
    IN_USE = (16, "The device of the SR is in use")
    EXISTS = (42, "An SR exists already")
    NO_SPACE = (44, "Insufficient space")
    UNAVAILABLE = (47, "The SR is not available")
    FILE_CREATE = (61, "The directory of the file SR could not be made")
    LOGIN = (68, "iSCSI login failed: check what the array allows this initiator")
    NO_LOCATION = (94, "The parameter location is missing")
    NO_TARGET = (95, "The parameter target is missing")
    NO_TARGET_IQN = (96, "The parameter targetIQN is missing or wrong")
    SCSI_ID = (107, "The parameter SCSIid is missing or wrong")
    METADATA = (181, "The metadata of the SR cannot be read")

    def __init__(self, number: int, meaning: str) -> None:
        self.number = number
        self.meaning = meaning


def backend(kind: Backend, detail: str = "", *, document: str = "") -> XapiError:
    """Speak as the storage manager does: an empty first argument, then the text, then a document if there is one."""
    text = f"{kind.meaning} [opterr={detail}]" if detail else kind.meaning
    return XapiError(f"SR_BACKEND_FAILURE_{kind.number}", "", text, document)


@contextmanager
def io_errors() -> Iterator[None]:
    """Report a failing disk or export as xapi does: VDI_IO_ERROR with what the system said."""
    try:
        yield
    except OSError as error:
        raise XapiError("VDI_IO_ERROR", io_reason(error)) from error


def io_reason(error: OSError) -> str:
    """Say in the system's words what an I/O error was, without the path that it may carry."""
    return os.strerror(error.errno) if error.errno else "Device I/O error"
