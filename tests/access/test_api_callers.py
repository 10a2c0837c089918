"""Callers of the API: nobody learns of what is not his, listings follow their flags, and a flood is its own problem."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from snapproof.accounts import Account, Role
from snapproof.fixtures.asking import SIZE_BYTES, Asker
from snapproof.fixtures.management import Management
from snapproof.fixtures.world import World
from snapproof.reference_impl.api.pace import Pace
from snapproof.reference_impl.api.workers import TENDING, choose
from snapproof.reference_impl.core.access import OutOfReachError, Question, covered
from snapproof.reference_impl.core.names import id_of
from snapproof.simulators.clock import VirtualClock, WallClock
from snapproof.vocabulary import AccountId, OperationId

NOTHING = "00000000-0000-4000-8000-000000000000"
PEOPLE = (
    Account(name=AccountId("sam"), domain="/sales/", role=Role.DOMAIN_ADMIN),
    Account(name=AccountId("sue"), domain="/sales/"),
    Account(name=AccountId("nick"), domain="/sales/north/"),
    Account(name=AccountId("ray"), domain="/research/"),
    Account(name=AccountId("quay"), domain="/research/", role=Role.PROJECT, members=(AccountId("sue"),)),
)


@pytest.fixture
def askers(management: Management, root: Asker) -> dict[str, Asker]:
    """People in their domains, each with one snapshot of a volume of their own, and the root."""
    found = {"admin": root}
    for each in PEOPLE:
        found[each.name] = Asker(management, management.add(each))
        owner = found["sue"] if each.role is Role.PROJECT else found[each.name]
        parameters = {"projectid": id_of("project", each.name)} if each.role is Role.PROJECT else {}
        made = owner.done("createVolume", name=f"of-{each.name}", sizebytes=SIZE_BYTES, **parameters)["volume"]
        owner.done("createSnapshot", volumeid=made["id"], name=f"of-{each.name}")
    return found


DOMAINS = (None, "/", "/sales/", "/sales/north/", "/research/")
FLAGS = list(itertools.product(("", "true", "false"), ("", "true"), DOMAINS))


@pytest.mark.parametrize("command", ["listSnapshots", "listVolumes"])
@pytest.mark.parametrize("caller", ["admin", "sam", "sue", "nick", "ray"])
def test_a_listing_shows_what_the_table_says_for_every_flag(
    askers: Mapping[str, Asker], management: Management, caller: str, command: str
) -> None:
    accounts = management.driver.list_accounts()
    me = next(row for row in accounts if row.name == caller)
    for everything, recursive, domain in FLAGS:
        named = {} if domain is None else {"domainid": id_of("domain", domain)}
        told = askers[caller].ask(command, listall=everything, isrecursive=recursive, **named)
        question = Question(domain=domain, recursive=recursive == "true", everything=everything == "true")
        try:
            wanted = {f"of-{name}" for name in covered(me, question, accounts) if name != "admin"}
        except OutOfReachError:
            assert told["errorcode"] == 431, (everything, recursive, domain)
            continue
        shown = {row["name"] for row in told.get("snapshot", told.get("volume", []))}
        assert shown == wanted, (everything, recursive, domain)


def test_what_a_project_owns_is_listed_by_its_id_and_by_minus_one(askers: Mapping[str, Asker]) -> None:
    quay = id_of("project", "quay")
    for project in (quay, "-1"):
        (row,) = askers["sue"].get("listSnapshots", projectid=project)["snapshot"]
        assert (row["project"], row["projectid"], "account" in row) == ("quay", quay, False)
    assert askers["nick"].get("listSnapshots", projectid="-1") == {}
    told = askers["nick"].ask("listSnapshots", projectid=quay)
    unknown = askers["nick"].ask("listSnapshots", projectid=NOTHING)
    assert told["errortext"].replace(quay, "ID") == unknown["errortext"].replace(NOTHING, "ID")


ACTS: Mapping[str, tuple[str, str, Mapping[str, str]]] = {
    "listSnapshots": ("snapshot", "id", {}),
    "archiveSnapshot": ("snapshot", "id", {}),
    "deleteSnapshot": ("snapshot", "id", {}),
    "revertSnapshot": ("snapshot", "id", {}),
    "createTemplate": ("snapshot", "snapshotid", {"name": "golden"}),
    "createVolume": ("snapshot", "snapshotid", {"name": "copy"}),
    "createSnapshot": ("volume", "volumeid", {}),
    "listVolumes": ("volume", "id", {}),
    "deleteVolume": ("volume", "id", {}),
    "destroyVolume": ("volume", "id", {}),
    "resizeVolume": ("volume", "id", {"sizebytes": str(2**30)}),
    "createSnapshotPolicy": (
        "volume",
        "volumeid",
        {"intervaltype": "DAILY", "schedule": "0:4", "timezone": "UTC", "maxsnaps": "2"},
    ),
    "updateSnapshotPolicy": ("policy", "id", {"maxsnaps": "2"}),
    "deleteSnapshotPolicies": ("policy", "id", {}),
    "listSnapshotPolicies": ("policy", "id", {}),
    "queryAsyncJobResult": ("job", "jobid", {}),
    "deleteTemplate": ("template", "id", {}),
    "listTemplates": ("template", "id", {}),
    "listAccounts": ("account", "id", {"listall": "true"}),
    "deleteAccount": ("account", "id", {}),
    "disableAccount": ("account", "id", {}),
    "registerUserKeys": ("user", "id", {}),
}
"""Every command that takes an id: which kind of thing it names, and under which parameter."""


def test_another_account_is_told_of_nothing_by_any_command_that_takes_an_id(root: Asker, world: World) -> None:
    things = {"volume": root.volume()}
    things["snapshot"] = root.snapshot(things["volume"], locationtype="SECONDARY")["id"]
    things["template"] = root.done("createTemplate", name="golden", snapshotid=things["snapshot"])["template"]["id"]
    things["job"] = root.get("createSnapshot", volumeid=things["volume"])["jobid"]
    root.management.work()
    policy = {"intervaltype": "DAILY", "schedule": "0:4", "timezone": "UTC", "maxsnaps": "8"}
    things["policy"] = root.get("createSnapshotPolicy", volumeid=things["volume"], **policy)["snapshotpolicy"]["id"]
    (admin,) = root.get("listAccounts")["account"]
    things |= {"account": admin["id"], "user": admin["user"][0]["id"]}
    sue = Asker(root.management, root.management.add(Account(name=AccountId("sue"))))
    before = {name: place() for name, place in world.inventories().items()}
    for command, (kind, name, others) in ACTS.items():
        told = sue.ask(command, **{name: things[kind]}, **others)
        assert sue.status == 431, (command, told)
        unknown = sue.ask(command, **{name: NOTHING}, **others)
        assert {**told, "errortext": told["errortext"].replace(things[kind], NOTHING)} == unknown, command
    assert {name: place() for name, place in world.inventories().items()} == before
    assert sue.get("listEvents", listall="true") == {}
    assert sue.get("listAsyncJobs", listall="true") == {}
    assert sue.get("listUsageRecords", listall="true") == {}
    for command in ("listAlerts", "listConfigurations"):
        assert sue.ask(command)["errorcode"] == 531


def test_a_domain_administrator_makes_accounts_in_his_domain_only(askers: Mapping[str, Asker]) -> None:
    sales, research = id_of("domain", "/sales/"), id_of("domain", "/research/")
    assert askers["sam"].get("createAccount", username="tim", domainid=sales)["account"]["domain"] == "sales"
    assert askers["sam"].ask("createAccount", username="tom", domainid=research)["errorcode"] in {431, 531}
    assert askers["sam"].ask("createAccount", username="tom", domainid=sales, accounttype=1)["errorcode"] == 531
    for name in ("tom", "ray"):  # nobody has the one name, somebody the other
        told = askers["sue"].ask("createAccount", username=name, domainid=sales)
        assert (told["errorcode"], told["errortext"]) == (531, "Account sue may not manage account.")
    told = askers["sam"].ask("createVolume", name="v", sizebytes=SIZE_BYTES, account="nobody")
    assert told["errortext"] == "There is no account nobody."
    theirs = askers["sam"].ask("createVolume", name="v", sizebytes=SIZE_BYTES, account="ray")
    assert {**theirs, "errortext": theirs["errortext"].replace("ray", "nobody")} == told
    assert (
        askers["sam"].done("createVolume", name="v", sizebytes=SIZE_BYTES, account="nick")["volume"]["account"]
        == "nick"
    )


def test_a_zone_that_there_is_not_is_refused(root: Asker) -> None:
    zone = root.get("listZones")["zone"][0]["id"]
    assert root.get("listVolumes", zoneid=zone) == {}
    assert root.ask("listVolumes", zoneid=NOTHING)["errortext"] == f"There is no zone {NOTHING}."


def test_a_snapshot_is_its_volumes_owners(askers: Mapping[str, Asker]) -> None:
    (volume,) = askers["sue"].get("listVolumes")["volume"]
    told = askers["sam"].ask("createSnapshot", volumeid=volume["id"], account="nick")
    assert told["errortext"] == f"Volume {volume['id']} is another account's; so are its snapshots."
    taken = askers["sam"].done("createSnapshot", volumeid=volume["id"], account="sue")["snapshot"]
    assert taken["account"] == "sue"
    told = askers["sue"].get("listEvents", type="SNAPSHOT.CREATE")["event"]
    assert {(event["username"], event["account"]) for event in told if taken["id"] in event["description"]} == {
        ("sam", "sue")
    }


@pytest.mark.requirement(id="R-163")
def test_a_flood_is_slowed_down_by_a_limit_of_its_own(world: World, tmp_path: Path) -> None:
    (tmp_path / "flooded").mkdir()
    life = Management(world, seed=5, state_directory=tmp_path / "flooded", requests_max=5, working=False)
    sue = Asker(life, life.add(Account(name=AccountId("sue"))))
    others = Asker(life, life.key)
    told = [sue.ask("listVolumes") for _ in range(9)]
    assert [answer.get("errorcode") for answer in told] == [None] * 5 + [429] * 4
    assert "Account sue has asked too often; ask again in 1000 ms." in told[-1]["errortext"]
    assert others.get("listVolumes") == {}
    world.clock.advance(1)
    assert sue.get("listVolumes") == {}
    life.close()


@pytest.mark.requirement(id="R-163")
def test_nobody_waits_longer_because_another_asks_more() -> None:
    clock = VirtualClock()
    alone, beside = Pace(clock, requests_max=3), Pace(clock, requests_max=3)
    for _ in range(20):
        beside.wait_s("flooder")
        assert alone.wait_s("patient") == beside.wait_s("patient") == 0
        clock.advance(0.5)


@pytest.mark.requirement(id="R-163")
def test_the_jobs_of_a_flood_leave_hands_for_others() -> None:
    flood = [(OperationId(f"flood-{number}"), "flooder") for number in range(50)]
    waiting = [*flood, (OperationId("patient"), "patient")]
    chosen = choose(waiting, {TENDING: ""}, threads=4, of_one_max=2)
    assert [account for _, account in chosen] == ["flooder", "flooder", "patient"]
    assert choose(waiting, dict(chosen), threads=4, of_one_max=2) == []
    full = {OperationId(f"job-{number}"): f"account-{number}" for number in range(4)}
    assert choose(waiting, full, threads=4, of_one_max=2) == []


@pytest.fixture
def working(tmp_path: Path) -> Iterator[Management]:
    """A server with workers, in real time."""
    for name in ("real-export", "real-state"):
        (tmp_path / name).mkdir()
    with World.build(seed=5, clock=WallClock(), directory=tmp_path / "real-export") as world:
        life = Management(world, seed=5, state_directory=tmp_path / "real-state")
        yield life
        life.close()


def test_workers_end_every_job_once(working: Management, poll: Callable[[Callable[[], bool]], None]) -> None:
    askers = [Asker(working, working.add(Account(name=AccountId(f"user-{number}")))) for number in range(3)]
    jobs = [
        (asker, asker.get("createVolume", name=f"v{number}", sizebytes=SIZE_BYTES)["jobid"])
        for asker in askers
        for number in range(4)
    ]
    poll(lambda: all(asker.get("queryAsyncJobResult", jobid=job)["jobstatus"] == 1 for asker, job in jobs))
    assert [asker.get("listVolumes")["count"] for asker in askers] == [4, 4, 4]
    for asker in askers:
        events = asker.get("listEvents", type="VOLUME.CREATE")["event"]
        assert [event["state"] for event in events].count("Completed") == 4
    volume = askers[0].get("listVolumes")["volume"][0]["id"]
    assert askers[0].get("deleteVolume", id=volume) == {"success": True}
    assert askers[0].get("listVolumes")["count"] == 3


def test_workers_delete_an_account_whose_jobs_are_under_way(
    working: Management, poll: Callable[[Callable[[], bool]], None]
) -> None:
    root, sue = Asker(working, working.key), Asker(working, working.add(Account(name=AccountId("sue"))))
    jobs = [sue.get("createVolume", name=f"v{number}", sizebytes=SIZE_BYTES)["jobid"] for number in range(3)]
    (account,) = root.get("listAccounts", name="sue", listall="true")["account"]
    removal = root.get("deleteAccount", id=account["id"])["jobid"]
    poll(lambda: root.get("queryAsyncJobResult", jobid=removal)["jobstatus"] == 1)
    ended = [root.get("queryAsyncJobResult", jobid=job) for job in jobs]
    assert [job for job in ended if job["jobstatus"] != 1] == []
    assert root.get("listVolumes", listall="true") == {}
    assert sue.ask("listVolumes")["errorcode"] == 401
