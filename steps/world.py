"""The world as a whole: what has changed, what is charged, what was left behind, what was written down."""

from pytest_bdd import given, parsers, then, when

from snapproof.lab import Lab
from snapproof.steps.scene import ACCOUNT, Scene
from snapproof.vocabulary import LocationType

DIRECTIONS = {"more": 1, "fewer": -1}


@given("an hour passes")
def an_hour_passes(lab: Lab) -> None:
    """Let time pass, so that moments differ."""
    lab.advance(3_600)


@when("a day has passed")
def a_day_has_passed(lab: Lab) -> None:
    """Let so much time pass that whatever waits for a better moment has waited long enough."""
    lab.advance(86_400)


@then(parsers.parse("all that has changed is {changes}"))
def all_that_has_changed(lab: Lab, scene: Scene, changes: str) -> None:
    """Compare the world with the moment before the act: `1 more array snapshot and 2 fewer backup`, or `nothing`."""
    wanted: dict[str, int] = {}
    for part in [] if changes == "nothing" else changes.split(" and "):
        number, direction, kind = part.split(" ", 2)
        wanted[kind] = int(number) * DIRECTIONS[direction]
    after = lab.inventory()
    lines = "\n".join(scene.before.changes(after))
    assert scene.before.changed_kinds(after) == wanted, f"The world has changed by:\n{lines}"


@then(parsers.parse("the account is charged {number:d} {direction} snapshot"))
@then(parsers.parse("the account is charged {number:d} {direction} snapshots"))
def charged_snapshots(lab: Lab, scene: Scene, number: int, direction: str) -> None:
    """Compare the count with the moment before the act: so many `more` or `fewer`."""
    wanted, before = number * DIRECTIONS[direction], scene.charged_before.snapshots
    now = lab.driver.resource_counts(ACCOUNT).snapshots
    assert now - before == wanted, f"It was {before} and is {now}."


@then("the account is charged for the bytes that lie on secondary storage")
def charged_for_the_bytes(lab: Lab) -> None:
    """Add up the files and objects that are there."""
    lying = sum(image.physical_size_bytes for image in lab.backups())
    charged = lab.driver.resource_counts(ACCOUNT).secondary_storage_bytes
    assert charged == lying, f"{charged} bytes are charged; {lying} lie there."


@then("the account is charged for the volumes and snapshots that are on the array")
def charged_for_primary(lab: Lab) -> None:
    """Each as large as its disk."""
    volumes = sum(row.size_bytes for row in lab.driver.list_volumes(ACCOUNT))
    places = [(row.size_bytes, copy.location) for row in lab.driver.list_snapshots(ACCOUNT) for copy in row.copies]
    wanted = volumes + sum(size for size, place in places if place is LocationType.PRIMARY)
    charged = lab.driver.resource_counts(ACCOUNT).primary_storage_bytes
    assert charged == wanted, f"{charged} bytes are charged on primary storage; there are {wanted}."


@then("nothing is left behind on hosts, access groups and staging")
@then("no host can reach what no machine uses")
def nothing_is_left_behind(lab: Lab) -> None:
    """No storage repository, no plug, no mount, no copy under way, no LUN in an access group without its guest."""
    left = [*lab.leftovers(), *lab.unfinished_uploads()]
    assert not left, "Left behind: " + "; ".join(left)


@then("no credential stands in anything that was written down")
def no_credential_stands(lab: Lab) -> None:
    """Logs, errors, journal, inventories and the driver's own files."""
    text = lab.captured_text()
    assert len(text) > 1_000, "Almost nothing was captured, so that silence would prove nothing."
    found = [number for number, secret in enumerate(lab.secrets()) if secret in text]
    assert not found, f"Credentials number {found} of this world stand in the captured text."
