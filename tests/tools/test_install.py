"""What the Makefile installs is whole, installed once, and refused in one sentence where it cannot be."""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parent.parent.parent / "tools"
NPM = """#!/bin/sh
echo "$@" >> "$CALLS"
[ -n "$BROKEN" ] && exit 7
mkdir -p "$3/node_modules/.bin"
printf '#!/bin/sh\\necho "$1"\\n' > "$3/node_modules/.bin/claude"
chmod +x "$3/node_modules/.bin/claude"
"""


class Checkout:
    """A copy of the tools in a repository of their own, on a machine that has only the programs we put there."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "checkout"
        self.programs = folder / "programs"
        self.calls_file = folder / "calls"
        shutil.copytree(TOOLS, self.root / "tools")
        self.programs.mkdir()
        for name in ("sh", "mkdir", "chmod"):
            (self.programs / name).symlink_to(str(shutil.which(name)))

    def add(self, name: str, text: str) -> None:
        (self.programs / name).write_text(text, encoding="utf-8")
        (self.programs / name).chmod(0o755)

    def start(self, *parts: str, **environ: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, self.root / "tools/install.py", *parts],
            env={"PATH": str(self.programs), "CALLS": str(self.calls_file), **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *parts: str, **environ: str) -> tuple[int, str]:
        process = self.start(*parts, **environ)
        _, stderr = process.communicate(timeout=30)
        return process.returncode, stderr

    @property
    def calls(self) -> list[str]:
        return self.calls_file.read_text(encoding="utf-8").splitlines() if self.calls_file.exists() else []

    @property
    def clients(self) -> list[str]:
        return sorted(path.name for path in (self.root / ".cache/npm").glob("*"))


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.fixture
def pins() -> dict[str, str]:
    lines = (TOOLS / "pins.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=") for line in lines if not line.startswith("#"))


def test_the_client_is_installed_once_at_its_pinned_version(checkout: Checkout, pins: dict[str, str]) -> None:
    checkout.add("npm", NPM)
    assert [checkout.run("claude-code")[0] for _ in range(2)] == [0, 0]
    (call,) = checkout.calls
    assert call.endswith(f"@anthropic-ai/claude-code@{pins['CLAUDE_CODE']}")
    assert checkout.clients == [pins["CLAUDE_CODE"]]


def test_two_installations_at_once_are_one(checkout: Checkout) -> None:
    checkout.add("npm", NPM)
    both = [checkout.start("claude-code") for _ in range(2)]
    for process in both:
        process.communicate(timeout=30)
    assert [process.returncode for process in both] == [0, 0]
    assert len(checkout.calls) == 1


def test_an_installation_that_broke_off_is_not_taken_for_one(checkout: Checkout, pins: dict[str, str]) -> None:
    checkout.add("npm", NPM)
    code, stderr = checkout.run("claude-code", BROKEN="1")
    assert code == 1
    assert "ended with code 7, see its output above" in stderr
    assert checkout.clients == [f"{pins['CLAUDE_CODE']}.partial"]
    assert checkout.run("claude-code")[0] == 0
    assert checkout.clients == [pins["CLAUDE_CODE"]]


@pytest.mark.parametrize("name", ["codex", "gemini", "opencode", "qwen", "copilot", "cline"])
def test_a_client_that_npm_no_longer_serves_ends_the_run_with_a_sentence(
    checkout: Checkout, pins: dict[str, str], name: str
) -> None:
    checkout.add("npm", NPM)
    code, stderr = checkout.run(name, BROKEN="1")
    assert code == 1
    assert f"@{pins[name.upper()]}` ended with code 7, see its output above" in stderr
    assert checkout.run(name)[0] == 0
    assert checkout.clients == [f"{name}-{pins[name.upper()]}"]


def test_a_machine_without_npm_is_told_what_to_install(checkout: Checkout) -> None:
    assert checkout.run("claude-code") == (
        1,
        "install: npm was not found: install Node.js (with npm), then try again\n",
    )


def test_a_machine_that_is_no_debian_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    debian = runpy.run_path(str(TOOLS / "install.py"))["debian"]
    with pytest.raises(Exception, match="install chromium and fonts by your system's package manager"):
        debian("chromium", "fonts")


def test_the_environment_follows_the_lock_file(checkout: Checkout) -> None:
    checkout.add("uv", '#!/bin/sh\necho "$@" "$UV_PYTHON" >> "$CALLS"\n')
    assert checkout.run("environment")[0] == 0
    assert checkout.calls == [f"sync --frozen --quiet {sys.executable}"]


@pytest.mark.parametrize(
    ("newest", "code", "told"),
    [
        ("", 0, ""),
        (
            "echo 9.9.9",
            1,
            "@anthropic-ai/claude-code is pinned at {CLAUDE_CODE}, npm serves 9.9.9: set CLAUDE_CODE in tools/pins.env",
        ),
        ("echo 404 >&2; exit 1", 2, "npm serves no @anthropic-ai/claude-code: 404"),
    ],
)
def test_a_pin_that_is_not_the_newest_is_named(
    checkout: Checkout, pins: dict[str, str], newest: str, code: int, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(TOOLS)
    packages = runpy.run_path(str(TOOLS / "outdated.py"))["PACKAGES"]
    pinned = "\n".join(f"{package}) echo {pins[name]};;" for name, package in packages.items())
    checkout.add("npm", f"#!/bin/sh\n{newest or ':'}\n[ -n '{newest}' ] || case $2 in\n{pinned}\nesac\n")
    done = subprocess.run(
        [sys.executable, checkout.root / "tools/outdated.py"],
        env={"PATH": str(checkout.programs)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert told.format(**pins) in done.stderr


def test_without_npm_nothing_is_said_to_be_the_newest(checkout: Checkout) -> None:
    command = [sys.executable, checkout.root / "tools/outdated.py"]
    environ = {"PATH": str(checkout.programs)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        2,
        "install: npm was not found: install Node.js (with npm), then try again\n",
    )
