"""Three type checkers read our public API as a reader's editor would."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
pytestmark = pytest.mark.slow


def check(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["api.py", "wrong_use.py"])
def test_mypy(name: str, tmp_path: Path) -> None:
    options = ("--strict", "--warn-unused-ignores", "--follow-imports=silent", f"--cache-dir={tmp_path}")
    check(sys.executable, "-m", "mypy", *options, "--config-file=", str(HERE / name))


def test_ty() -> None:
    check(str(Path(sys.executable).with_name("ty")), "check", "--python", sys.prefix, str(HERE / "api.py"))


def test_pyright() -> None:
    check(str(Path(sys.executable).with_name("basedpyright")), "--level", "error", str(HERE / "api.py"))
