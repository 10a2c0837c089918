"""Started as a file by the Python that has Cinder: makes this package importable there, and nothing that is beside it.

Our own dependencies may clash with Cinder's, so their folder must not come along.
"""

import runpy
import sys
import types
from pathlib import Path

if __name__ == "__main__":
    package = types.ModuleType("snapproof")
    package.__path__ = [str(Path(__file__).parents[2])]
    sys.modules["snapproof"] = package
    runpy.run_module("snapproof.drivers.cinder.main", run_name="__main__", alter_sys=True)
