"""The released Claude Code with its hooks switched off: the settings are untouched, and the silence is noticed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from askfirst.demo.claude_client import Session, run
from askfirst.demo.script import Say, bash
from askfirst.demo.scripted_model import ScriptedModel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def test_an_agent_that_works_with_its_hooks_switched_off_is_noticed(
    broker: Any, newest_claude: Path, tmp_path: Path, until: Any
) -> None:
    home, project = tmp_path / "person", tmp_path / "project"
    home.mkdir()
    project.mkdir()
    broker.environ["HOME"] = str(home)
    broker.start()
    done = broker.cli("install", "--host", "claude-code")
    assert done.returncode == 0, done.stderr
    settings = json.loads((home / ".claude" / "settings.json").read_bytes())
    turns = ((Say(text="Now."), bash("toolu_0001", "echo ran > ran.txt")), (Say(text="The end."),))
    for arguments in ((), ("--settings", '{"disableAllHooks": true}')):  # the first is gated as it should be
        with ScriptedModel(turns) as model:
            session = Session(
                executable=newest_claude,
                project=project,
                home=home,
                model_url=model.url,
                settings={**settings, "permissions": {"allow": ["Bash"]}},
                arguments=arguments,
                environ={"ASKFIRST_STATE_DIR": str(broker.paths.root), "PATH": os.environ["PATH"]},
            )
            run(session)
    assert (project / "ran.txt").exists()

    def silent() -> list[dict[str, Any]]:
        return [each for each in broker.entries() if each["type"] == "hook.silent"]

    [entry] = until("the entry of the silence", silent, 60)
    assert (entry["data"]["host"], entry["data"]["tool"]) == ("claude-code", "Bash")
    assert not [each for each in broker.entries() if each["type"] in {"hook.missing", "config.tamper"}]
    assert "its hook did not call: nothing is gated there" in broker.pending()["question"]
