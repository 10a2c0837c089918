"""The pytest plugin, loaded in every pytest run of its environment: so it imports pytest and nothing else.

Feature files are collected only where a driver is named; all that is heavy is imported when the first one is met.
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest

MARKERS = (
    "requirement(id): the scenario proves a requirement; select by it with `-m \"requirement(id='R-003')\"`",
    "capability(id): the scenario needs a capability; a driver that does not declare it is NOT-SUPPORTED",
    "store(id): the kind of secondary storage the scenario's lab has, s3 or nfs",
    "slow: the scenario takes long",
    "crash: the driver is killed",
    "fault: a service misbehaves",
)
LAZY_PLUGINS = ("snapproof.steps", "snapproof.fixtures.scenario_lab")
DEFAULT_SEED = 1
DEFAULT_TIMEOUT_S = 120.0

_ACTIVE = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the suite."""
    group = parser.getgroup("snapproof")
    group.addoption("--snapproof-driver", metavar="NAME", default="", help="MODULE:FACTORY or a URI")
    group.addoption("--snapproof-seed", metavar="N", type=int, default=DEFAULT_SEED, help="the seed of the run")
    group.addoption("--snapproof-report", metavar="DIR", default="", help="write a report into this folder")
    group.addoption("--snapproof-no-pages", action="store_true", help="write the report's ledger alone")
    group.addoption("--snapproof-profile", metavar="FILE", default="", help="the driver's profile, with its deviations")
    group.addoption("--snapproof-register", metavar="FILE", default="", help="judge by this register of requirements")
    group.addoption(
        "--snapproof-timeout", metavar="S", type=float, default=DEFAULT_TIMEOUT_S, help="seconds a scenario may take"
    )
    group.addoption(
        "--snapproof-part",
        metavar="NAME",
        action="append",
        default=[],
        help="let software of others be a part of the lab (seaweedfs, ganesha); may be repeated",
    )
    parser.addini("snapproof_driver", "the driver that features are run against", default="")
    parser.addini(
        "snapproof_plugins",
        "modules with steps and fixtures, or packages of such; imported when the first feature file is met",
        type="args",
        default=list(LAZY_PLUGINS),
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marks known; refuse at once a driver that the command line names and nobody has; open the report."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    if config.getoption("snapproof_driver"):
        _refuse_bad_choices(config)
    folder = config.getoption("snapproof_report")
    if folder and not hasattr(config, "workerinput"):
        _open_report(config, Path(folder))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect feature files where a driver is named; elsewhere they are somebody else's."""
    if file_path.suffix != ".feature" or not _driver_is_named(parent.config):
        return None
    _activate(parent.config)
    from snapproof.collecting import FeatureFile

    file: pytest.Collector = FeatureFile.from_parent(parent, path=file_path)
    return file


def _driver_is_named(config: pytest.Config) -> bool:
    return bool(config.getoption("snapproof_driver") or config.getini("snapproof_driver"))


def _refuse_bad_choices(config: pytest.Config) -> None:
    from snapproof.discovery import plugin_modules
    from snapproof.selection import selected_driver, selected_profile, selected_register

    selected_driver(config)
    selected_profile(config)
    selected_register(config)
    tuple(plugin_modules(config.getini("snapproof_plugins")))


def _open_report(config: pytest.Config, folder: Path) -> None:
    from snapproof.publishing import Publisher
    from snapproof.selection import selected_register
    from snapproof.simulators.clock import WallClock

    publisher = Publisher(config, folder, selected_register(config), WallClock())
    config.pluginmanager.register(publisher, "snapproof-publisher")


def _activate(config: pytest.Config) -> None:
    """Once in a run: import steps and fixtures as plugins, and begin to watch."""
    if config.stash.get(_ACTIVE, False):
        return
    config.stash[_ACTIVE] = True
    from snapproof.discovery import plugin_modules
    from snapproof.recording import Recorder
    from snapproof.selection import selected_driver, selected_register
    from snapproof.simulators.clock import WallClock

    selected_driver(config)
    selected_register(config)
    modules = tuple(plugin_modules(config.getini("snapproof_plugins")))
    pytest.register_assert_rewrite(*modules)  # all of them before the first: step modules import one another
    for module in modules:
        config.pluginmanager.import_plugin(module)
    today = datetime.fromtimestamp(WallClock().time(), UTC).date()
    config.pluginmanager.register(Recorder(config, today), "snapproof-recorder")
