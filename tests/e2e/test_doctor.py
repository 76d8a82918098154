"""Doctor with the released Claude Code: the gate is proven by a canary, and what defeats it is found."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@dataclass
class Machine:
    """A person's machine with one agent on it."""

    broker: Any
    claude: Path
    folder: Path

    @property
    def settings(self) -> Path:
        return self.folder / ".claude" / "settings.json"

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environ = self.broker.environ | {
            "HOME": str(self.folder),
            "PATH": f"{self.claude.parent}:{os.environ['PATH']}",
        }
        return subprocess.run(
            self.broker.command(*arguments), env=environ, capture_output=True, text=True, check=False, cwd=self.folder
        )

    def doctor(self) -> tuple[int, dict[str, Any]]:
        done = self.call("doctor", "--host", "claude-code", "--json")
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    def change(self, **members: object) -> None:
        settings = json.loads(self.settings.read_bytes())
        self.settings.write_text(json.dumps(settings | members), encoding="utf-8")


@pytest.fixture
def machine(broker: Any, claude: Path, tmp_path: Path) -> Machine:
    folder = tmp_path / "person"
    folder.mkdir()
    broker.start()
    made = Machine(broker=broker, claude=claude, folder=folder)
    done = made.call("install", "--host", "claude-code")
    assert done.returncode == 0, done.stderr
    return made


def failures(found: dict[str, Any]) -> list[str]:
    return [each["text"] for each in found["findings"] if each["grade"] == "fail"]


def texts(found: dict[str, Any]) -> str:
    return "\n".join(each["text"] for each in found["findings"])


def test_a_plain_install_is_proven_and_named_t0(machine: Machine) -> None:
    code, found = machine.doctor()
    assert (code, found["level"], failures(found)) == (0, "T0", [])
    assert "the canary was refused by the gate, driven by the real program" in texts(found)
    assert found["improve"] == "sudo askfirst install --scope managed"
    refused = [each for each in machine.broker.entries() if each["type"] == "gate.refused"]
    assert [each["decision"]["reason"] for each in refused] == ["the canary of a check"]


def test_hooks_that_are_switched_off_let_the_canary_run(machine: Machine) -> None:
    machine.change(disableAllHooks=True)
    code, found = machine.doctor()
    assert (code, found["level"]) == (1, "none")
    assert "the canary ran: its hooks do not gate it" in failures(found)
    assert any("disableAllHooks" in each for each in failures(found))


def test_a_repository_s_local_settings_are_seen(machine: Machine) -> None:
    local = machine.folder / ".claude" / "settings.local.json"
    local.write_text('{"disableAllHooks": true}', encoding="utf-8")
    code, found = machine.doctor()
    assert code == 1
    assert any("settings.local.json has disableAllHooks" in each for each in failures(found))
    assert "the canary ran: its hooks do not gate it" in failures(found)


def test_hooks_that_were_weakened_are_not_those_of_this_release(machine: Machine) -> None:
    settings = machine.settings.read_text(encoding="utf-8")
    machine.settings.write_text(settings.replace('"matcher": "*"', '"matcher": "Nothing"'), encoding="utf-8")
    code, found = machine.doctor()
    assert code == 1
    assert "are not those of this release and state folder" in texts(found)
    assert "the canary ran: its hooks do not gate it" in failures(found)


def test_without_hooks_the_agent_is_not_connected(machine: Machine) -> None:
    machine.call("uninstall", "--host", "claude-code")
    code, found = machine.doctor()
    assert (code, found["level"], found["improve"]) == (1, "none", "askfirst install --host claude-code")
    assert failures(found) == ["not connected"]


def test_a_hook_whose_programs_are_gone_blocks_and_is_reported(machine: Machine) -> None:
    settings = machine.settings.read_text(encoding="utf-8")
    machine.settings.write_text(
        settings.replace("client.py", "gone.py").replace("/askfirst-hook.pl", "/gone/askfirst-hook.pl"),
        encoding="utf-8",
    )
    code, found = machine.doctor()
    assert "the canary ran" not in texts(found)
    assert "the canary did not run, but not by the gate's word" in texts(found)
    assert "are not those of this release" in texts(found)
    assert code == 0
