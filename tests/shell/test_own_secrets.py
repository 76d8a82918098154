"""What holds Askfirst's own secrets is read by no agent unasked: a bot's token is a person's voice."""

from __future__ import annotations

import pytest

from askfirst.call import ToolCall
from askfirst.classify import classify
from askfirst.effects import Outcome
from askfirst.shell.secret_paths import secret_grade

OURS = [
    ".config/askfirst/telegram-token",
    ".config/askfirst/github-token",
    ".config/askfirst/slack-bot-token",
    ".config/askfirst/email-password",
    ".config/askfirst/pager-secret",
    "/etc/askfirst/ops.secret",
    ".local/state/askfirst/api-token",
    ".local/state/askfirst/remote.json",
    ".local/state/askfirst/grants.key",
    ".local/state/askfirst/logins/x",
    ".local/state/askfirst/originals/9a0f",
    "/var/lib/askfirst/api-token",
]
HARMLESS = [
    ".config/askfirst/policy.toml",
    ".local/state/askfirst/log.vkey",
    ".local/state/askfirst/broker.log",
    "src/tokenizer.py",
    "askfirst/shell/secret_paths.py",
]


@pytest.mark.parametrize("path", OURS)
def test_reading_a_secret_of_ours_is_asked_about(path: str) -> None:
    where = path if path.startswith("/") else f"/home/ann/{path}"
    assert secret_grade(where) == "credential"
    command = ToolCall(tool="Bash", arguments={"command": f"cat {where}"}, cwd="/home/ann")
    assert classify(command, home="/home/ann").outcome is not Outcome.ALLOW
    read = ToolCall(tool="Read", arguments={"file_path": where}, cwd="/home/ann")
    assert classify(read, home="/home/ann").outcome is not Outcome.ALLOW


@pytest.mark.parametrize("path", HARMLESS)
def test_reading_what_holds_no_secret_is_not(path: str) -> None:
    assert secret_grade(f"/home/ann/{path}") == ""
