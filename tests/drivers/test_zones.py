"""Snapshots stay in their zone: no verb takes them to another, and who asks for it all the same is told so."""

import json
from collections.abc import Mapping

import msgspec
import pytest

from snapproof.campaign.schedule import Schedule
from snapproof.driver import DriverUnderTest
from snapproof.drivers.contract import SiteMessage, Verb, verbs
from snapproof.drivers.hosting import Hosting
from snapproof.fixtures.caller import Caller
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.vocabulary import LocationType


def words_of(verb: Verb) -> str:
    """Everything that a verb names: itself, and the fields of its message however deep."""
    schema = json.dumps(msgspec.json.schema(verb.body))
    return f"{verb.name} {schema}".lower()


def verbs_with_zones(known: Mapping[str, Verb]) -> list[str]:
    return [name for name, verb in known.items() if "zone" in words_of(verb).replace("timezone", "")]


@pytest.mark.requirement(id="R-037")
def test_no_verb_of_the_contract_names_a_zone() -> None:
    assert verbs_with_zones(verbs()) == []
    planted = msgspec.defstruct("CopySnapshotBody", [("snapshot", str), ("zone", str)])
    verb = Verb(name="copy_snapshot", body=planted, answer=None, purpose="Copy a snapshot to another zone.")
    assert verbs_with_zones({**verbs(), "copy_snapshot": verb}) == ["copy_snapshot"]


def already_begun(_site: SiteMessage) -> DriverUnderTest:
    raise AssertionError("Nobody begins a life that has begun.")


@pytest.mark.requirement(id="R-037")
def test_a_copy_to_another_zone_is_refused_with_the_reason_and_begins_nothing() -> None:
    schedule = Schedule(workflow="archive", store="nfs", seed=3)
    with lab_opener(ReferenceDriver)(schedule) as lab:
        caller = Caller(lab)
        kept = caller.take("kept", caller.used_volume().id, LocationType.PRIMARY).result()
        before = lab.inventory()
        body = json.dumps({"snapshot": kept.id, "zone": "zone-2"}).encode()
        status, _, answer = Hosting(already_begun, lab.driver)("POST", "/v1/copy-snapshot", {}, body)
        assert status == 404
        assert "There is no such verb" in json.loads(answer)["detail"]
        assert before.changes(lab.inventory()) == ()
