"""Backups of one disk, ours beside qemu-img, borg, restic, Cinder's posix driver and benji: tables, nothing asserted.

Run `python benchmarks/backups.py [--quick]`. What is not installed is named as absent; `--cinder` takes a Python that
has Cinder, `--benji` a benji command. Times vary between machines and moments; compare within one run. What the figures
mean, and those of one run: docs/benchmarks.md.
"""

import argparse
import json
import math
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

MIB, GIB = 1 << 20, 1 << 30
BLOCK_BYTES = 4096
HERE = Path(__file__).parent
OURS, TWICE, BUCKET = "snapproof", "snapproof, read back twice", "snapproof, an eighth into S3"
QEMU, BORG, RESTIC, CINDER = "qemu-img -O vpc", "borg", "restic", "Cinder posix"
FULL, MORE, RESTORE = "full", "increment", "restore"

BENJI_SETTINGS = """configurationVersion: '1'
databaseEngine: sqlite:///{folder}/benji.sqlite
defaultStorage: here
logFile: {folder}/benji.log
storages: [{{name: here, storageId: 1, module: file, configuration: {{path: {folder}}}}}]
ios: [{{name: file, module: file}}]
"""


class ToolError(Exception):
    """A tool failed; the message is the end of what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one act cost: seconds of wall and CPU, the process' peak memory, and by how much the target grew."""

    seconds: float
    whole_s: float
    cpu_s: float
    peak_mib: float
    stored_bytes: int
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """How to run a tool, and where it puts what it restores. Placeholders are the fields of `Work`."""

    name: str
    acts: Mapping[str, str]
    prepare: str = ""
    restored: str = "{target}"
    environment: Mapping[str, str] = field(default_factory=dict)
    absent: str = ""
    slow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The disk, the disk a day later, the folder for a tool's backups, and where it shall restore to."""

    disk: Path
    second: Path
    folder: Path
    target: Path
    here: Path = HERE
    cinder: str = ""
    benji: str = ""

    def filled(self, text: str) -> str:
        return text.format_map(asdict(self))


def make_disk(path: Path, *, size_bytes: int, written_bytes: int, dice: random.Random) -> None:
    """Write a sparse raw image: extents of 4 KiB to 16 MiB, half of their bytes random, half text, an eighth zeros."""
    line = "Sun Nov 22 13:00:35 host kernel: volume {} attached to disk {}\n"
    text = "".join(line.format(n, n * 7919 % 10007) for n in range(400_000)).encode() * 2
    pools = (dice.randbytes(32 * MIB), text[: 32 * MIB])
    gap_max = math.log2(size_bytes / written_bytes * 2300)
    at = done = 0
    with path.open("wb") as file:
        file.truncate(size_bytes)
        while done < written_bytes:
            at += int(2 ** dice.uniform(0, gap_max)) * BLOCK_BYTES
            length = int(2 ** dice.uniform(0, 12)) * BLOCK_BYTES
            if at + length > size_bytes:
                break
            kind = dice.random()
            start = dice.randrange(20 * MIB - length)
            file.seek(at)
            file.write(bytes(length) if kind < 0.12 else pools[kind < 0.56][start : start + length])
            done += length if kind >= 0.12 else 0
            at += length


def small_of(disk: Path) -> Path:
    """The disk that goes to S3: an eighth, since moto reads an object from its beginning for every range of it."""
    return disk.with_name("small.raw")


