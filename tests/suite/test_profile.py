"""A driver's profile: what it may say, when a deviation ends, and what is refused."""

from datetime import date
from pathlib import Path

import pytest

from snapproof.profile import Deviation, ProfileError, read_profile


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
