"""The tests of upgrades bite: with a step left out or wrong, the test that speaks of it fails (R-109 to R-114)."""

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from alembic import op
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from snapproof.fixtures.caller import Caller
from snapproof.reference_impl.catalog import adopting, inheriting, payloads
from snapproof.vocabulary import LocationType


def loaded(name: str) -> ModuleType:
    """A module of tests beside this one."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


UPGRADES = loaded("test_catalog_upgrade")
INHERITANCE = loaded("test_catalog_inheritance")
old, another, old_server = UPGRADES.old, UPGRADES.another, INHERITANCE.old_server

Plant = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture
def database(tmp_path: Path) -> str:
    """SQLite alone: a mistake in a step is one on every database."""
    return f"sqlite:///{tmp_path / 'old.sqlite'}"


def nothing(*_given: Any, **_named: Any) -> None:
    """Do nothing."""


def left_out(module: ModuleType, name: str) -> Plant:
    return lambda patching: patching.setattr(module, name, nothing)


def said_besides(statement: str) -> Plant:
    """A step that does something more."""
    honest = op.execute

    def plant(patching: pytest.MonkeyPatch) -> None:
        def execute(wanted: str) -> None:
            honest(wanted)
            honest(statement)

        patching.setattr(op, "execute", execute)

    return plant


ALL_PRIMARY = "UPDATE snapshots SET location_type = 'PRIMARY'"
NO_FAILURES = "DELETE FROM snapshots WHERE status = 'Error'"
FEWER = "UPDATE resource_count SET count = count - 1"
MORE_EACH_TIME = "UPDATE volumes SET burst_iops = COALESCE(burst_iops, 0) + 1"


SHAPE, PLACE = "an_upgraded_database_and_a_new_one_have_the_same_shape", "snapshots_get_the_place_that_is_true_for_them"

PLANTED: Mapping[str, tuple[Plant, str]] = {
    "no indexes": (left_out(adopting, "_adopt_indexes"), SHAPE),
    "no constraints": (left_out(adopting, "_adopt_constraints"), SHAPE),
    "no places": (left_out(op, "execute"), PLACE),
    "one place for all": (said_besides(ALL_PRIMARY), PLACE),
    "other counts": (said_besides(FEWER), PLACE),
    "rows lost": (said_besides(NO_FAILURES), PLACE),
    "old columns changed": (
        said_besides("UPDATE volumes SET min_iops = 50"),
        "nothing_that_the_old_release_knew_is_changed",
    ),
    "more each time": (said_besides(MORE_EACH_TIME), "a_second_upgrade_changes_no_row"),
    "columns left behind": (left_out(adopting, "forsake"), "going_back_leaves_the_old_release_its_own_tables"),
}


@pytest.mark.parametrize("mistake", PLANTED)
def test_a_step_that_is_left_out_or_wrong_is_noticed(
    old: Any, another: Engine, monkeypatch: pytest.MonkeyPatch, mistake: str
) -> None:
    plant, test = PLANTED[mistake]
    plant(monkeypatch)
    judge = getattr(UPGRADES, f"test_{test}")
    with pytest.raises(AssertionError):
        judge(old, another) if test == SHAPE else judge(old)


def test_a_column_that_the_old_release_writes_and_nobody_has_is_noticed(
    old: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said_besides("ALTER TABLE snapshots DROP COLUMN type_description")(monkeypatch)
    with pytest.raises(OperationalError, match="type_description"):
        UPGRADES.test_the_old_release_reads_and_writes_the_new_schema(old)


def test_a_table_that_an_earlier_release_is_not_given_is_noticed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(adopting, "adopt", nothing)
    with pytest.raises(AssertionError):
        UPGRADES.test_every_revision_since_then_is_upgraded("0002", tmp_path)


@pytest.mark.parametrize("state", ["CreatedOnPrimary", "Copying", "Destroying"])
def test_a_state_that_nobody_takes_up_is_noticed(
    caller: Caller, old_server: Any, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    taken_up = {known: adoption for known, adoption in inheriting.ADOPTIONS.items() if known != state}
    monkeypatch.setattr(inheriting, "ADOPTIONS", taken_up)
    with pytest.raises(AssertionError):
        INHERITANCE.test_what_an_upgrade_finds_on_the_way_comes_to_an_end(caller, old_server, state, copied=True)


def test_a_field_that_is_looked_up_nowhere_is_noticed(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def known(_connection: object, _job: object) -> Mapping[str, Any]:
        return {}

    monkeypatch.setattr(payloads, "_known", known)
    with pytest.raises(AssertionError):
        INHERITANCE.test_a_job_that_lacks_a_field_is_carried_out_all_the_same(
            caller, "volume_name", LocationType.PRIMARY
        )
