"""The API's commands: CloudStack's names and shapes, jobs polled to their ends, refusals in its numbers."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from snapproof.accounts import Limits, Role
from snapproof.fixtures.asking import Asker
from snapproof.fixtures.management import Management
from snapproof.fixtures.world import World
from snapproof.reference_impl.api.commands import COMMANDS
from snapproof.reference_impl.api.documentation import PAGES, access_page, api_page
from snapproof.reference_impl.api.refusals import CODES
from snapproof.reference_impl.api.shapes import KINDS, SHAPES
from snapproof.simulators.faults import fault_named
from snapproof.vocabulary import AccountId, OperationId

DOCS = Path(__file__).parents[2] / "docs"
NOTHING = "00000000-0000-4000-8000-000000000000"

MANY_TAGS = {f"tags[{number}].{part}": f"tag {number}" for number in range(51) for part in ("key", "value")}

CLOUDSTACK_KNOWS = {
    "createSnapshot": {
        *("volumeid", "name", "locationtype", "asyncbackup", "quiescevm", "policyid", "account", "domainid", "tags"),
    },
    "archiveSnapshot": {"id"},
    "listSnapshots": {
        *("id", "ids", "volumeid", "name", "intervaltype", "snapshottype", "keyword", "zoneid", "tags", "account"),
        *("domainid", "projectid", "isrecursive", "listall", "page", "pagesize"),
    },
    "deleteSnapshot": {"id"},
    "revertSnapshot": {"id"},
    "createSnapshotPolicy": {"volumeid", "intervaltype", "schedule", "timezone", "maxsnaps", "fordisplay"},
    "updateSnapshotPolicy": {"id", "fordisplay"},
    "deleteSnapshotPolicies": {"id", "ids"},
    "listSnapshotPolicies": {"id", "volumeid", "keyword", "page", "pagesize"},
    "createVolume": {
        *("name", "size", "snapshotid", "diskofferingid", "zoneid", "miniops", "maxiops", "account", "domainid"),
        "projectid",
    },
    "queryAsyncJobResult": {"jobid"},
}  # fmt: skip
"""The parameters that clients of the release before send."""

CLOUDSTACK_ANSWERS = {
    "snapshot": {
        *("id", "account", "domain", "domainid", "project", "projectid", "snapshottype", "volumeid", "volumename"),
        *("volumetype", "created", "name", "intervaltype", "state", "locationtype", "physicalsize", "virtualsize"),
        *("zoneid", "revertable", "tags"),
    },
    "snapshotpolicy": {"id", "volumeid", "schedule", "timezone", "intervaltype", "maxsnaps", "fordisplay"},
}
"""The fields that they read."""


@pytest.mark.requirement(id="R-177")
def test_commands_only_add_to_what_clients_of_cloudstack_send_and_read() -> None:
    for name, known in CLOUDSTACK_KNOWS.items():
        assert known <= {each.name for each in COMMANDS[name].parameters}, name
    for noun, fields in CLOUDSTACK_ANSWERS.items():
        assert fields <= {each.name for each in SHAPES[noun]}, noun
    for name in ("createSnapshotPolicy", "updateSnapshotPolicy", "listSnapshots"):
        assert "locationtype" in {each.name for each in COMMANDS[name].parameters}
    additions = [each for name in CLOUDSTACK_KNOWS for each in COMMANDS[name].parameters if each.required]
    assert {each.name for each in additions} <= {"id", "volumeid", "name", "jobid", "intervaltype"} | {
        *("schedule", "timezone", "maxsnaps"),
    }, "What is new is never required."


@pytest.mark.requirement(id="R-177")
def test_a_snapshot_lives_through_the_seven_commands(root: Asker) -> None:
    volume = root.volume()
    taken = root.get("createSnapshot", volumeid=volume, name="nightly", locationtype=" secondary ")
    assert taken.keys() == {"id", "jobid"}
    root.management.work()
    told = root.get("queryAsyncJobResult", jobid=taken["jobid"])
    assert told["jobresult"]["snapshot"]["id"] == taken["id"]
    assert told["cmd"].endswith("CreateSnapshotCmd")
    primary = root.snapshot(volume, name="second")
    assert (primary["locationtype"], primary["revertable"], primary["physicalsize"]) == ("PRIMARY", True, 3 * 2**20)
    assert root.done("revertSnapshot", id=primary["id"]) == {"success": True}
    moved = root.done("archiveSnapshot", id=primary["id"])["snapshot"]
    assert (moved["id"], moved["locationtype"], moved["revertable"]) == (primary["id"], "SECONDARY", False)
    assert root.get("listSnapshots", locationtype="primary") == {}
    assert root.get("listSnapshots", locationtype="SECONDARY", pagesize=1, page=2)["snapshot"][0]["name"] == "second"
    made = root.get(
        "createSnapshotPolicy",
        volumeid=volume,
        intervaltype="HOURLY",
        schedule="5",
        timezone="UTC",
        maxsnaps=1,
        locationtype="SECONDARY",
    )["snapshotpolicy"]
    changed = root.get("updateSnapshotPolicy", id=made["id"], schedule="7", locationtype="primary")["snapshotpolicy"]
    assert (changed["schedule"], changed["locationtype"], changed["maxsnaps"]) == ("7", "PRIMARY", 1)
    for snapshot in (taken["id"], primary["id"]):
        assert root.done("deleteSnapshot", id=snapshot) == {"success": True}
    assert root.get("listSnapshots") == {}


@pytest.mark.requirement(id="R-177")
def test_a_changed_policy_runs_as_it_was_changed(root: Asker, world: World) -> None:
    volume = root.volume()
    about = {"volumeid": volume, "intervaltype": "HOURLY", "schedule": "5", "timezone": "UTC", "maxsnaps": "8"}
    made = root.get("createSnapshotPolicy", **about)["snapshotpolicy"]["id"]
    root.get("updateSnapshotPolicy", id=made, schedule="30", locationtype="SECONDARY")
    for minutes, number in ((10, 0), (25, 1)):
        world.clock.advance(minutes * 60)
        root.management.work()
        assert root.get("listSnapshots").get("count", 0) == number
    (snapshot,) = root.get("listSnapshots", intervaltype="hourly")["snapshot"]
    assert {event["username"] for event in root.get("listEvents", type="SNAPSHOT.CREATE")["event"]} == {"system"}
    assert {event["username"] for event in root.get("listEvents", type="VOLUME.CREATE")["event"]} == {"admin"}
    assert (snapshot["locationtype"], snapshot["snapshottype"]) == ("SECONDARY", "HOURLY")
    assert root.get("listSnapshots", snapshottype="RECURRING")["count"] == 1
    assert root.get("listSnapshots", snapshottype="MANUAL") == {}
    assert root.get("deleteSnapshotPolicies", ids=made) == {"success": True}
    assert root.get("listSnapshotPolicies", volumeid=volume) == {}


@pytest.mark.requirement(id="R-178")
def test_every_field_of_every_answer_is_documented_and_fits(root: Asker) -> None:
    volume = root.volume()
    root.done("createTemplate", name="golden", snapshotid=root.snapshot(volume, locationtype="SECONDARY")["id"])
    root.snapshot(volume, **{"tags[0].key": "for", "tags[0].value": "audit"})
    about = {"volumeid": volume, "intervaltype": "DAILY", "schedule": "0:4", "timezone": "UTC", "maxsnaps": "2"}
    root.get("createSnapshotPolicy", **about)
    lists = {
        "snapshot": ("listSnapshots", {}),
        "volume": ("listVolumes", {}),
        "template": ("listTemplates", {}),
        "snapshotpolicy": ("listSnapshotPolicies", {"volumeid": volume}),
        "event": ("listEvents", {}),
        "usagerecord": ("listUsageRecords", {}),
        "account": ("listAccounts", {}),
    }
    assert lists.keys() == SHAPES.keys()
    page = api_page()
    for noun, (command, parameters) in lists.items():
        fields = {each.name: each for each in SHAPES[noun]}
        rows = root.get(command, **parameters)[noun]
        assert rows
        for name, value in (pair for row in rows for pair in row.items()):
            assert isinstance(value, KINDS[fields[name].kind]), (noun, name, value)
        for each in fields.values():
            assert isinstance(each.example, KINDS[each.kind]), (noun, each.name)
            assert f"| {each.name} | {each.kind} | `{json.dumps(each.example)}` |" in page


@pytest.mark.parametrize(("name", "file"), [("api", "cloudstack-api.md"), ("access", "access.md")])
def test_the_pages_are_published_as_they_are_written(name: str, file: str) -> None:
    cure = f"python -m snapproof.reference_impl.api.documentation {name} > docs/{file}"
    assert (DOCS / file).read_text(encoding="utf-8") == PAGES[name](), cure
    assert len(access_page().splitlines()) > len(Role) * 4


def test_list_apis_tells_every_command_with_its_parameters(root: Asker) -> None:
    told = root.get("listApis")
    assert told["count"] == len(COMMANDS) == len(told["api"])
    for api in told["api"]:
        assert {each["name"] for each in api["params"]} == {each.name for each in COMMANDS[api["name"]].parameters}
        assert all(each["description"] for each in api["params"])
    (one,) = root.get("listApis", name="CREATESNAPSHOT")["api"]
    assert (one["name"], one["isasync"]) == ("createSnapshot", True)


@pytest.mark.requirement(id="R-129")
def test_sizes_are_bytes_in_every_answer(root: Asker) -> None:
    snapshot = root.snapshot(root.volume(), locationtype="SECONDARY")
    (volume,) = root.get("listVolumes")["volume"]
    (lying,) = [path.stat().st_size for path in root.management.driver.site.export_path.rglob("*.vhd")]  # type: ignore[union-attr]  # an export of files
    assert (volume["size"], snapshot["virtualsize"], snapshot["physicalsize"]) == (3 * 2**20, 3 * 2**20, lying)
    assert root.get("listUsageRecords")["usagerecord"][0]["size"] == lying


@pytest.mark.parametrize(
    ("command", "parameters", "words"),
    [
        ("deleteSnapshot", {"id": "-1"}, "There is no snapshot -1."),
        ("deleteSnapshot", {"id": "9" * 60}, "There is no snapshot"),
        ("deleteSnapshot", {"id": "9" * 65}, "at most 64"),
        ("deleteSnapshot", {"id": "a\nb"}, "printable"),
        ("deleteSnapshot", {}, "Parameter id is missing"),
        ("deleteSnapshot", {"id": NOTHING, "colour": "blue"}, "There is no parameter 'colour'"),
        ("createSnapshot", {"volumeid": NOTHING, "name": "n" * 256}, "at most 255"),
        ("createSnapshot", {"volumeid": NOTHING, "asyncbackup": "perhaps"}, "asyncbackup is true or false"),
        ("createSnapshot", {"volumeid": NOTHING, "quiescevm": "true"}, "There is no volume"),
        ("createSnapshot", {"volumeid": NOTHING, "tags[0].key": "k" * 256, "tags[0].value": ""}, "at most 255"),
        ("createSnapshot", {"volumeid": NOTHING, "tags[0].colour": "blue"}, "tags has entries of key and value"),
        ("createSnapshot", {"volumeid": NOTHING, **MANY_TAGS}, "at most 50"),
        ("listSnapshots", {"pagesize": "501", "page": "1"}, "from 1 to 500"),
        ("listSnapshots", {"pagesize": "-1", "page": "1"}, "from 1 to 500"),
        ("listSnapshots", {"page": "1"}, "given together"),
        ("listSnapshots", {"page": "0x1", "pagesize": "1"}, "whole number"),
        ("listSnapshots", {"id": NOTHING}, "There is no snapshot"),
        ("createVolume", {"name": "v"}, "Parameter size is missing"),
        ("createVolume", {"name": "v", "size": "99999999999999999999"}, "whole number"),
        ("createVolume", {"name": "v", "size": "\u0661"}, "whole number"),
        ("queryAsyncJobResult", {"jobid": NOTHING}, "There is no operation"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_the_callers_mistake_and_changes_nothing(
    root: Asker, world: World, command: str, parameters: dict[str, Any], words: str
) -> None:
    before = {name: place() for name, place in world.inventories().items()}
    told = root.ask(command, **parameters)
    assert (root.status, told["errorcode"], told["cserrorcode"]) == (431, 431, 4350)
    assert words in told["errortext"]
    assert not re.search(r"Traceback|\.py\b", told["errortext"])
    assert {name: place() for name, place in world.inventories().items()} == before
    assert root.get("listEvents") == {}


def test_an_unknown_command_is_refused_by_its_own_number(root: Asker) -> None:
    told = root.ask("launchRocket")
    assert (root.status, told["errorcode"]) == (432, 432)


def test_every_error_of_the_port_has_a_number() -> None:
    from snapproof.driver import DriverError

    assert set(CODES) == set(DriverError.__subclasses__())


def test_a_job_that_fails_tells_why_when_it_is_polled(root: Asker, world: World) -> None:
    volume = root.volume()
    world.seam.arm_always("array.CreateSnapshot", fault_named("refused:xPermissionDenied"))
    job = root.get("createSnapshot", volumeid=volume)["jobid"]
    root.management.work()
    told = root.get("queryAsyncJobResult", jobid=job)
    assert (told["jobstatus"], told["jobresultcode"]) == (2, 530)
    assert "xPermissionDenied" in told["jobresult"]["errortext"]
    assert root.get("listSnapshots")["snapshot"][0]["state"] == "Error"


def test_a_job_is_over_when_nobody_cleans_up_behind_it_any_more(root: Asker, world: World) -> None:
    """Else the next request of whoever polls would meet the cleaning up; one that cannot end now holds nobody up."""
    volume = root.volume()
    world.seam.arm_always("array.DeleteSnapshot", fault_named("refused:xPermissionDenied"))
    job = root.get("createSnapshot", volumeid=volume, locationtype="SECONDARY")["jobid"]
    root.management.work()
    hands = root.management.driver.hands
    with hands.holding(OperationId(job), "admin"):
        assert root.get("queryAsyncJobResult", jobid=job)["jobstatus"] == 0
    assert root.get("queryAsyncJobResult", jobid=job)["jobresult"]["snapshot"]["locationtype"] == "SECONDARY"
    world.seam.disarm()
    root.management.work()
    with hands.holding(OperationId(job), "admin"):
        assert root.get("queryAsyncJobResult", jobid=job)["jobstatus"] == 1


def test_an_accepted_job_outlives_the_server_that_accepted_it(world: World, tmp_path: Path, root: Asker) -> None:
    volume = root.volume()
    job = root.get("createSnapshot", volumeid=volume)["jobid"]
    root.management.driver.close()
    life = Management(world, seed=5, state_directory=tmp_path / "state", working=False)
    again = Asker(life, life.key)
    assert again.get("queryAsyncJobResult", jobid=job)["jobstatus"] == 0
    life.work()
    assert again.get("queryAsyncJobResult", jobid=job)["jobresult"]["snapshot"]["state"] == "BackedUp"
    life.close()


def test_a_limit_is_told_by_its_name_and_number(root: Asker, asker_of: Callable[..., Asker]) -> None:
    sue = asker_of("sue", limits=Limits(snapshots=0))
    told = sue.ask("createSnapshot", volumeid=sue.volume())
    assert (sue.status, told["errorcode"]) == (535, 535)
    assert "limit snapshot of account sue is 0" in told["errortext"]
    root.get("updateResourceLimit", account="sue", resourcetype=3, max=1)
    assert [row["max"] for row in sue.get("listResourceLimits")["resourcelimit"]] == [1, -1, -1]
    sue.done("createSnapshot", volumeid=sue.get("listVolumes")["volume"][0]["id"])


def test_a_volume_grows_and_nobody_is_promised_a_quiet_guest(root: Asker, asker_of: Callable[..., Asker]) -> None:
    volume = root.volume()
    assert root.ask("createSnapshot", volumeid=volume, quiescevm="true")["errorcode"] == 431
    assert root.done("resizeVolume", id=volume, sizebytes=4 * 2**20)["volume"]["size"] == 4 * 2**20
    assert root.ask("resizeVolume", id=volume, sizebytes=1)["errorcode"] == 431
    sue = asker_of("sue", limits=Limits(primary_storage_bytes=4 * 2**20))
    hers = sue.volume()
    assert sue.ask("resizeVolume", id=hers, sizebytes=5 * 2**20)["errorcode"] == 535
    assert sue.done("resizeVolume", id=hers, sizebytes=4 * 2**20)["volume"]["id"] == hers


def test_accounts_are_made_disabled_given_keys_and_deleted(root: Asker) -> None:
    made = root.get("createAccount", username="sue", email="s@x.org", firstname="S", lastname="X", password="p")[
        "account"
    ]
    assert (made["name"], made["accounttype"], made["state"]) == ("sue", 0, "enabled")
    assert "password" not in json.dumps(made)
    keys = root.get("registerUserKeys", id=made["user"][0]["id"])["userkeys"]
    sue = Asker(root.management, keys["apikey"])
    assert root.management.keys.secret_of(keys["apikey"]).reveal() == keys["secretkey"]
    volume = sue.volume()
    sue.snapshot(volume, locationtype="SECONDARY")
    assert root.get("disableAccount", id=made["id"])["account"]["state"] == "disabled"
    assert sue.ask("listVolumes")["errorcode"] == 401
    root.get("enableAccount", name="sue")
    assert sue.get("listVolumes")["count"] == 1
    assert root.done("deleteAccount", id=made["id"]) == {"success": True}
    assert sue.ask("listVolumes")["errorcode"] == 401
    assert root.get("listSnapshots", listall="true") == {}
    assert AccountId("sue") not in {row.name for row in root.management.driver.list_accounts()}
    assert root.ask("createAccount", username="sue")["errorcode"] == 431


def test_what_goes_wrong_inside_is_logged_and_not_told(
    root: Asker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def stumble(*_given: object, **_named: object) -> None:
        raise ZeroDivisionError("a secret of the inside")

    monkeypatch.setattr(root.management.driver, "page", stumble)
    door = root.management.door
    monkeypatch.setattr(door._driver, "page", stumble)
    told = root.ask("listVolumes")
    assert (root.status, told["errortext"]) == (530, "The request failed; the log says why.")
    assert "a secret of the inside" in caplog.text


def test_an_account_is_not_gone_before_what_its_jobs_make(root: Asker, asker_of: Callable[..., Asker]) -> None:
    sue = asker_of("sue")
    job = sue.get("createVolume", name="late", sizebytes=2**30)["jobid"]
    (account,) = root.get("listAccounts", name="sue", listall="true")["account"]
    removal = root.get("deleteAccount", id=account["id"])["jobid"]
    driver = root.management.driver
    driver._finish_removals()
    assert root.get("queryAsyncJobResult", jobid=removal)["jobstatus"] == 0
    root.management.work()
    assert root.get("queryAsyncJobResult", jobid=job)["jobstatus"] == 1
    assert root.get("queryAsyncJobResult", jobid=removal)["jobstatus"] == 1
    assert root.get("listVolumes", listall="true") == {}
