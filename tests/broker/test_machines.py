"""Agents of several machines at one broker: none of them has to do with the requests of another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from askfirst.broker.access import Access
from askfirst.broker.api import Routed
from askfirst.broker.preview_api import PreviewApi
from askfirst.request import Verdict
from askfirst.testing.api import api_client, bearer, issued
from askfirst.testing.bench import Bench, a_review

BY_TCP = ("127.0.0.1", 5555)


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 10))


async def decide(made: Bench, request_id: str, verdict: Verdict, **more: Any) -> None:
    case = await made.desk.case(request_id)
    assert (await made.desk.review(a_review(case.request, verdict, **more))).done


async def of_two_machines(http: httpx.AsyncClient) -> list[dict[str, str]]:
    """The headers of two tokens that may ask, each for a machine of its own."""
    return [bearer(await issued(http, "ask", name=name)) for name in ("laptop", "ci")]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("GET", "/wait?timeout_s=0", None),
        ("GET", "/events", None),
        ("GET", "/preview", None),
        ("GET", "/undo", None),
        ("POST", "/amend", {"claim": {"reason": "mine now"}}),
        ("POST", "/cancel", {}),
        ("POST", "/redeem", {"action_digest": "0" * 64, "attempt": "attempt-1"}),
        ("POST", "/outcome", {"action_digest": "0" * 64, "outcome": "ok"}),
    ],
)
def test_a_token_that_asks_knows_of_no_request_of_another_machine(
    desk_bench: Bench, method: str, path: str, body: dict[str, object] | None
) -> None:
    def page(access: Access) -> list[Routed]:
        return [PreviewApi(access, desk=desk_bench.desk, clock=desk_bench.clock, page=lambda _case, _now: "")]

    async def story() -> None:
        async with api_client(desk_bench) as ours, api_client(desk_bench, BY_TCP, more=page) as remote:
            mine, theirs = await of_two_machines(ours)
            made = (await remote.post("/v1/requests", json={"command": "ls"}, headers=mine)).json()
            one, nobody = f"/v1/requests/{made['id']}{path}", f"/v1/requests/nobody{path}"
            answer, unknown = [
                await remote.request(method, where, json=body, headers=theirs) for where in (one, nobody)
            ]
            assert answer.status_code == 404
            assert answer.json()["detail"] == unknown.json()["detail"].replace("nobody", made["id"])
            if path != "/events":  # which lasts as long as the request
                assert (await remote.request(method, one, json=body, headers=mine)).status_code != 404
            local = (await ours.post("/v1/requests", json={"command": "ls -l"})).json()
            assert (await remote.get(f"/v1/requests/{local['id']}", headers=mine)).status_code == 404

    run(story)


def test_no_machine_uses_the_approval_of_another_or_replaces_its_request(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as ours, api_client(desk_bench, BY_TCP) as remote:
            mine, theirs = await of_two_machines(ours)
            body = {"command": "ls"}
            made = (await remote.post("/v1/requests", json=body, headers=mine)).json()
            replacing = {"command": "ls -l", "supersedes": made["id"]}
            assert (await remote.post("/v1/requests", json=replacing, headers=theirs)).status_code == 404
            await decide(desk_bench, made["id"], Verdict.APPROVE)
            use = {"action_digest": made["action_digest"], "attempt": "attempt-1"}
            by_id = f"/v1/requests/{made['id']}/redeem"
            assert (await remote.post(by_id, json=use, headers=theirs)).status_code == 404
            assert (await remote.post(by_id, json=use, headers=mine)).json()["done"]

    run(story)


def test_a_token_that_asks_takes_back_no_approval_of_another_machine(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as ours, api_client(desk_bench, BY_TCP) as remote:
            mine, theirs = await of_two_machines(ours)
            made = (await remote.post("/v1/requests", json={"command": "ls"}, headers=mine)).json()
            await decide(desk_bench, made["id"], Verdict.APPROVE)
            revoke = f"/v1/grants/{made['id']}/revoke"
            assert (await remote.post(revoke, json={}, headers=theirs)).status_code == 404
            assert (await remote.post(revoke, json={}, headers=mine)).json()["done"]

    run(story)


def test_a_session_that_is_told_to_stop_is_that_of_one_machine(desk_bench: Bench) -> None:
    """The answer is the request that was denied, and that is nobody else's to see."""

    async def story() -> None:
        async with api_client(desk_bench) as ours, api_client(desk_bench, BY_TCP) as remote:
            mine, theirs = await of_two_machines(ours)
            body = {"command": "ls", "session": "s"}
            made = (await remote.post("/v1/requests", json=body, headers=mine)).json()
            await decide(desk_bench, made["id"], Verdict.DENY, stop=True)
            other = {"command": "ls -l", "session": "s"}
            answers = [(await remote.post("/v1/requests", json=other, headers=who)).json() for who in (theirs, mine)]
        assert [each["state"] for each in answers] == ["pending", "denied"]
        assert answers[1]["id"] == made["id"]

    run(story)


def test_an_idempotency_key_is_of_the_machine_that_names_it(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as ours, api_client(desk_bench, BY_TCP) as remote:
            mine, theirs = await of_two_machines(ours)
            key = {"idempotency-key": "deploy-42"}
            made = [
                await http.post("/v1/requests", json={"command": "ls"}, headers={**who, **key})
                for http, who in ((remote, mine), (remote, theirs), (ours, {}), (remote, mine))
            ]
        assert [each.status_code for each in made] == [201] * 4
        ids = [each.json()["id"] for each in made]
        assert len(set(ids)) == 3
        assert ids[0] == ids[3]

    run(story)
