"""However an exploration ends, what broke in it is told, made small and kept, and its exit code says so."""

from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import cast

import pytest

from snapproof.campaign.interleaving import EVERY_STRATEGY
from snapproof.campaign.results import joined
from snapproof.campaign.strategies import Strategy
from snapproof.cli import main
from snapproof.driver import BackendError, DriverUnderTest
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.variants.cloning import BlindRetry
from snapproof.site import Site
from snapproof.vocabulary import (
    Capability,
    Description,
    Snapshot,
    SnapshotRequest,
    SnapshotState,
    Volume,
    VolumeRequest,
)

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


class Refusing(ReferenceDriver):
    """Takes one snapshot, which is one too few."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Refuse the one that a workflow acts with."""
        if request.operation == "take":
            raise BackendError("There is no room.")
        return super().take_snapshot(request)


class Roomless(ReferenceDriver):
    """Cannot be given anything to work with."""

    def create_volume(self, request: VolumeRequest) -> Volume:
        """Refuse."""
        raise BackendError("There is no room.")


@pytest.mark.parametrize("driver", ["Refusing", "Roomless"])
def test_who_fails_without_any_fault_stands_in_the_results(driver: str, tmp_path: Path) -> None:
    results = tmp_path / "results"
    assert campaign(driver, tmp_path / "kept", "--results", str(results)) == 1
    assert campaign(driver, tmp_path / "kept", "--results", str(results), "--resume") == 1
    (found,) = joined([results])
    assert found.case == "take-primary/v1 store=nfs seed=0"
    assert "There is no room." in found.broken[0]
    assert len(results.read_bytes().splitlines()) == 1
    assert main(["coverage", str(results), "--to", str(tmp_path / "page")]) == 1


class Slowing(ReferenceDriver):
    """Takes longer every time."""

    times = count()

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Wait, then take it."""
        self.site.clock.sleep(next(self.times))
        return super().take_snapshot(request)


def test_who_does_not_do_the_same_twice_stands_in_the_results(tmp_path: Path) -> None:
    results = tmp_path / "results"
    assert campaign("Slowing", tmp_path / "kept", "--limit", "0", "--results", str(results)) == 1
    (found,) = joined([results])
    assert found.broken == ("journal: the same seed gave two journals.",)


class WithoutArchive(ReferenceDriver):
    """Has no archive, and says so."""

    def describe(self) -> Description:
        """All but that."""
        known = super().describe()
        return replace(known, capabilities=known.capabilities - {Capability.ARCHIVE})


def test_what_was_kept_and_cannot_break_any_more_is_told_and_keeps_nobody_from_the_rest(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    schedules = (
        "take-primary/v1 store=nfs seed=0 :: array.CreateSnapshot#7=lost_after",
        "take-primary/v9 store=nfs seed=0",
        "archive/v1 store=nfs seed=0",
        "take-primary/v1 store=nfs seed=0 :: array.CreateSnapshot#1=lost_after",
    )
    kept = tmp_path / "kept"
    kept.write_text("".join(f"{__name__}:WithoutArchive {schedule}\n" for schedule in schedules))
    assert campaign("WithoutArchive", kept, "--workflow", "take-primary,archive", "--limit", "0") == 0
    told = capsys.readouterr().out.splitlines()
    other_version = (
        "take-primary is at v1 by now, and its calls are others; take-primary/v9 store=nfs seed=0 cannot be played any "
        "more. Search anew with `snapproof campaign`."
    )
    assert told[:4] == [
        f"regression no longer reached (array.CreateSnapshot#7=lost_after never fired.): {schedules[0]}",
        f"regression not replayed ({other_version}): {schedules[1]}",
        f"regression not replayed (The driver does not declare archive.): {schedules[2]}",
        f"regression held: {schedules[3]}",
    ]


@pytest.mark.parametrize(
    ("driver", "strategy"), [("somebody_elses", "singles"), ("Bracketed", "swarm")], ids=["unseen", "drawn"]
)
def test_what_is_not_known_to_be_the_same_on_another_store_is_run_there(
    driver: str, strategy: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Which stores a driver outside calls nobody sees, and lots are drawn anew for each store."""
    both = ("--store", "nfs,s3", "--strategy", strategy, "--limit", "1")
    assert campaign(driver, tmp_path / "kept", *both) == 0
    assert capsys.readouterr().out.count("1 cases, 0 broken") == 2


def test_an_exploration_without_a_single_case_is_no_success(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = Strategy(fresh=lambda _: lambda _case: iter(()))
    monkeypatch.setitem(cast("dict[str, Strategy]", EVERY_STRATEGY), "none", nothing)
    assert main(["campaign", "--workflow", "delete-secondary", "--store", "nfs", "--strategy", "none"]) == 2
    assert "not tried. Nothing that this lab sees of it can fail." in capsys.readouterr().out


def test_no_verdict_is_given_on_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "results").touch()
    assert main(["coverage", str(tmp_path / "results"), "--to", str(tmp_path / "page")]) == 4
    assert "nothing was tried" in capsys.readouterr().err
