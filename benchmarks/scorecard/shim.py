"""Hosts other people's tools for an Element cluster behind the contract, by the bridge that hosts Cinder drivers.

Run by the Python of the tool's own environment, where neither snapproof nor its dependencies are installed: `python
benchmarks/scorecard/shim.py sdk` or `ansible`. What each verb is of the tool's is in element_sdk.py and
ansible_modules.py, one call each.
"""

import datetime as dt
import importlib
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

HERE = Path(__file__).parent
TOOLS = {"sdk": "element_sdk:ElementSdk", "ansible": "ansible_modules:ElementswModules"}


class Cloud:
    """What the bridge needs of Cinder, without Cinder: rows as plain objects, and the tool in the driver's place."""

    context = None

    def __init__(self, driver: Any, version: str) -> None:
        self.driver, self.version = driver, version

    def now(self) -> str:
        """By the machine."""
        return dt.datetime.now(dt.UTC).isoformat()  # noqa: TID251  a life outside the lab has the machine's time

    def volume(self, row: Any) -> Any:
        """With what the tool had returned for it."""
        known = {"id": row.id, "account": row.account, "size_gib": row.size_gib, "qos": row.qos}
        return SimpleNamespace(**known, number=_number(row))

    def snapshot(self, row: Any, volume: Any) -> Any:
        """With its volume."""
        return SimpleNamespace(id=row.id, number=_number(row), volume=self.volume(volume))


def _number(row: Any) -> int:
    """The array's number for it, if it is known."""
    return int(row.model.get("provider_id") or 0)


def _reachable() -> None:
    """Make our package importable here, and nothing that is beside it."""
    package = types.ModuleType("snapproof")
    package.__path__ = [str(HERE.parents[1] / "src" / "snapproof")]
    sys.modules["snapproof"] = package
    sys.path.insert(0, str(HERE))


def main(tool: str) -> int:
    """Answer until a signal ends the process."""
    _reachable()
    from snapproof.drivers.cinder.answers import translated
    from snapproof.drivers.cinder.book import Book
    from snapproof.drivers.cinder.bridge import Bridge
    from snapproof.drivers.cinder.main import serve

    module, _, name = TOOLS[tool].partition(":")
    kind = getattr(importlib.import_module(module), name)

    def begin(site: Mapping[str, Any]) -> Bridge:
        array = site["array"]
        place = urlsplit(array["url"]).netloc
        try:
            driver = kind(place, array["username"], array["password"])
        except Exception as error:
            raise translated(error) from error
        return Bridge(Cloud(driver, kind.PRODUCT), Book(Path(site["state_directory"]) / "rows.json"))

    return serve(begin)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
