"""Who may call what: rights, the pages of methods that each covers, and the methods that differ from their page.

Whoever has one of a method's rights may call it. The words are the API's; which method belongs to which right is a
guess wherever no client depends on it, and stands here alone.
"""

from collections.abc import Mapping
from functools import cache

from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.logins import ADMINISTRATOR, AdministratorRow
from snapproof.simulators.solidfire.surface.pages import pages

READ, WRITE = "read", "write"

RIGHTS = (
    "accounts",
    ADMINISTRATOR,
    "clusterAdmins",
    "drives",
    "nodes",
    READ,
    "reporting",
    "repositories",
    "volumes",
    WRITE,
)
"""The words of `access`. `repositories` is a right of old clusters; no method of these versions asks for it."""

OF_PAGES: Mapping[str, str] = {
    "access_groups": "volumes",
    "accounts": "accounts",
    "administrators": "clusterAdmins",
    "bulk_volumes": "volumes",
    "clones": "volumes",
    "drives": "drives",
    "events": "reporting",
    "initiators": "volumes",
    "nodes": "nodes",
    "pairing": "volumes",
    "qos": "volumes",
    "schedules": "volumes",
    "snapmirror": "volumes",
    "snapshots": "volumes",
    "statistics": "reporting",
    "virtual_volumes": "volumes",
    "volumes": "volumes",
}
"""The right that covers a page of methods. Pages that are not here need `administrator`, or `read` to look."""

NOT_BY_WRITE = frozenset({"administrators", "keys"})
"""Pages that the right to write anything does not open: it would be the right to be anybody."""

FOR_EVERYBODY = frozenset({"GetAPI", "GetCurrentClusterAdmin", "GetLoginBanner", "GetLoginSessionInfo"})
"""What any administrator may ask, whatever the rights."""

ALSO: Mapping[str, frozenset[str]] = {
    "GetAsyncResult": frozenset({"volumes", "drives", "reporting"}),
    "GetClusterInfo": frozenset({"reporting", "volumes", "nodes"}),
    "GetClusterCapacity": frozenset({"reporting", "volumes"}),
    "GetClusterVersionInfo": frozenset({"reporting", "volumes", "nodes"}),
    "GetLimits": frozenset({"reporting", "volumes", "accounts"}),
    "ListAsyncResults": frozenset({"volumes", "drives", "reporting"}),
}
"""Further rights that are enough for a method."""


@cache
def needed(method: str) -> frozenset[str]:
    """Every right of which one is enough to call the method."""
    page = next((name for name, page in pages().items() if method in page.methods), "")
    looks = method.startswith(("Get", "List"))
    rights = {ADMINISTRATOR, READ} if looks else {ADMINISTRATOR}
    if not looks and page not in NOT_BY_WRITE:
        rights.add(WRITE)
    if page in OF_PAGES:
        rights.add(OF_PAGES[page])
    return frozenset(rights) | ALSO.get(method, frozenset())


def check(caller: AdministratorRow, method: str) -> None:
    """Raise ElementError (xPermissionDenied) unless the caller may call the method."""
    if method in FOR_EVERYBODY or not needed(method).isdisjoint(caller.access):
        return
    raise ElementError("xPermissionDenied")
