"""JSON of which one reader takes another thing than the next one is no JSON here."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest
from fastapi.routing import APIRoute

from askfirst.broker.json_route import JsonRoute
from askfirst.relay.app import Relay
from askfirst.testing.api import api, api_client
from askfirst.unique_names import TwiceNamedError, read_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI

    from askfirst.testing.bench import Bench

_TWO_READINGS = "twice in one object, which readers take for different things"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"command": "ls", "command": "rm -rf /"}', "'command'"),
        ('{"command": "ls", "c\\u006fmmand": "rm -rf /"}', "'command'"),
        ('[{"a": {"": 1, "b": 2, "": 3}}]', "''"),
        (f'{{"{"x" * 500}": 1, "{"x" * 500}": 1}}', f"'{'x' * 80}…'"),
        ('{"\\u202e": 1, "\\u202e": 1}', "'\\u202e'"),
    ],
)
def test_a_name_that_stands_twice_in_one_object_is_told(text: str, name: str) -> None:
    with pytest.raises(TwiceNamedError) as told:
        read_json(text)
    assert str(told.value) == f"names {name} {_TWO_READINGS}"


@pytest.mark.parametrize("text", ['{"a": {"a": 1}, "b": [{"a": 1}, {"a": 1}]}', '{"a": 1, "A": 1}', "[]", "1", "{}"])
def test_everything_else_is_read_as_it_stands(text: str) -> None:
    assert read_json(text) == json.loads(text)


_BODY = b'{"command": "ls", "command": "rm -rf /", "host": "api"}'
_PROBLEM = f"the body names 'command' {_TWO_READINGS}"


@pytest.mark.parametrize("store_url", [""])
def test_no_body_of_the_api_names_a_member_twice(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as http:
            answer = await http.post("/v1/requests", content=_BODY, headers={"content-type": "application/json"})
            assert (answer.status_code, answer.json()["detail"]) == (400, _PROBLEM)
            once = {"command": "ls", "host": "api"}
            assert (await http.post("/v1/requests", json=once)).status_code == 201

    asyncio.run(story())


@pytest.mark.parametrize("store_url", [""])
def test_every_route_of_the_api_reads_its_body_so(desk_bench: Bench) -> None:
    def routes(app: FastAPI) -> Iterator[str]:
        for each in app.routes:
            is_ours = isinstance(each, APIRoute) and each.path.startswith("/v1")
            if is_ours and each.body_field is not None and not isinstance(each, JsonRoute):
                yield each.path

    assert list(routes(api(desk_bench))) == []


def test_what_a_relay_does_not_understand_is_handed_on_as_it_is() -> None:
    """The broker says what is wrong with it: what the relay made of it would name nothing twice any more."""
    sent = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.content)
        return httpx.Response(400, stream=httpx.ByteStream(b"{}"))

    async def story() -> None:
        broker = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://broker")
        nothing = cast("Any", SimpleNamespace(respond=None))
        relay = Relay(remote=nothing, client=broker, hooks=nothing, survey=nothing, diagnosis=nothing)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(relay.app()), base_url="http://relay") as http:
            await http.post("/v1/requests", content=_BODY)

    asyncio.run(story())
    assert sent == [_BODY]
