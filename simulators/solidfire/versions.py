"""The versions of the API and of the software behind it."""

from collections.abc import Mapping

from snapproof.simulators.solidfire.surface.shapes import Version, version

SUPPORTED = (
    "0.0", "1.0", "2.0", "3.0", "4.0", "5.0", "6.0", "7.0", "7.1", "7.2", "7.3", "7.4", "8.0", "8.1", "8.2", "8.3",
    "8.4", "9.0", "9.4", "10.0", "10.1", "10.3", "11.0", "11.3", "11.5", "11.7", "12.0", "12.2", "12.3",
)  # fmt: skip
CURRENT = SUPPORTED[-1]
SOFTWARE = "12.3.0.958"


PAIRS: Mapping[str, Version] = {text: version(text) for text in SUPPORTED}
"""What a path may name, as numbers that compare: 12.3 is newer than 9.4."""
