"""An example driver over the contract in docs/driver-contract.md: the standard library, snapshots on an Element array.

Run it with `snapproof run --driver 'cmd:python3 driver.py'`. Its siblings in Go, Java and Node.js do the same calls in
the same order under the same names. It keeps its records in one file of its state directory, beside the array's own.
"""

import base64
import hashlib
import http.server
import json
import random
import ssl
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

DESCRIPTION = {"name": "example-python", "version": "1.0", "capabilities": ["snapshot-primary", "accounting"]}
KINDS = {"invalid-request": 400, "not-found": 404, "not-supported": 501, "backend": 502, "unavailable": 503}
PASSING = {"xDBVersionMismatch", "xNotPrimary", "xNotReadyForIO", "xSliceNotRegistered"}
GONE = {"xSnapshotIDDoesNotExist", "xVolumeIDDoesNotExist", "xVolumeDoesNotExist"}
PLACES = {"primary": "PRIMARY", "secondary": "SECONDARY"}
TRIES_MAX = 5
NAME_CHARACTERS_MAX = 255
LUN_BYTES_MIN = 1_000_000_000
METADATA_BYTES = 8 * 2**20  # hosts keep their own beside the disk


class Problem(Exception):  # noqa: N818  as the contract calls it
    """A refusal: one of KINDS, and a sentence."""


class Refused(Exception):  # noqa: N818  it is an answer
    """The array said no; the argument is the name of its error."""


class Unanswered(Exception):  # noqa: N818  it is no answer
    """Nobody knows whether the array did it."""


