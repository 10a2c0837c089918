"""The orchestrator's own settings, with defaults and ranges. Nothing is read from the environment here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Bounds of everything that waits or repeats. Each wait has an end, each repetition a count."""

    attempts_max: int = 5
    """How often an effect is tried in all before the job gives up."""

    backoff_s: float = 1.0
    """How long to wait before the second attempt; doubled for each further one."""

    clone_poll_s: float = 0.5
    clone_timeout_s: float = 3_600.0
    copy_poll_s: float = 1.0
    copy_timeout_s: float = 21_600.0

    def __post_init__(self) -> None:
        """Refuse settings that could never work."""
        if self.attempts_max < 1:
            raise ValueError(f"attempts_max is {self.attempts_max}; at least one attempt is needed.")
        for name in ("backoff_s", "clone_poll_s", "clone_timeout_s", "copy_poll_s", "copy_timeout_s"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be above zero seconds.")
