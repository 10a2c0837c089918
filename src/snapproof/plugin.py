"""The pytest plugin, loaded in every pytest run of its environment: so it imports pytest and nothing else.

Feature files are collected only where a driver is named; all that is heavy is imported when the first one is met.
"""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the suite."""
    parser.addini("snapproof_driver", "the driver that features are run against", default="")
