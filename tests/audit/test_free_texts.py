"""Whatever a client can write, a secret in it does not come into the hashed bytes; over REST, which has every place."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from askfirst.request import Verdict
from askfirst.testing.api import api_client
from askfirst.testing.bench import Bench, a_review
from audit.clock import Reading
from audit.entry import encode
from audit.redact import redact_entry

SECRET = f"ghp_{'aB3dE6gH9' * 4}"
READING = Reading(wall_us=1_800_000_000_000_000, boot_us=1, boot="0c5d8a1e-0000-4000-8000-000000000001")
CLAIM = {"reason": SECRET, "impact": SECRET, "rollback_plan": SECRET, "signals": [SECRET]}


async def _post(http: httpx.AsyncClient, path: str, body: dict[str, Any], *statuses: int) -> dict[str, Any]:
    answer = await http.post(f"/v1/{path}", json=body)
    assert answer.status_code in (statuses or (200, 201)), answer.text
    return dict(answer.json())


def test_no_place_for_text_lets_a_secret_into_an_entry(desk_bench: Bench) -> None:
    who = {"host": f"host-{SECRET}", "session": SECRET, "model": SECRET, "cwd": f"/srv/{SECRET}", "claim": CLAIM}

    async def review(made: dict[str, Any], verdict: Verdict, **more: Any) -> None:
        request = (await desk_bench.desk.case(made["id"])).request
        name = f"{made['id']} {verdict} {more} {SECRET}"
        await desk_bench.desk.review(a_review(request, verdict, text=SECRET, decision_id=name, **more))

    async def story() -> None:
        async with api_client(desk_bench) as http:
            made = await _post(http, "requests", {"command": f"git reset --hard {SECRET}", **who})
            path = f"requests/{made['id']}"
            await review(made, Verdict.NEEDS_INFO)
            again = (await _post(http, f"{path}/amend", {"claim": {"reason": f"again {SECRET}"}}))["request"]
            await review(made, Verdict.APPROVE, version=9)
            await review(made, Verdict.APPROVE)
            digest = again["action_digest"]
            await _post(http, f"{path}/redeem", {"action_digest": digest, "attempt": f"run-{SECRET}"})
            outcome = {"action_digest": digest, "outcome": "failed", "detail": f"exit 1: {SECRET}"}
            await _post(http, f"{path}/outcome", outcome)
            denied = await _post(http, "requests", {"command": f"git reset --hard HEAD {SECRET}", **who})
            await review(denied, Verdict.DENY, stop=True)
            other = {**who, "session": f"2{SECRET}"}
            asked = await _post(http, "requests", {"question": SECRET, "options": [SECRET, "no"], **other})
            await review(asked, Verdict.ANSWER)
            tool = {"tool": f"mcp__{SECRET}__delete", "arguments": {SECRET: SECRET, "key": [SECRET]}, **other}
            gone = await _post(http, "requests", tool)
            await _post(http, f"requests/{gone['id']}/cancel", {"reason": f"not now {SECRET}"})
            action = {"action": f"delete {SECRET}", "context": {"user": SECRET}, "requiresApproval": True}
            await _post(http, f"actions?host={SECRET}&session={SECRET}3&cwd=/{SECRET}", action)

    asyncio.run(asyncio.wait_for(story(), 20))
    entries = desk_bench.log.entries
    bodies = {entry.type: encode(redact_entry(entry), READING).body for entry in entries}
    assert {type_ for type_, body in bodies.items() if SECRET.encode() in body} == set()
    assert len(bodies) > 10
