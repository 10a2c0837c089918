"""What a vendor does: the wheel alone, and one command in a folder where only a driver and its driver.toml are.

Run it as `python tests/check_vendor.py CHECKOUT WORKING_FOLDER`, after check_wheel.py has filled WORKING_FOLDER/alone.
"""

import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

PARTIAL = 2
FEATURE = "features/take/primary.feature"
"""A part of the suite, so that the verdict is partial; the whole of it would be said without this word."""


def main(checkout: Path, work: Path) -> None:
    """Judge the Python example, and read the file that continuous integration reads."""
    vendor = work / "vendor"
    vendor.mkdir()
    shutil.copy(checkout / "docs/examples/drivers/python/driver.py", vendor)
    (vendor / "driver.toml").write_text(f'driver = "cmd:{sys.executable} driver.py"\n')
    done = subprocess.run([work / "alone/bin/snapproof", "run", FEATURE], cwd=vendor, check=False)
    if done.returncode != PARTIAL:
        sys.exit(f"The example driver was judged with exit code {done.returncode}, not {PARTIAL}.")
    cases = [*ET.parse(vendor / "snapproof-report" / "junit.xml").iter("testcase")]
    passed = [case for case in cases if not {"failure", "error", "skipped"} & {each.tag for each in case}]
    if len(passed) != len({case.get("name") for case in passed}) or not passed:
        sys.exit("junit.xml tells of no test case that passed, or of one twice.")
    print(f"A vendor's folder was judged: {len(passed)} scenarios passed, in junit.xml by name.")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
