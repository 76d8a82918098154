"""Silence: what an agent did and no hook called about."""

from __future__ import annotations

import pytest

from askfirst.call import ToolCall
from askfirst.host import Agent, BeforeTool
from askfirst.silence import EARLY_MS, LATE_MS, Deed, Silence

START_MS = 1_000_000_000


class Clock:
    def __init__(self) -> None:
        self.at_ms = START_MS

    def now_ms(self) -> int:
        return self.at_ms


def deed(at_ms: int, session: str = "s1") -> Deed:
    return Deed(host="claude-code", session=session, tool="Bash", at_ms=at_ms, path="/x.jsonl")


def call(session: str = "s1") -> BeforeTool:
    agent = Agent(host="claude-code", session=session)
    return BeforeTool(agent=agent, call=ToolCall(tool="Bash", arguments={"command": "ls"}), tool_use_id="t")


@pytest.mark.parametrize(
    ("heard_after_ms", "done_after_ms", "is_silent"),
    [
        (None, 60_000, True),
        (60_000, 60_100, False),  # the hook called first
        (60_000, 59_000, False),  # the host wrote it down first
        (10_000, 60_000, True),  # an earlier call's hook
        (60_000 - EARLY_MS, 60_000, False),
        (None, -1, False),  # before anybody listened
    ],
)
def test_a_deed_is_silent_where_its_session_s_hook_did_not_call_about_it(
    heard_after_ms: int | None, done_after_ms: int, is_silent: bool
) -> None:
    clock = Clock()
    done = deed(START_MS + done_after_ms)
    silence = Silence(lambda _host, _since: [done], clock)
    if heard_after_ms is not None:
        clock.at_ms = START_MS + heard_after_ms
        silence.heard(call())
    clock.at_ms = START_MS + 60_000 + LATE_MS + 1
    assert silence.look({"claude-code"}) == ([done] if is_silent else [])


def test_a_hook_has_a_while_to_call_and_a_session_is_told_once() -> None:
    clock = Clock()
    deeds = [deed(START_MS + 1_000), deed(START_MS + 2_000), deed(START_MS + 1_500, "s2")]
    silence = Silence(lambda _host, _since: deeds, clock)
    clock.at_ms = START_MS + 2_000
    silence.heard(call("s2"))
    assert silence.look({"claude-code"}) == []
    clock.at_ms = START_MS + 2_000 + LATE_MS + 1
    assert silence.look({"claude-code"}) == deeds[:1]
    assert silence.look({"claude-code"}) == []
