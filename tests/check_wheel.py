"""Build the wheel from the tree and from the sdist, demand the same bytes, and install it alone beside the checkout.

A build tool that loses a linked folder on the way through the sdist says nothing; this script does.
Run it as `python tests/check_wheel.py CHECKOUT WORKING_FOLDER`; the wheel ends in WORKING_FOLDER/alone.
"""

import os
import subprocess
import sys
import zipfile
from pathlib import Path


def build(source: Path, kind: str, to: Path) -> Path:
    """Build one `wheel` or `sdist` with uv; return the file."""
    subprocess.run(["uv", "build", "--quiet", f"--{kind}", "--out-dir", to, source], check=True)
    return next(to.glob("*.whl" if kind == "wheel" else "*.tar.gz"))


def contents(wheel: Path) -> dict[str, bytes]:
    """Read every file of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def sources(checkout: Path) -> set[str]:
    """Name the files that the wheel owes, with the linked folders followed."""
    package = checkout / "src"
    files = (
        Path(folder, name) for folder, _, names in os.walk(package / "snapproof", followlinks=True) for name in names
    )
    return {str(file.relative_to(package)) for file in files if file.parent.name != "__pycache__"}


def main(checkout: Path, work: Path) -> None:
    """Compare the two wheels, then install the second one in an environment of its own."""
    from_tree = contents(build(checkout, "wheel", work / "from-tree"))
    released = build(build(checkout, "sdist", work / "sdist"), "wheel", work / "from-sdist")
    from_sdist = contents(released)
    differing = sorted(
        name for name in from_tree.keys() | from_sdist.keys() if from_tree.get(name) != from_sdist.get(name)
    )
    if differing:
        sys.exit(f"The wheel of the tree and the wheel of the sdist differ in: {', '.join(differing)}.")
    if missing := sorted(sources(checkout) - from_tree.keys()):
        sys.exit(f"The wheel lacks: {', '.join(missing)}.")
    print(f"{released.name}: {len(from_tree)} files, the same from the tree and from the sdist.")
    subprocess.run(["uv", "venv", "--quiet", "--python", sys.executable, work / "alone"], check=True)
    subprocess.run(["uv", "pip", "install", "--quiet", "--python", work / "alone/bin/python", released], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
