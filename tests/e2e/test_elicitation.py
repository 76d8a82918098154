"""The person at the keyboard decides by the client that their agent runs in, where the policy lets terminals decide."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.types import ElicitRequestFormParams, ElicitRequestURLParams, ElicitResult

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
ERAS = ["legacy", "2026-07-28"]
TERMINALS_DECIDE = "[policy]\nterminal_decisions = true\n"
IN_A_TERMINAL = """
import fcntl, os, pty, sys, termios
master, slave = pty.openpty()
os.set_inheritable(master, True)  # a terminal that is gone hangs up
os.getsid(0) == os.getpid() or os.setsid()
fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""A host runs in a person's terminal; a test's own may have none."""


class Person:
    """Answers what the client shows, one answer after the other; without one, never."""

    def __init__(self, *answers: ElicitResult) -> None:
        self.answers = list(answers)
        self.shown: list[Any] = []

    async def asked(self, _context: Any, params: Any) -> ElicitResult:
        self.shown.append(params)
        if self.answers:
            return self.answers.pop(0)
        await asyncio.Event().wait()
        raise AssertionError


@asynccontextmanager
async def client(broker: Any, era: str, person: Person) -> AsyncIterator[Client]:
    command = [sys.executable, "-c", IN_A_TERMINAL, *broker.command("mcp")]
    parameters = StdioServerParameters(command=command[0], args=command[1:], env=broker.environ)
    async with Client(parameters, mode=era, elicitation_callback=person.asked) as made:
        yield made


def allow_terminals(broker: Any) -> None:
    broker.config.write_text(broker.config.read_text(encoding="utf-8") + TERMINALS_DECIDE, encoding="utf-8")


def accepted(**content: str) -> ElicitResult:
    return ElicitResult(action="accept", content=content)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (accepted(decision="approve", comment="fine"), "approved"),
        (accepted(decision="deny", comment="no"), "denied"),
        (ElicitResult(action="decline"), "denied"),
    ],
    ids=["approve", "deny", "decline"],
)
def test_a_form_decides_with_no_assurance(broker: Any, era: str, answer: ElicitResult, status: str) -> None:
    allow_terminals(broker)
    broker.start()
    person = Person(answer)

    async def story() -> dict[str, Any]:
        async with client(broker, era, person) as agent:
            result = await agent.call_tool(
                "request_approval", {"action": "tidy up", "command": "rm -r build", "reason": "old"}
            )
        assert result.structured_content is not None
        return result.structured_content

    told = asyncio.run(asyncio.wait_for(story(), 60))
    assert told["status"] == status
    [shown] = person.shown
    assert isinstance(shown, ElicitRequestFormParams)
    assert "$ rm -r build" in shown.message
    assert "The agent says (unchecked):\nreason: old" in shown.message
    [review] = broker.request(told["id"])["reviews"]
    assert (review["channel"], review["counted"]) == ("elicitation", True)
    [cast] = [each for each in broker.entries() if each["type"] == "review.cast"]
    assert cast["actor"]["assurance"] == 0


@pytest.mark.parametrize("era", ERAS)
def test_a_question_is_answered_in_the_client(broker: Any, era: str) -> None:
    allow_terminals(broker)
    broker.start()

    async def story() -> dict[str, Any]:
        async with client(broker, era, Person(accepted(answer="blue"))) as agent:
            asked = {"question": "Which colour?", "options": ["red", "blue"]}
            result = await agent.call_tool("ask_human", asked)
        assert result.structured_content is not None
        return result.structured_content

    told = asyncio.run(asyncio.wait_for(story(), 60))
    assert (told["status"], told["answer"]) == ("answered", "blue")


def test_a_critical_action_takes_its_code(broker: Any, person: Any) -> None:
    allow_terminals(broker)
    broker.start()

    async def story() -> dict[str, Any]:
        at_keyboard = Person(accepted(decision="approve", code="12345678"))
        async with client(broker, "legacy", at_keyboard) as agent:
            call = asyncio.create_task(
                agent.call_tool("request_approval", {"action": "deploy_production", "reason": "friday"})
            )
            waiting = await asyncio.to_thread(broker.pending)
            await asyncio.to_thread(lambda: person.decide(waiting, "deny", "not today"))
            result = await call
        assert "code" in at_keyboard.shown[0].requested_schema["properties"]
        assert result.structured_content is not None
        return result.structured_content

    assert asyncio.run(asyncio.wait_for(story(), 60))["status"] == "denied"


@pytest.mark.parametrize("era", ERAS)
def test_where_terminals_do_not_decide_no_form_is_shown_and_a_link_decides_nothing(
    broker: Any, person: Any, era: str
) -> None:
    broker.start()

    async def story() -> tuple[dict[str, Any], list[Any]]:
        at_keyboard = Person(ElicitResult(action="accept"))
        async with client(broker, era, at_keyboard) as agent:
            call = asyncio.create_task(agent.call_tool("request_approval", {"action": "tidy", "reason": "old"}))
            waiting = await asyncio.to_thread(broker.pending)
            await asyncio.to_thread(lambda: person.decide(waiting, "approve", "ok"))
            result = await call
        assert result.structured_content is not None
        return result.structured_content, at_keyboard.shown

    told, shown = asyncio.run(asyncio.wait_for(story(), 60))
    assert told["status"] == "approved"
    assert all(isinstance(each, ElicitRequestURLParams) for each in shown)
    assert all(each.url.endswith(f"/requests/{told['id']}") for each in shown)
