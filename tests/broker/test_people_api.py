"""``/v1/people`` and ``askfirst people``: for the broker's own user, and each addition approved by a person first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from askfirst.broker.people_api import PeopleApi
from askfirst.people import Identity, Person, Requester
from askfirst.registrar import Registrar
from askfirst.request import Verdict
from askfirst.roster import Roster
from askfirst.testing.api import TOKEN, api_client
from askfirst.testing.bench import Bench, a_review

BY_TCP = ("127.0.0.1", 5555)


@pytest.fixture
def people(desk_bench: Bench) -> Callable[[Any], PeopleApi]:
    """Makes the routes of an access."""
    ann = Person(id="local:ann", identities=(Identity(id="telegram:1"),))
    roster = Roster(configured=(ann,), requester=Requester(), reader=desk_bench.reader)
    desk_bench.desk._people = roster
    registrar = Registrar(
        desk=desk_bench.desk, roster=roster, writer=desk_bench.writer, audit=desk_bench.log, clock=desk_bench.clock
    )
    return lambda access: PeopleApi(access, registrar, roster)


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 10))  # type: ignore[arg-type]


async def approve(made: Bench, asked: dict[str, Any]) -> None:
    case = await made.desk.case(asked["request"])
    await made.desk.review(a_review(case.request, Verdict.APPROVE))


def test_people_are_added_linked_listed_and_removed(desk_bench: Bench, people: Callable[[Any], PeopleApi]) -> None:
    async def story() -> None:
        async with api_client(desk_bench, more=lambda access: [people(access)]) as http:
            asked = (await http.post("/v1/people", json={"person": "local:bob", "roles": ["release"]})).json()
            made = f"/v1/people/added/{asked['request']}"
            assert (await http.post(made, json={"claim": asked["claim"]})).status_code == 403
            await approve(desk_bench, asked)
            assert (await http.post(made, json={"claim": "guess"})).status_code == 403
            assert (await http.post(made, json={"claim": asked["claim"]})).json()["roles"] == ["release"]
            asked = (await http.post("/v1/people/links", json={"person": "local:bob"})).json()
            await approve(desk_bench, asked)
            issued = await http.post(f"/v1/people/links/{asked['request']}", json={"claim": asked["claim"]})
            assert len(issued.json()["code"]) == 11
            found = (await http.get("/v1/people")).json()["people"]
            assert [(each["person"], each["is_configured"]) for each in found] == [
                ("local:ann", True),
                ("local:bob", False),
            ]
            gone = await http.post("/v1/people/remove", json={"name": "local:bob"})
            assert gone.json() == {"removed": ["local:bob"]}
            assert (await http.post("/v1/people/remove", json={"name": "local:bob"})).status_code == 404

    run(story)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/people"),
        ("POST", "/v1/people"),
        ("POST", "/v1/people/links"),
        ("POST", "/v1/people/added/x"),
        ("POST", "/v1/people/links/x"),
        ("POST", "/v1/people/remove"),
    ],
)
def test_a_program_with_a_token_that_asks_changes_nothing_about_who_decides(
    desk_bench: Bench, people: Callable[[Any], PeopleApi], method: str, path: str
) -> None:
    body = {"person": "local:eve", "claim": "x", "name": "local:ann"}
    fields = {"/v1/people": {"person"}, "/v1/people/links": {"person"}, "/v1/people/remove": {"name"}}
    json = {name: body[name] for name in fields.get(path, {"claim"})} if method == "POST" else None

    async def story() -> None:
        async with api_client(desk_bench, BY_TCP, more=lambda access: [people(access)]) as http:
            answer = await _call(http, method, path, json, {})
            assert answer.status_code == 401
            answer = await _call(http, method, path, json, {"authorization": f"Bearer {TOKEN}"})
            assert answer.status_code == 403

    run(story)


async def _call(
    http: httpx.AsyncClient, method: str, path: str, json: dict[str, str] | None, headers: dict[str, str]
) -> httpx.Response:
    return await http.request(method, path, json=json, headers=headers)
