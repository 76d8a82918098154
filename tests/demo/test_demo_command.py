"""``askfirst demo --auto`` as people type it: real broker, real hook, real browser, and nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHIN_S = 110
TOLD = (
    "was denied by a person",
    "not now: two commits would be lost",
    "the command did not run; all 2 unpushed commits and the uncommitted change are still there",
    "the command ran exactly once; 0 of 2 unpushed commits are left",
    "the log verifies",
    "what people decided is what happened, and the log proves it",
)


def processes(scratch: Path) -> list[str]:
    """Command lines of living processes that name this folder in their arguments or environment."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            texts = [(entry / name).read_bytes() for name in ("cmdline", "environ")] if entry.name.isdecimal() else []
        except OSError:  # it has gone, or is not ours
            continue
        if any(os.fsencode(scratch) in text for text in texts):
            found.append(texts[0].replace(b"\0", b" ").decode(errors="replace"))
    return found


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A temporary folder whose path is short enough for a socket's."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="ask-") as name:
        yield Path(name)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads processes from /proc")
@pytest.mark.parametrize("client", ["real", "stand-in"])
def test_denied_first_approved_second_run_once_and_nothing_left_behind(
    client: str, newest_claude: Path, scratch: Path
) -> None:
    executable = str(newest_claude) if client == "real" else str(scratch / "absent")
    done = subprocess.run(
        [sys.executable, "-m", "askfirst.entry", "demo", "--auto"],
        env={**os.environ, "ASKFIRST_CLAUDE_CODE": executable, "TMPDIR": str(scratch)},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    told = " ".join(done.stdout.split())
    assert [part for part in TOLD if part not in told] == [], done.stdout + done.stderr
    assert done.returncode == 0
    assert ("Claude Code is not installed here" in told) == (client == "stand-in")
    assert list(scratch.iterdir()) == []
    assert processes(scratch) == []
