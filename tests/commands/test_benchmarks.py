"""The benchmark of backups works, and names what it cannot measure. What it measures is nobody's verdict."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "backups.py"


def test_a_quick_benchmark_measures_our_backups_and_names_absent_peers(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("cp", "cmp"):
        found = shutil.which(name)
        assert found
        (tools / name).symlink_to(found)
    done = subprocess.run(
        [sys.executable, BENCHMARK, "--quick", "--folder", tmp_path],
        env={**os.environ, "PATH": str(tools)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split("│")[1:-1] for line in done.stdout.splitlines() if line.startswith("│")]
    measured = {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows}
    for ours in ("snapproof", "snapproof, read back twice", "snapproof, an eighth into S3", "cp --sparse=always"):
        assert int(measured[ours][2]) >= (1 if "eighth" in ours else 60)
    (written,) = [cells for name, cells in measured.items() if name.startswith("1 % changed: bytes written")]
    assert written[0] == "at most 1.02"
    assert written[-1] == "yes"
    for peer in ("qemu-img -O vpc", "borg", "restic", "Cinder posix", "benji"):
        assert f"{peer} is absent: " in done.stdout
        assert peer not in measured
    assert list(tmp_path.iterdir()) == [tools]