class Driver:
    """One life, at one site."""

    def __init__(self, site: dict[str, Any]) -> None:
        self.site, self.array = site, site["array"]
        self.trust = ssl.create_default_context(cadata=self.array["ca_pem"])
        self.records = Path(site["state_directory"], "records.json")
        kept = json.loads(self.records.read_text()) if self.records.exists() else {"volumes": {}, "snapshots": {}}
        self.volumes: dict[str, dict[str, Any]] = kept["volumes"]
        self.snapshots: dict[str, dict[str, Any]] = kept["snapshots"]

    def keep(self) -> None:
        """Write the records down, all or nothing."""
        fresh = self.records.with_suffix(".new")
        fresh.write_text(json.dumps({"volumes": self.volumes, "snapshots": self.snapshots}))
        fresh.replace(self.records)

    def call(self, method: str, **params: Any) -> Any:
        """Ask the array once. Raises Refused or Unanswered."""
        if not self.array["url"].startswith("https:"):
            raise Problem("unavailable", "The array shows no certificate, so it is not told the password.")
        login = base64.b64encode(f"{self.array['username']}:{self.array['password']}".encode()).decode()
        headers = {"authorization": f"Basic {login}", "content-type": "application/json-rpc"}
        body = json.dumps({"method": method, "params": params, "id": 1}).encode()
        request = urllib.request.Request(self.array["url"] + "/json-rpc/9.0", body, headers)
        try:
            with urllib.request.urlopen(request, context=self.trust, timeout=30) as answered:
                answer = json.load(answered)
        except (OSError, ValueError) as error:
            raise Unanswered(f"The array gave no answer to {method}.") from error
        if "error" in answer:
            raise Refused(answer["error"]["name"])
        return answer["result"]

    def insist(self, act: Callable[[], Any], found: Callable[[], Any] = lambda: None) -> Any:
        """Act, and again while that may help; but look first whether an earlier try has worked after all."""
        for tries in range(1, TRIES_MAX + 1):
            try:
                return (tries > 1 and found()) or act()
            except (Refused, Unanswered) as error:
                passing = isinstance(error, Unanswered) or error.args[0] in PASSING
                if not passing or tries == TRIES_MAX:
                    raise Problem("backend", str(error)) from error
                threading.Event().wait(0.015 * 2**tries * random.uniform(1.0, 1.4))
        raise AssertionError("The last try returns or raises.")

    def end(self, method: str, **params: Any) -> None:
        """Delete something; what is gone already is no error."""
        try:
            self.insist(lambda: self.call(method, **params))
        except Problem as problem:
            if problem.args[1] not in GONE:
                raise

    def account(self) -> Any:
        """Find or make the array's account that owns our volumes."""
        rows = self.insist(lambda: self.call("ListAccounts"))["accounts"]
        ours = [row["accountID"] for row in rows if row["username"] == "example"]
        return ours[0] if ours else self.call("AddAccount", username="example")["accountID"]

    def create_volume(self, request: dict[str, Any]) -> dict[str, Any]:
        if request.get("from_snapshot") or request.get("from_template"):
            raise Problem("not-supported", "This driver makes empty volumes only.")
        identity = identity_of("volume", request["operation"])
        if identity not in self.volumes:
            account, size = self.account(), max(LUN_BYTES_MIN, request["size_bytes"] + METADATA_BYTES)
            qos = request["qos"]
            limits = {"minIOPS": qos["min_iops"], "maxIOPS": qos["max_iops"], "burstIOPS": qos["burst_iops"]}
            wanted = {"name": identity, "accountID": account, "totalSize": size, "enable512e": True, "qos": limits}
            made = self.insist(lambda: self.call("CreateVolume", **wanted)["volumeID"], lambda: self.lun(identity))
            (row,) = self.insist(lambda: self.call("ListVolumes", volumeIDs=[made]))["volumes"]
            shown = {name: request[name] for name in ("account", "name", "size_bytes", "qos")}
            self.volumes[identity] = {"id": identity, "target": row["iqn"], "lun": made, **shown}
            self.keep()
        return self.volumes[identity]

    def lun(self, name: str) -> int | None:
        """Find the array's volume of this name."""
        rows = self.call("ListVolumes", volumeName=name, volumeStatus="active")["volumes"]
        return rows[0]["volumeID"] if rows else None

    def list_volumes(self, account: str | None = None) -> list[dict[str, Any]]:
        return [row for row in self.volumes.values() if account in {None, row["account"]}]

    def delete_volume(self, operation: str, volume: str) -> None:
        self.end("DeleteVolume", volumeID=known(self.volumes, volume)["lun"])
        del self.volumes[volume]
        self.keep()

    def take_snapshot(self, request: dict[str, Any]) -> dict[str, Any]:
        identity = identity_of("snapshot", request["operation"])
        if identity not in self.snapshots:
            row = self.snapshots[identity] = self.begun(identity, request)
            self.keep()
            lun = self.volumes[row["volume"]]["lun"]
            try:
                wanted = {"volumeID": lun, "name": identity}
                act = lambda: self.call("CreateSnapshot", **wanted)["snapshot"]  # noqa: E731  beside its look-up
                made = self.insist(act, lambda: self.copy(lun, identity))
                self.check(made, lun, identity)
                reference = f"SfSnapshotId={made['snapshotID']}"
                copy = {"location": "PRIMARY", "reference": reference, "physical_size_bytes": row["size_bytes"]}
                row |= {"copies": [copy], "state": "BackedUp"}
            except Problem:
                if stray := self.insist(lambda: self.copy(lun, identity)):
                    self.end("DeleteSnapshot", snapshotID=stray["snapshotID"])
                raise
            finally:
                self.keep()
        return self.snapshots[identity]

    def begun(self, identity: str, request: dict[str, Any]) -> dict[str, Any]:
        """Refuse what cannot be done before anything is begun; else write down what is meant."""
        written = request.get("location")
        location = PLACES.get("primary" if written is None else written.strip().lower())
        if location is None:
            raise Problem("invalid-request", "A location is PRIMARY or SECONDARY.")
        if self.site["hypervisor_type"] == "VMware":
            raise Problem("invalid-request", "This driver takes no snapshots for VMware hosts.")
        if len(request["name"]) > NAME_CHARACTERS_MAX:
            raise Problem("invalid-request", f"A name has at most {NAME_CHARACTERS_MAX} characters.")
        if request["volume"] not in self.volumes:
            raise Problem("invalid-request", f"There is no volume {request['volume']}.")
        if request.get("quiesce"):
            raise Problem("not-supported", "This driver cannot quiesce guests.")
        if location == "SECONDARY":
            raise Problem("not-supported", "This driver keeps snapshots on the array only.")
        volume = self.volumes[request["volume"]]
        about = {"account": volume["account"], "volume": volume["id"], "size_bytes": volume["size_bytes"]}
        return {"id": identity, "name": request["name"], "location": location, "state": "Error", "copies": [], **about}

    def check(self, made: dict[str, Any], lun: int, name: str) -> None:
        """Believe the array only if it speaks of what was asked for."""
        if (made["volumeID"], made["name"]) != (lun, name):
            raise Problem("backend", f"The array spoke of another snapshot than {name}.")

    def copy(self, lun: int, name: str) -> dict[str, Any] | None:
        """Find the array's snapshot of this name."""
        rows = self.call("ListSnapshots", volumeID=lun)["snapshots"]
        return next((row for row in rows if row["name"] == name), None)

    def list_snapshots(self, account: str | None = None, volume: str | None = None, location: str | None = None) -> Any:
        wanted = {"account": account, "volume": volume, "location": location}
        return [row for row in self.snapshots.values() if all(want in {None, row[key]} for key, want in wanted.items())]

    def delete_snapshot(self, operation: str, snapshot: str) -> None:
        for copy in known(self.snapshots, snapshot)["copies"]:
            self.end("DeleteSnapshot", snapshotID=int(copy["reference"].partition("=")[2]))
        del self.snapshots[snapshot]
        self.keep()

    def resource_counts(self, account: str) -> dict[str, int]:
        done = [row for row in self.list_snapshots(account) if row["state"] == "BackedUp"]
        used = sum(row["size_bytes"] for row in [*done, *self.list_volumes(account)])
        return {"snapshots": len(done), "secondary_storage_bytes": 0, "primary_storage_bytes": used}

    def describe(self) -> dict[str, Any]:
        return DESCRIPTION

    def reconcile(self) -> None:
        """Do nothing: whatever is half done is looked for when it is asked for again."""

    def close(self) -> None:
        """Let go of nothing."""


