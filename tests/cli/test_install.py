"""``askfirst install`` and ``uninstall``: the agents that are there, their files, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from askfirst.entry import command_line
from askfirst.hook_notes import waiting_notes
from askfirst.paths import StatePaths
from hooks.claude_rules import ask_rules
from hooks.install import fingerprint, obstacles

THEIRS = {"model": "x", "hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "t"}]}]}}


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing but Claude Code's folder on it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("ASKFIRST_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".claude").mkdir()
    return tmp_path


def call(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(command_line(), list(arguments))
    assert result.exit_code == code, result.output
    return result.output


def settings_of(machine: Path) -> Path:
    return machine / ".claude" / "settings.json"


def test_agents_that_are_there_are_connected_and_disconnected_exactly(machine: Path) -> None:
    settings = settings_of(machine)
    before = json.dumps(THEIRS, indent=2) + "\n"
    settings.write_text(before, encoding="utf-8")
    settings.chmod(0o640)
    shown = call("install")
    assert "+++ " in shown
    assert '+    "SessionStart": [' in shown
    once = settings.read_text(encoding="utf-8")
    assert json.loads(once)["model"] == "x"
    assert settings.stat().st_mode & 0o777 == 0o640
    assert "is as it should be" in call("install")
    call("uninstall")
    assert settings.read_text(encoding="utf-8") == before
    notes = waiting_notes(StatePaths(machine / "state"))
    assert [(each.is_installed, bool(each.ours)) for each in notes] == [(True, True), (False, False)]


OWN_LAYOUT = (
    '{"model": "x",\n\t"hooks": {"PreToolUse": [{"matcher":"Bash","hooks":[{"type":"command","command":"t"}]}]}}'
)


@pytest.mark.parametrize("again", [False, True])
def test_a_file_in_the_person_s_own_layout_comes_back_byte_for_byte(machine: Path, again: bool) -> None:
    settings = settings_of(machine)
    settings.write_text(OWN_LAYOUT, encoding="utf-8")
    call("install")
    if again:  # what is kept is the file without our hooks, not the one that is mended
        settings.write_text(settings.read_text().replace('"timeout": ', '"timeout": 1'), encoding="utf-8")
        call("install")
    call("uninstall")
    assert settings.read_text(encoding="utf-8") == OWN_LAYOUT
    assert list((machine / "state" / "originals").iterdir()) == []


def test_what_the_person_changed_meanwhile_stays(machine: Path) -> None:
    settings = settings_of(machine)
    settings.write_text(OWN_LAYOUT, encoding="utf-8")
    call("install")
    settings.write_text(settings.read_text().replace('"model": "x"', '"model": "y"'), encoding="utf-8")
    call("uninstall")
    assert json.loads(settings.read_text(encoding="utf-8")) == {**THEIRS, "model": "y"}


def test_a_dry_run_shows_the_change_and_writes_nothing(machine: Path) -> None:
    [change] = json.loads(call("install", "--dry-run", "--json"))
    assert (change["host"], change["changed"], change["written"]) == ("claude-code", True, False)
    assert any("askfirst-hook.pl" in line for line in change["diff"])
    assert not settings_of(machine).exists()


def test_a_file_that_was_not_there_is_not_there_afterwards(machine: Path) -> None:
    call("install")
    call("uninstall")
    assert not settings_of(machine).exists()


def test_the_second_line_is_rules_that_need_no_hook(machine: Path) -> None:
    settings = settings_of(machine)
    own = {"permissions": {"ask": ["Bash(mine:*)"], "allow": ["Bash"]}}
    settings.write_text(json.dumps(own), encoding="utf-8")
    call("install", "--second-line")
    assert json.loads(settings.read_bytes())["permissions"]["ask"] == ["Bash(mine:*)", *ask_rules()]
    call("uninstall")
    assert json.loads(settings.read_bytes()) == own


def test_the_rules_are_the_packs_critical_commands() -> None:
    assert {"Bash(gh repo delete:*)", "Bash(terraform destroy:*)", "Bash(git push --force:*)"} <= set(ask_rules())
    assert len(ask_rules()) < 300


def test_every_agent_on_the_path_is_found(machine: Path) -> None:
    (machine / "bin").mkdir()
    for program in ("codex", "gemini"):
        path = machine / "bin" / program
        path.write_text("#!/bin/sh\n", encoding="utf-8")
        path.chmod(0o755)
    hosts = {each["host"] for each in json.loads(call("install", "--dry-run", "--json"))}
    assert hosts == {"claude-code", "codex", "gemini"}


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("install", "--host", "emacs"), 2, "unknown host 'emacs'"),
        (("install", "--host", "opencode", "--scope", "managed"), 2, "has no managed settings"),
        (("install", "--scope", "galaxy"), 2, "galaxy"),
    ],
)
def test_what_cannot_be_installed_is_refused(
    machine: Path, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    del machine
    assert sentence in " ".join(call(*arguments, code=code).split())


def test_no_agent_is_no_success(machine: Path) -> None:
    (machine / ".claude").rmdir()
    assert "no agent was found" in call("install", code=1)


@pytest.mark.parametrize("text", ["{", "[]", '{"hooks": []}', '{"permissions": []}'])
def test_settings_that_are_none_are_left_alone(machine: Path, text: str) -> None:
    settings_of(machine).write_text(text, encoding="utf-8")
    call("install", "--host", "claude-code", "--second-line", code=2)
    assert settings_of(machine).read_text(encoding="utf-8") == text


def test_the_fingerprint_sees_our_part_only(machine: Path) -> None:
    call("install")
    settings = settings_of(machine)
    installed = fingerprint("claude-code", settings)
    assert installed
    changed: dict[str, Any] = json.loads(settings.read_bytes())

    def written(value: dict[str, Any]) -> str:
        settings.write_text(json.dumps(value, indent=2), encoding="utf-8")
        return fingerprint("claude-code", settings)

    assert written({**changed, "model": "y", "permissions": {"deny": ["Read"]}}) == installed
    handler = changed["hooks"]["PreToolUse"][0]["hooks"][0]
    for key, value in (("onFailure", "allow"), ("timeout", 1), ("command", "true # askfirst-hook.pl")):
        original = handler[key]
        handler[key] = value
        assert written(changed) != installed
        handler[key] = original
    changed["hooks"]["PreToolUse"][0]["matcher"] = "Nothing"
    assert written(changed) != installed
    assert written({}) == ""
    settings.write_text("{", encoding="utf-8")
    assert fingerprint("claude-code", settings) == ""


def test_a_switch_for_all_hooks_is_an_obstacle(machine: Path) -> None:
    settings = settings_of(machine)
    settings.write_text('{"disableAllHooks": true}', encoding="utf-8")
    assert obstacles("claude-code", settings) == (f"{settings} has disableAllHooks, so no hook runs",)
    settings.write_text("{", encoding="utf-8")
    assert "is not JSON" in obstacles("claude-code", settings)[0]
