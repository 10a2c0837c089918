"""A driver as somebody else might write it in an afternoon: the standard library, ten verbs, the array and no more.

It keeps everything in memory and survives nothing; what it cannot do it does not declare.
"""

import base64
import http.server
import json
import ssl
import urllib.request
from typing import Any

DESCRIPTION = {"name": "small", "version": "0.1", "capabilities": ["snapshot-primary", "revert", "accounting"]}
LUN_BYTES_MIN = 1_000_000_000


class Refused(Exception):  # noqa: N818  as its author called it
    """An answer that is a problem."""


class Small:
    """One life."""

    def __init__(self, site: dict[str, Any]) -> None:
        self.array = site["array"]
        self.trust = ssl.create_default_context(cadata=self.array["ca_pem"])
        self.volumes: dict[str, dict[str, Any]] = {}
        self.snapshots: dict[str, dict[str, Any]] = {}

    def call(self, method: str, **params: Any) -> Any:
        login = base64.b64encode(f"{self.array['username']}:{self.array['password']}".encode()).decode()
        body = json.dumps({"method": method, "params": params, "id": 1}).encode()
        request = urllib.request.Request(  # noqa: S310  the suite's own address
            self.array["url"] + "/json-rpc/9.0", body, {"authorization": f"Basic {login}"}
        )
        try:
            with urllib.request.urlopen(request, context=self.trust, timeout=30) as answer:  # noqa: S310  as above
                result = json.load(answer)
        except OSError as error:
            raise Refused("unavailable", 503, "The array does not answer.") from error
        if "error" in result:
            raise Refused("backend", 502, result["error"]["name"])
        return result["result"]

    def create_volume(self, request: dict[str, Any]) -> dict[str, Any]:
        size = max(LUN_BYTES_MIN, request["size_bytes"] * 11 // 10)
        account = self.call("AddAccount", username=f"{request['account']}-{len(self.volumes)}")["accountID"]
        made = self.call("CreateVolume", name="small", accountID=account, totalSize=size, enable512e=True)
        (row,) = self.call("ListVolumes", volumeIDs=[made["volumeID"]])["volumes"]
        shown = {name: request[name] for name in ("account", "name", "size_bytes", "qos")}
        volume = {"id": str(row["volumeID"]), "target": row["iqn"], **shown}
        self.volumes[volume["id"]] = volume
        return volume

    def list_volumes(self, **_filter: Any) -> list[dict[str, Any]]:
        return list(self.volumes.values())

    def delete_volume(self, volume: str, **_operation: Any) -> None:
        self.call("DeleteVolume", volumeID=int(volume))
        del self.volumes[volume]

    def take_snapshot(self, request: dict[str, Any]) -> dict[str, Any]:
        volume = self.volumes[request["volume"]]
        number = self.call("CreateSnapshot", volumeID=int(volume["id"]), name="small")["snapshotID"]
        copy = {"location": "PRIMARY", "reference": f"SfSnapshotId={number}", "physical_size_bytes": 1}
        about = {"account": volume["account"], "volume": volume["id"], "size_bytes": volume["size_bytes"]}
        state = {"location": "PRIMARY", "state": "BackedUp", "copies": [copy]}
        self.snapshots[str(number)] = {"id": str(number), "name": request["name"], **about, **state}
        return self.snapshots[str(number)]

    def list_snapshots(self, **_filter: Any) -> list[dict[str, Any]]:
        return list(self.snapshots.values())

    def delete_snapshot(self, snapshot: str, **_operation: Any) -> None:
        self.call("DeleteSnapshot", snapshotID=int(snapshot))
        del self.snapshots[snapshot]

    def revert_volume(self, snapshot: str, **_operation: Any) -> dict[str, Any]:
        volume = self.snapshots[snapshot]["volume"]
        self.call("RollbackToSnapshot", volumeID=int(volume), snapshotID=int(snapshot), saveCurrentState=False)
        return self.volumes[volume]

    def resource_counts(self, account: str) -> dict[str, int]:
        own = [row for row in self.snapshots.values() if row["account"] == account]
        return {"snapshots": len(own), "secondary_storage_bytes": 0}

    def describe(self) -> dict[str, Any]:
        return DESCRIPTION

    def close(self) -> None:
        """Let go of nothing."""


class Door(http.server.BaseHTTPRequestHandler):
    """POSTs, one verb each."""

    life: Small | None = None

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])) or b"{}")
        verb = self.path.removeprefix("/v1/").replace("-", "_")
        if verb == "begin":
            Door.life = Small(asked)
            self.say(204, None)
            return
        try:
            self.say(200, getattr(self.life, verb)(**asked))
        except Refused as refused:
            kind, status, detail = refused.args
            problem = {"type": f"urn:snapproof:problem:{kind}", "status": status, "detail": detail}
            self.say(status, problem, "application/problem+json")

    def say(self, status: int, thing: Any, kind: str = "application/json") -> None:
        body = b"" if status == 204 else json.dumps(thing).encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the library's own name
        """Say nothing."""


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
    print(json.dumps({"ready": f"http://127.0.0.1:{server.server_port}", "contract": "1.0"}), flush=True)  # noqa: T201  as the contract says
    server.serve_forever()
