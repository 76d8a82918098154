"""``/v1/people`` and ``askfirst people``: for the broker's own user, and each addition approved by a person first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from askfirst.break_glass import Code
from askfirst.broker.people_api import PeopleApi
from askfirst.people import Identity, Person, Requester
from askfirst.registrar import Registrar
from askfirst.request import Verdict
from askfirst.roster import Roster
from askfirst.store import break_glass
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
    assert (await made.desk.review(a_review(case.request, Verdict.APPROVE))).done


async def token(made: Bench, http: httpx.AsyncClient, person: str) -> dict[str, Any]:
    wanted = {"name": "phone", "scopes": ["decide"], "person": person}
    asked = (await http.post("/v1/tokens/asked", json=wanted)).json()
    await approve(made, asked)
    return dict((await http.post(f"/v1/tokens/issued/{asked['request']}", json={"claim": asked["claim"]})).json())


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


def test_with_a_person_go_their_tokens_and_codes_and_whoever_gets_the_same_id_has_none_of_them(
    desk_bench: Bench, people: Callable[[Any], PeopleApi]
) -> None:
    async def add(http: httpx.AsyncClient, person: str) -> None:
        asked = (await http.post("/v1/people", json={"person": person})).json()
        await approve(desk_bench, asked)
        made = await http.post(f"/v1/people/added/{asked['request']}", json={"claim": asked["claim"]})
        assert made.status_code == 200

    def code(person: str, name: str) -> Code:
        now_ms = desk_bench.clock.now_ms()
        return Code(
            id=name,
            person=person,
            salt=b"s",
            hash=b"h",
            created_at_ms=now_ms,
            expires_at_ms=now_ms + 1,
            request_id=name,
        )

    async def story() -> None:
        async with api_client(desk_bench, more=lambda access: [people(access)]) as http:
            await add(http, "local:bob")
            await add(http, "local:eve")
            bobs, eves = await token(desk_bench, http, "local:bob"), await token(desk_bench, http, "local:eve")
            for each in (code("local:bob", "BBBBBB"), code("local:eve", "EEEEEE")):
                await desk_bench.writer.write(lambda connection, each=each: break_glass.add(connection, each))
            gone = (await http.post("/v1/people/remove", json={"name": "local:bob"})).json()
            assert gone == {"removed": ["local:bob", f"token:{bobs['id']}", "break-glass:BBBBBB"]}
            await add(http, "local:bob")
            listed = {each["id"]: each["revoked_at_ms"] for each in (await http.get("/v1/tokens")).json()["tokens"]}
            assert listed[bobs["id"]] is not None
            assert listed[eves["id"]] is None
        with desk_bench.reader.connect() as connection:
            usable = [each.id for each in break_glass.listed(connection) if each.is_usable(desk_bench.clock.now_ms())]
        assert usable == ["EEEEEE"]
        types = [entry.type.value for entry in desk_bench.log.entries]
        assert (types.count("token.revoked"), types.count("break_glass.revoked")) == (1, 1)

    run(story)


def test_the_tokens_of_whom_the_configuration_named_go_once_it_does_not(
    desk_bench: Bench, people: Callable[[Any], PeopleApi]
) -> None:
    async def story() -> None:
        async with api_client(desk_bench, more=lambda access: [people(access)]) as http:
            held = [await token(desk_bench, http, person) for person in ("local:ann", "local:before")]
            named = await http.post("/v1/people/remove", json={"name": "local:ann"})
            gone = await http.post("/v1/people/remove", json={"name": "local:before"})
            again = await http.post("/v1/people/remove", json={"name": "local:before"})
            listed = {each["id"]: each["revoked_at_ms"] for each in (await http.get("/v1/tokens")).json()["tokens"]}
        assert (named.status_code, again.status_code) == (403, 404)
        assert named.json()["detail"].startswith("local:ann is in the configuration; take it out there, and then")
        assert gone.json() == {"removed": [f"token:{held[1]['id']}"]}
        assert [listed[each["id"]] is None for each in held] == [True, False]

    run(story)
