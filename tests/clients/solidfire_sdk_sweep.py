"""Runs inside the SDK's own environment: makes every call that the SDK has, once, and prints what came of each as JSON.

Arguments: host:port of the cluster, of its node, user, password. Standard input: a JSON object, for each method of the
API its door and the parameters to give. It knows nothing of the simulator.
"""

import inspect
import json
import re
import sys
import traceback
from collections.abc import Callable
from typing import Any

from solidfire import Element  # type: ignore[import-not-found]  # only there
from solidfire.common import ApiServerError  # type: ignore[import-not-found]  # only there
from solidfire.custom.models import TimeIntervalFrequency  # type: ignore[import-not-found]  # only there
from solidfire.factory import ElementFactory  # type: ignore[import-not-found]  # only there
from solidfire.models import Schedule, ScheduleInfo  # type: ignore[import-not-found]  # only there

SENT = re.compile(r"send_request\(\s*'(\w+)'")
NAMED = re.compile(r'(?:"(\w+)": |params\["(\w+)"\] = )(\w+)')


def calls() -> dict[str, Callable[..., Any]]:
    """Find what the SDK offers, by the names of its own methods."""
    own = inspect.getmembers(Element, inspect.isfunction)
    return {name: function for name, function in own if "ServiceBase" not in function.__qualname__ and name[0] != "_"}


def by_its_own_names(function: Callable[..., Any], params: dict[str, Any]) -> dict[str, Any]:
    """Give parameters of the API the names that the SDK's method has for them."""
    names = {found[0] or found[1]: found[2] for found in NAMED.findall(inspect.getsource(function))}
    return {names[name]: value for name, value in params.items() if name in names}


def schedule(**members: Any) -> Schedule:
    """Make the object that the SDK takes apart itself."""
    what = ScheduleInfo(volume_ids=[1], snapshot_name="nightly", retention="24:00:00")
    when = TimeIntervalFrequency(days=1, hours=0, minutes=0)
    return Schedule(name="nightly", schedule_info=what, frequency=when, **members)


OF_ITS_OWN: dict[str, dict[str, Any]] = {
    "create_schedule": {"schedule": schedule()},
    "modify_schedule": {"schedule": schedule(schedule_id=1)},
    "get_schedule": {"schedule_id": 1},
    "list_schedules": {},
    "get_node_stats": {"node_id": 1},
    "invoke_sfapi": {"method": "GetAPI", "parameters": {}},
}
"""What the SDK rearranges before it sends it."""


def outcome(call: Callable[..., Any], arguments: dict[str, Any]) -> str:
    """Make one call; answer `ok`, the name of the cluster's error, or how the client itself crashed."""
    try:
        repr(call(**arguments))
    except ApiServerError as error:
        return str(error.error_name)
    except Exception:  # noqa: BLE001  whatever the client dies of is what we want to know
        return "crash: " + traceback.format_exc()[-600:]
    return "ok"


def main(cluster: str, node: str, username: str, password: str) -> None:
    """Make the calls and tell."""
    doors = {
        door: ElementFactory.create(target, username, password, print_ascii_art=False)
        for door, target in (("cluster", cluster), ("node", node))
    }
    wanted: dict[str, Any] = json.load(sys.stdin)
    told = {}
    for name, function in calls().items():
        sent = SENT.search(inspect.getsource(function))
        rpc = wanted.get(sent[1] if sent else "", {"door": "cluster", "params": {}})
        arguments = OF_ITS_OWN[name] if name in OF_ITS_OWN else by_its_own_names(function, rpc["params"])
        told[name] = outcome(getattr(doors[rpc["door"]], name), arguments)
    print(json.dumps(told))  # noqa: T201  standard output is how it is told


if __name__ == "__main__":
    main(*sys.argv[1:])
