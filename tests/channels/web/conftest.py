"""The inbox over a real desk, without a network: browsers are httpx clients that talk ASGI."""

from __future__ import annotations

import asyncio
import html.parser
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from askfirst.effects import Risk
from askfirst.refusals import Refusals
from askfirst.testing.bench import a_draft
from channels.web import Logins, Sessions, new_login_link, web_inbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from starlette.applications import Starlette

    from askfirst.engine import Case
    from askfirst.intake import Draft
    from askfirst.testing.bench import Bench

HOST = "127.0.0.1:4747"
BASE = f"http://{HOST}"


class Page(html.parser.HTMLParser):
    """What a test wants to know of a page: its text by element, its form fields, what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.pre: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag == "input" and found.get("type") == "hidden":
            self.fields[str(found["name"])] = str(found["value"])
        if tag == "pre":
            self.pre.append("")
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "pre" in self._open:
            self.pre[-1] += data
        self.text += data


@dataclass(frozen=True)
class Web:
    """The application with what is behind it."""

    bench: Bench
    app: Starlette
    state_dir: Path
    refusals: Refusals

    def link(self, person: str = "local:ann") -> str:
        return new_login_link(self.state_dir, BASE, person, clock=self.bench.clock)

    def browser(self, **headers: str) -> httpx.AsyncClient:
        """A browser that says truthfully where its requests come from."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url=BASE,
            headers={"sec-fetch-site": "same-origin", **headers},
        )

    @asynccontextmanager
    async def logged_in(self, person: str = "local:ann") -> AsyncIterator[httpx.AsyncClient]:
        async with self.browser() as browser:
            answer = await browser.post(self.link(person), data={"": ""})
            assert answer.status_code == 303
            yield browser

    async def ask(self, **changes: Any) -> Case:
        """A request; ``risk`` is its effect's, ``terms`` are members of its terms, the rest goes to ``a_draft``."""
        risk, terms = changes.pop("risk", Risk.HIGH), changes.pop("terms", {})
        draft: Draft = a_draft(**changes)
        found = draft.classification
        effects = tuple(replace(effect, risk=risk) for effect in found.effects)
        draft = replace(draft, classification=replace(found, effects=effects), terms=replace(draft.terms, **terms))
        return await self.bench.desk.ask(draft)

    async def form(self, browser: httpx.AsyncClient, case: Case, **changes: str) -> dict[str, str]:
        """The decide form as the page gives it, filled in."""
        page = Page((await browser.get(f"/requests/{case.request.id}")).text)
        return {**page.fields, **changes}

    @asynccontextmanager
    async def stream(self, browser: httpx.AsyncClient, path: str) -> AsyncIterator[asyncio.Queue[str]]:
        """The event stream at ``path``: httpx's transport would wait for its end, so this speaks ASGI itself."""
        chunks: asyncio.Queue[str] = asyncio.Queue()
        gone = asyncio.Event()
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())

        async def receive() -> dict[str, object]:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                await chunks.put(str(message["status"]))
            elif not message.get("more_body"):
                await chunks.put("the end")
            else:
                await chunks.put(message["body"].decode())

        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(b"host", HOST.encode()), (b"cookie", cookies.encode()), (b"sec-fetch-site", b"same-origin")],
        }
        task = asyncio.create_task(self.app(scope, receive, send))
        try:
            yield chunks
        finally:
            gone.set()
            await asyncio.wait_for(task, 5)


@pytest.fixture
def page() -> type[Page]:
    return Page


@pytest.fixture
def web_over() -> Callable[[Bench, Path], Web]:
    """Makes an inbox over a desk, with its logins in this folder."""

    def make(made: Bench, folder: Path) -> Web:
        state_dir = folder / "state"
        state_dir.mkdir(mode=0o700)
        clock = made.clock
        refusals = Refusals(made.desk, clock)
        app = web_inbox(
            made.desk,
            made.undos,
            Logins(state_dir, clock),
            Sessions(writer=made.writer, reader=made.reader, clock=clock),
            refusals=refusals,
            hosts={HOST, "askfirst.localhost:4747"},
            machine="laptop",
            clock=clock,
            keepalive_s=0.05,
        )
        return Web(made, app, state_dir, refusals)

    return make


@pytest.fixture
def web(desk_bench: Bench, tmp_path: Path, web_over: Callable[[Bench, Path], Web]) -> Web:
    """The inbox on a desk of its own, with a clock that stands still."""
    return web_over(desk_bench, tmp_path)
