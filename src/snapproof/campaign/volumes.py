"""Workflows about volumes and templates: they are made, restored, grown, reverted and deleted; and so is an account.

One table of all is in workflows.py.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from snapproof.campaign.stages import (
    ACCOUNT,
    HERE,
    SIZE_BYTES,
    THERE,
    Act,
    Judge,
    Stage,
    Wanting,
    insist,
    insist_on,
    taken,
    volume_with_guest,
)
from snapproof.driver import DriverUnderTest
from snapproof.lab import Guest, Lab
from snapproof.vocabulary import (
    AccountId,
    LocationType,
    OperationId,
    PolicyRequest,
    Snapshot,
    Template,
    TemplateRequest,
    Volume,
    VolumeRequest,
)

LARGER_BYTES = 10**9 + 512
"""Beyond what arrays give the smallest LUN, so that it has to grow with the disk."""
OTHERS = AccountId("team-red")
"""Somebody beside the account of most volumes."""


def arrange_create(lab: Lab) -> Stage:
    """An empty volume is made for an account that the array does not know; somebody else's is written to meanwhile."""
    _, busy = volume_with_guest(lab, "other")
    request = VolumeRequest(operation=OperationId("create"), account=OTHERS, name="empty", size_bytes=SIZE_BYTES)

    def judge(after: Lab) -> Iterator[str]:
        """It can be had at last, and a machine can use it."""
        insist_on(after, _create, request)
        made = [row for row in after.driver.list_volumes() if row.name == request.name]
        if [row.size_bytes for row in made] != [SIZE_BYTES]:
            yield f"There are {len(made)} volumes where one should be, or it has another size."
        for row in made:
            guest = after.start_guest(row)
            guest.fill(blocks=2)
            guest.stop()

    return Stage(lambda driver: driver.create_volume(request), busy, judge)


def _create(driver: DriverUnderTest, request: VolumeRequest) -> object:
    return driver.create_volume(request)


def restore_of(source: Snapshot) -> VolumeRequest:
    """The wish for a volume with what a snapshot holds."""
    return VolumeRequest(
        operation=OperationId("restore"),
        account=ACCOUNT,
        name="restored",
        size_bytes=SIZE_BYTES,
        from_snapshot=source.id,
    )


def volume_restored(lab: Lab, request: VolumeRequest, source: Snapshot) -> Iterator[str]:
    """Whole or not there; and it can be had at last, by the same request or, where that failed, by another."""
    insist_on(lab, _create, request)
    restored = [row for row in lab.driver.list_volumes() if row.name == request.name]
    if len(restored) != 1:
        yield f"{len(restored)} volumes were restored under one operation id."
    for row in restored:
        if lab.content_of(row) != lab.content_when_taken(source):
            yield f"Volume {row.name} is not what was on the disk when snapshot {source.name} was taken."


def _wish(request: VolumeRequest, source: Snapshot) -> tuple[Act, Judge]:
    return lambda driver: driver.create_volume(request), lambda after: volume_restored(after, request, source)


def restoring(_lab: Lab, source: Snapshot) -> tuple[Act, Judge]:
    """Make a volume from a snapshot."""
    return _wish(restore_of(source), source)


def restoring_as_well(_lab: Lab, source: Snapshot) -> tuple[Act, Judge]:
    """Make another one."""
    request = replace(restore_of(source), operation=OperationId("restore-as-well"), name="restored-as-well")
    return _wish(request, source)


def restoring_template(lab: Lab, source: Snapshot) -> tuple[Act, Judge]:
    """Make a volume from a template of the snapshot."""
    template = _template(lab, source, "silver")
    return _wish(replace(restore_of(source), from_snapshot=None, from_template=template.id), source)


def arrange_from(location: LocationType, *wanted: Wanting) -> Callable[[Lab], Stage]:
    """What is asked of a snapshot in this place, by a caller each."""

    def arrange(lab: Lab) -> Stage:
        """A snapshot is there, beside its parent, which goes on being written to."""
        volume, guest = volume_with_guest(lab)
        source = taken(lab, volume, "source", location)
        guest.fill(blocks=4)
        return asking(lab, source, guest, *wanted)

    return arrange


