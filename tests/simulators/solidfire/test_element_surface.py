"""The tables: complete, consistent, and held against every answer, made up or real."""

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapproof.simulators.solidfire.calls import call, methods
from snapproof.simulators.solidfire.errors import ERRORS
from snapproof.simulators.solidfire.method import Standing
from snapproof.simulators.solidfire.surface.checking import strays
from snapproof.simulators.solidfire.surface.pages import Known, Tier, pages, surface
from snapproof.simulators.solidfire.surface.samples import sample
from snapproof.simulators.solidfire.surface.shapes import Many, Shape, shape
from snapproof.simulators.solidfire.versions import SUPPORTED

PLAIN = {"integer", "number", "string", "time", "boolean", "uuid", "object", "name_or_id"}
GB = 1_000_000_000


def shapes() -> dict[str, Shape]:
    """Every shape of the tables, by where it stands."""
    tables = surface()
    found = {f"{name} takes {key}": text for name, entry in tables.methods.items() for key, text in entry.takes.items()}
    found |= {
        f"{name} gives {key}": text for name, entry in tables.methods.items() for key, text in entry.gives.items()
    }
    found |= {f"{name} has {key}": text for name, members in tables.types.items() for key, text in members.items()}
    return {where: shape(text) for where, text in found.items()}


def test_the_surface_is_whole() -> None:
    tables = surface()
    assert len(tables.methods) == 315
    assert sum(len(entry.takes) for entry in tables.methods.values()) == 622


def test_no_page_says_again_what_another_says() -> None:
    for kind in ("methods", "types", "enumerations"):
        names = [name for page in pages().values() for name in getattr(page, kind)]
        assert len(names) == len(set(names))


def test_every_word_has_a_meaning_and_every_type_a_use() -> None:
    tables = surface()
    used = {looks.word for looks in shapes().values()}
    assert used - PLAIN == tables.types.keys() | tables.enumerations.keys()
    assert not tables.types.keys() & tables.enumerations.keys()
    assert not PLAIN & (tables.types.keys() | tables.enumerations.keys())


def test_versions_are_versions_of_the_cluster() -> None:
    written = {f"{major}.{minor}" for major, minor in (looks.since for looks in shapes().values())}
    assert written | {entry.since for entry in surface().methods.values()} <= set(SUPPORTED)


def test_only_what_hardware_would_answer_is_refused_and_every_refusal_has_its_reason() -> None:
    for entry in surface().methods.values():
        if entry.refused:
            assert entry.tier is Tier.HARDWARE
            assert re.fullmatch(r"[A-Z].+\.", entry.refused)


def test_evidence_agrees_with_who_calls_it() -> None:
    for entry in surface().methods.values():
        assert (entry.evidence is Known.SEEN) is bool(entry.clients)
        assert list(entry.clients) == sorted(set(entry.clients))


def test_errors_are_errors_of_the_cluster() -> None:
    named = {error for entry in surface().methods.values() for error in entry.errors}
    assert named <= ERRORS.keys()


@pytest.mark.parametrize("text", ["", "integer ?", "integer?[]", "integer since", "integer since 8", "[]", "a b"])
def test_what_is_no_shape_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no shape"):
        shape(text)


@given(word=st.from_regex(r"\A[A-Za-z_]\w{0,9}\Z"), many=st.sampled_from(Many), optional=st.booleans())
def test_a_shape_reads_as_it_was_written(word: str, many: Many, *, optional: bool) -> None:
    plain = f"{word}{many}{'?' if optional else ''}"
    assert shape(plain) == Shape(word, many, optional)
    assert shape(f"{plain} since 12.3") == Shape(word, many, optional, (12, 3))


def test_made_up_answers_are_of_the_shape_of_the_table_and_hold_no_fractions() -> None:
    for name, entry in surface().methods.items():
        answer = sample(entry.gives)
        assert answer.keys() == entry.gives.keys()
        assert list(strays(answer, entry.gives, name)) == []
        assert not re.search(rb"\d\.\d", re.sub(rb'"[^"]*"', b"", msgspec.json.encode(answer))), name


def test_a_made_up_object_holds_what_is_required_and_nothing_else() -> None:
    made = sample(
        {"domain": "ProtectionDomain", "config": "ClusterConfig?", "all": "ProtectionDomain[]", "by": "QoS{}"}
    )
    assert made == {
        "domain": {"protectionDomainType": "node", "protectionDomainName": ""},
        "config": {},
        "all": [],
        "by": {},
    }


