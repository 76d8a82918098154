"""The inbox in a real browser: two phones, a page that forges, a reader without scripts."""

from __future__ import annotations

import asyncio
import shutil
import socket
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from askfirst.effects import Risk
from askfirst.engine import Amend, Content
from askfirst.request import RequestState
from askfirst.testing.serving import serving
from channels.web import Logins, Sessions, new_login_link, web_inbox

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

    from askfirst.engine import Case
    from askfirst.testing.bench import Bench
    from tests.channels.web.conftest import Web

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SMALL_PHONE = {"viewport": {"width": 360, "height": 640}, "is_mobile": True, "has_touch": True}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "color_scheme": "dark"}

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Site:
    """The inbox on a real port, its desk on the server's event loop."""

    base: str
    bench: Bench
    state_dir: Path
    loop: asyncio.AbstractEventLoop
    ask_case: Callable[..., Coroutine[Any, Any, Case]]

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    def ask(self, **changes: Any) -> Case:
        return self.run(self.ask_case(**changes))

    def state(self, case: Case) -> RequestState:
        return self.run(self.bench.desk.case(case.request.id)).request.state

    def log_in(self, browser: Browser, **profile: Any) -> Page:
        """A browser of its own that came by the one-time link."""
        page = browser.new_context(**profile).new_page()
        page.set_default_timeout(10_000)
        page.goto(new_login_link(self.state_dir, self.base, "local:ann", clock=self.bench.clock))
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"{self.base}/")
        return page


def a_port() -> tuple[socket.socket, str]:
    """A listening socket: whoever connects before the server runs waits in its backlog."""
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, f"askfirst.localhost:{listener.getsockname()[1]}"  # browsers know that name as loopback


@pytest.fixture
def site(web: Web) -> Iterator[Site]:
    listener, host = a_port()
    bench = web.bench
    sessions = Sessions(writer=bench.writer, reader=bench.reader, clock=bench.clock)
    logins = Logins(web.state_dir, bench.clock)
    app = web_inbox(
        bench.desk,
        bench.undos,
        logins,
        sessions,
        refusals=web.refusals,
        hosts={host},
        machine="laptop",
        clock=bench.clock,
    )
    with serving(app, listener) as loop:
        yield Site(f"http://{host}", bench, web.state_dir, loop, web.ask)


@pytest.fixture
def chromium() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # only where a browser is there to drive

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


def complaints_of(context: BrowserContext) -> list[str]:
    """What the browser's console says from now on: a refused script, a style, an error."""
    said: list[str] = []
    context.on("console", lambda message: said.append(message.text))
    context.on("weberror", lambda error: said.append(str(error.error)))
    return said


def test_approving_on_one_phone_shows_on_the_other_at_once(site: Site, chromium: Browser) -> None:
    first, second = site.log_in(chromium, **SMALL_PHONE), site.log_in(chromium, **PHONE)
    complaints = [complaints_of(page.context) for page in (first, second)]
    case = site.ask()
    for page in (first, second):
        page.get_by_role("link", name="discards 1 changed file").click()
        page.get_by_text("live", exact=True).wait_for()
    second.get_by_label("Comment for the agent").fill("half a sen")
    first.get_by_label("Comment for the agent").fill("fine by me")
    first.get_by_role("button", name="Approve").click()
    second.get_by_text("approved by local:ann via web: fine by me").wait_for()
    assert second.get_by_role("button", name="Approve").count() == 0
    assert site.state(case) is RequestState.APPROVED
    assert complaints == [[], []]


def test_a_list_that_is_open_fills_and_empties_by_itself(site: Site, chromium: Browser) -> None:
    page = site.log_in(chromium, **PHONE)
    page.get_by_text("Nothing waits for you.").wait_for()
    case = site.ask()
    page.get_by_role("heading", name="1 waits for you").wait_for()
    assert page.title() == "(1) Askfirst inbox"
    site.run(site.bench.desk.cancel(case.request.id, "never mind"))
    page.get_by_text("Nothing waits for you.").wait_for()
    assert page.get_by_role("status").inner_text() == "live"


def test_a_page_that_is_open_shows_the_new_command_before_its_new_buttons(site: Site, chromium: Browser) -> None:
    """I2: a decision is bound to the version that was shown."""
    page = site.log_in(chromium, **PHONE)
    case = site.ask(command="rm -rf build")
    page.goto(f"{site.base}/requests/{case.request.id}")
    page.get_by_text("live", exact=True).wait_for()
    asked = case.request
    action = replace(asked.action, arguments={"command": "rm -rf build/cache"})
    content = Content(action=action, effects=asked.effects, risk=asked.risk)
    site.run(site.bench.desk.amend(asked.id, Amend(content=content, claim=asked.claim, terms=asked.terms)))
    page.get_by_role("heading", name="What has changed since version 1").wait_for()
    assert page.locator("pre.command").first.inner_text().strip() == "rm -rf build/cache"
    page.get_by_role("button", name="Approve", exact=True).click()
    page.locator("#status .state-approved").wait_for()
    granted = site.run(site.bench.desk.case(asked.id)).grant
    assert granted.action_digest == action.digest()