def asking(lab: Lab, source: Snapshot, guest: Guest, *wanted: Wanting) -> Stage:
    """The stage on which all that is wanted of a snapshot is asked for, and can be had."""
    asked = [wanting(lab, source) for wanting in wanted]
    (act, *others), judges = zip(*asked, strict=True)
    return Stage(act, guest, lambda after: (line for judge in judges for line in judge(after)), tuple(others))


def arrange_revert(*, keep_present: bool) -> Callable[[Lab], Stage]:
    """With a snapshot of what the revert throws away, or without."""

    def arrange(lab: Lab) -> Stage:
        """A volume that no machine uses goes back to the first of two snapshots; another is written to meanwhile."""
        volume, guest = volume_with_guest(lab)
        goal = taken(lab, volume, "goal", HERE)
        guest.fill(blocks=4)
        known = {goal.id, taken(lab, volume, "later", HERE).id}
        guest.fill(blocks=4)
        now = guest.content()
        guest.stop()
        lab.expect_revert(volume)
        _, busy = volume_with_guest(lab, "other")

        def revert(driver: DriverUnderTest, operation: str = "revert") -> None:
            driver.revert_volume(OperationId(operation), goal.id, keep_present=keep_present)

        def judge(after: Lab) -> Iterator[str]:
            """The one or the other, never something between; and it can be had at last."""
            if after.content_of(volume) not in (now, after.content_when_taken(goal)):
                yield f"Volume {volume.name} is neither what it was nor what snapshot {goal.name} is."
            yield from volume_reverted(after, volume, goal, revert)
            kept = [row for row in after.driver.list_snapshots() if row.id not in known and row.copies]
            if keep_present and now not in map(after.content_when_taken, kept):
                yield f"What volume {volume.name} was before the revert is in none of {len(kept)} snapshots."

        return Stage(revert, busy, judge)

    return arrange


def volume_reverted(
    lab: Lab, volume: Volume, goal: Snapshot, revert: Callable[[DriverUnderTest, OperationId], object]
) -> Iterator[str]:
    """It can be had at last, by the same request or, where that failed, by another."""
    insist(lab, revert, "revert").raise_if_failed()
    if lab.content_of(volume) != lab.content_when_taken(goal):
        yield f"Volume {volume.name} was reverted, and is not what snapshot {goal.name} is."


def arrange_resize(fits: Callable[[int, int], bool]) -> Callable[[Lab], Stage]:
    """Whether a disk so large fits what was asked for: to a KVM host it is the whole LUN."""

    def arrange(lab: Lab) -> Stage:
        """A volume that no machine uses is made larger; another one is written to meanwhile."""
        volume, guest = volume_with_guest(lab)
        taken(lab, volume, "kept-on-array", HERE)
        guest.stop()
        _, busy = volume_with_guest(lab, "other")
        lab.expect_resize(volume)

        def resize(driver: DriverUnderTest, operation: str = "resize") -> None:
            driver.resize_volume(OperationId(operation), volume.id, LARGER_BYTES)

        def judge(after: Lab) -> Iterator[str]:
            """It can be had at last; and then it is so large for everybody."""
            insist(after, resize, "resize").raise_if_failed()
            (listed,) = [row.size_bytes for row in after.driver.list_volumes() if row.id == volume.id]
            if listed != LARGER_BYTES or not fits(after.content_of(volume).size_bytes, LARGER_BYTES):
                yield f"Volume {volume.name} is listed with {listed} bytes and has another size, or not {LARGER_BYTES}."

        return Stage(resize, busy, judge)

    return arrange


def arrange_delete_volume(lab: Lab) -> Stage:
    """A volume goes that no machine uses; what was backed up of it stays. Another one is written to meanwhile."""
    volume, guest = volume_with_guest(lab)
    kept = taken(lab, volume, "kept-on-secondary", THERE)
    guest.stop()
    _, busy = volume_with_guest(lab, "other")

    def delete(driver: DriverUnderTest, operation: str = "delete") -> None:
        driver.delete_volume(OperationId(operation), volume.id)

    def judge(after: Lab) -> Iterator[str]:
        insist(after, delete, "delete")
        if volume.id in {row.id for row in after.driver.list_volumes()}:
            yield f"Volume {volume.name} cannot be deleted."
        if kept.id not in {row.id for row in after.driver.list_snapshots()}:
            yield f"Snapshot {kept.name} went with its volume."

    return Stage(delete, busy, judge)


