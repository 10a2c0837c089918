"""The settings, as one table: name, type, default, range, scope and how a change comes into force.

How they are read from a file and the environment is configuring.py; docs/settings.md is written from this table.
"""

from dataclasses import MISSING, Field, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from snapproof.reference_impl.catalog.engines import USUAL_TERMS, Terms
from snapproof.vocabulary import LocationType, Secret


class Scope(StrEnum):
    """For whom a value holds."""

    SITE = "site"  # every management server is to have the same
    SERVER = "server"  # this management server alone


class Reload(StrEnum):
    """When a changed value comes into force. What is in flight ends as it was begun."""

    AT_ONCE = "at once"
    RESTART = "at the next start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is asked of one setting. `least` and `most` bound a number; `of` is CloudStack's name, if it has one."""

    name: str
    text: str
    least: float | None = None
    most: float | None = None
    scope: Scope = Scope.SITE
    reload: Reload = Reload.AT_ONCE
    of: str | None = None


class SettingError(ValueError):
    """A value that no setting of that name can have; the sentence says what it may be."""


DAY_S = 86_400.0


def _setting(default: Any, name: str, text: str, **rest: Any) -> Any:
    return field(default=default, metadata={"rule": Rule(name=name, text=text, **rest)})


def _seconds(default: float, name: str, text: str, *, most: float = 7 * DAY_S, **rest: Any) -> Any:
    return _setting(default, name, text, least=0.001, most=most, **rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Bounds of everything that waits or repeats, and the operator's switches. Each wait has an end."""

    location_default: LocationType = _setting(  # noqa: RUF009  gives a field
        LocationType.PRIMARY, "snapshot.location.default", "Where a snapshot is kept whose request names no place."
    )
    secondary_enabled: bool = _setting(
        True,
        "snapshot.backup.to.secondary",
        "Whether snapshots may be kept on secondary storage. If not, a request for SECONDARY is refused.",
        of="snapshot.backup.to.secondary",
    )
    copy_timeout_s: float = _seconds(
        21_600.0,
        "snapshot.backup.timeout",
        "How long a host may copy a backup out. No other copy is bound by it.",
        of="primary.storage.download.wait",
    )
    copy_poll_s: float = _seconds(1.0, "snapshot.copy.poll.interval", "How often a host's copy is asked about.")
    restore_timeout_s: float = _seconds(
        10_800.0,
        "snapshot.restore.timeout",
        "How long a host may copy a backup onto a new volume.",
        of="create.volume.from.snapshot.wait",
    )
    clone_poll_s: float = _seconds(0.5, "snapshot.clone.poll.interval", "How often the array is asked about a clone.")
    clone_timeout_s: float = _seconds(3_600.0, "snapshot.clone.poll.timeout", "How long a clone may take in all.")
    clones_per_volume: int = _setting(
        2,
        "snapshot.clone.parallel.volume",
        "How many clones of one volume are made at once; a further one waits. An array refuses more than it takes.",
        least=1,
        most=1_000,
    )
    clones_per_node: int = _setting(
        8,
        "snapshot.clone.parallel.node",
        "How many clones a storage pool makes at once; a further one waits.",
        least=1,
        most=1_000,
    )
    array_calls_per_second: int = _setting(
        200,
        "snapshot.array.calls.per.second",
        "How many calls this server makes to its arrays in any second, after a restart as well.",
        least=1,
        most=100_000,
        scope=Scope.SERVER,
    )
    backup_parallel: int = _setting(
        10,
        "snapshot.backup.parallel",
        "How many backups and restores this server carries out at once; a further one waits for its turn.",
        least=1,
        most=1_000,
        scope=Scope.SERVER,
    )
    backup_bandwidth: int = _setting(
        0,
        "snapshot.backup.bandwidth",
        "Bytes a second that this server itself moves from and to secondary storage; 0 is no bound.",
        least=0,
        most=2**40,
        scope=Scope.SERVER,
    )
    staging_bytes: int = _setting(
        0,
        "snapshot.staging.size",
        "How many bytes images on their way may take in the staging of a store; 0 is no bound. A further one waits.",
        least=0,
        most=2**48,
        scope=Scope.SERVER,
    )
    backup_retries_max: int = _setting(
        3,
        "snapshot.backup.retry",
        "How often a backup in the background is tried again after its first failure.",
        least=0,
        most=100,
        of="backup.retry",
    )
    backup_retry_interval_s: float = _seconds(
        300.0,
        "snapshot.backup.retry.interval",
        "How long to wait before the first repetition; doubled for each further one.",
        of="backup.retry.interval",
    )
    attempts_max: int = _setting(
        5, "snapshot.call.attempts", "How often a call is tried in all before its job gives up.", least=1, most=100
    )
    backoff_s: float = _seconds(
        1.0, "snapshot.call.backoff", "How long to wait before the second attempt; doubled for each further one."
    )
    breaker_failures: int = _setting(
        30,
        "snapshot.breaker.failures",
        "After how many failures in a row, with no success between them, a service is left alone.",
        least=1,
        most=10_000,
        scope=Scope.SERVER,
    )
    breaker_pause_s: float = _seconds(
        300.0, "snapshot.breaker.pause", "How long it is left alone before one call tries it again.", scope=Scope.SERVER
    )
    reconcile_interval_s: float = _seconds(
        3_600.0, "snapshot.reconcile.interval", "How often a running server sweeps up what nobody needs."
    )
    verify_interval_s: float = _seconds(
        DAY_S,
        "snapshot.verify.interval",
        "How often each backup is read again, in part, and held against what was written.",
        most=365 * DAY_S,
    )
    verify_share: int = _setting(
        5,
        "snapshot.verify.share",
        "How many percent of a backup's chunks are read each time, and one at least; 0 reads none of any backup.",
        least=0,
        most=100,
    )
    stuck_after_s: float = _seconds(
        10_800.0,
        "snapshot.stuck.after",
        "When a snapshot that no job of ours works on counts as stuck.",
    )
    sweep_grace_s: float = _seconds(
        DAY_S,
        "snapshot.sweep.grace",
        "How old what carries our owner tag must be before it is swept up; longer than any call can come late.",
        most=365 * DAY_S,
        of="storage.cleanup.delay",
    )
    history_s: float = _seconds(
        90 * DAY_S,
        "snapshot.history",
        "How long records of what is over are kept: ended jobs, removed snapshots, events.",
        most=36_500 * DAY_S,
    )
    catalog_url: Secret | None = _setting(  # noqa: RUF009  gives a field
        None,
        "snapshot.catalog.url",
        "Where the catalog is kept, as SQLAlchemy writes it; without one, in a file of the state directory.",
        reload=Reload.RESTART,
    )
    node: int = _setting(
        USUAL_TERMS.node,
        "snapshot.server.number",
        "Which management server this is. It takes up its own jobs at once, others' when their leases end.",
        least=1,
        most=2**48,
        scope=Scope.SERVER,
        reload=Reload.RESTART,
    )
    lease_s: float = _seconds(
        USUAL_TERMS.lease_s,
        "snapshot.job.lease",
        "How long a job stays its server's without a sign of life.",
        reload=Reload.RESTART,
    )
    certificates_verified: bool = _setting(
        True,
        "security.certificates.verified",
        "Whether array and hosts must show a certificate to trust. Without it, each start is warned of.",
        reload=Reload.RESTART,
    )
    link_local_allowed: bool = _setting(
        False,
        "security.link.local.allowed",
        "Whether an address such as 169.254.0.5 may be an array's, a host's or a store's.",
        reload=Reload.RESTART,
    )

    def __post_init__(self) -> None:
        """Refuse what could never work. Raises SettingError."""
        for each in fields(self):
            require_range(rule_of(each), getattr(self, each.name))

    @property
    def terms(self) -> Terms:
        """The terms on which this server holds jobs."""
        return Terms(node=self.node, lease_s=self.lease_s)

    def catalog_url_for(self, state_directory: Path) -> str:
        """The URL of the catalog of whoever has this state directory."""
        return self.catalog_url.reveal() if self.catalog_url else f"sqlite:///{state_directory / 'catalog.sqlite'}"


def rule_of(each: Field[Any]) -> Rule:
    """The rule of one setting."""
    rule: Rule = each.metadata["rule"]
    return rule


def require_range(rule: Rule, value: object) -> None:
    """Refuse a number out of its range, and what is no number at all. Raises SettingError."""
    if rule.least is None or rule.most is None or not isinstance(value, int | float):
        return
    if not rule.least <= value <= rule.most:
        raise SettingError(f"{rule.name} is {value}; it must be from {rule.least:g} to {rule.most:g}.")


def table() -> tuple[tuple[Field[Any], Rule], ...]:
    """Every setting with its rule, in the order of the table."""
    found = tuple((each, rule_of(each)) for each in fields(Settings))
    assert all(each.default is not MISSING for each, _ in found), "Every setting has a default."
    return found


class LiveSettings:
    """The settings in force. Whoever keeps this and asks it when it needs a value follows every change."""

    def __init__(self, settings: Settings) -> None:
        self._now = settings

    def __call__(self) -> Settings:
        """The settings in force at this moment, all of one change."""
        return self._now

    def change(self, wanted: Settings) -> tuple[str, ...]:
        """Let others be in force. Give the names of those that wait for the next start, and stay as they are."""
        waiting = [
            (each, rule)
            for each, rule in table()
            if rule.reload is Reload.RESTART and getattr(wanted, each.name) != getattr(self._now, each.name)
        ]
        kept = {each.name: getattr(self._now, each.name) for each, _ in waiting}
        self._now = Settings(**{each.name: getattr(wanted, each.name) for each in fields(Settings)} | kept)
        return tuple(rule.name for _, rule in waiting)