def identity_of(kind: str, operation: str) -> str:
    """Name a thing by the operation that makes it: sent twice, it is one thing, in our list and on the array."""
    return f"{kind}-{hashlib.sha256(operation.encode()).hexdigest()[:24]}"


def known(rows: dict[str, Any], identity: str) -> dict[str, Any]:
    if identity not in rows:
        raise Problem("not-found", f"There is no {identity}.")
    row: dict[str, Any] = rows[identity]
    return row


class Door(http.server.BaseHTTPRequestHandler):
    """POSTs, one verb each, one at a time."""

    life: Driver | None = None
    turn = threading.Lock()

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])) or b"{}")
        verb = self.path.removeprefix("/v1/").replace("-", "_")
        try:
            with Door.turn:
                self.say(200, self.answer(verb, asked))
        except Problem as problem:
            kind, detail = problem.args
            said = {"type": f"urn:snapproof:problem:{kind}", "title": kind, "status": KINDS[kind], "detail": detail}
            self.say(KINDS[kind], said, "application/problem+json")

    def answer(self, verb: str, asked: dict[str, Any]) -> Any:
        if verb == "begin":
            Door.life = Driver(asked)
            return None
        if verb not in VERBS:
            raise Problem("not-supported", f"This driver has no verb {verb}.")
        return getattr(Door.life, verb)(**asked)

    def say(self, status: int, answer: Any, kind: str = "application/json") -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the library's own name
        """Say nothing."""


VERBS = {"describe", "create_volume", "list_volumes", "delete_volume", "take_snapshot", "list_snapshots"}
VERBS |= {"delete_snapshot", "resource_counts", "reconcile", "close"}

if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
    sys.stdout.write(json.dumps({"ready": f"http://127.0.0.1:{server.server_port}", "contract": "1.0"}) + "\n")
    sys.stdout.flush()
    server.serve_forever()
