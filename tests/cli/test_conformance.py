"""The terminal against the conformance suite of channels: what `askfirst inbox` shows, and what is typed into it."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from rich.console import Console

from askfirst.cli import inbox, requests
from askfirst.errors import error_of
from askfirst.ports import Capabilities, Health
from askfirst.request import Verdict
from askfirst.testing.api import OURS, api
from askfirst.testing.channel_suite import Act, ChannelSuite, Failure

if TYPE_CHECKING:
    from askfirst.backing import Backing
    from askfirst.card import Card


class Listed:
    """The terminal as a channel: what waits is listed, so nothing has to be sent."""

    scheme = "terminal"
    caps = Capabilities(buttons=True, edits=True, free_text=True)

    async def send(self, card: Card, recipient: str, key: str) -> str:
        del recipient, key
        return card.request_id

    async def update(self, card: Card, recipient: str, external_id: str) -> None:
        """It is listed as it stands."""

    async def check(self) -> Health:
        return Health(ok=True, text="it is part of this process")


class Api:
    """The API as the command line calls it: without waiting, beside the suite's event loop."""

    def __init__(self, app: Any) -> None:
        self.transport = httpx.ASGITransport(app, client=OURS)

    def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        async def call() -> httpx.Response:
            async with httpx.AsyncClient(transport=self.transport, base_url="http://askfirst") as http:
                return await http.request(method, path, **options)

        with ThreadPoolExecutor(1) as beside:
            answer = beside.submit(asyncio.run, call()).result()
        if answer.is_error:
            raise error_of(answer.status_code)(answer.text)
        found: dict[str, Any] = answer.json()
        return found


class Terminal:
    """Somebody at a terminal who has the list before them."""

    def __init__(self, app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.channel = Listed()
        self.client: Any = Api(app)
        self.screen = Console(file=io.StringIO(), width=200, emoji=False)
        monkeypatch.setattr(inbox, "console", self.screen)
        self.session = inbox.Session(self.client, may_decide=True, read_line=lambda: "\n")

    def shown(self, message: str) -> str:
        """What `show CODE` prints."""
        parts = requests.describe(self.client.call("GET", f"/v1/requests/{message}"))
        screen = Console(file=io.StringIO(), width=200, emoji=False)
        for each in parts:
            screen.print(each, markup=False, soft_wrap=True)
        assert isinstance(screen.file, io.StringIO)
        return screen.file.getvalue()

    def offers(self, message: str) -> bool:
        """Whether it is in the list."""
        return message in {each["id"] for each in inbox._pending(self.client, 100)}

    async def act(self, act: Act) -> Sequence[tuple[str, bytes]]:
        """Type it; an approval takes the whole code, which is what a critical request asks for elsewhere."""
        assert act.verdict is not None
        needs_code = act.card.risk.label == "critical"
        code = act.card.code if act.typed_code or not needs_code else act.card.code[:6]
        self.session.draw()
        self.session.obey(f"show {act.card.code}\n")
        self.session.obey(f"{act.verdict.value} {code} {act.text}".strip() + "\n")
        return ()

    def fail(self, failure: Failure) -> None:
        raise AssertionError("the terminal reaches out to nobody")

    def told(self) -> Sequence[str]:
        return ()


class TestTerminal(ChannelSuite):
    scheme, recipient = "terminal", "terminal:inbox"
    person, stranger = "local:ann", "local:eve"

    @pytest.fixture(autouse=True)
    def _parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        monkeypatch.setattr("askfirst.broker.peer.has_terminal", lambda _request: True)

    @asynccontextmanager
    async def open(self, backing: Backing) -> AsyncIterator[Terminal]:
        del backing
        yield Terminal(api(self.bench, terminal_decisions=True), self.monkeypatch)


def test_the_list_takes_no_verdict_that_it_does_not_show() -> None:
    assert {each.value for each in (Verdict.APPROVE, Verdict.DENY)} <= set(inbox._HELP.split())
