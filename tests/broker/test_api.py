"""REST /v1 over a real desk: shapes, errors as problems, and who may do what."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from askfirst.broker.api import Api
from askfirst.call import ToolCall
from askfirst.config import parse_config
from askfirst.effects import Classification, Effect, EffectKind, Outcome, Risk
from askfirst.host import Agent
from askfirst.request import Action, Verdict
from askfirst.testing.bench import Bench, a_review

TOKEN = "secret-token"
OURS = (f"uid:{os.getuid()}", 0)
STRANGER = ("uid:4242", 0)
BY_TCP = ("127.0.0.1", 5555)


class FixedAnalyst:
    async def look(self, call: ToolCall) -> Classification:
        found = Effect(
            rule="git.reset-hard",
            kind=EffectKind.DISCARDS_CHANGES,
            risk=Risk.HIGH,
            reversible=False,
            target=".",
            loss="discards 3 changed files",
            command=call.command,
        )
        return Classification(outcome=Outcome.GATE, effects=(found,), expanded="git reset --hard HEAD~2")

    def resolve(self, call: ToolCall, agent: Agent, scripts: object = ()) -> Action:
        del scripts
        return Action(
            tool=call.tool, arguments=call.acting_arguments, cwd=call.cwd, host=agent.host, session=agent.session
        )


@asynccontextmanager
async def client(
    made: Bench, peer: tuple[str, int] = OURS, *, terminal_decisions: bool = False
) -> AsyncIterator[httpx.AsyncClient]:
    config = replace(parse_config(b"", source="defaults"), terminal_decisions=terminal_decisions)
    app = Api(
        desk=made.desk,
        hub=made.hub,
        analyst=FixedAnalyst(),
        config=config,
        clock=made.clock,
        reviewer="local:ann",
        token=TOKEN,
    ).app()
    transport = httpx.ASGITransport(app, client=peer)
    async with httpx.AsyncClient(transport=transport, base_url="http://askfirst") as http:
        yield http


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 10))  # type: ignore[arg-type]


async def create(http: httpx.AsyncClient, key: str = "", command: str = "git reset --hard HEAD~2") -> dict[str, Any]:
    headers = {"idempotency-key": key} if key else {}
    answer = await http.post("/v1/requests", json={"command": command, "cwd": "/srv/p"}, headers=headers)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_created_request_shows_what_would_run_and_why_it_waits(desk_bench: Bench) -> None:
    async def story() -> None:
        async with client(desk_bench) as http:
            made = await create(http)
            again = (await http.get(f"/v1/requests/{made['id']}")).json()
        assert made == again
        assert (made["state"], made["risk"], made["command"], made["tool"]) == (
            "pending",
            "high",
            "git reset --hard HEAD~2",
            "Bash",
        )
        assert made["effects"][0]["loss"] == "discards 3 changed files"

    run(story)


def test_the_same_idempotency_key_is_the_same_request_and_another_action_under_it_a_conflict(
    desk_bench: Bench,
) -> None:
    async def story() -> None:
        async with client(desk_bench) as http:
            first, second = await create(http, "key-1"), await create(http, "key-1")
            other = await http.post("/v1/requests", json={"command": "rm -rf x"}, headers={"idempotency-key": "key-1"})
        assert first["id"] == second["id"]
        assert other.status_code == 409
        assert first["id"] in other.json()["detail"]

    run(story)


def test_a_wait_ends_with_the_decision(desk_bench: Bench) -> None:
    async def story() -> None:
        async with client(desk_bench) as http:
            made = await create(http)
            waiting = asyncio.create_task(http.get(f"/v1/requests/{made['id']}/wait", params={"timeout_s": 5}))
            case = await desk_bench.desk.case(made["id"])
            await desk_bench.desk.review(a_review(case.request, Verdict.APPROVE))
            ended = (await waiting).json()
        assert (ended["state"], ended["end"]["by"], ended["grant"]["state"]) == ("approved", "local:ann", "issued")

    run(story)


def test_a_wait_that_is_over_shows_the_request_as_it_is(desk_bench: Bench) -> None:
    async def story() -> None:
        async with client(desk_bench) as http:
            made = await create(http)
            answer = await http.get(f"/v1/requests/{made['id']}/wait", params={"timeout_s": 0})
        assert answer.json()["state"] == "pending"

    run(story)


def test_a_grant_is_redeemed_once(desk_bench: Bench) -> None:
    async def story() -> None:
        async with client(desk_bench) as http:
            made = await create(http)
            case = await desk_bench.desk.case(made["id"])
            await desk_bench.desk.review(a_review(case.request, Verdict.APPROVE))
            path, act = f"/v1/requests/{made['id']}/redeem", made["action_digest"]
            answers = [
                (await http.post(path, json={"action_digest": act, "attempt": attempt})).json()["done"]
                for attempt in ("attempt-1", "attempt-1", "attempt-2")
            ]
        assert answers == [True, True, False]

    run(story)


def test_pages_go_back_in_time(desk_bench: Bench) -> None:
    async def story() -> None:
        async with client(desk_bench) as http:
            made = []
            for number in range(3):
                made.append((await create(http, command=f"rm -rf {number}"))["id"])
                desk_bench.clock.advance(1)
            first = (await http.get("/v1/requests", params={"limit": 2})).json()
            rest = (await http.get("/v1/requests", params={"limit": 2, "before_ms": first["next_before_ms"]})).json()
        assert [each["id"] for each in first["requests"] + rest["requests"]] == made[::-1]
        assert rest["next_before_ms"] is None

    run(story)


def test_the_requester_withdraws(desk_bench: Bench) -> None:
    async def story() -> None:
        async with client(desk_bench) as http:
            made = await create(http)
            first = (await http.post(f"/v1/requests/{made['id']}/cancel", json={"reason": "no need"})).json()
            second = (await http.post(f"/v1/requests/{made['id']}/cancel", json={})).json()
        assert (first["done"], first["request"]["state"]) == (True, "cancelled")
        assert (second["done"], second["note"]) == (False, "the request is cancelled by agent")

    run(story)


def review_of(made: dict[str, Any]) -> dict[str, Any]:
    return {
        "decision_id": "decision-1",
        "version": made["version"],
        "action_digest": made["action_digest"],
        "verdict": "approve",
    }


def test_nobody_decides_by_the_api_unless_the_policy_says_so(desk_bench: Bench) -> None:
    """I1: being local is no authority."""

    async def story() -> None:
        async with client(desk_bench) as http:
            made = await create(http)
            answer = await http.post(f"/v1/requests/{made['id']}/reviews", json=review_of(made))
        assert answer.status_code == 403
        assert "terminal_decisions" in answer.json()["detail"]
        assert [request.state.value for request in await desk_bench.desk.pending()] == ["pending"]

    run(story)


def test_a_process_without_a_terminal_decides_nothing_even_then(desk_bench: Bench) -> None:
    async def story() -> None:
        async with client(desk_bench, terminal_decisions=True) as http:
            made = await create(http)
            answer = await http.post(f"/v1/requests/{made['id']}/reviews", json=review_of(made))
        assert answer.status_code == 403
        assert "terminal" in answer.json()["detail"]

    run(story)


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        (OURS, {}, 200),
        (("uid:0", 0), {}, 200),
        (STRANGER, {}, 401),
        (BY_TCP, {}, 401),
        (BY_TCP, {"authorization": "Bearer wrong"}, 401),
        (BY_TCP, {"authorization": f"Basic {TOKEN}"}, 401),
        (BY_TCP, {"authorization": f"Bearer {TOKEN}"}, 200),
    ],
)
def test_who_may_use_the_api(desk_bench: Bench, peer: tuple[str, int], headers: dict[str, str], status: int) -> None:
    async def story() -> None:
        async with client(desk_bench, peer) as http:
            answer = await http.get("/v1/requests", headers=headers)
        assert answer.status_code == status

    run(story)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "give either `command` or `tool`"),
        ({"command": "ls", "tool": "Bash"}, "give either `command` or `tool`"),
        ({"command": "ls", "arguments": {"a": 1}}, "`arguments` goes with `tool`, not with `command`"),
        ({"command": "ls", "comand": 1}, "comand: extra inputs are not permitted (found 1)"),
        ({"command": ""}, "command: string should have at least 1 character (found '')"),
        ({"command": 5}, "command: input should be a valid string (found 5)"),
        (
            {"command": "ls", "claim": {"confidence": 2}},
            "claim.confidence: input should be less than or equal to 1 (found 2)",
        ),
    ],
)
def test_what_cannot_be_used_gets_one_sentence(desk_bench: Bench, body: dict[str, Any], detail: str) -> None:
    async def story() -> None:
        async with client(desk_bench) as http:
            answer = await http.post("/v1/requests", json=body)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"] == detail
        assert await desk_bench.desk.requests() == []

    run(story)


@pytest.mark.parametrize(
    "path", ["/v1/requests/nobody", "/v1/requests/nobody/wait?timeout_s=0", "/v1/requests/nobody/events", "/v1/nothing"]
)
def test_what_is_not_there_is_a_404_problem(desk_bench: Bench, path: str) -> None:
    async def story() -> None:
        async with client(desk_bench) as http:
            answer = await http.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")

    run(story)


def test_health_and_the_description_need_no_token(desk_bench: Bench) -> None:
    async def story() -> None:
        async with client(desk_bench, BY_TCP) as http:
            health = (await http.get("/healthz")).json()
            description = (await http.get("/v1/openapi.json")).json()
        assert (health["status"], health["pending"]) == ("ok", 0)
        assert description["openapi"].startswith("3.1")
        assert {"/v1/requests", "/v1/requests/{request_id}/wait", "/v1/events"} <= set(description["paths"])

    run(story)


def test_the_events_of_a_request_begin_with_its_state_and_end_with_it(desk_bench: Bench) -> None:
    async def story() -> None:
        async with client(desk_bench) as http:
            made = await create(http)
            reading = asyncio.create_task(http.get(f"/v1/requests/{made['id']}/events"))
            case = await desk_bench.desk.case(made["id"])
            async with asyncio.timeout(5):
                while not desk_bench.hub.following:
                    await asyncio.to_thread(lambda: None)
            await desk_bench.desk.review(a_review(case.request, Verdict.DENY))
            answer = await reading
        states = [json.loads(line[6:])["state"] for line in answer.text.splitlines() if line.startswith("data: ")]
        assert states == ["pending", "denied"]
        assert answer.headers["content-type"].startswith("text/event-stream")

    run(story)
