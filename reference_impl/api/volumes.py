"""Commands about volumes, and about templates made of snapshots."""

from snapproof.driver import InvalidRequestError, NotFoundError
from snapproof.reference_impl.api.command import LISTS, OWNERS, Command, table
from snapproof.reference_impl.api.desk import Body, Desk, Given
from snapproof.reference_impl.api.parameters import flag, identities, identity, one_of, tags, text, whole
from snapproof.reference_impl.api.shapes import GIB
from snapproof.vocabulary import (
    Qos,
    SnapshotId,
    TemplateId,
    TemplateRequest,
    VolumeId,
    VolumeRequest,
)

IOPS_MAX = 200_000
BURST = 1.5
"""CloudStack works the burst out of the maximum."""


def create(desk: Desk, given: Given) -> Body:
    """Make a volume: empty, of a snapshot, or of a template."""
    source, template = given.get("snapshotid"), given.get("templateid")
    if source is not None and template is not None:
        raise InvalidRequestError("A volume is made of a snapshot or of a template; give one of them.")
    most = given.get("maxiops", Qos(min_iops=100, max_iops=15_000, burst_iops=22_500).max_iops)
    request = VolumeRequest(
        operation=desk.job,
        account=desk.owner(given),
        name=given["name"],
        size_bytes=_size(desk, given),
        qos=Qos(min_iops=given.get("miniops", 100), max_iops=most, burst_iops=int(most * BURST)),
        from_snapshot=None if source is None else SnapshotId(source),
        from_template=None if template is None else TemplateId(template),
    )
    made = desk.driver.create_volume(request)
    desk.life.put_tags(made.account, "Volume", made.id, given.get("tags", {}))
    return {"id": made.id, "jobid": desk.job}


def _size(desk: Desk, given: Given) -> int:
    """The size that is asked for, or that of what it is made of. CloudStack's `size` counts in GiB."""
    if "sizebytes" in given:
        return int(given["sizebytes"])
    if "size" in given:
        return int(given["size"]) * GIB
    if "snapshotid" in given:
        found = next((row for row in desk.driver.list_snapshots() if row.id == given["snapshotid"]), None)
        if found is None:
            raise NotFoundError(f"There is no snapshot {given['snapshotid']}.")
        return found.size_bytes
    if "templateid" in given:
        template = next((row for row in desk.driver.list_templates() if row.id == given["templateid"]), None)
        if template is None:
            raise NotFoundError(f"There is no template {given['templateid']}.")
        return template.size_bytes
    raise InvalidRequestError("Parameter size is missing; a volume that is made of nothing needs one.")


def delete(desk: Desk, given: Given) -> Body:
    """Delete a volume while the caller waits, as CloudStack does."""
    desk.driver.delete_volume(desk.job, VolumeId(given["id"]))
    desk.finish(desk.job)
    return {"success": True}


def destroy(desk: Desk, given: Given) -> Body:
    """Delete a volume in a job."""
    desk.driver.delete_volume(desk.job, VolumeId(given["id"]))
    return {"id": given["id"], "jobid": desk.job}


def resize(desk: Desk, given: Given) -> Body:
    """Make a volume larger."""
    if not {"size", "sizebytes"} & given.keys():
        raise InvalidRequestError("Parameter size is missing; say how large the volume is to be.")
    desk.driver.resize_volume(desk.job, VolumeId(given["id"]), _size(desk, given))
    return {"id": given["id"], "jobid": desk.job}


def list_volumes(desk: Desk, given: Given) -> Body:
    """List volumes."""
    return desk.listed("volume", given, "id", "name")


def create_template(desk: Desk, given: Given) -> Body:
    """Make a template of a snapshot."""
    request = TemplateRequest(
        operation=desk.job,
        account=desk.owner(given),
        name=given["name"],
        from_snapshot=SnapshotId(given["snapshotid"]),
    )
    made = desk.driver.create_template(request)
    desk.life.put_tags(made.account, "Template", made.id, given.get("tags", {}))
    return {"id": made.id, "jobid": desk.job}


def delete_template(desk: Desk, given: Given) -> Body:
    """Delete a template."""
    desk.driver.delete_template(desk.job, TemplateId(given["id"]))
    return {"jobid": desk.job}


def list_templates(desk: Desk, given: Given) -> Body:
    """List templates; each kind of CloudStack's filter means the caller's own here."""
    return desk.listed("template", given, "id", "name")


COMMANDS = table(
    Command(
        name="createVolume",
        purpose="Make a volume: empty, of a snapshot, or of a template.",
        use=create,
        asynchronous=True,
        shape="volume",
        parameters=(
            text("name", "what to call it", required=True),
            whole("size", "in GiB", least=1, most=2**14),
            whole("sizebytes", "in bytes, instead of size", least=1, most=2**44),
            identity("snapshotid", "what it is made of"),
            identity("templateid", "what it is made of"),
            identity("diskofferingid", "is not looked at: there are no offerings"),
            whole("miniops", "guaranteed IOPS", least=50, most=IOPS_MAX),
            whole("maxiops", "maximum IOPS", least=50, most=IOPS_MAX),
            identity("zoneid", "there is one"),
            *OWNERS,
            tags(),
        ),
    ),
    Command(
        name="deleteVolume",
        purpose="Delete a volume; its snapshots stay usable.",
        use=delete,
        parameters=(identity("id", "the volume", required=True),),
    ),
    Command(
        name="destroyVolume",
        purpose="Delete a volume in a job.",
        use=destroy,
        asynchronous=True,
        parameters=(identity("id", "the volume", required=True), flag("expunge", "is always done")),
    ),
    Command(
        name="resizeVolume",
        purpose="Make a volume that no machine uses larger.",
        use=resize,
        asynchronous=True,
        shape="volume",
        parameters=(
            identity("id", "the volume", required=True),
            whole("size", "in GiB", least=1, most=2**14),
            whole("sizebytes", "in bytes, instead of size", least=1, most=2**44),
        ),
    ),
    Command(
        name="listVolumes",
        purpose="List volumes.",
        use=list_volumes,
        shape="volume",
        parameters=(
            identity("id", "one volume"),
            identities("ids", "several volumes"),
            text("name", "those of one name"),
            *LISTS,
        ),
    ),
    Command(
        name="createTemplate",
        purpose="Make a template of a snapshot.",
        use=create_template,
        asynchronous=True,
        shape="template",
        parameters=(
            text("name", "what to call it", required=True),
            text("displaytext", "is not kept"),
            identity("snapshotid", "what it is made of", required=True),
            identity("ostypeid", "is not kept"),
            *OWNERS,
            tags(),
        ),
    ),
    Command(
        name="deleteTemplate",
        purpose="Delete a template.",
        use=delete_template,
        asynchronous=True,
        parameters=(identity("id", "the template", required=True), identity("zoneid", "there is one")),
    ),
    Command(
        name="listTemplates",
        purpose="List templates.",
        use=list_templates,
        shape="template",
        parameters=(
            one_of("templatefilter", "CloudStack's filter", "self", "selfexecutable", "executable", "all"),
            identity("id", "one template"),
            identities("ids", "several templates"),
            text("name", "those of one name"),
            *LISTS,
        ),
    ),
)
