"""Names on arrays, paths on stores and the reading of a location type, for any text that a user may type."""

import locale
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapproof.driver import InvalidRequestError
from snapproof.reference_impl.core.locations import VHD_BYTES_MAX, read_location, require_fits, require_format
from snapproof.reference_impl.core.names import (
    LUN_NAME_CHARACTERS_MAX,
    NAME_CHARACTERS_MAX,
    array_name,
    array_reference,
    array_snapshot_id,
    backup_path,
    require_name,
    staging_path,
    temporary_lun_name,
)
from snapproof.vocabulary import LocationType

UUIDS = st.uuids().map(str)
PLAIN = st.text(string.ascii_letters + string.digits + "-_", min_size=1).filter(lambda text: text[0] not in "-_")


@given(st.text(), UUIDS)
def test_an_array_name_is_legal_and_ends_in_its_uuid(name: str, uuid: str) -> None:
    made = array_name(name, uuid)
    assert re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?", made)
    assert len(made) <= LUN_NAME_CHARACTERS_MAX
    assert made.endswith(uuid)


@given(st.text(), st.text(), UUIDS, UUIDS)
def test_array_names_of_different_things_differ(one: str, other: str, uuid: str, other_uuid: str) -> None:
    if uuid != other_uuid:
        assert array_name(one, uuid) != array_name(other, other_uuid)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("database", "database-"),
        ("İstanbul \N{LATIN SMALL LETTER DOTLESS I}rmak", "stanbul--rmak-"),
        ("../../etc/passwd", "etc-passwd-"),
        ("💾💾", ""),
        ("", ""),
        ("-" * 99, ""),
        ("x" * 99, "x" * 27 + "-"),
        ("a\0b\nc", "a-b-c-"),
    ],
)
def test_hostile_names_lose_what_an_array_would_not_take(name: str, plain: str) -> None:
    uuid = "0" * 36
    assert array_name(name, uuid) == plain + uuid


@given(UUIDS)
def test_a_temporary_lun_is_named_by_the_snapshot_alone(uuid: str) -> None:
    assert temporary_lun_name(uuid).endswith(uuid)
    assert len(temporary_lun_name(uuid)) <= LUN_NAME_CHARACTERS_MAX


@given(PLAIN, UUIDS, UUIDS)
def test_a_backups_path_has_four_parts_and_its_staging_directory_lies_beside_it(
    account: str, volume: str, snapshot: str
) -> None:
    path = backup_path(account, volume, snapshot)
    assert path.split("/") == ["snapshots", account, volume, f"{snapshot}.vhd"]
    assert staging_path(account, volume, snapshot) == path.removesuffix(".vhd") + ".part"


@given(st.text().filter(lambda text: not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", text)), st.integers(0, 2))
def test_no_other_text_can_be_part_of_a_path(part: str, place: int) -> None:
    parts = ["blue", "v", "s"]
    parts[place] = part
    with pytest.raises(ValueError, match="cannot be part of a backup's path"):
        backup_path(*parts)


@pytest.mark.parametrize("part", ["..", ".", "", "a/b", "../x", "/", "a\\b", "a\0", "a\n", "-rf", "team blue", "é"])
def test_a_path_cannot_be_led_astray(part: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{part!r} cannot be part")):
        backup_path(part, "v", "s")


@given(st.integers(min_value=0))
def test_an_array_reference_is_read_back(snapshot_id: int) -> None:
    assert array_snapshot_id(array_reference(snapshot_id)) == snapshot_id


@given(
    st.sampled_from(LocationType), st.lists(st.booleans(), min_size=9, max_size=9), st.sampled_from(["", " ", "\t\n"])
)
def test_a_location_is_read_in_any_case_and_between_blanks(
    location: LocationType, upper: list[bool], blank: str
) -> None:
    typed = "".join(c if up else c.lower() for c, up in zip(location, upper, strict=False))
    assert read_location(f"{blank}{typed}{blank}") is location


def test_no_location_means_primary() -> None:
    assert read_location(None) is LocationType.PRIMARY


@given(st.text().filter(lambda text: text.strip().lower() not in {"primary", "secondary"}))
def test_any_other_text_is_refused_with_the_legal_values(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="is no location type; a snapshot is kept on PRIMARY or SECONDARY"):
        read_location(text)


@pytest.mark.parametrize("text", ["pr\u0131mary", "PR\u0130MARY", "\uff50rimary", "SECONDARY\u0301", "PR\u0399MARY"])
def test_letters_that_only_look_like_ascii_are_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        read_location(text)


def test_reading_a_location_asks_no_locale() -> None:
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in ("tr_TR.UTF-8", "C"):
            try:
                locale.setlocale(locale.LC_CTYPE, name)
            except locale.Error:
                continue  # not installed here; the letters above prove as much
            assert read_location("primary") is LocationType.PRIMARY
    finally:
        locale.setlocale(locale.LC_CTYPE, before)


def test_only_vhd_is_kept_on_secondary() -> None:
    for image_format in ("VHD", "RAW"):
        require_format(LocationType.PRIMARY, image_format)
    require_format(LocationType.SECONDARY, "VHD")
    with pytest.raises(InvalidRequestError, match="only VHD is kept on SECONDARY"):
        require_format(LocationType.SECONDARY, "RAW")


def test_what_is_vmwares_or_larger_than_a_vhd_is_refused_before_anything_is_begun() -> None:
    with pytest.raises(InvalidRequestError, match="OVA are VMware's"):
        require_format(LocationType.PRIMARY, "OVA")
    require_fits(LocationType.PRIMARY, VHD_BYTES_MAX + 1)
    require_fits(LocationType.SECONDARY, VHD_BYTES_MAX)
    with pytest.raises(InvalidRequestError, match="a VHD holds at most"):
        require_fits(LocationType.SECONDARY, VHD_BYTES_MAX + 1)


def test_a_name_has_as_many_characters_as_the_catalog_keeps() -> None:
    require_name("volume", "x" * NAME_CHARACTERS_MAX)
    with pytest.raises(InvalidRequestError, match="at most 255 characters, and this one has 256"):
        require_name("volume", "x" * (NAME_CHARACTERS_MAX + 1))
