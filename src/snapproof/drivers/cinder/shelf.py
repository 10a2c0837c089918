"""Finds the Python that has Cinder: the one that is named, our own, or an environment that is made once and kept.

What is run by it is in main.py.
"""

import contextlib
import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

PYTHON = "SNAPPROOF_CINDER_PYTHON"
"""Names the Python of an environment that has Cinder, and perhaps a driver that is not in Cinder's own tree."""
REQUIREMENT = "SNAPPROOF_CINDER"
"""Says what to install where no environment is named."""
DEFAULT = "cinder==29.0.0"
INSTALL_S = 900
BUILT = "built"


class NoCinderError(ValueError):
    """There is no Python with Cinder and none can be made; the message says why and what to do."""


def python_with_cinder(environment: Mapping[str, str]) -> str:
    """Give a Python that can import Cinder. Raises NoCinderError."""
    if named := environment.get(PYTHON):
        found = shutil.which(named)
        if found is None:
            raise NoCinderError(f"{PYTHON} names {named}, which is no program. Name the python of an environment.")
        return found
    with contextlib.suppress(PackageNotFoundError):
        distribution("cinder")  # not found by its name alone: any folder may be called so
        return sys.executable
    return str(_made(environment) / "bin" / "python")


def _made(environment: Mapping[str, str]) -> Path:
    """Find the environment, or make it; one process of this machine at a time."""
    wanted = environment.get(REQUIREMENT, DEFAULT)
    cache = Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "snapproof"
    key = hashlib.sha256(f"{wanted} {sys.version}".encode()).hexdigest()[:12]
    folder = cache / f"cinder-{key}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / BUILT).exists():
            sys.stderr.write(f"Installing {wanted} into {folder}, once; it takes a minute or two.\n")
            shutil.rmtree(folder, ignore_errors=True)
            _install(folder, wanted)
            (folder / BUILT).touch()
    return folder


def _install(folder: Path, wanted: str) -> None:
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    python = str(folder / "bin" / "python")
    making, filling = (
        ((uv, "venv", "-q", "--python", sys.executable), (uv, "pip", "install", "-q", "--python", python))
        if uv
        else ((sys.executable, "-m", "venv"), (python, "-m", "pip", "install", "-q"))
    )
    try:
        for command in ((*making, str(folder)), (*filling, *wanted.split(), "setuptools<81")):
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_S)  # noqa: S603  pip and uv
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired, OSError) as error:
        said = str(getattr(error, "stderr", "") or error).strip()[-800:]
        raise NoCinderError(
            f"Cinder is not here, and {wanted} cannot be installed into {folder}: {said}\n"
            f"Make an environment that has it, and name its python: {PYTHON}=/path/to/bin/python."
        ) from error
