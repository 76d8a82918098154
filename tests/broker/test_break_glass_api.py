"""``/v1/break-glass``: for the broker's own user at a terminal, and for nobody else (I1)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from askfirst.broker.break_glass_api import BreakGlassApi
from askfirst.glass_desk import GlassDesk, Windows
from askfirst.people import Person, Requester
from askfirst.request import Verdict
from askfirst.roster import Roster
from askfirst.testing.api import TOKEN, api_client
from askfirst.testing.bench import Bench, a_draft, a_review

KEY = b"k" * 32
BY_TCP, STRANGER = ("127.0.0.1", 5555), ("uid:4242", 1)
USES = [
    ("release", {"code": "c", "reason": "because", "request": "r", "version": 1, "action_digest": "0" * 64}),
    ("open", {"code": "c", "reason": "because", "seconds": 60}),
]


@pytest.fixture
def glass(desk_bench: Bench) -> Callable[[Any], list[BreakGlassApi]]:
    """Makes the routes of an access."""

    async def tell(_text: str, _key: str) -> None: ...

    roster = Roster(configured=(Person(id="local:ann"),), requester=Requester(), reader=desk_bench.reader)
    desk_bench.desk._people = roster
    desk_bench.desk._windows = Windows(KEY, desk_bench.clock)
    made = GlassDesk(
        desk=desk_bench.desk,
        roster=roster,
        writer=desk_bench.writer,
        reader=desk_bench.reader,
        audit=desk_bench.log,
        clock=desk_bench.clock,
        key=KEY,
        longest_s=lambda: 900,
        tell=tell,
    )
    return lambda access: [BreakGlassApi(access, made, desk_bench.clock)]


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 10))  # type: ignore[arg-type]


def test_a_code_is_prepared_listed_used_at_a_terminal_and_revoked(
    desk_bench: Bench, glass: Callable[[Any], list[BreakGlassApi]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("askfirst.broker.peer.has_terminal", lambda _request: True)

    async def story() -> None:
        async with api_client(desk_bench, more=glass) as http:
            codes = []
            for _ in range(2):
                asked = (await http.post("/v1/break-glass/codes", json={"person": "local:ann"})).json()
                case = await desk_bench.desk.case(asked["request"])
                await desk_bench.desk.review(a_review(case.request, Verdict.APPROVE))
                path = f"/v1/break-glass/codes/{asked['request']}"
                codes.append((await http.post(path, json={"claim": asked["claim"]})).json())
            draft = a_draft()
            draft = replace(draft, terms=replace(draft.terms, break_glass_s=60))
            request = (await desk_bench.desk.ask(draft)).request
            body = {
                "code": codes[0]["code"],
                "reason": "nobody answers",
                "request": request.id,
                "version": request.version,
                "action_digest": request.action_digest,
            }
            done = await http.post("/v1/break-glass/release", json=body)
            assert done.json() == {"id": codes[0]["id"], "request": request.id, "person": "local:ann"}
            window = {"code": codes[1]["code"], "reason": "nobody answers", "seconds": 60}
            assert (await http.post("/v1/break-glass/open", json=window)).json()["state"] == "window open"
            gone = await http.post("/v1/break-glass/revoke", json={"id": codes[1]["id"]})
            assert gone.status_code == 200
            found = (await http.get("/v1/break-glass")).json()["codes"]
            assert sorted((each["id"], each["state"]) for each in found) == sorted(
                [(codes[0]["id"], "used"), (codes[1]["id"], "used")]
            )
            assert all("code" not in each and "hash" not in each for each in found)

    run(story)


@pytest.mark.parametrize(("verb", "body"), USES)
def test_a_process_without_a_terminal_uses_no_code(
    desk_bench: Bench, glass: Callable[[Any], list[BreakGlassApi]], verb: str, body: dict[str, Any]
) -> None:
    async def story() -> None:
        async with api_client(desk_bench, more=glass) as http:
            answer = await http.post(f"/v1/break-glass/{verb}", json=body)
            assert answer.status_code == 403
            assert "only a process with a terminal" in answer.json()["detail"]

    run(story)


@pytest.mark.parametrize("peer", [BY_TCP, STRANGER])
def test_neither_a_token_nor_another_user_gets_sees_or_uses_codes(
    desk_bench: Bench,
    glass: Callable[[Any], list[BreakGlassApi]],
    monkeypatch: pytest.MonkeyPatch,
    peer: tuple[str, int],
) -> None:
    monkeypatch.setattr("askfirst.broker.peer.has_terminal", lambda _request: True)
    calls = [("codes", {"person": "local:ann"}), ("codes/r", {"claim": "c"}), ("revoke", {"id": "x"}), *USES]

    async def story() -> None:
        async with api_client(desk_bench, peer, more=glass) as http:
            http.headers["authorization"] = f"Bearer {TOKEN}"
            answers = [await http.post(f"/v1/break-glass/{path}", json=body) for path, body in calls]
            answers.append(await http.get("/v1/break-glass"))
        assert [each.status_code for each in answers] == [403] * 6

    run(story)