def test_a_method_without_a_rule_answers_made_up_values_and_remembers_nothing(world: Any) -> None:
    before = world.fingerprint()
    method = methods()["DisableClusterSsh"]
    assert method.standing is Standing.DEFAULT
    assert world.result("DisableClusterSsh") == sample(method.entry.gives)
    assert world.fingerprint() == before


STORY: list[tuple[str, dict[str, Any]]] = [
    ("AddAccount", {"username": "tenant"}),
    ("GetAccountByID", {"accountID": 1}),
    ("GetAccountByName", {"username": "tenant"}),
    ("ModifyAccount", {"accountID": 1}),
    ("CreateVolume", {"name": "disk", "accountID": 1, "totalSize": GB}),
    ("ModifyVolume", {"volumeID": 1}),
    ("CreateSnapshot", {"volumeID": 1}),
    ("CreateSnapshot", {"volumeID": 1, "retention": "24:00:00"}),
    ("ModifySnapshot", {"snapshotID": 1}),
    ("RollbackToSnapshot", {"volumeID": 1, "snapshotID": 1}),
    ("RollbackToSnapshot", {"volumeID": 1, "snapshotID": 1, "saveCurrentState": True}),
    ("CloneVolume", {"volumeID": 1, "name": "copy"}),
    ("GetAsyncResult", {"asyncHandle": 1}),
    ("ListAsyncResults", {}),
    ("CreateVolumeAccessGroup", {"name": "hosts", "volumes": [1], "initiators": ["iqn.1994-05.com.redhat:host"]}),
    ("ModifyVolumeAccessGroup", {"volumeAccessGroupID": 1, "name": "others"}),
    ("ListVolumeAccessGroups", {}),
    ("DeleteVolume", {"volumeID": 1}),
    ("ListDeletedVolumes", {}),
    ("ListVolumesForAccount", {"accountID": 1}),
    ("RestoreDeletedVolume", {"volumeID": 1}),
    *((f"List{noun}", {}) for noun in ("Accounts", "Volumes", "ActiveVolumes", "Snapshots")),
    *((f"GetCluster{noun}", {}) for noun in ("Info", "VersionInfo", "Capacity")),
    *((method, {}) for method in ("GetAPI", "GetLimits", "GetDefaultQoS")),
]


def test_what_the_rules_answer_is_of_the_shape_of_the_table(world: Any) -> None:
    for method, params in STORY:
        answer = call(world.array, method, **params)
        assert list(strays(answer, surface().methods[method].gives, method)) == []


PLANTED: list[tuple[dict[str, str], Any, str]] = [
    ({"a": "integer"}, {}, "result.a is missing."),
    ({"a": "integer"}, {"a": None}, "result.a is null."),
    ({"a": "integer"}, {"a": True}, "result.a must be integer, not True."),
    ({"a": "integer"}, {"a": 1.0}, "result.a must be integer, not 1.0."),
    ({"a": "number"}, {"a": "1"}, "result.a must be number, not '1'."),
    ({"a": "string"}, {"a": 1}, "result.a must be string, not 1."),
    ({"a": "boolean"}, {"a": 0}, "result.a must be boolean, not 0."),
    ({"a": "uuid"}, {"a": ""}, "result.a must be uuid, not ''."),
    ({"a": "time"}, {"a": ""}, "result.a must be time, not ''."),
    ({"a": "object"}, {"a": []}, "result.a must be object, not []."),
    ({"a": "name_or_id"}, {"a": []}, "result.a must be name_or_id, not []."),
    ({"a": "integer[]"}, {"a": 1}, "result.a must be list of integer."),
    ({"a": "integer[]"}, {"a": [1, "2"]}, "result.a[1] must be integer, not '2'."),
    ({"a": "integer{}"}, {"a": {"x": "2"}}, "result.a[x] must be integer, not '2'."),
    ({"a": "VolumeAccess"}, {"a": "x"}, "result.a must be VolumeAccess, not 'x'."),
    ({"a": "LunAssignment"}, {"a": {"volumeID": 1}}, "result.a.lun is missing."),
    ({"a": "LunAssignment"}, {"a": 1}, "result.a must be an object."),
    ({}, {"a": 1}, "result.a is not in the table."),
]


@pytest.mark.parametrize(("members", "answer", "sentence"), PLANTED, ids=[sentence for _, _, sentence in PLANTED])
def test_an_answer_that_strays_is_told_so(members: Any, answer: Any, sentence: str) -> None:
    assert list(strays(answer, members)) == [sentence]


def test_what_is_optional_may_be_null_or_missing() -> None:
    assert list(strays({"a": None}, {"a": "integer?", "b": "LunAssignment[]?"})) == []
