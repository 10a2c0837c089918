"""The import contracts of pyproject bite: each planted violation, in a copy of the tree, is named under its contract.

A contract over a package that the linter cannot see would be kept for ever; this is the proof that it sees ours.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("src", "simulators", "reference_impl", "fixtures", "steps", "features")

PLANTS = {
    "floors": ("simulators/planted_floors.py", "from snapproof.reference_impl import ports"),
    "strangers": ("simulators/solidfire/planted_strangers.py", "from snapproof.simulators import xenserver"),
    "circles": ("src/snapproof/vocabulary.py", "from snapproof import driver"),
    "steps": ("steps/planted_steps.py", "from snapproof import verdict"),
    "ports": ("reference_impl/core/planted_ports.py", "from snapproof.reference_impl import adapters"),
    "core": ("reference_impl/core/planted_core.py", "import random"),
    "moto": ("simulators/secondary/planted_moto.py", "import moto"),
    "docker": ("src/snapproof/campaign/planted_docker.py", "import docker"),
    "faker": ("fixtures/planted_faker.py", "from faker import Faker"),
    "sqlalchemy": ("reference_impl/planted_sqlalchemy.py", "import sqlalchemy"),
    "alembic": ("reference_impl/planted_alembic.py", "import alembic"),
    "jinja2": ("simulators/control/planted_jinja2.py", "import jinja2"),
    "blake3": ("reference_impl/planted_blake3.py", "import blake3"),
    "prometheus": ("reference_impl/planted_prometheus.py", "import prometheus_client"),
    "dask": ("src/snapproof/planted_dask.py", "import distributed"),
    "boto3": ("fixtures/planted_boto3.py", "from botocore import client"),
}
"""Contract id → the file and the import that break it."""


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Plant every violation at once in a copy of the tree; give what the linter says, by contract id."""
    tree = tmp_path_factory.mktemp("planted")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tree / folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    settings = (ROOT / "pyproject.toml").read_text()
    (tree / "pyproject.toml").write_text(settings)
    for file, line in PLANTS.values():
        with (tree / file).open("a") as planted:
            planted.write(f"\n{line}\n")
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run(
        [linter, "--no-cache"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": "src"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Broken contracts" in run.stdout, run.stdout + run.stderr
    contracts = dict(re.findall(r'^id = "(.+)"\nname = "(.+)"$', settings, flags=re.MULTILINE))
    _, _, details = run.stdout.partition("Broken contracts")
    return {
        contract: details.partition(f"\n{name}\n----")[2].partition("\n----")[0] for contract, name in contracts.items()
    }


def test_every_contract_has_a_planted_violation(complaints: dict[str, str]) -> None:
    assert complaints.keys() == PLANTS.keys()


@pytest.mark.parametrize("contract", PLANTS)
def test_a_planted_violation_breaks_its_contract(contract: str, complaints: dict[str, str]) -> None:
    importer = "." + Path(PLANTS[contract][0]).stem
    assert importer in complaints[contract]
