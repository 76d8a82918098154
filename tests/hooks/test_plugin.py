"""The repository as a Claude Code plugin: its hooks run the line of the installed askfirst."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from hooks.hook_entries import MARK
from hooks.install_claude import entries
from hooks.setup import LONG_S, HookLine

ROOT = Path(__file__).parents[2]
HOOKS = json.loads((ROOT / "hooks" / "hooks.json").read_bytes())["hooks"]
COMMAND = HOOKS["PreToolUse"][0]["hooks"][0]["command"]
NOTICE = HOOKS["Stop"][0]["hooks"][0]["command"]


@pytest.fixture
def data(folder: Path) -> Path:
    return folder / "plug in's data"


def run(
    folder: Path, data: Path, *, root: Path = ROOT, shell: str = "sh", command: str = COMMAND
) -> tuple[int, str, str]:
    env = {
        "PATH": f"{folder}:/usr/bin:/bin",
        "HOME": str(folder),
        "CLAUDE_PLUGIN_ROOT": str(root),
        "CLAUDE_PLUGIN_DATA": str(data),
    }
    result = subprocess.run(
        [shell, "-c", command], env=env, input="payload", capture_output=True, text=True, check=False
    )
    return result.returncode, result.stdout, result.stderr


def install(folder: Path, line: str) -> None:
    program = folder / "askfirst"
    program.write_text(f"#!/bin/sh\necho \"$@\" >> {folder}/calls\ncat <<'E'\n{line}\nE\n", encoding="utf-8")
    program.chmod(0o755)


def test_the_plugin_has_the_hooks_that_are_installed() -> None:
    line = f"{COMMAND} # {MARK}"
    hook = HookLine(line=line, timeout_s=LONG_S, notice_line=f"{NOTICE} # {MARK}")
    expected = json.loads(json.dumps(entries(hook)).replace(f" # {MARK}", ""))
    assert {event: [entry] for event, entry in expected.items()} == HOOKS


def test_events_that_let_nothing_run_never_fail(folder: Path, data: Path) -> None:
    assert run(folder, data, command=NOTICE)[:2] == (0, "")
    install(folder, "exit 2")
    assert run(folder, data, command=NOTICE) == (2, "", "")
    assert (folder / "calls").read_text(encoding="utf-8") == "hook command claude-code --notice\n"


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_line_is_made_once_and_run_with_the_payload(folder: Path, data: Path, shell: str) -> None:
    install(folder, "cat; exit 0")
    for _ in range(2):
        assert run(folder, data, shell=shell) == (0, "payload", "")
    assert (folder / "calls").read_text(encoding="utf-8") == "hook command claude-code\n"
    assert data.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in data.iterdir()] == ["hook.sh"]


def test_a_refusal_of_the_line_is_passed_on(folder: Path, data: Path) -> None:
    install(folder, "echo why >&2; exit 2")
    assert run(folder, data) == (2, "", "why\n")


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_without_askfirst_the_call_is_blocked(folder: Path, data: Path, shell: str) -> None:
    code, out, err = run(folder, data, shell=shell)
    assert (code, out) == (2, "")
    assert err.endswith(f"install it with: uv tool install '{ROOT}'\n")


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_without_the_plugin_s_files_the_call_is_blocked(folder: Path, data: Path, shell: str) -> None:
    install(folder, "exit 0")
    assert run(folder, data, root=folder, shell=shell)[:2] == (2, "")


def test_a_data_folder_that_cannot_be_written_blocks(folder: Path) -> None:
    install(folder, "exit 0")
    (folder / "file").touch()
    assert run(folder, folder / "file" / "data")[:2] == (2, "")


def test_an_askfirst_that_fails_leaves_no_line(folder: Path, data: Path) -> None:
    install(folder, "exit 0")
    program = folder / "askfirst"
    program.write_text(program.read_text(encoding="utf-8") + "exit 1\n", encoding="utf-8")
    assert run(folder, data)[:2] == (2, "")
    assert list(data.iterdir()) == []
