"""Commands about the service itself: jobs, events, the bill, settings, and what there is to ask."""

from collections.abc import Mapping
from typing import Any

from snapproof import __version__
from snapproof.driver import DriverError
from snapproof.reference_impl.api.command import LISTS, PAGES, Command, table
from snapproof.reference_impl.api.desk import Body, Desk, Given, page_of
from snapproof.reference_impl.api.parameters import identity, one_of, text
from snapproof.reference_impl.api.refusals import code_of, refusal
from snapproof.reference_impl.api.shapes import ZONE, ZONE_ID, moment, shaped, shaped_all
from snapproof.reference_impl.catalog.queries import Page
from snapproof.reference_impl.catalog.store import Phase
from snapproof.reference_impl.core.access import Operation, Service
from snapproof.reference_impl.core.names import id_of
from snapproof.reference_impl.orchestrator import FAILURES
from snapproof.reference_impl.rights import Thing

PENDING, DONE, FAILED = 0, 1, 2
LINES_MAX = 100_000
RESULTS: Mapping[str, tuple[str, str]] = {
    "TakeSnapshot": ("snapshot", "instance_snapshot"),
    "ArchiveSnapshot": ("snapshot", "instance_snapshot"),
    "CreateVolume": ("volume", "instance_volume"),
    "ResizeVolume": ("volume", "instance_volume"),
    "CreateTemplate": ("template", "instance_template"),
}
"""What a job of each kind gives; every other gives success alone."""

COMMANDS_OF_JOBS: Mapping[str, str] = {
    "TakeSnapshot": "user.snapshot.CreateSnapshotCmd",
    "ArchiveSnapshot": "user.snapshot.ArchiveSnapshotCmd",
    "DeleteSnapshot": "user.snapshot.DeleteSnapshotCmd",
    "RevertVolume": "user.snapshot.RevertSnapshotCmd",
    "CreateVolume": "user.volume.CreateVolumeCmd",
    "ResizeVolume": "user.volume.ResizeVolumeCmd",
    "DeleteVolume": "user.volume.DestroyVolumeCmd",
    "CreateTemplate": "user.template.CreateTemplateCmd",
    "DeleteTemplate": "user.template.DeleteTemplateCmd",
    "DeleteAccount": "admin.account.DeleteAccountCmd",
}
PACKAGE = "org.apache.cloudstack.api.command."


def query_job(desk: Desk, given: Given) -> Body:
    """Say how a job stands, and what came of it."""
    removed = desk.life.removal(given["jobid"])
    if removed is not None:
        desk.rights.require(Operation.MANAGE_ACCOUNT, Thing.ACCOUNT, removed.account)
        status = PENDING if removed.pending else DONE
        return {"jobid": given["jobid"], "cmd": f"{PACKAGE}{COMMANDS_OF_JOBS['DeleteAccount']}", **_stand(status)} | (
            {"jobresult": {"success": True}} if status else {}
        )
    owner = desk.rights.require(Operation.LIST, Thing.JOB, given["jobid"])
    row = desk.life.one("asyncjobs", given["jobid"])
    assert row is not None, f"Job {given['jobid']} has an owner and no row."
    return _job(desk, row) | {"accountid": id_of("account", owner), "userid": desk.user.id}


def list_jobs(desk: Desk, given: Given) -> Body:
    """List jobs."""
    total, rows = desk.life.page("asyncjobs", owners=desk.covered(given), exactly={}, page=Page())
    return {"count": total, "asyncjobs": [_job(desk, row) for row in rows]} if total else {}


def _job(desk: Desk, row: Mapping[str, Any]) -> dict[str, Any]:
    cmd = COMMANDS_OF_JOBS.get(row["job_cmd"], row["job_cmd"])
    told = {"jobid": row["uuid"], "cmd": f"{PACKAGE}{cmd}", "created": moment("created")(row)}
    told |= {
        "jobinstancetype": row["instance_type"],
        "jobinstanceid": row["instance_snapshot"] or row["instance_volume"],
    }
    if row["job_status"] == FAILED:
        code = code_of(FAILURES.get(row["error_kind"] or "", DriverError)(""))
        return told | _stand(FAILED, code) | {"jobresult": refusal(code, row["error"] or "The job failed.")}
    # Who is told of the end asks for the next thing at once, and that waits for the cleaning up behind this one.
    cleaning = row["phase"] == Phase.CLEANING and desk.life.has_in_hand(row["uuid"])
    if row["job_status"] == DONE and not cleaning:
        return told | _stand(DONE) | {"jobresult": _result(desk, row)}
    return told | _stand(PENDING)


