"""A CSI controller of its own making, for tests: gRPC on CSI_ENDPOINT, the array behind it by the example driver.

With `--careless` it forgets what it has taken when it is asked again, as drivers in the field do.
"""

import os
import runpy
import sys
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

from snapproof.drivers.csi.messages import Messages

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "drivers" / "python" / "driver.py"
CODES = {"invalid-request": "INVALID_ARGUMENT", "not-found": "NOT_FOUND", "backend": "INTERNAL"}
CAPABILITIES = (1, 5)


class Controller:
    """Identity and controller services. Its memory is the array's names."""

    def __init__(self, *, careless: bool) -> None:
        self.example = runpy.run_path(str(EXAMPLE))
        self.careless = careless
        self.folder = tempfile.mkdtemp(prefix="snapproof-csi-server-")

    def array(self, secrets: Mapping[str, str]) -> Any:
        """Reach the array that the caller's secrets name."""
        site = {"array": dict(secrets), "state_directory": self.folder, "hypervisor_type": "XenServer"}
        driver = self.example["Driver"](site)
        if self.careless:
            driver.insist = lambda act, _found=None: act()
        return driver

    def get_plugin_info(self, _asked: Any) -> Mapping[str, Any]:
        return {"name": "csi.mini.example", "vendor_version": "0.3"}

    def controller_get_capabilities(self, _asked: Any) -> Mapping[str, Any]:
        return {"capabilities": [{"rpc": {"type": number}} for number in CAPABILITIES]}

    def create_volume(self, asked: Any) -> Mapping[str, Any]:
        array, name = self.array(asked.secrets), asked.name
        size = asked.capacity_range.required_bytes
        source = asked.volume_content_source.snapshot.snapshot_id
        found = array.lun(name)
        if found is None and source:
            self.clone(array, asked, source)
        elif found is None:
            wanted = {"name": name, "accountID": array.account(), "totalSize": size, "enable512e": True}
            qos = {key: int(asked.parameters[key]) for key in ("min_iops", "max_iops", "burst_iops")}
            limits = {"minIOPS": qos["min_iops"], "maxIOPS": qos["max_iops"], "burstIOPS": qos["burst_iops"]}
            array.insist(lambda: array.call("CreateVolume", **wanted, qos=limits), lambda: array.lun(name))
        rows = array.call("ListVolumes", volumeName=name, volumeStatus="active")["volumes"]
        context = {"iqn": rows[0]["iqn"], "portal": asked.parameters["array_portal"]}
        return {"volume": {"capacity_bytes": size, "volume_id": str(rows[0]["volumeID"]), "volume_context": context}}

    def clone(self, array: Any, asked: Any, snapshot: str) -> None:
        """Make a volume of a snapshot, and wait until it is one."""
        volume, number = snapshot.split("/")
        wanted = {"volumeID": int(volume), "snapshotID": int(number), "name": asked.name}
        handle = array.call("CloneVolume", **wanted)["asyncHandle"]
        while array.call("GetAsyncResult", asyncHandle=handle)["status"] != "complete":
            pass

    def delete_volume(self, asked: Any) -> Mapping[str, Any]:
        self.array(asked.secrets).end("DeleteVolume", volumeID=int(asked.volume_id))
        return {}

    def create_snapshot(self, asked: Any) -> Mapping[str, Any]:
        array, lun, name = self.array(asked.secrets), int(asked.source_volume_id), asked.name
        found = None if self.careless else array.insist(lambda: array.copy(lun, name))
        make = array.call
        made = found or array.insist(
            lambda: make("CreateSnapshot", volumeID=lun, name=name)["snapshot"], lambda: array.copy(lun, name)
        )
        array.check(made, lun, name)
        identity = f"{lun}/{made['snapshotID']}"
        shown = {"snapshot_id": identity, "source_volume_id": asked.source_volume_id, "ready_to_use": True}
        return {"snapshot": {"size_bytes": made["totalSize"], **shown}}

    def delete_snapshot(self, asked: Any) -> Mapping[str, Any]:
        number = int(asked.snapshot_id.split("/")[1])
        self.array(asked.secrets).end("DeleteSnapshot", snapshotID=number)
        return {}


def served(controller: Controller, method: str, answer: Callable[[Any], Mapping[str, Any]]) -> Any:
    """Make a method's handler: bytes in, bytes out, refusals as a status."""
    messages = Messages()

    def handle_call(body: bytes, context: Any) -> bytes:
        asked = messages.read(f"{method}Request", body)
        said: Mapping[str, Any] = {}
        try:
            said = answer(asked)
        except controller.example["Problem"] as problem:
            context.abort(getattr(grpc.StatusCode, CODES.get(problem.args[0], "UNAVAILABLE")), problem.args[1])
        except controller.example["Refused"] as refused:
            context.abort(grpc.StatusCode.INTERNAL, str(refused))
        except controller.example["Unanswered"] as unanswered:
            context.abort(grpc.StatusCode.UNAVAILABLE, str(unanswered))
        return messages.written(f"{method}Response", said)

    return grpc.unary_unary_rpc_method_handler(handle_call)


def main() -> None:
    """Serve until somebody ends it."""
    controller = Controller(careless="--careless" in sys.argv)
    server = grpc.server(ThreadPoolExecutor(2))
    services: dict[str, dict[str, Callable[[Any], Mapping[str, Any]]]] = {
        "Identity": {"GetPluginInfo": controller.get_plugin_info},
        "Controller": {
            "ControllerGetCapabilities": controller.controller_get_capabilities,
            "CreateVolume": controller.create_volume,
            "DeleteVolume": controller.delete_volume,
            "CreateSnapshot": controller.create_snapshot,
            "DeleteSnapshot": controller.delete_snapshot,
        },
    }
    for service, methods in services.items():
        handlers = {name: served(controller, name, answer) for name, answer in methods.items()}
        generic = grpc.method_handlers_generic_handler(f"csi.v1.{service}", handlers)
        server.add_generic_rpc_handlers((generic,))
    server.add_insecure_port(os.environ["CSI_ENDPOINT"].replace("unix://", "unix:"))
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
