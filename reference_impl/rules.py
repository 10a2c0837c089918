"""The three tables that make the orchestrator what it is. What is done by them is in running.py."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from snapproof.reference_impl.core.effects import Effect
from snapproof.reference_impl.core.orders import Order
from snapproof.reference_impl.core.plans import Plan, plan_for
from snapproof.reference_impl.performing import PERFORMERS, Performer
from snapproof.reference_impl.recording import RECORDERS
from snapproof.reference_impl.recording.recorder import Recorder


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The three tables that make the orchestrator what it is. A variant of the zoo replaces entries of one of them."""

    plan: Callable[[Order], Plan] = plan_for
    performers: Mapping[type[Effect], Performer] = field(default_factory=lambda: PERFORMERS)
    recorders: Mapping[type[Order], Recorder] = field(default_factory=lambda: RECORDERS)