def make_disks(disk: Path, second: Path, size_bytes: int, written_bytes: int) -> list[tuple[int, int]]:
    make_disk(disk, size_bytes=size_bytes, written_bytes=written_bytes, dice=random.Random(1))
    make_disk(small_of(disk), size_bytes=size_bytes // 8, written_bytes=written_bytes // 8, dice=random.Random(3))
    return change_disk(disk, second, random.Random(2))


def change_disk(disk: Path, second: Path, dice: random.Random) -> list[tuple[int, int]]:
    """Copy the disk and change 1 % of its size, in extents of 4 KiB to 1 MiB that do not touch."""
    subprocess.run(["cp", "--sparse=always", disk, second], check=True)
    size_bytes = disk.stat().st_size
    extents: dict[int, int] = {}
    while (left := size_bytes // 100 - sum(extents.values())) >= BLOCK_BYTES:
        length = min(left // BLOCK_BYTES, int(2 ** dice.uniform(0, 8))) * BLOCK_BYTES
        extents.setdefault(dice.randrange(size_bytes // (2 * MIB)) * 2 * MIB, length)
    with second.open("r+b") as file:
        for offset, length in extents.items():
            file.seek(offset)
            file.write(dice.randbytes(length))
    return sorted(extents.items())


def own(act: str) -> str:
    return f"{sys.executable} {HERE / 'own_backups.py'} {act} {{disk}} {{second}} {{folder}} {{target}}"


def own_tools() -> Iterator[Tool]:
    yield Tool(name=OURS, acts={act: own(act) for act in (FULL, RESTORE, MORE)})
    yield Tool(name=TWICE, acts={FULL: own("read-back")})
    yield Tool(name="cp --sparse=always", acts={FULL: "cp --sparse=always {disk} {folder}/backup"})


def peers(places: Mapping[str, str]) -> Iterator[Tool]:
    """The tools of others, as peers.toml describes them."""
    for peer in tomllib.loads((HERE / "peers.toml").read_text())["peer"]:
        program = peer.pop("program").format(**places)
        yield Tool(
            acts={act: peer.pop(act) for act in (FULL, RESTORE, MORE) if act in peer},
            absent="" if program and shutil.which(program) else f"{program or 'its program'} was not found",
            **peer,
        )


def run(tool: Tool, command: str, work: Work) -> Cost:
    """Run a command to its end. Raises ToolError."""
    environment = {name: work.filled(value) for name, value in tool.environment.items()}
    before, started = stored_bytes(work.folder), time.perf_counter()
    process = subprocess.Popen(
        shlex.split(work.filled(command)),
        cwd=work.folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=(work.folder / "stderr").open("wb"),
    )
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    whole_s = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise ToolError(f"{tool.name}: {(work.folder / 'stderr').read_text()[-500:]}")
    facts = json.loads(said) if said.startswith(b"{") and tool.name in {OURS, TWICE, BUCKET} else {}
    return Cost(
        seconds=facts.get("seconds", whole_s),
        whole_s=whole_s,
        cpu_s=facts.get("cpu_s", usage.ru_utime + usage.ru_stime),
        peak_mib=facts.get("peak_mib", usage.ru_maxrss / 1024),
        stored_bytes=facts.get("written", stored_bytes(work.folder) - before),
        facts=facts,
    )


def stored_bytes(folder: Path) -> int:
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def one_round(tool: Tool, work: Work, extents: list[tuple[int, int]]) -> Iterator[tuple[str, Cost]]:
    """Back up, restore and compare, back up what changed: in a new folder."""
    work.folder.mkdir()
    (work.folder / "changes.json").write_text(json.dumps(extents))
    hints = [{"offset": offset, "length": length, "exists": "true"} for offset, length in extents]
    (work.folder / "hints.json").write_text(json.dumps(hints))
    (work.folder / "benji.yaml").write_text(BENJI_SETTINGS.format(folder=work.folder))
    try:
        if tool.prepare:
            run(tool, tool.prepare, work)
        for act in (FULL, RESTORE, MORE):
            if act in tool.acts:
                yield act, run(tool, tool.acts[act], work)
            if act == RESTORE and act in tool.acts:
                restored = Path(work.filled(tool.restored))
                if subprocess.run(["cmp", "-s", work.disk, restored], check=False).returncode:
                    raise ToolError(f"{tool.name} restored something else than {work.disk}.")
                restored.unlink()
    finally:
        shutil.rmtree(work.folder)


Costs = dict[tuple[str, str], list[Cost]]


def measure(chosen: list[Tool], work: Work, extents: list[tuple[int, int]], rounds: int) -> tuple[Costs, list[str]]:
    """Run all in turn, round after round; slow ones in the first round alone."""
    costs: Costs = {}
    notes = [f"{tool.name} is absent: {tool.absent}." for tool in chosen if tool.absent]
    for number in range(rounds):
        for tool in chosen:
            if tool.absent or (tool.slow and number):
                continue
            try:
                for act, cost in one_round(tool, work, extents):
                    costs.setdefault((tool.name, act), []).append(cost)
            except ToolError as error:
                notes.append(str(error))
    return costs, notes


@contextmanager
def bucket() -> Iterator[str]:
    """Serve a bucket from another process; give its address."""
    command = [sys.executable, str(HERE / "own_backups.py"), "serve-bucket", "-", "-", "-", "-"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        server.kill()
        server.wait()


def into_bucket(work: Work) -> Cost:
    work.folder.mkdir()
    try:
        with bucket() as address:
            tool = Tool(name=BUCKET, acts={FULL: own("into-bucket")})
            return run(tool, tool.acts[FULL], replace(work, disk=small_of(work.disk), target=Path(address)))
    finally:
        shutil.rmtree(work.folder)


def middle(costs: list[Cost]) -> Cost:
    return sorted(costs, key=lambda cost: cost.seconds)[len(costs) // 2]


def cost_table(costs: Costs, title: str) -> Table:
    table = Table("tool", title=title)
    for act in (FULL, MORE, RESTORE):
        for column in ("s", "CPU s", "MB") if act != RESTORE else ("s", "CPU s"):
            table.add_column(f"{act}\n{column}", justify="right")
    table.add_column("peak\nMiB", justify="right")
    for name in dict.fromkeys(name for name, _ in costs):
        cells, peak = [], 0.0
        for act in (FULL, MORE, RESTORE):
            found = costs.get((name, act))
            cost = middle(found) if found else None
            cells += [f"{cost.seconds:.2f}", f"{cost.cpu_s:.2f}"] if cost else ["", ""]
            if act != RESTORE:
                cells.append(f"{cost.stored_bytes / 1e6:,.0f}" if cost else "")
            if cost and not (name == OURS and act == MORE):  # there the LUN itself is in the process' memory
                peak = max(peak, cost.peak_mib)
        table.add_row(name, *cells, f"{peak:.0f}")
    return table


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What is wanted and what was found; by CPU seconds too, which tell more where others work as well."""

    name: str
    wanted: float
    more: bool
    found: float | None
    by_cpu: float | None = None

    def row(self) -> tuple[str, ...]:
        bound = f"{'at least' if self.more else 'at most'} {self.wanted:g}"
        found = tuple("" if value is None else f"{value:.2f}" for value in (self.found, self.by_cpu))
        if self.found is None:
            return self.name, bound, *found, "not measured"
        return self.name, bound, *found, "yes" if (self.found >= self.wanted) == self.more else "NO"


def beside(costs: Costs, peer: str, act: str, wanted: float) -> Goal:
    """How often our act fits into the peer's: the median of the rounds in which both ran."""
    pairs = list(zip(costs.get((OURS, act), ()), costs.get((peer, act), ()), strict=False))
    return Goal(
        name=f"{act} with a checksum: times as fast as {peer}",
        wanted=wanted,
        more=True,
        found=median(theirs.seconds / ours.seconds for ours, theirs in pairs) if pairs else None,
        by_cpu=median(theirs.cpu_s / ours.cpu_s for ours, theirs in pairs) if pairs else None,
    )


def goals(costs: Costs) -> Iterator[Goal]:
    for peer, wanted in ((QEMU, 1.25), (BORG, 2.5), (RESTIC, 8.0), (CINDER, 15.0)):
        yield beside(costs, peer, FULL, wanted)
    yield beside(costs, BORG, RESTORE, 5.0)
    facts = [(cost.cpu_s, cost.facts) for cost in costs.get((OURS, MORE), ())]
    written = median(each["written"] / each["changed"] for _, each in facts) if facts else None
    larger = median(each["cpu_of_a_tib_s"] / cpu_s for cpu_s, each in facts) if facts else None
    yield Goal(name="1 % changed: bytes written for each changed byte", wanted=1.02, more=False, found=written)
    yield Goal(name="1 % changed: CPU on 1 TiB, to that on the disk's size", wanted=1.2, more=False, found=larger)
    peaks = [cost.peak_mib for act in (FULL, RESTORE) for cost in costs.get((OURS, act), ())]
    yield Goal(name="peak memory of backup and restore, MiB", wanted=64, more=False, found=max(peaks, default=None))
    peaks = [cost.peak_mib for cost in costs.get((BUCKET, FULL), ())]
    yield Goal(name="peak memory of a backup into S3, MiB", wanted=80, more=False, found=max(peaks, default=None))


def goal_table(costs: Costs) -> Table:
    table = Table("goal", "wanted", "found", "by CPU s", "met")
    for goal in goals(costs):
        table.add_row(*goal.row())
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a disk of 256 MiB, one round: to see that all works")
    parser.add_argument("--rounds", type=int, default=5, help="how often each tool runs (default: 5)")
    parser.add_argument("--folder", type=Path, default=Path("/dev/shm"), help="where to work; memory is best")  # noqa: S108  a file system, not a file's name
    parser.add_argument("--cinder", default="", metavar="PYTHON", help="a Python that has Cinder installed")
    parser.add_argument("--benji", default="", metavar="COMMAND", help="a benji command")
    chosen = parser.parse_args()
    size_bytes, written_bytes = (256 * MIB, 64 * MIB) if chosen.quick else (4 * GIB, GIB)
    folder = chosen.folder if chosen.folder.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="backups-", dir=folder) as at:
        work = Work(
            disk=Path(at) / "disk.raw",
            second=Path(at) / "second.raw",
            folder=Path(at) / "work",
            target=Path(at) / "restored.raw",
            cinder=chosen.cinder,
            benji=chosen.benji,
        )
        with ProcessPoolExecutor(1, get_context("spawn")) as elsewhere:  # or its memory would be told of every peer
            extents = elsewhere.submit(make_disks, work.disk, work.second, size_bytes, written_bytes).result()
        everyone = [*own_tools(), *peers({"cinder": chosen.cinder, "benji": chosen.benji})]
        costs, notes = measure(everyone, work, extents, 1 if chosen.quick else chosen.rounds)
        costs[BUCKET, FULL] = [into_bucket(work)]
    changed = sum(length for _, length in extents)
    title = (
        f"{size_bytes / GIB:g} GiB, {written_bytes / MIB:,.0f} MiB of it written; then {changed / MIB:.0f} MiB changed"
        f" in {len(extents)} extents; load of the machine {os.getloadavg()[0]:.1f}"
    )
    console = Console(width=150)
    console.print(cost_table(costs, title), goal_table(costs), *notes, sep="\n")


if __name__ == "__main__":
    main()
