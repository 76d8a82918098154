"""The event streams: what changes is told, to whoever may know, for as long as they may."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from askfirst.request import Verdict
from askfirst.testing.bench import a_review

if TYPE_CHECKING:
    from tests.channels.web.conftest import Page, Web

KEEPALIVE = ": still here\n\n"


async def next_of(chunks: asyncio.Queue[str]) -> str:
    """The next chunk that says something."""
    while (chunk := await asyncio.wait_for(chunks.get(), 5)) == KEEPALIVE:
        pass
    return chunk


def test_the_page_of_a_request_hears_of_its_own_changes_only(web: Web, page: type[Page]) -> None:
    async def story() -> None:
        case, other = await web.ask(key="a"), await web.ask(key="b", command="git clean -fdx")
        async with web.logged_in() as browser:
            shown = page((await browser.get(f"/requests/{case.request.id}")).text)
            [main] = [attributes for tag, attributes in shown.tags if tag == "main"]
            async with web.stream(browser, str(main["data-events"])) as chunks:
                assert await next_of(chunks) == "200"
                assert await next_of(chunks) == f"retry: 2000\nevent: seen\ndata: {main['data-seen']}\n\n"
                await web.bench.desk.review(a_review(other.request, Verdict.APPROVE))
                await web.bench.desk.review(a_review(case.request, Verdict.DENY))
                assert await next_of(chunks) == "event: changed\ndata: 1-denied-1-none\n\n"

    asyncio.run(story())


def test_the_list_hears_of_new_requests_and_of_decisions(web: Web) -> None:
    async def story() -> None:
        async with web.logged_in() as browser, web.stream(browser, "/events") as chunks:
            assert [await next_of(chunks), (await next_of(chunks))[:24]] == ["200", "retry: 2000\nevent: seen\n"]
            case = await web.ask()
            assert await next_of(chunks) == "event: changed\ndata: 1-pending-0-none\n\n"
            await web.bench.desk.review(a_review(case.request, Verdict.APPROVE))
            assert await next_of(chunks) == "event: changed\ndata: 1-approved-1-issued\n\n"

    asyncio.run(story())


def test_a_stream_begins_before_its_first_mark_is_read(web: Web) -> None:
    """What changes right after the stream was opened is told, in the first mark or after it."""

    async def story() -> None:
        case = await web.ask()
        async with web.logged_in() as browser:
            for verdict in (Verdict.APPROVE, Verdict.DENY):
                async with web.stream(browser, f"/requests/{case.request.id}/events") as chunks:
                    step = await web.bench.desk.review(a_review(case.request, verdict))
                    state = step.case.request.state.value
                    while state not in await next_of(chunks):
                        pass

    asyncio.run(story())


def test_a_silent_stream_shows_that_it_lives(web: Web) -> None:
    async def story() -> None:
        async with web.logged_in() as browser, web.stream(browser, "/events") as chunks:
            got = [await asyncio.wait_for(chunks.get(), 5) for _ in range(4)]
        assert got[2:] == [KEEPALIVE] * 2

    asyncio.run(story())


def test_a_stream_ends_with_its_session(web: Web, page: type[Page]) -> None:
    async def story() -> None:
        async with web.logged_in() as browser, web.stream(browser, "/events") as chunks:
            await next_of(chunks)
            await next_of(chunks)
            csrf = page((await browser.get("/")).text).fields["csrf"]
            await browser.post("/logout", data={"csrf": csrf})
            assert await next_of(chunks) == "the end"

    asyncio.run(story())


def test_a_stream_that_is_left_leaves_nothing_behind(web: Web) -> None:
    async def story() -> None:
        async with web.logged_in() as browser:
            async with web.stream(browser, "/events") as chunks:
                await next_of(chunks)
                await next_of(chunks)
                assert len(web.bench.hub._subscribers) == 1
            assert not web.bench.hub._subscribers

    asyncio.run(story())


def test_an_unknown_request_has_no_stream(web: Web) -> None:
    async def story() -> int:
        async with web.logged_in() as browser:
            return (await browser.get("/requests/nobody/events")).status_code

    assert asyncio.run(story()) == 404
