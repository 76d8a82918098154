"""Logging in and out over HTTP."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.channels.web.conftest import Page, Web


def test_a_link_shows_a_button_and_fetching_it_ahead_uses_nothing_up(web: Web, page: type[Page]) -> None:
    async def story() -> None:
        link = web.link()
        async with web.browser() as browser:
            for _ in range(3):
                answer = await browser.get(link)
                assert answer.status_code == 200
                assert "local:ann" in page(answer.text).text
                assert not browser.cookies
            assert (await browser.post(link, data={"": ""})).status_code == 303
            assert (await browser.get("/")).status_code == 200

    asyncio.run(story())


def test_the_cookie_is_strict_and_kept_from_scripts(web: Web) -> None:
    async def story() -> str:
        async with web.browser() as browser:
            return (await browser.post(web.link(), data={"": ""})).headers["set-cookie"]

    value, *attributes = asyncio.run(story()).split("; ")
    assert value.startswith("askfirst_session=")
    assert sorted(attributes) == ["HttpOnly", "Max-Age=2592000", "Path=/", "SameSite=strict"]


def test_a_used_link_is_gone_for_everybody(web: Web) -> None:
    async def story() -> None:
        link = web.link()
        async with web.browser() as first, web.browser() as second:
            answers = await asyncio.gather(*(each.post(link, data={"": ""}) for each in (first, second)))
            assert sorted(answer.status_code for answer in answers) == [303, 410]
            replay = await second.get(link)
            assert replay.status_code == 410
            assert "used already, has expired or was never made" in replay.text
            assert "askfirst inbox --open" in replay.text

    asyncio.run(story())


def test_a_link_that_is_too_old_says_so(web: Web) -> None:
    async def story() -> None:
        link = web.link()
        web.bench.clock.advance(600)
        async with web.browser() as browser:
            assert (await browser.post(link, data={"": ""})).status_code == 410
            assert (await browser.get("/")).status_code == 401

    asyncio.run(story())


def test_many_failures_are_slowed_down_and_lock_nobody_out(web: Web) -> None:
    async def story() -> None:
        async with web.browser() as browser:
            statuses = [(await browser.get(f"/login/{'x' * 43}")).status_code for _ in range(12)]
            assert statuses == [410] * 10 + [429] * 2
            assert (await browser.get(f"/login/{'x' * 43}")).headers["retry-after"] == "60"
            assert (await browser.post(web.link(), data={"": ""})).status_code == 303
            web.bench.clock.advance(61)
            assert (await browser.get(f"/login/{'x' * 43}")).status_code == 410

    asyncio.run(story())


def test_whoever_is_not_logged_in_hears_how_to(web: Web) -> None:
    async def story() -> None:
        async with web.browser() as browser:
            answer = await browser.get("/")
        assert answer.status_code == 401
        assert "askfirst inbox --open" in answer.text

    asyncio.run(story())


def test_logging_out_ends_the_session_for_every_copy_of_its_cookie(web: Web, page: type[Page]) -> None:
    async def story() -> None:
        async with web.logged_in() as browser, web.browser() as copy:
            copy.cookies = browser.cookies
            cookie = browser.cookies["askfirst_session"]
            csrf = page((await browser.get("/")).text).fields["csrf"]
            assert (await browser.post("/logout", data={"csrf": "forged"})).status_code == 403
            assert (await browser.get("/")).status_code == 200
            answer = await browser.post("/logout", data={"csrf": csrf})
            assert answer.status_code == 200
            assert not browser.cookies
            copied = await copy.get("/", headers={"cookie": f"askfirst_session={cookie}"})
            assert copied.status_code == 401

    asyncio.run(story())


def test_two_logins_are_two_sessions_with_forms_of_their_own(web: Web, page: type[Page]) -> None:
    async def story() -> None:
        async with web.logged_in() as first, web.logged_in() as second:
            tokens = [page((await each.get("/")).text).fields["csrf"] for each in (first, second)]
            assert tokens[0] != tokens[1]
            assert (await second.post("/logout", data={"csrf": tokens[0]})).status_code == 403

    asyncio.run(story())
