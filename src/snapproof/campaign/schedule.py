"""Schedules: which workflow meets which faults, as one line of text that survives changes of the code it is about.

`take-secondary/v1 store=nfs seed=0 :: array.CloneVolume#1=lost_after; catalog.commit#3=crash_after`
"""

import re
import shlex
from dataclasses import dataclass, replace

from snapproof.naming import full_name

_TEXT = re.compile(
    r"(?P<workflow>[a-z-]+)/v(?P<version>\d+) store=(?P<store>\w+) seed=(?P<seed>\d+)(?P<still> guest=still)?"
    r"(?P<if_met> faults=if-met)?(?: :: (?P<faults>.+))?",
    re.ASCII,
)
_FAULT = re.compile(r"(?P<call>[\w.-]+#\d+)=(?P<fault>\w+(?::[\w-]+)?)", re.ASCII)


class ScheduleError(ValueError):
    """A line that is no schedule, or one that cannot be played; the message says what could be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One case of a campaign. `faults` are pairs of a call and a fault's word, in the order in which they strike.

    A guest that is `still` writes nothing while the driver works, so that histories can meet in the same state. Faults
    that strike `if_met` are many at once: what the first ones change may keep the driver from the calls of others.
    """

    workflow: str
    version: int = 1
    store: str
    seed: int
    still: bool = False
    if_met: bool = False
    faults: tuple[tuple[str, str], ...] = ()

    def meeting(self, call: str, fault: str) -> "Schedule":
        """The same, and then one more fault."""
        return replace(self, faults=(*self.faults, (call, fault)))

    def __str__(self) -> str:
        options = " guest=still" * self.still + " faults=if-met" * self.if_met
        head = f"{self.workflow}/v{self.version} store={self.store} seed={self.seed}{options}"
        faults = "; ".join(f"{call}={fault}" for call, fault in self.faults)
        return f"{head} :: {faults}" if faults else head


def replay_line(schedule: str, driver: str) -> str:
    """Give the command that plays a schedule again. Who names no driver means the reference."""
    choice = "" if full_name(driver) == full_name("reference") else f"--driver {shlex.quote(driver)} "
    return f"snapproof replay {choice}'{schedule}'"


def read_schedule(text: str) -> Schedule:
    """Read a schedule back from its line. Raises ScheduleError with the form that it should have."""
    found = _TEXT.fullmatch(text.strip())
    parts = [part.strip() for part in (found["faults"] or "").split(";")] if found else []
    faults = [_FAULT.fullmatch(part) for part in parts if part]
    if found is None or None in faults:
        form = Schedule(workflow="take-secondary", store="nfs", seed=0, faults=(("array.CloneVolume#1", "lost_after"),))
        raise ScheduleError(f"{text!r} is no schedule; one reads: {form}")
    return Schedule(
        workflow=found["workflow"],
        version=int(found["version"]),
        store=found["store"],
        seed=int(found["seed"]),
        still=found["still"] is not None,
        if_met=found["if_met"] is not None,
        faults=tuple((fault["call"], fault["fault"]) for fault in faults if fault is not None),
    )
