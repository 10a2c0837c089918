"""Accounts as both ports speak of them: who owns things, in which domain, in which role, within which limits.

What a role may do is each driver's business; the reference's table is in its core.
"""

from dataclasses import dataclass
from enum import StrEnum

from snapproof.vocabulary import AccountId

ROOT_DOMAIN = "/"


class Role(StrEnum):
    """The kinds of users. A project is an account without a person: it owns what its members make for it."""

    ROOT_ADMIN = "root-admin"
    DOMAIN_ADMIN = "domain-admin"
    USER = "user"
    SUPPORT = "support"
    VENDOR = "vendor"
    PROJECT = "project"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much an account may have at once; None is as much as it likes. Bytes are counted where they are kept."""

    snapshots: int | None = None
    primary_storage_bytes: int | None = None
    secondary_storage_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account. `domain` is a path from the root, as in `/sales/north/`; `members` are those of a project."""

    name: AccountId
    domain: str = ROOT_DOMAIN
    role: Role = Role.USER
    enabled: bool = True
    members: tuple[AccountId, ...] = ()
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        """Refuse what is no account at all."""
        if not self.name or not self.domain.startswith("/") or not self.domain.endswith("/"):
            raise ValueError(f"{self.name!r} in {self.domain!r} is no account: name it, and a domain such as /sales/.")
        if any(part in {".", ".."} for part in self.domain.split("/")) or "//" in self.domain:
            raise ValueError(
                f"{self.domain!r} is no path of domains; write names between slashes, as in /sales/north/."
            )
        if self.members and self.role is not Role.PROJECT:
            raise ValueError(f"Account {self.name} is no project, and only projects have members.")
