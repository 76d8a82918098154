from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from askfirst.testing.hook_broker import BOUND_S
from hooks.command_line import PERL, hook_command

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENTS = Path(__file__).parents[2] / "hooks"
BARE_PYTHON = Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")


@dataclass(frozen=True)
class Hook:
    """The installed hook, with everything of it replaceable."""

    folder: Path
    perl: str = PERL
    python: Path = BARE_PYTHON
    client_dir: Path = CLIENTS
    wait_s: int = 30
    broker: tuple[str, ...] = ("false",)

    @property
    def socket(self) -> Path:
        return self.folder / "broker.sock"

    @property
    def starts(self) -> Path:
        return self.folder / "starts"

    @property
    def line(self) -> str:
        return hook_command(
            "claude-code",
            python=self.python,
            socket=self.socket,
            client_dir=self.client_dir,
            wait_s=self.wait_s,
            host_timeout_s=self.wait_s + 60,
            perl=self.perl,
            broker=self.broker,
        )

    def start(self, *, stdin: int = subprocess.PIPE, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["sh", "-c", self.line],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | (env or {}),
        )

    def run(self, payload: bytes = b"{}", *, env: dict[str, str] | None = None) -> tuple[int | None, bytes, bytes]:
        """Exit code, standard output and standard error."""
        with self.start(env=env) as process:
            out, err = process.communicate(payload, timeout=BOUND_S * 3)
        return process.returncode, out, err


@pytest.fixture
def folder() -> Iterator[Path]:
    """A state folder with a path short enough for a socket; brokers started in it are killed."""
    path = Path(tempfile.mkdtemp(prefix="af"))
    yield path
    starts = path / "starts"
    for pid in starts.read_text(encoding="ascii").split() if starts.exists() else []:
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            continue
    shutil.rmtree(path)


@pytest.fixture(params=["fast", "robust"])
def hook(request: pytest.FixtureRequest, folder: Path) -> Hook:
    """Each client in turn: perl, and Python where perl is missing."""
    return Hook(folder, perl=PERL if request.param == "fast" else "/nonexistent/perl")
