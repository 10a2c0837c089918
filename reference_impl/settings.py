"""The orchestrator's own settings, with defaults and ranges. Nothing is read from the environment here."""

from dataclasses import dataclass, fields
from pathlib import Path

from snapproof.reference_impl.catalog.engines import USUAL_TERMS, Terms
from snapproof.vocabulary import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Bounds of everything that waits or repeats. Each wait has an end, each repetition a count."""

    attempts_max: int = 5
    """How often an effect is tried in all before the job gives up."""

    backoff_s: float = 1.0
    """How long to wait before the second attempt; doubled for each further one."""

    backup_retries_max: int = 3
    """How often a backup in the background is tried again after its first failure (CloudStack's backup.retry)."""

    backup_retry_interval_s: float = 300.0
    """How long to wait before the first repetition; doubled for each further one (backup.retry.interval)."""

    catalog_url: Secret | None = None
    """Where the catalog is kept, as SQLAlchemy writes it; without one, in a file of the state directory."""

    node: int = USUAL_TERMS.node
    """Which management server this is. After a restart it takes up its own jobs at once, others' when leases end."""

    lease_s: float = USUAL_TERMS.lease_s
    """How long a job stays this server's without a sign of life."""

    stuck_after_s: float = 10_800.0
    """When a snapshot that no job of ours works on counts as stuck. An older release gives up a copy after as long."""

    clone_poll_s: float = 0.5
    clone_timeout_s: float = 3_600.0
    copy_poll_s: float = 1.0
    copy_timeout_s: float = 21_600.0

    def __post_init__(self) -> None:
        """Refuse settings that could never work."""
        if self.attempts_max < 1:
            raise ValueError(f"attempts_max is {self.attempts_max}; at least one attempt is needed.")
        if self.backup_retries_max < 0:
            raise ValueError(f"backup_retries_max is {self.backup_retries_max}; it cannot be below zero.")
        if self.node < 1:
            raise ValueError(f"node is {self.node}; management servers are numbered from 1 on.")
        for name in (field.name for field in fields(self) if field.name.endswith("_s")):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be above zero seconds.")

    @property
    def terms(self) -> Terms:
        """The terms on which this server holds jobs."""
        return Terms(node=self.node, lease_s=self.lease_s)

    def catalog_url_for(self, state_directory: Path) -> str:
        """The URL of the catalog of whoever has this state directory."""
        return self.catalog_url.reveal() if self.catalog_url else f"sqlite:///{state_directory / 'catalog.sqlite'}"