def template_of(source: Snapshot) -> TemplateRequest:
    """The wish for a template with what a snapshot holds."""
    return TemplateRequest(operation=OperationId("template"), account=ACCOUNT, name="golden", from_snapshot=source.id)


def template_made(lab: Lab, request: TemplateRequest, source: Snapshot) -> Iterator[str]:
    """Whole or not there; and it can be had at last, by the same request or, where that failed, by another."""
    insist_on(lab, lambda driver, asked: driver.create_template(asked), request)
    made = [row.reference for row in lab.driver.list_templates() if row.name == request.name]
    contents = [image.content for image in lab.backups() if image.path in made]
    if contents != [lab.content_when_taken(source)]:
        yield f"There are {len(contents)} templates where one should be, or it is not what its snapshot is."


def _template(lab: Lab, source: Snapshot, name: str) -> Template:
    """A template that is there."""
    request = replace(template_of(source), operation=OperationId(f"make-{name}"), name=name)
    return lab.attempt(lambda driver: driver.create_template(request)).result()


def making_template(_lab: Lab, source: Snapshot) -> tuple[Act, Judge]:
    """Make a template of a snapshot."""
    request = template_of(source)
    return lambda driver: driver.create_template(request), lambda after: template_made(after, request, source)


def arrange_template(location: LocationType) -> Callable[[Lab], Stage]:
    """Of a snapshot on the array, or of a backup."""

    def arrange(lab: Lab) -> Stage:
        """A template is made of a snapshot in one place, beside one that was made of a snapshot in the other."""
        volume, guest = volume_with_guest(lab)
        kept = taken(lab, volume, "kept", THERE if location is HERE else HERE)
        source = taken(lab, volume, "source", location)
        _template(lab, kept, "silver")
        return asking(lab, source, guest, making_template)

    return arrange


def arrange_delete_template(lab: Lab) -> Stage:
    """Of two templates of one snapshot, one goes."""
    volume, guest = volume_with_guest(lab)
    source = taken(lab, volume, "source", HERE)
    kept, doomed = _template(lab, source, "silver"), _template(lab, source, "golden")

    def delete(driver: DriverUnderTest, operation: str = "delete") -> None:
        driver.delete_template(OperationId(operation), doomed.id)

    def judge(after: Lab) -> Iterator[str]:
        insist(after, delete, "delete")
        if (left := [row.id for row in after.driver.list_templates()]) != [kept.id]:
            yield f"Template {doomed.name} was to be deleted and {kept.name} to stay; {len(left)} are left."

    return Stage(delete, guest, judge)


def arrange_delete_account(lab: Lab) -> Stage:
    """An account goes with one thing of each kind; what another one has stays, and is written to meanwhile."""
    volume, guest = volume_with_guest(lab)
    source = taken(lab, volume, "on-array", HERE)
    taken(lab, volume, "on-secondary", THERE)
    _template(lab, source, "golden")
    guest.stop()
    policy = PolicyRequest(
        operation=OperationId("policy"), volume=volume.id, interval="DAILY", schedule="0:0", timezone="UTC", keep_max=1
    )
    lab.attempt(lambda driver: driver.create_policy(policy)).raise_if_failed()
    _, busy = volume_with_guest(lab, "other", OTHERS)
    return Stage(delete_account, busy, account_gone)


def delete_account(driver: DriverUnderTest, operation: str = "delete") -> None:
    """Delete the account of most volumes."""
    driver.delete_account(OperationId(operation), ACCOUNT)


def account_gone(lab: Lab) -> Iterator[str]:
    """It can be got rid of with all that it has; and nothing is left but what others have."""
    insist(lab, delete_account, "delete")
    driver = lab.driver
    left = [row.name for row in driver.list_volumes()] + [row.name for row in driver.list_snapshots()]
    left += [row.name for row in driver.list_templates()]
    if left != ["other"] or driver.list_policies():
        yield f"Account {ACCOUNT} was to be deleted with all that it has, and nobody else; there are still {left}."
