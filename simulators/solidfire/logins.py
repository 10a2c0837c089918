"""Cluster administrators: what the API shows of them, and their passwords, which nothing shows.

What each may do is in rights.py; how they are added and changed in methods/administrators.py.
"""

from typing import Any

import msgspec

from snapproof.simulators.solidfire.records import wire_name

ADMINISTRATOR = "administrator"
"""The right that holds every other."""


class AdministratorRow(msgspec.Struct, kw_only=True, rename=wire_name, frozen=True, gc=False):
    """An administrator as ListClusterAdmins shows it."""

    access: tuple[str, ...]
    attributes: dict[str, Any]
    auth_method: str = "Cluster"
    cluster_admin_id: int
    username: str


class Administrator(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """Somebody who may log in. It never changes: a new password makes a new one, so that what is cached goes stale."""

    row: AdministratorRow
    password: str

    def __repr__(self) -> str:
        return f"Administrator(cluster_admin_id={self.row.cluster_admin_id}, username={self.row.username!r})"
