"""Wires and how they reach a socket. A wire is bytes in, bytes out: in process it is called, over TCP it is served.

No simulator state lives here.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

Answer: TypeAlias = tuple[int, Mapping[str, str], bytes]
"""Status, headers, body."""

Wire: TypeAlias = Callable[[str, str, Mapping[str, str], bytes], Answer]
"""One HTTP exchange: method, target (path and query), headers with lower-case names, body."""
