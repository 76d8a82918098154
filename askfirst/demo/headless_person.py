"""A person made of a headless browser: opens the inbox, reads what is asked, and clicks as they were told to.

It uses the page as people do, by what the controls are called, and knows nothing of its addresses.
"""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Error as BrowserError
from playwright.sync_api import TimeoutError as BrowserTimeoutError
from playwright.sync_api import sync_playwright

from askfirst.demo.parts import DemoError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from playwright.sync_api import Locator, Page, ViewportSize

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",  # as root there is no other way; it only ever visits our own page
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_S = 60
"""How long they look at an empty inbox, seconds."""
LOOK_S = 0.5
"""After so long they look whether it is time to leave."""
CONTROL_S = 15
"""How long a page or a control may take to be there, seconds."""
LEAVE_S = 2 * CONTROL_S
PHONE: ViewportSize = {"width": 390, "height": 844}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the person does with one request.

    Attributes:
        approve: which of the two controls they use.
        comment: what they write beside it.
    """

    approve: bool
    comment: str = ""


class HeadlessPerson:
    """Decides the requests that come up, in order, as planned."""

    def __init__(self, plan: Sequence[Decision], *, executable: Path = CHROMIUM) -> None:
        self._plan = tuple(plan)
        self._executable = executable
        self.decides: tuple[bool, ...] | None = tuple(decision.approve for decision in plan)
        if not executable.exists():
            raise DemoError(f"{executable} was not found: install Chromium, or run the demo without AUTO=1 and click")

    @contextlib.contextmanager
    def at_inbox(self, link: str, give_up: Callable[[str], None]) -> Iterator[None]:
        """Be at the inbox in a browser of their own, from a thread of their own."""
        leave = threading.Event()
        thread = threading.Thread(target=self._visit, args=(link, give_up, leave), name="headless-person", daemon=True)
        thread.start()
        try:
            yield
        finally:
            leave.set()
            thread.join(LEAVE_S)

    def _visit(self, link: str, give_up: Callable[[str], None], leave: threading.Event) -> None:
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=self._executable, args=list(FLAGS))
                with contextlib.closing(browser):
                    page = browser.new_page(viewport=PHONE)
                    page.set_default_timeout(CONTROL_S * 1000)
                    enter(page, link)
                    for decision in self._plan:
                        if not _await_request(page, leave):
                            return
                        decide(page, decision)
        except BrowserError as error:
            give_up(error.message.splitlines()[0])


def enter(page: Page, link: str) -> None:
    """Follow the one-time link and log in."""
    page.goto(link)
    page.get_by_role("button", name="Log in").click()


def decide(page: Page, decision: Decision) -> None:
    """Open the request that waits, read it, decide it, and go back to the list."""
    _open_request(page).click()
    _read_command(page)
    comment = page.get_by_role("textbox", name="Comment for the agent")
    comment.fill(decision.comment)
    code = page.get_by_label("to approve")
    if decision.approve and code.count():
        code.fill(code.get_attribute("data-code") or "")
    page.get_by_role("button", name="Approve" if decision.approve else "Deny", exact=True).click()
    comment.wait_for(state="detached")
    page.get_by_role("link", name="Inbox").first.click()


def _read_command(page: Page) -> None:
    """Look at all of it: the page lets nobody approve what was not on the screen."""
    page.wait_for_load_state("load")
    for part in page.get_by_label("This would run").locator("span").all():
        part.scroll_into_view_if_needed()
    page.get_by_text("Scroll through the whole command").wait_for(state="hidden")


def _open_request(page: Page) -> Locator:
    return page.get_by_role("link", name="Open to decide").first


def _await_request(page: Page, leave: threading.Event) -> bool:
    """Look at the inbox until something is asked; False when it is time to leave.

    Raises:
        BrowserError: nothing was asked for ``PATIENCE_S``.
    """
    until = time.monotonic() + PATIENCE_S
    while not leave.is_set():
        try:
            _open_request(page).wait_for(timeout=LOOK_S * 1000)
        except BrowserTimeoutError:
            if time.monotonic() > until:
                raise
        else:
            return True
    return False
