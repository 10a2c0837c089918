"""Run inside an environment of its own, with nothing but cs: CloudStack's API used as its users do, told as JSON.

It knows nothing of the server.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import cs  # type: ignore[import-not-found]  # only there


def client(url: str, key: str, secret: str, **options: Any) -> Any:
    """Log in."""
    return cs.CloudStack(endpoint=url, key=key, secret=secret, poll_interval=0.05, job_timeout=60, **options)


def life(login: dict[str, str], volume: str) -> Any:
    """Take, archive, list, restore, revert and delete, each job polled to its end."""
    api = client(**login)
    name = "nightly ä ~*+ %/&="
    tag = [{"key": "for", "value": "audit & co"}]
    first = api.createSnapshot(volumeid=volume, name=name, tags=tag, fetch_result=True)["snapshot"]
    second = api.createSnapshot(volumeid=volume, locationtype="secondary", fetch_result=True)["snapshot"]
    reverted = api.revertSnapshot(id=first["id"], fetch_result=True)
    moved = api.archiveSnapshot(id=first["id"], fetch_result=True)["snapshot"]
    listed = api.listSnapshots(fetch_list=True, volumeid=volume)
    paged = [row["id"] for page in (1, 2) for row in api.listSnapshots(page=page, pagesize=1)["snapshot"]]
    tagged = api.listSnapshots(tags=tag)["snapshot"]
    copy = api.createVolume(name="copy", snapshotid=second["id"], fetch_result=True)["volume"]
    made = api.createTemplate(name="golden", displaytext="x", snapshotid=second["id"], fetch_result=True)
    golden = made["template"]
    deleted = [api.deleteSnapshot(id=row["id"], fetch_result=True) for row in listed]
    return {
        "first": [first["name"], first["state"], first["locationtype"], first["tags"]],
        "second": [second["state"], second["locationtype"]],
        "moved": [moved["id"] == first["id"], moved["state"], moved["locationtype"]],
        "reverted": reverted,
        "listed": [row["id"] for row in listed] == [first["id"], second["id"]] == paged,
        "tagged": [row["id"] for row in tagged] == [first["id"]],
        "copy": [copy["size"], copy["state"]],
        "template": [golden["size"], golden["isready"]],
        "deleted": deleted,
        "left": api.listSnapshots(),
    }


def policies(login: dict[str, str], volume: str) -> Any:
    """Make, change, list and end a policy, by POST."""
    api = client(**login, method="post")
    made = api.createSnapshotPolicy(
        volumeid=volume,
        intervaltype="daily",
        schedule="0:4",
        timezone="Europe/Berlin",
        maxsnaps=3,
        locationtype="SECONDARY",
    )["snapshotpolicy"]
    changed = api.updateSnapshotPolicy(id=made["id"], maxsnaps=5)["snapshotpolicy"]
    listed = api.listSnapshotPolicies(volumeid=volume)["snapshotpolicy"]
    ended = api.deleteSnapshotPolicies(id=made["id"])
    return {
        "made": [made["intervaltype"], made["schedule"], made["maxsnaps"], made["locationtype"]],
        "changed": [changed["maxsnaps"], changed["schedule"]],
        "listed": [row["id"] for row in listed] == [made["id"]],
        "ended": ended,
        "left": api.listSnapshotPolicies(volumeid=volume),
    }


def refusals(login: dict[str, str], stranger: dict[str, str], volume: str) -> Any:
    """Ask for what must be refused, and tell the codes and texts."""
    api, other = client(**login), client(**stranger)
    snapshot = api.createSnapshot(volumeid=volume, fetch_result=True)["snapshot"]["id"]
    unknown = "00000000-0000-4000-8000-000000000000"
    acts: dict[str, Callable[[], object]] = {
        "wrong secret": lambda: client(**{**login, "secret": "no"}).listSnapshots(),
        "wrong key": lambda: client(**{**login, "key": "no"}).listSnapshots(),
        "expired": lambda: api.listSnapshots(signatureVersion="3", expires="2001-01-01T00:00:00+0000"),
        "unknown command": api.launchRocket,
        "unknown parameter": lambda: api.listSnapshots(colour="blue"),
        "wrong place": lambda: api.createSnapshot(volumeid=volume, locationtype="moon"),
    }
    for verb in ("deleteSnapshot", "revertSnapshot", "archiveSnapshot", "listSnapshots"):
        for kind, thing in (("unknown", unknown), ("another's", snapshot)):
            acts[f"{verb} {kind}"] = partial(getattr(other, verb), id=thing)
    told = {name: refusal(act).replace(snapshot, "ID").replace(unknown, "ID") for name, act in acts.items()}
    return {"told": told, "seen": other.listSnapshots(listall=True), "own": len(api.listSnapshots()["snapshot"])}


def refusal(act: Callable[[], object]) -> str:
    """The code and the text of what was refused."""
    try:
        act()
    except cs.CloudStackApiException as error:
        return f"{error.error['errorcode']} {error.error['errortext']}"
    return "not refused"


PARTS = {part.__name__: part for part in (life, policies, refusals)}
