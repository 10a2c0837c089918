"""What xapi answers when it will not do something: a code and its arguments, always strings.

`backend` speaks for the storage manager below xapi, whose numbers are those of xapi-project/sm. No secret enters here.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

CODES = frozenset(
    """
    CANNOT_CONTACT_HOST CANNOT_CREATE_STATE_FILE DB_UNIQUENESS_CONSTRAINT_VIOLATION DEVICE_ALREADY_ATTACHED
    DEVICE_ALREADY_DETACHED DEVICE_ALREADY_EXISTS DEVICE_DETACH_REJECTED DEVICE_DETACH_TIMEOUT DEVICE_NOT_ATTACHED
    FIELD_TYPE_ERROR HANDLE_INVALID HOST_CANNOT_ATTACH_NETWORK HOST_CANNOT_SEE_SR HOST_DISABLED HOST_IS_SLAVE
    HOST_NOT_ENOUGH_FREE_MEMORY HOST_NOT_LIVE HOST_OFFLINE HOST_STILL_BOOTING HOST_UNKNOWN_TO_MASTER INTERNAL_ERROR
    INVALID_DEVICE INVALID_VALUE LICENCE_RESTRICTION MAP_DUPLICATE_KEY MESSAGE_METHOD_UNKNOWN
    MESSAGE_PARAMETER_COUNT_MISMATCH NOT_ALLOWED_ON_OEM_EDITION NOT_IMPLEMENTED OPERATION_NOT_ALLOWED
    OPERATION_PARTIALLY_FAILED OTHER_OPERATION_IN_PROGRESS PBD_EXISTS PERMISSION_DENIED RBAC_PERMISSION_DENIED
    EVENT_FROM_TOKEN_PARSE_FAILURE EVENT_SUBSCRIPTION_PARSE_FAILURE HOST_IS_MASTER MESSAGE_REMOVED
    SESSION_AUTHENTICATION_FAILED SESSION_INVALID SESSION_NOT_REGISTERED SR_ATTACH_FAILED SR_BACKEND_FAILURE
    SR_DEVICE_IN_USE SR_FULL SR_HAS_MULTIPLE_PBDS SR_HAS_NO_PBDS SR_HAS_PBD SR_NOT_ATTACHED SR_NOT_EMPTY
    SR_NOT_SHARABLE SR_OPERATION_NOT_SUPPORTED SR_REQUIRES_UPGRADE SR_UNKNOWN_DRIVER SR_UUID_EXISTS
    SR_VDI_LOCKING_FAILED SYSTEM_STATUS_RETRIEVAL_FAILED TASK_CANCELLED TOO_BUSY TOO_MANY_PENDING_TASKS
    UNKNOWN_XENAPI_PLUGIN_FUNCTION UUID_INVALID VALUE_NOT_SUPPORTED VBD_IS_EMPTY VBD_NOT_EMPTY VDI_COPY_FAILED
    VDI_HAS_RRDS VDI_INCOMPATIBLE_TYPE VDI_IN_USE VDI_IO_ERROR VDI_LOCATION_MISSING VDI_MISSING VDI_NOT_AVAILABLE
    VDI_NOT_IN_MAP VDI_NOT_MANAGED VDI_READONLY VDI_TOO_SMALL VM_BAD_POWER_STATE VM_IS_NOT_SNAPSHOT
    VM_IS_SNAPSHOT VM_MISSING_PV_DRIVERS VM_REVERT_FAILED VM_SNAPSHOT_WITH_QUIESCE_FAILED
    VM_SNAPSHOT_WITH_QUIESCE_NOT_SUPPORTED VBD_NOT_REMOVABLE_MEDIA
    XENAPI_MISSING_PLUGIN XENAPI_PLUGIN_FAILURE
    """.split()  # noqa: SIM905  a page of names, not of quotes
)
"""The codes of xapi that clients of storage may meet: what is raised here, and what only a fault can show."""


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