def _stand(status: int, code: int = 0) -> dict[str, Any]:
    return {"jobstatus": status, "jobprocstatus": 0, "jobresultcode": code, "jobresulttype": "object"}


def _result(desk: Desk, row: Mapping[str, Any]) -> Mapping[str, Any]:
    noun, column = RESULTS.get(row["job_cmd"], ("", ""))
    found = desk.life.one(noun, row[column]) if noun else None
    return {"success": True} if found is None else {noun: shaped(noun, found)}


def list_events(desk: Desk, given: Given) -> Body:
    """List audit events."""
    return desk.listed("event", given, "type", "level")


def list_usage(desk: Desk, given: Given) -> Body:
    """List what is billed."""
    seen = desk.rights.visible(Operation.READ_USAGE)
    _, rows = desk.life.page("usagerecord", owners=seen, exactly={}, page=Page(most=LINES_MAX))
    first, last = given.get("startdate", ""), given.get("enddate", "9999") + "~"
    told = shaped_all("usagerecord", rows)
    found = [line for line in told if line["startdate"] <= last and line.get("enddate", last) >= first]
    page = page_of(given)
    lines = found[page.skip : page.skip + page.most]
    return {"count": len(found), "usagerecord": lines} if found else {}


def list_alerts(desk: Desk, _given: Given) -> Body:
    """List what operators must hear of."""
    desk.rights.require_service(Service.READ_ALERTS)
    found = [{"name": alert.subject, "description": alert.text} for alert in desk.life.alerts()]
    return {"count": len(found), "alert": found} if found else {}


def list_configurations(desk: Desk, given: Given) -> Body:
    """List the settings in force; a secret is told to nobody."""
    desk.rights.require_service(Service.READ_CONFIGURATION)
    found = [row for row in desk.life.settings_in_force() if given.get("name") in {None, row["name"]}]
    return {"count": len(found), "configuration": found} if found else {}


def list_zones(_desk: Desk, _given: Given) -> Body:
    """List the one zone."""
    return {"count": 1, "zone": [{"id": ZONE_ID, "name": ZONE, "allocationstate": "Enabled"}]}


def list_capabilities(desk: Desk, _given: Given) -> Body:
    """Say what there is."""
    names = sorted(desk.driver.describe().capabilities)
    return {"capability": {"cloudstackversion": __version__, "capabilities": names}}


JOB = identity("jobid", "the job", required=True)
COMMANDS = table(
    Command(name="queryAsyncJobResult", purpose="Say how a job stands.", use=query_job, parameters=(JOB,)),
    Command(name="listAsyncJobs", purpose="List jobs.", use=list_jobs, parameters=LISTS),
    Command(
        name="listEvents",
        purpose="List audit events.",
        use=list_events,
        shape="event",
        parameters=(text("type", "of one type"), one_of("level", "of one level", "INFO", "WARN", "ERROR"), *LISTS),
    ),
    Command(
        name="listUsageRecords",
        purpose="List what is billed.",
        use=list_usage,
        shape="usagerecord",
        parameters=(
            text("startdate", "what was billed on this day or later, as 2026-11-22", most=24),
            text("enddate", "what was billed on this day or earlier", most=24),
            *LISTS,
        ),
    ),
    Command(name="listAlerts", purpose="List alerts.", use=list_alerts, parameters=PAGES),
    Command(
        name="listConfigurations",
        purpose="List settings.",
        use=list_configurations,
        parameters=(text("name", "one setting"), *PAGES),
    ),
    Command(name="listZones", purpose="List zones.", use=list_zones, parameters=PAGES),
    Command(name="listCapabilities", purpose="Say what there is.", use=list_capabilities),
)
