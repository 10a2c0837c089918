"""The page about the control API is true: every line for the shell works, one after the other, against `serve`."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "control-api.md"
PATIENCE_S = 60
BLOCKS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.real
@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed here")
def test_every_line_for_the_shell_works(tmp_path: Path) -> None:
    blocks = BLOCKS.findall(PAGE.read_text())
    assert len(blocks) > 8
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    with subprocess.Popen(
        [sys.executable, "-m", "snapproof.commands.serve"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            pasted = printed_lines(process)
            for block in blocks:
                done = subprocess.run(
                    ["bash", "-euo", "pipefail", "-c", pasted + block],
                    env=environment,
                    cwd=tmp_path,
                    capture_output=True,
                    text=True,
                    timeout=PATIENCE_S,
                    check=False,
                )
                assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
        finally:
            process.kill()


def printed_lines(process: "subprocess.Popen[str]") -> str:
    """Read what is to be pasted: up to the authority, the last thing that is told."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("export SNAPPROOF_AUTHORITY="):
            break
    return "".join(lines)