def test_forms_from_other_pages_decide_nothing(site: Site, chromium: Browser) -> None:
    page = site.log_in(chromium, **PHONE)
    case = site.ask()
    page.goto(f"{site.base}/requests/{case.request.id}")
    stolen = page.locator("#decide").inner_html()
    page.evaluate("document.querySelector('[name=csrf]').value = 'forged'")
    page.get_by_role("button", name="Approve").click()
    page.get_by_text("This form is not from your session").wait_for()

    async def trap(_request: object) -> HTMLResponse:
        """Another server on the same machine, which is the same site for cookies, knows even the form's secrets."""
        action = f"{site.base}/requests/{case.request.id}"
        return HTMLResponse(
            f"<form method=post action={action}>{stolen}"
            "<input name=verdict value=approve></form><script>document.forms[0].submit()</script>"
        )

    listener, host = a_port()
    with serving(Starlette(routes=[Route("/", trap)]), listener):
        page.goto(f"http://{host}/")
        page.get_by_text("this form was sent from another page").wait_for()
    assert site.state(case) is RequestState.PENDING


def test_a_link_opens_one_browser_only(site: Site, chromium: Browser) -> None:
    link = new_login_link(site.state_dir, site.base, "local:ann", clock=site.bench.clock)
    first, second = chromium.new_context().new_page(), chromium.new_context().new_page()
    for page in (first, second):
        page.goto(link)
    first.get_by_role("button", name="Log in").click()
    first.get_by_text("Nothing waits for you.").wait_for()
    second.get_by_role("button", name="Log in").click()
    second.get_by_text("This link no longer works").wait_for()


def test_a_long_command_is_approved_only_after_it_was_all_on_screen(site: Site, chromium: Browser) -> None:
    page = site.log_in(chromium, **PHONE)
    case = site.ask(command="\n".join(f"echo {each}" for each in range(120)) + "\nrm -rf /srv/data")
    page.goto(f"{site.base}/requests/{case.request.id}")
    approve = page.get_by_role("button", name="Approve")
    page.get_by_text("Scroll through the whole command to approve it").wait_for()
    assert approve.is_disabled()
    assert page.get_by_role("button", name="Deny").is_enabled()
    page.evaluate("document.querySelector('.timeline').scrollIntoView()")  # a jump over it is not looking at it
    page.get_by_text("History").wait_for()
    assert approve.is_disabled()
    page.evaluate("window.scrollTo(0, 0)")
    page.evaluate(
        """async () => {
            for (const line of document.querySelectorAll("[data-must-see]")) {
                line.scrollIntoView({ block: "center" });
                await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
            }
        }"""
    )
    approve.click()
    page.get_by_text("approved by local:ann via web").first.wait_for()
    assert site.state(case) is RequestState.APPROVED


def test_a_critical_request_looks_different_and_takes_its_code(site: Site, chromium: Browser) -> None:
    page = site.log_in(chromium, **PHONE)
    case = site.ask(risk=Risk.CRITICAL)
    page.goto(f"{site.base}/requests/{case.request.id}")
    approve, deny = (page.get_by_role("button", name=name) for name in ("Approve", "Deny"))
    assert approve.is_disabled()
    boxes = [button.bounding_box() for button in (approve, deny)]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["x"] < boxes[1]["x"]  # elsewhere Approve is on the right
    code = page.get_by_label("to approve", exact=False).locator("visible=true").last
    code.fill("0000")
    code.press("Enter")
    assert approve.is_disabled()
    code.fill(case.request.action_digest[:8])
    approve.click()
    page.get_by_text("approved by local:ann via web").first.wait_for()
    assert site.state(case) is RequestState.APPROVED


def test_everything_works_without_scripts(site: Site, chromium: Browser) -> None:
    page = site.log_in(chromium, **PHONE, java_script_enabled=False)
    case = site.ask()
    page.reload()
    page.get_by_role("link", name="discards 1 changed file").click()
    page.get_by_label("Comment for the agent").fill("no")
    page.get_by_role("button", name="Deny").click()
    page.get_by_text("denied by local:ann via web: no").wait_for()
    assert site.state(case) is RequestState.DENIED


@pytest.mark.parametrize("profile", [SMALL_PHONE, PHONE, {"viewport": {"width": 1280, "height": 800}}])
def test_buttons_are_large_in_reach_and_nothing_runs_off_the_screen(
    site: Site, chromium: Browser, profile: dict[str, Any]
) -> None:
    page = site.log_in(chromium, **profile)
    case = site.ask(command="rm -rf " + "a" * 900)
    for path in ("/", f"/requests/{case.request.id}"):
        page.goto(site.base + path)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for name in ("Approve", "Deny"):
        box = page.get_by_role("button", name=name).bounding_box()
        assert box is not None
        assert box["height"] >= 48
        assert box["y"] + box["height"] <= profile["viewport"]["height"]
