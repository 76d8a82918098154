"""What reaches the inbox at all, and what every answer carries: a table of doors, each tried from both sides."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from channels.web.shield import HEADERS

if TYPE_CHECKING:
    from tests.channels.web.conftest import Web

OURS = "http://127.0.0.1:4747"
HOSTS = [
    ("127.0.0.1:4747", True),
    ("askfirst.localhost:4747", True),
    ("ASKFIRST.localhost:4747", True),
    ("127.0.0.1", False),
    ("127.0.0.1:80", False),
    ("localhost:4747", False),
    ("evil.example:4747", False),
    ("127.0.0.1:4747.evil.example", False),
    ("", False),
]
OPENS = [
    ({}, True),
    ({"sec-fetch-site": "same-origin"}, True),
    ({"sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}, True),
    ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}, True),
    ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}, False),
    ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}, False),
    ({"sec-fetch-site": "same-site", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}, False),
    ({"sec-fetch-site": "nonsense"}, False),
]
SENDS = [
    ({"sec-fetch-site": "same-origin"}, True),
    ({"sec-fetch-site": "same-origin", "origin": "null"}, True),
    ({"sec-fetch-site": "same-origin", "origin": OURS}, True),
    ({"origin": OURS}, True),
    ({"sec-fetch-site": "same-origin", "origin": "http://evil.example"}, False),
    ({"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:3000"}, False),
    ({"sec-fetch-site": "cross-site", "origin": OURS}, False),
    ({"sec-fetch-site": "none", "origin": OURS}, False),
    ({"origin": "null"}, False),
    ({"origin": "http://127.0.0.1:3000"}, False),
    ({"origin": "https://127.0.0.1:4747"}, False),
    ({}, False),
]


@pytest.mark.parametrize(("host", "is_ours"), HOSTS)
def test_a_foreign_host_name_reaches_nothing(web: Web, host: str, *, is_ours: bool) -> None:
    async def story() -> int:
        async with web.browser(host=host) as browser:
            return (await browser.get("/")).status_code

    assert asyncio.run(story()) == (401 if is_ours else 421)


@pytest.mark.parametrize(("headers", "may"), OPENS)
def test_other_pages_may_only_open_ours(web: Web, headers: dict[str, str], *, may: bool) -> None:
    async def story() -> int:
        async with web.browser() as browser:
            del browser.headers["sec-fetch-site"]
            return (await browser.get("/", headers=headers)).status_code

    assert asyncio.run(story()) == (401 if may else 403)


@pytest.mark.parametrize(("headers", "may"), SENDS)
def test_a_form_from_elsewhere_uses_no_link_up(web: Web, headers: dict[str, str], *, may: bool) -> None:
    async def story() -> tuple[int, int]:
        link = web.link()
        async with web.browser() as browser:
            del browser.headers["sec-fetch-site"]
            foreign = await browser.post(link, data={"": ""}, headers=headers)
            own = await browser.post(link, data={"": ""}, headers={"sec-fetch-site": "same-origin"})
            return foreign.status_code, own.status_code

    assert asyncio.run(story()) == ((303, 410) if may else (403, 303))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 401),
        ("GET", "/requests/x", 401),
        ("GET", "/requests/x/events", 401),
        ("GET", "/events", 401),
        ("POST", "/requests/x", 401),
        ("POST", "/logout", 401),
        ("GET", "/nothing", 404),
        ("GET", "/requests/a/b", 404),
        ("GET", "/login/short", 410),
        ("GET", "/static/inbox.css", 200),
        ("GET", "/static/../app.py", 404),
        ("GET", "/static/%2e%2e/app.py", 404),
        ("GET", "/static/%2e%2e%2fapp.py", 404),
        ("DELETE", "/requests/x", 405),
        ("PUT", "/", 405),
    ],
)
def test_a_stranger_gets_no_data_and_every_answer_carries_the_headers(
    web: Web, method: str, path: str, status: int
) -> None:
    async def story() -> None:
        await web.ask()
        async with web.browser() as browser:
            answer = await browser.request(method, path, headers={"origin": OURS})
        assert answer.status_code == status
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert "git reset" not in answer.text
        assert "set-cookie" not in answer.headers

    asyncio.run(story())


def test_an_answer_to_a_bug_carries_the_headers_too(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken() -> None:
        raise RuntimeError("a secret detail")

    async def story() -> None:
        async with web.logged_in() as browser:
            monkeypatch.setattr(web.bench.desk, "pending", broken)
            answer = await browser.get("/")
        assert answer.status_code == 500
        assert "nothing was decided" in answer.text
        assert "secret detail" not in answer.text
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS

    asyncio.run(story())
