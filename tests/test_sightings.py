"""Who made a call of our MCP tools, as hooks have seen it."""

from __future__ import annotations

import pytest

from askfirst.call import ToolCall
from askfirst.host import Agent, BeforeTool
from askfirst.sightings import FRESH_MS, KEPT_MAX, Sightings
from askfirst.testing.bench import FakeClock

ASK = {"action": "deploy", "reason": "it is time", "wait": False}


def call(tool: str = "mcp__askfirst__request_approval", session: str = "s1", **changes: object) -> BeforeTool:
    return BeforeTool(
        agent=Agent(host="gemini", session=session, model="m"),
        call=ToolCall(tool=tool, arguments=ASK | changes, cwd="/srv/p", session=session),
        tool_use_id="",
    )


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def sightings(clock: FakeClock) -> Sightings:
    return Sightings(clock)


@pytest.mark.parametrize("tool", ["mcp__askfirst__request_approval", "mcp__plugin_askfirst_askfirst__request_approval"])
def test_the_hook_s_session_is_found_by_the_call(sightings: Sightings, tool: str) -> None:
    sightings.note(call(tool))
    found = sightings.of("request_approval", dict(reversed(ASK.items())))
    assert found is not None
    assert (found.agent, found.cwd) == (call().agent, "/srv/p")


@pytest.mark.parametrize(
    ("seen", "tool"),
    [
        (call(reason="another"), "request_approval"),
        (call(), "ask_human"),
        (call("mcp__other__request_approval"), "request_approval"),
        (call("Bash"), "Bash"),
        (call("mcp__askfirst__evil__request_approval"), "request_approval"),
    ],
)
def test_other_calls_name_nobody(sightings: Sightings, seen: BeforeTool, tool: str) -> None:
    sightings.note(seen)
    assert sightings.of(tool, ASK) is None


def test_of_two_sessions_with_the_same_call_neither_is_named(sightings: Sightings) -> None:
    sightings.note(call())
    sightings.note(call())
    assert sightings.of("request_approval", ASK) is not None
    sightings.note(call(session="s2"))
    assert sightings.of("request_approval", ASK) is None


def test_an_old_sighting_names_nobody(sightings: Sightings, clock: FakeClock) -> None:
    sightings.note(call())
    clock.advance(FRESH_MS / 1000 + 1)
    assert sightings.of("request_approval", ASK) is None


def test_they_are_bounded(sightings: Sightings) -> None:
    sightings.note(call())
    for number in range(KEPT_MAX):
        sightings.note(call(reason=str(number)))
    assert sightings.of("request_approval", ASK) is None
