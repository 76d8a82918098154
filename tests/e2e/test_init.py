"""The first run, by options alone and by answers, with a real broker."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def call(broker: Any, folder: Path, *arguments: str, answers: str = "") -> subprocess.CompletedProcess[str]:
    environ = broker.environ | {"HOME": str(folder), "ASKFIRST_POLICY": str(folder / "policy.toml")}
    command = broker.command("init", "--host", "claude-code", *arguments)
    return subprocess.run(command, env=environ, input=answers, capture_output=True, text=True, check=False, cwd=folder)


def test_options_alone_set_everything_up_and_the_test_request_reaches_a_person(
    broker: Any, person: Any, tmp_path: Path
) -> None:
    broker.start()
    with ThreadPoolExecutor() as pool:
        running = pool.submit(call, broker, tmp_path, "--yes", "--json", "--timeout", "60")
        person.decide(broker.pending(), "answer", "It reached me")
        done = running.result(60)
    assert done.returncode == 0, done.stderr
    policy = tmp_path / "policy.toml"
    assert json.loads(done.stdout) == {
        "connected": ["claude-code"],
        "policy": str(policy),
        "telegram": False,
        "test": "answered",
    }
    assert 'extends = "personal"' in policy.read_text(encoding="utf-8")
    assert "askfirst-hook.pl" in (tmp_path / ".claude" / "settings.json").read_text(encoding="utf-8")


def test_a_no_leaves_the_agent_alone_and_an_own_policy_stays(broker: Any, tmp_path: Path) -> None:
    broker.start()
    (tmp_path / "policy.toml").write_text('extends = "strict"\n', encoding="utf-8")
    done = call(broker, tmp_path, "--no-test", answers="n\nn\n")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / ".claude").exists()
    assert "your policy stays" in done.stderr
    assert (tmp_path / "policy.toml").read_text(encoding="utf-8") == 'extends = "strict"\n'


def test_a_token_that_is_none_is_a_sentence_and_what_was_set_up_stays(broker: Any, tmp_path: Path) -> None:
    broker.start()
    token = tmp_path / "token"
    token.write_text("nonsense\n", encoding="utf-8")
    token.chmod(0o600)
    done = call(broker, tmp_path, "--yes", "--no-test", "--telegram-token-file", str(token))
    assert done.returncode == 1
    assert "Telegram was not paired" in done.stderr
    assert (tmp_path / ".claude" / "settings.json").exists()
