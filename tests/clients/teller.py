"""Runs inside a client's own environment: performs the parts of a story as it is asked to, one JSON line each way.

Argument: the story, a file that defines PARTS. It knows no client and no simulator, and needs nothing but Python.
"""

import contextlib
import json
import runpy
import sys
import traceback
from collections.abc import Callable
from typing import Any


def told(part: Callable[..., Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """Perform one part. What a client prints goes to standard error, so that it cannot garble the answer."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return {"told": part(**arguments)}
    except Exception:  # noqa: BLE001  whatever the client died of is the answer
        return {"failed": traceback.format_exc()}


def main(story: str) -> None:
    """Say that the story is loaded, then tell its parts until nobody asks any more."""
    with contextlib.redirect_stdout(sys.stderr):
        parts = runpy.run_path(story)["PARTS"]
    print(json.dumps({"parts": sorted(parts)}), flush=True)  # noqa: T201  standard output is how the story is told
    for line in sys.stdin:
        asked = json.loads(line)
        answer = told(parts[asked["part"]], asked["arguments"])
        print(json.dumps(answer), flush=True)  # noqa: T201  standard output is how the story is told


if __name__ == "__main__":
    main(sys.argv[1])
