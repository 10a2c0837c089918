"""Task management: tasks that are aborted, and logical units that are reset; the register of all logical units."""

from enum import IntEnum

from snapproof.simulators.iscsi.gathering import Gathering
from snapproof.simulators.iscsi.sense import Sense
from snapproof.simulators.iscsi.units import LogicalUnit


class Function(IntEnum):
    """What an initiator may ask for."""

    ABORT_TASK = 1
    ABORT_TASK_SET = 2
    CLEAR_ACA = 3
    CLEAR_TASK_SET = 4
    LUN_RESET = 5
    WARM_RESET = 6
    COLD_RESET = 7


class Outcome(IntEnum):
    """What became of it."""

    COMPLETE = 0
    NO_SUCH_TASK = 1
    NO_SUCH_LUN = 2
    NOT_SUPPORTED = 5


class LogicalUnits:
    """The logical units that anybody asked about, by target and number."""

    def __init__(self) -> None:
        self._units: dict[tuple[str, int], LogicalUnit] = {}

    def of(self, target: str, number: int) -> LogicalUnit:
        """Find a unit; the first who asks makes it."""
        return self._units.setdefault((target, number), LogicalUnit())

    def of_target(self, target: str) -> list[LogicalUnit]:
        """Every unit of a target that was asked about."""
        return [unit for (owner, _), unit in list(self._units.items()) if owner == target]

    def tidy(self) -> None:
        """Forget the units that nobody uses and nobody left a mark on."""
        for place, unit in list(self._units.items()):
            if unit.forgettable:
                self._units.pop(place, None)


def manage(
    function: int,
    number: int,
    task: int,
    *,
    units: LogicalUnits,
    gathering: dict[int, Gathering],
    known: bool,
    nexus: str,
    target: str,
) -> Outcome:
    """Perform a task management function. Commands are performed as they come, so only writes can be aborted."""
    if function == Function.ABORT_TASK:
        return Outcome.NO_SUCH_TASK if gathering.pop(task, None) is None else Outcome.COMPLETE
    if function in {Function.WARM_RESET, Function.COLD_RESET}:
        gathering.clear()
        for unit in units.of_target(target):
            unit.reset(Sense.BUS_RESET, by=nexus)
        return Outcome.COMPLETE
    if function not in {Function.ABORT_TASK_SET, Function.CLEAR_TASK_SET, Function.LUN_RESET}:
        return Outcome.NOT_SUPPORTED
    if not known:
        return Outcome.NO_SUCH_LUN
    gathering.clear()
    if function == Function.LUN_RESET:
        units.of(target, number).reset(Sense.DEVICE_RESET, by=nexus)
    return Outcome.COMPLETE
