"""Templates: made of snapshots, deleted, and volumes made of them."""

from collections.abc import Callable

from pytest_bdd import given, parsers, then, when

from snapproof.driver import DriverUnderTest
from snapproof.lab import Lab
from snapproof.steps.scene import ACCOUNT, Scene
from snapproof.vocabulary import Template, TemplateRequest, VolumeRequest


@given(parsers.parse('a template "{name}" of snapshot "{snapshot}"'))
def a_template(lab: Lab, scene: Scene, name: str, snapshot: str) -> None:
    """Make a template before the scenario begins; it must succeed."""
    scene.templates[name] = scene.arrange(lab, _making(scene, name, snapshot))


@when(parsers.parse('a template "{name}" is made from snapshot "{snapshot}"'))
def a_template_is_made(lab: Lab, scene: Scene, name: str, snapshot: str) -> None:
    """Ask for a template."""
    outcome = scene.act(lab, _making(scene, name, snapshot))
    if outcome.value is not None:
        scene.templates[name] = outcome.value


@when(parsers.parse('the template "{name}" is deleted'))
def the_template_is_deleted(lab: Lab, scene: Scene, name: str) -> None:
    """Ask to delete the template."""
    operation, template = scene.operation(), scene.template(name).id
    scene.act(lab, lambda driver: driver.delete_template(operation, template))


@when(parsers.parse('a volume "{name}" is made from template "{template}"'))
def a_volume_is_made(lab: Lab, scene: Scene, name: str, template: str) -> None:
    """Ask for a volume with the template's content."""
    source = scene.template(template)
    request = VolumeRequest(
        operation=scene.operation(),
        account=ACCOUNT,
        name=name,
        size_bytes=source.size_bytes,
        from_template=source.id,
    )
    outcome = scene.act(lab, lambda driver: driver.create_volume(request))
    if outcome.value is not None:
        scene.volumes[name] = outcome.value


@then(parsers.parse('the template "{name}" holds what was on the disk when "{snapshot}" was taken'))
def the_template_holds(lab: Lab, scene: Scene, name: str, snapshot: str) -> None:
    """A whole image at the path that the driver tells, with the bytes of that moment."""
    template, wanted = scene.template(name), lab.content_when_taken(scene.snapshot(snapshot))
    assert template.id in [row.id for row in lab.driver.list_templates()], f'The driver lists no template "{name}".'
    assert wanted.blocks, "The guest had written nothing, so that equality would prove nothing."
    found = [image.content for image in lab.backups() if image.path == template.reference]
    assert len(found) == 1, f"There are {len(found)} files at {template.reference}."
    differing = wanted.differing(found[0])
    assert found[0] == wanted, f'Template "{name}" differs from "{snapshot}" in {len(differing)} blocks.'


@then(parsers.parse('a machine that starts on "{name}" reads what was on the disk when "{snapshot}" was taken'))
def a_machine_reads(lab: Lab, scene: Scene, name: str, snapshot: str) -> None:
    """Through its host, block by block."""
    wanted, guest = lab.content_when_taken(scene.snapshot(snapshot)), lab.start_guest(scene.volume(name))
    assert wanted.blocks, "The guest had written nothing, so that equality would prove nothing."
    size = len(next(iter(wanted.blocks.values())))
    wrong = [number for number, block in wanted.blocks.items() if guest.read(number * size, len(block)) != block]
    guest.stop()
    assert not wrong, f'A machine on "{name}" reads something else in the blocks {wrong[:5]}.'


@then(parsers.parse('the template "{name}" is gone'))
def the_template_is_gone(lab: Lab, scene: Scene, name: str) -> None:
    """Neither listed nor lying anywhere; the act must have succeeded."""
    scene.outcome.raise_if_failed()
    template = scene.template(name)
    assert template.id not in [row.id for row in lab.driver.list_templates()], f'Template "{name}" is still listed.'
    assert template.reference not in {image.path for image in lab.backups()}, f"{template.reference} is still there."


def _making(scene: Scene, name: str, snapshot: str) -> Callable[[DriverUnderTest], Template]:
    request = TemplateRequest(
        operation=scene.operation(), account=ACCOUNT, name=name, from_snapshot=scene.snapshot(snapshot).id
    )
    return lambda driver: driver.create_template(request)
