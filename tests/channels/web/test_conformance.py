"""The web inbox against the conformance suite of channels: its pages are its messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from askfirst.testing.channel_suite import Act, ChannelSuite, Failure
from channels.web.channel import WebChannel

if TYPE_CHECKING:
    from askfirst.backing import Backing


class Browser:
    """Somebody who is logged in, with their newest look at each page."""

    def __init__(self, http: httpx.AsyncClient, page: Any) -> None:
        self.channel = WebChannel()
        self.http = http
        self.page = page
        self.seen: dict[str, Any] = {}

    def look(self, message: str) -> Any:
        """The page as it is now; the suite looks without waiting, so this goes on beside its event loop."""
        transport, cookies = self.http._transport, dict(self.http.cookies)

        async def get() -> str:
            async with httpx.AsyncClient(transport=transport, base_url=self.http.base_url, cookies=cookies) as http:
                return (await http.get(message)).text

        with ThreadPoolExecutor(1) as beside:
            self.seen[message] = self.page(beside.submit(asyncio.run, get()).result())
        return self.seen[message]

    def shown(self, message: str) -> str:
        return str(self.look(message).text)

    def offers(self, message: str) -> bool:
        """Whether there is a button to approve; one to take an approval back may be there longer."""
        return any(tag == "button" and found.get("value") == "approve" for tag, found in self.look(message).tags)

    async def act(self, act: Act) -> Sequence[tuple[str, bytes]]:
        """Press what the page offers, as it was when it was looked at."""
        assert act.verdict is not None
        seen = self.seen.pop(act.message, None) or self.look(act.message)
        form = {**seen.fields, "verdict": act.verdict.value, "comment": act.text, "code": act.typed_code}
        await self.http.post(act.message, data=form)
        return ()

    def fail(self, failure: Failure) -> None:
        raise AssertionError("the inbox reaches out to nobody")

    def told(self) -> Sequence[str]:
        return ()


class TestWebInbox(ChannelSuite):
    scheme, recipient = "web", "web:inbox"
    person, stranger = "local:ann", "local:eve"

    @pytest.fixture(autouse=True)
    def _parts(self, web_over: Any, page: Any) -> None:
        self.web_over, self.page = web_over, page

    @asynccontextmanager
    async def open(self, backing: Backing) -> AsyncIterator[Browser]:
        web = self.web_over(self.bench, backing.folder)
        async with web.logged_in(self.person) as http:
            yield Browser(http, self.page)
