"""However an exploration ends, what broke in it is told, made small and kept, and its exit code says so."""

from itertools import count
from pathlib import Path

import pytest

from snapproof.cli import main
from snapproof.driver import BackendError, DriverUnderTest
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.variants.cloning import BlindRetry
from snapproof.site import Site
from snapproof.vocabulary import SnapshotState

SMALLEST = "take-primary/v1 store=nfs seed=0 guest=still :: array.CreateSnapshot#1=lost_after"


class SomebodyElses:
    """Starts a driver with a mistake that the lab can neither kill nor see commit: its site is on sockets."""

    killable = False

    def __call__(self, site: Site) -> DriverUnderTest:
        """Begin a life."""
        return BlindRetry(site)

    def kill(self) -> None:
        """Nobody asks for it."""


somebody_elses = SomebodyElses()


def campaign(driver: str, kept: Path, *given: str) -> int:
    named = ("--driver", f"{__name__}:{driver}", "--workflow", "take-primary", "--store", "nfs")
    return main(["campaign", *named, "--regressions", str(kept), *given])


def test_what_the_lab_cannot_do_to_a_driver_keeps_it_from_nothing_else(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert campaign("somebody_elses", tmp_path / "kept", "--limit", "4") == 1
    told = capsys.readouterr().out
    assert "not tried, 2 times: This lab cannot kill the driver: somebody else started it; name it by cmd:." in told
    assert "4 cases, 1 broken" in told
    assert f"smallest: {SMALLEST}, kept in " in told
    assert SMALLEST in (tmp_path / "kept").read_text()


LIVES_BEFORE_THE_INTERRUPT = 60


def test_what_broke_before_an_interrupt_is_told_made_small_and_kept(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lives = count()

    def interrupted(site: Site) -> DriverUnderTest:
        if next(lives) == LIVES_BEFORE_THE_INTERRUPT:
            raise KeyboardInterrupt
        return BlindRetry(site)

    monkeypatch.setitem(globals(), "interrupted", interrupted)
    assert campaign("interrupted", tmp_path / "kept") == 1
    told = capsys.readouterr().out
    assert "Interrupted after " in told
    assert " broken; the same seed twice" in told
    assert SMALLEST in (tmp_path / "kept").read_text()


class Bracketed(ReferenceDriver):
    """Stumbles over what failed, in words that a terminal could take for its own."""

    def reconcile(self) -> None:
        """Refuse where anything has failed."""
        super().reconcile()
        if any(row.state is SnapshotState.ERROR for row in self.list_snapshots()):
            raise BackendError("cannot scan [/exports/secondary]: busy")


def test_what_a_driver_says_is_printed_as_it_says_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    said = "BackendError: cannot scan [/exports/secondary]: busy"
    told = f"recovery: Without any fault the driver does not recover: The driver failed: {said}"
    assert campaign("Bracketed", tmp_path / "kept", "--strategy", "hunt") == 1
    assert f"broken {told}" in capsys.readouterr().out
    assert campaign("Bracketed", tmp_path / "kept", "--limit", "0") == 1
    assert f"regression still broken {told}: take-primary/v1 " in capsys.readouterr().out
    (line,) = (each for each in (tmp_path / "kept").read_text().splitlines() if not each.startswith("#"))
    driver, _, schedule = line.partition(" ")
    assert main(["replay", "--quiet", "--driver", driver, schedule]) == 1
    assert f"broken {told}" in capsys.readouterr().out
