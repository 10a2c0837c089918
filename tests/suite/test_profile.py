"""A driver's profile: what it may say, when a deviation ends, and what is refused."""

import textwrap
from datetime import date
from pathlib import Path

import pytest

from snapproof.lab import NotTestableError
from snapproof.profile import Control, Deviation, Profile, ProfileError, profile_of, read_profile
from snapproof.selection import ProfileBrokenError, check_profile
from snapproof.vocabulary import Capability, Description, Secret


def test_a_deviation_counts_until_its_last_day() -> None:
    deviation = Deviation(scenario="s", reason="known", link="https://mini.example/7", expires=date(2026, 11, 30))
    assert [deviation.excuses(date(2026, *day)) for day in ((11, 29), (11, 30), (12, 1))] == [True, True, False]


def test_a_deviation_without_a_link_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "driver.toml"
    path.write_text('[[deviation]]\nscenario = "s"\nreason = "known"\n', encoding="utf-8")
    with pytest.raises(ProfileError, match="missing required field `link`"):
        read_profile(path)


def test_a_profile_may_be_empty(tmp_path: Path) -> None:
    path = tmp_path / "driver.toml"
    path.write_text("", encoding="utf-8")
    assert read_profile(path).deviation == ()


WHOLE = """
    driver = "cmd:./driver"
    control = "inspect"
    capabilities = ["revert", "snapshot-primary"]
    [parameters]
    POOL = "gold"
    [credentials]
    TOKEN = "env:ACME_TOKEN"
    [limits]
    name_characters_max = 64
    [[deviation]]
    scenario = "features/x.feature::y"
    reason = "known"
    link = "https://mini.example/7"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "driver.toml"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def test_a_profile_says_all_of_it_and_shows_no_secret(tmp_path: Path) -> None:
    profile = read_profile(written(tmp_path, WHOLE), {"ACME_TOKEN": "geheim"})
    assert profile.secrets({"ACME_TOKEN": "geheim"})["TOKEN"].reveal() == "geheim"
    assert "geheim" not in repr(profile)
    assert profile.shown() == {
        "control": "inspect",
        "capabilities": "revert, snapshot-primary",
        "parameters": "POOL=gold",
        "credentials": "TOKEN=*** from env:ACME_TOKEN",
        "limits": "name_characters_max=64",
        "deviations": "features/x.feature::y",
    }


def test_the_environment_stands_above_the_file(tmp_path: Path) -> None:
    said = {
        "SNAPPROOF_DRIVER": "http://127.0.0.1:8080",
        "SNAPPROOF_CONTROL": "full",
        "SNAPPROOF_CAPABILITIES": "revert",
        "SNAPPROOF_LIMIT_NAME_CHARACTERS_MAX": "32",
        "SNAPPROOF_LIMIT_VOLUME_BYTES_MAX": "1048576",
        "SNAPPROOF_PARAMETER_POOL": "silver",
    }
    profile = read_profile(written(tmp_path, WHOLE), said)
    assert profile.driver == "http://127.0.0.1:8080"
    assert profile.control is Control.FULL
    assert profile.capabilities == frozenset({Capability.REVERT})
    assert dict(profile.limits.said()) == {"name_characters_max": 32, "volume_bytes_max": 1_048_576}
    assert profile.parameters == {"POOL": "silver"}
    assert profile_of("", said).driver == profile.driver
    assert profile_of("", {}) == Profile()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('control = "partly"', "control"),
        ('capabilities = ["flying"]', "flying"),
        ("[limits]\nname_length = 7", "name_length"),
        ('[parameters]\n"pool size" = "7"', "'pool size' is no name of a variable"),
        ("driver = ", "malformed"),
    ],
)
def test_what_a_profile_may_not_say_is_refused_where_it_stands(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ProfileError, match=words):
        read_profile(written(tmp_path, text))
    with pytest.raises(ProfileError, match="The environment is"):
        profile_of("", {"SNAPPROOF_LIMIT_NAME_CHARACTERS_MAX": "many"})


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("geheim", "neither env:NAME nor file:PATH"),
        ("env:NOBODY", "NOBODY, which is not set"),
        ("file:/nonexistent/token", "cannot be read from /nonexistent/token: No such file"),
    ],
)
def test_a_credential_that_is_not_there_is_said_without_it(place: str, words: str) -> None:
    with pytest.raises(ProfileError, match=words) as refusal:
        Profile(credentials={"TOKEN": place}).secrets({})
    assert "geheim" not in str(refusal.value)


def test_a_credential_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("geheim\n")
    profile = Profile(credentials={"TOKEN": f"file:{tmp_path / 'token'}"})
    assert profile.secrets({})["TOKEN"] == Secret("geheim")


def test_a_driver_is_held_to_the_capabilities_and_the_control_of_its_profile() -> None:
    described = Description(name="acme", version="1", capabilities=frozenset({Capability.REVERT, Capability.KVM}))
    check_profile(Profile(), described, {"fault"})
    check_profile(Profile(capabilities=described.capabilities, control=Control.INSPECT), described, {"slow"})
    with pytest.raises(ProfileBrokenError, match="acme does not declare what its profile says: kvm, pools in one"):
        check_profile(Profile(capabilities=frozenset({Capability.REVERT, Capability.POOLS})), described, ())
    with pytest.raises(NotTestableError, match="breaks things behind the driver"):
        check_profile(Profile(control=Control.INSPECT), described, {"fault"})
    with pytest.raises(NotTestableError, match="looks behind the driver"):
        check_profile(Profile(control=Control.NONE), described, ())
