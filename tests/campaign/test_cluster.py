"""A campaign on a dask cluster survives a worker that is killed, and counts each case once."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias, cast

import pytest

from snapproof.campaign.exploring import RunAll, WorkerDiedError
from snapproof.campaign.results import known_of
from snapproof.campaign.running import Case
from snapproof.campaign.schedule import Schedule
from snapproof.cli import main
from snapproof.commands import workers
from snapproof.commands.cluster import on_cluster

Cells: TypeAlias = Callable[[str, str], tuple[Schedule, ...]]

BARE = Schedule(workflow="take-primary", store="nfs", seed=0)
RUN = ("campaign", "--workflow", "delete-secondary", "--store", "s3")


def test_without_dask_the_cure_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main([*RUN, "--cluster", "2"]) == 4
    assert "pip install 'snapproof[cluster]'" in capsys.readouterr().err


@pytest.mark.cluster
@pytest.mark.filterwarnings("default")
def test_a_killed_worker_loses_no_case_and_doubles_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cells: Cells
) -> None:
    from distributed import get_client

    killed: list[int] = []

    @contextmanager
    def dangerous(where: str, run_case: workers.Worker) -> Iterator[RunAll]:
        with on_cluster(where, run_case) as run_all:

            def run_and_kill(schedules: Sequence[Schedule]) -> Iterator[Case]:
                for number, case in enumerate(run_all(schedules)):
                    if number == 2 and not killed:
                        pids = cast("dict[str, int]", get_client().run(os.getpid))
                        killed.append(next(iter(pids.values())))
                        os.kill(killed[0], signal.SIGKILL)
                    yield case

            yield run_and_kill

    monkeypatch.setattr(workers, "on_cluster", dangerous)
    assert main([*RUN, "--cluster", "2", "--results", str(tmp_path / "results")]) == 0
    assert killed
    every = cells("delete-secondary", "s3")
    lines = (tmp_path / "results").read_bytes().splitlines()
    assert len(lines) == len(every) + 1
    assert {*known_of("reference", tmp_path / "results")} == {*map(str, every), "delete-secondary/v1 store=s3 seed=0"}


@pytest.mark.cluster
@pytest.mark.filterwarnings("default")
def test_a_case_that_raises_is_not_run_again(tmp_path: Path) -> None:
    trace = tmp_path / "trace"

    def raising(_: Schedule) -> Case:
        with trace.open("a") as file:
            file.write("run\n")
        raise RuntimeError("no case")

    with on_cluster("1", raising) as run_all, pytest.raises(RuntimeError, match="no case"):
        list(run_all([BARE]))
    assert trace.read_text() == "run\n"


@pytest.mark.cluster
@pytest.mark.filterwarnings("default")
def test_a_case_of_which_workers_die_is_named(tmp_path: Path) -> None:
    begun = tmp_path / "begun"

    def dying(_: Schedule) -> Case:
        begun.touch()
        os._exit(9)

    with on_cluster("1", dying) as run_all, pytest.raises(WorkerDiedError, match=f"snapproof replay '{BARE}'"):
        list(run_all([BARE]))
    assert begun.exists()
