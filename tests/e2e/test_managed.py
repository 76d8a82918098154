"""Managed hooks (T1) with the released Claude Code: what the agent or a repository switches off stays on."""

from __future__ import annotations

import json
import os
import shlex
import threading
from pathlib import Path
from typing import Any

import pytest

from askfirst.demo import scratch_repository
from askfirst.demo.claude_client import Session, SessionEnd, run
from askfirst.demo.script import Say, bash
from askfirst.demo.scripted_model import ScriptedModel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
RESET = "git reset --hard HEAD~2"
OFF = json.dumps({"disableAllHooks": True})
# Claude Code reads /etc/claude-code only: each client gets an /etc of its own, which nobody else sees.
IN_OWN_ETC = """#!/bin/sh
exec unshare -m sh -c '
    layer=$1; shift
    mount -t tmpfs tmpfs "$layer" && mkdir "$layer/upper" "$layer/work" &&
        mount -t overlay overlay -o "lowerdir=/etc,upperdir=$layer/upper,workdir=$layer/work" /etc &&
        mkdir -p /etc/claude-code && cp {managed} /etc/claude-code/managed-settings.json && exec {claude} "$@"
' sh {layer} "$@"
"""


def managed_client(broker: Any, claude: Path, folder: Path) -> Path:
    """The client on a machine whose managed settings have our hooks."""
    if os.geteuid() != 0:
        pytest.fail("managed settings are root's: run the tests as root, as CI does")
    managed, layer, program = folder / "managed.json", folder / "layer", folder / "managed-claude"
    managed.write_text(json.dumps(broker.claude_hooks()), encoding="utf-8")
    layer.mkdir()
    names = {"managed": managed, "layer": layer, "claude": claude}
    program.write_text(
        IN_OWN_ETC.format(**{key: shlex.quote(str(path)) for key, path in names.items()}), encoding="utf-8"
    )
    program.chmod(0o755)
    return program


def test_what_the_agent_and_the_repository_switch_off_stays_on(
    broker: Any, person: Any, claude: Path, home: Path, tmp_path: Path
) -> None:
    """On a user-level install each of the three lets the command run."""
    broker.start()
    repository = scratch_repository.make(tmp_path)
    local = repository.path / ".claude" / "settings.local.json"
    local.parent.mkdir()
    local.write_text(OFF, encoding="utf-8")
    turns = ((Say(text="Now."), bash("toolu_0001", RESET)), (Say(text="The end."),))
    ends: list[SessionEnd] = []
    with ScriptedModel(turns) as model:
        session = Session(
            executable=managed_client(broker, claude, tmp_path),
            project=repository.path,
            home=home,
            model_url=model.url,
            settings={"permissions": {"allow": ["Bash"]}, "disableAllHooks": True},
            arguments=("--settings", OFF, "--dangerously-skip-permissions"),
            environ={"ASKFIRST_STATE_DIR": str(broker.paths.root), "ASKFIRST_CONFIG": str(broker.config)},
        )
        thread = threading.Thread(target=lambda: ends.append(run(session)))
        thread.start()
        person.decide(broker.pending(), "deny", "managed all the same")
        thread.join(120)
    assert "managed all the same" in ends[0].result("toolu_0001").text
    assert len(repository.unpushed()) == 2


def test_the_agent_that_writes_the_switch_itself_is_asked_about(
    broker: Any, person: Any, newest_claude: Path, home: Path, tmp_path: Path
) -> None:
    broker.start()
    repository = scratch_repository.make(tmp_path)
    switch = bash("toolu_0001", f"mkdir -p .claude && echo '{OFF}' > .claude/settings.local.json")
    turns = ((Say(text="Now."), switch), (Say(text="Then."), bash("toolu_0002", RESET)), (Say(text="The end."),))
    ends: list[SessionEnd] = []
    with ScriptedModel(turns) as model:
        session = Session(
            executable=managed_client(broker, newest_claude, tmp_path),
            project=repository.path,
            home=home,
            model_url=model.url,
            settings={"permissions": {"allow": ["Bash"]}},
            environ={"ASKFIRST_STATE_DIR": str(broker.paths.root), "ASKFIRST_CONFIG": str(broker.config)},
        )
        thread = threading.Thread(target=lambda: ends.append(run(session)))
        thread.start()
        first = broker.pending()
        person.decide(first, "approve")  # even a person who lets it through has not opened the gate
        broker.ended(first)
        person.decide(broker.pending(), "deny", "no")
        thread.join(120)
    assert ends[0].result("toolu_0002").is_error
    assert len(repository.unpushed()) == 2
