"""A clone of the repository as a plugin of the released Claude Code."""

from __future__ import annotations

import shlex
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from askfirst.demo import scratch_repository
from askfirst.demo.claude_client import Session, SessionEnd, run
from askfirst.demo.script import Say, bash
from askfirst.demo.scripted_model import ScriptedModel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
ROOT = Path(__file__).parents[2]
RESET = "git reset --hard HEAD~2"


def test_the_plugin_is_valid(claude: Path, home: Path) -> None:
    environ = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [claude, "plugin", "validate", ROOT], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "Validation passed" in done.stdout
    warned = [line for line in done.stdout.splitlines() if "❯ root:" in line or "warnings:" in line]
    [line] = warned  # a repository's CLAUDE.md is for its contributors, and no part of the plugin
    assert "CLAUDE.md at the plugin root is not loaded" in line


def test_a_clone_gates_by_its_plugin_folder_and_brings_its_skill(
    broker: Any, person: Any, claude: Path, home: Path, tmp_path: Path
) -> None:
    broker.start()
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "askfirst"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(broker.command())} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    repository = scratch_repository.make(tmp_path)
    turns = ((Say(text="Now."), bash("toolu_0001", RESET)), (Say(text="The end."),))
    ends: list[SessionEnd] = []
    with ScriptedModel(turns) as model:
        session = Session(
            executable=claude,
            project=repository.path,
            home=home,
            model_url=model.url,
            settings={"permissions": {"allow": ["Bash"]}},
            arguments=("--plugin-dir", str(ROOT)),
            environ={
                "ASKFIRST_STATE_DIR": str(broker.paths.root),
                "ASKFIRST_CONFIG": str(broker.config),
                "PATH": f"{programs}:{broker.environ['PATH']}",
            },
        )
        thread = threading.Thread(target=lambda: ends.append(run(session)))
        thread.start()
        person.decide(broker.pending(), "deny", "not from a plugin either")
        thread.join(120)
    assert "not from a plugin either" in ends[0].result("toolu_0001").text
    assert len(repository.unpushed()) == 2
    started = next(each for each in ends[0].messages if each.get("subtype") == "init")
    assert "askfirst" in str(started["plugins"])
    assert "askfirst:askfirst" in str(started["slash_commands"]) + str(started.get("skills"))
