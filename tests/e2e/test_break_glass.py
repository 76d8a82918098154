"""Break-glass at a real terminal: a code approved, shown once, typed; the hook lets the call run, everybody is told."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from askfirst.testing.terminal import Terminal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
DANGEROUS = "git push --force origin main"


def prepared(broker: Any, person: Any) -> str:
    """A code as it is shown on the terminal of whoever asked for it, once a person has approved it."""
    with Terminal(broker.command("break-glass", "prepare", "bob"), cwd=Path("/"), environ=broker.environ) as screen:
        person.decide(broker.pending(), "approve")
        screen.wait_for("where no program can read it")
        [code] = re.findall(r"[0-9A-Z]{6}(?:-[0-9A-Z]{5}){4}", screen.text)
    return str(code)


def test_a_code_on_paper_lets_one_call_run_and_then_a_window_another(broker: Any, person: Any, tmp_path: Path) -> None:
    """The agent's own tries end in a sentence, and the whole log verifies."""
    (tmp_path / "policy.toml").write_text("break_glass_s = 900\n", encoding="utf-8")
    broker.start()
    piped = broker.cli("break-glass", "prepare", "bob")
    assert "only shown on a terminal" in piped.stderr
    one, other = prepared(broker, person), prepared(broker, person)
    with ThreadPoolExecutor() as pool:
        call = pool.submit(broker.call_hook, DANGEROUS, "t1")
        waiting = broker.pending()
        piped = broker.cli("break-glass", "use", waiting["code"], "--reason", "nobody answers")
        assert "typed at a terminal" in piped.stderr
        use = broker.command("break-glass", "use", waiting["code"], "--reason", "nobody answers")
        with Terminal(use, cwd=Path("/"), environ={**broker.environ, "CLAUDECODE": "1"}) as agent:
            agent.wait_for("this is the shell of an agent")
        with Terminal(use, cwd=Path("/"), environ=broker.environ) as screen:
            screen.wait_for("break-glass code:")
            screen.press(f"{one}\n")
            screen.wait_for("released by the code")
        assert call.result()["permissionDecision"] == "allow"
    window = broker.command("break-glass", "use", "--for", "10m", "--reason", "nobody answers still")
    with Terminal(window, cwd=Path("/"), environ=broker.environ) as screen:
        screen.wait_for("break-glass code:")
        screen.press(f"{other.lower()}\n")
        screen.wait_for("closes it")
    assert broker.call_hook(DANGEROUS, "t2")["permissionDecision"] == "allow"
    entries = broker.entries()
    used = [each for each in entries if each["type"] == "break_glass.used"]
    names = [(each.get("decision") or each["data"])["break_glass"] for each in used]
    assert names == [one[:6], other[:6]]
    released = [
        each["decision"]["break_glass"]
        for each in entries
        if each["type"] == "gate.released" and "break_glass" in each["decision"]
    ]
    assert released == names
    told = [each["question"] for each in broker.requests() if each["kind"] == "question"]
    assert [one[:6] in told[0], other[:6] in told[1]] == [True, True]
    assert broker.cli("audit", "verify").returncode == 0
