"""Run mypy and pyright over the whole tree, and fail if either saw fewer files than there are.

A type checker that loses the way into a package reports success for what is left; this script counts.
Run it from the root of a checkout: `python tests/check_types.py`.
"""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

BUILT = {"build", "dist"}


def python_files(root: Path) -> list[Path]:
    """List the Python files under `root`, each once: links, hidden folders and build products are passed over."""
    found: list[Path] = []
    for folder, inner, names in os.walk(root):
        inner[:] = [name for name in inner if name not in BUILT and not name.startswith((".", "__"))]
        found += [Path(folder, name) for name in names if name.endswith(".py")]
    return found


def mypy() -> tuple[bool, int]:
    """Run mypy; say whether it is content and how many files it checked."""
    run = subprocess.run([sys.executable, "-m", "mypy"], capture_output=True, text=True, check=False)
    print("mypy:", run.stdout + run.stderr)
    counted = re.search(r"(?:checked|in) (\d+) source files?", run.stdout)
    return run.returncode == 0, int(counted[1]) if counted else 0


def pyright() -> tuple[bool, int]:
    """Run pyright; say whether it is content and how many files it analysed."""
    run = subprocess.run([sys.executable, "-m", "pyright", "--outputjson"], capture_output=True, text=True, check=False)
    report = json.loads(run.stdout)
    for finding in report["generalDiagnostics"]:
        line = finding.get("range", {}).get("start", {}).get("line", 0) + 1
        print(f"{finding.get('file', '')}:{line}: {finding['severity']}: {finding['message']}")
    print("pyright:", report["summary"])
    return run.returncode == 0, int(report["summary"]["filesAnalyzed"])


def main() -> int:
    """Compare both checkers with the tree."""
    expected = len(python_files(Path()))
    passed = True
    with ThreadPoolExecutor() as pool:
        running = {check.__name__: pool.submit(check) for check in (mypy, pyright)}
    for name, (content, seen) in ((name, check.result()) for name, check in running.items()):
        if seen != expected:
            print(f"{name} saw {seen} files, but the tree has {expected}: it lost its way into a package or a folder.")
        passed = passed and content and seen == expected
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
