"""No product's name in what is sent: to the array, to hosts, to a store. Clients of the API: tests/access."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from snapproof.fixtures.caller import Caller
from snapproof.fixtures.ground import BUCKET
from snapproof.reference_impl.adapters import element, element_owners
from snapproof.reference_impl.doctor import examine
from snapproof.site import Answer, Endpoint, Site
from snapproof.vocabulary import LocationType

PRODUCT = "snapproof"


class Ear:
    """Hears what a driver sends to the services of its site, and what it calls files. Backups are their guests' own."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def on(self, endpoint: Endpoint, *, bodies: bool = True) -> Endpoint:
        inner = endpoint.wire
        assert inner is not None

        def wire(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
            self.heard.append(f"{method} {path} {dict(headers)} {body.decode('latin-1') if bodies else ''}")
            return inner(method, path, headers, body)

        return replace(endpoint, wire=wire)

    def in_front_of(self, site: Site) -> Site:
        assert site.bucket is not None
        heard, directory = self.heard, site.export

        class Export:
            def __getattr__(self, name: str) -> Any:
                def told(*given: Any) -> Any:
                    heard.append(f"{name} {given}")
                    return getattr(directory, name)(*given)

                return told

        export: Any = Export()
        return replace(
            site,
            array=self.on(site.array),
            hypervisor=self.on(site.hypervisor),
            bucket=replace(site.bucket, endpoint=self.on(site.bucket.endpoint, bodies=False)),
            export=export,
        )


def branded(open_caller: Callable[[str], Caller]) -> list[str]:
    """Let volumes and snapshots live through everything; give what was sent with the product's name in it."""
    caller, ear = open_caller("s3"), Ear()
    caller.lab._site = site = ear.in_front_of(caller.lab._site)
    caller.lab.restart_driver()
    volume = caller.used_volume()
    here = caller.take("here", volume.id).result()
    there = caller.take("there", volume.id, LocationType.SECONDARY).result()
    for operation, source in (("from here", here), ("from there", there)):
        assert caller.create(operation, source=source.id).error is None
    for row in (here, there):
        caller.delete(f"delete {row.name}", row.id).raise_if_failed()
    examine(site)
    assert len(ear.heard) > 50, "Almost nothing was heard, so that silence would prove nothing."
    return [said for said in ear.heard if PRODUCT in said.replace(BUCKET, "").casefold()]


@pytest.mark.requirement(id="R-108")
def test_no_product_is_named_to_array_hosts_and_store(open_caller: Callable[[str], Caller]) -> None:
    assert branded(open_caller) == []


def test_a_product_in_an_attribute_is_found(
    open_caller: Callable[[str], Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (element, element_owners):
        monkeypatch.setattr(module, "OWNER_MARK", "SnapProof")
    assert any("CreateSnapshot" in said for said in branded(open_caller))
