"""The browser's person gives up aloud, and leaves when they are no longer needed."""

from __future__ import annotations

import http.server
import threading
from typing import TYPE_CHECKING

import pytest

from askfirst.demo import headless_person
from askfirst.demo.headless_person import CHROMIUM, Decision, HeadlessPerson
from askfirst.demo.parts import DemoError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APPROVAL = (Decision(approve=True),)


class EmptyInbox(http.server.BaseHTTPRequestHandler):
    """Has a way in and nothing that waits."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<form method=get action=/><button>Log in</button></form>")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        self.server.visited.set()  # type: ignore[attr-defined]  # set by the fixture


@pytest.fixture
def inbox() -> Iterator[tuple[str, threading.Event]]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), EmptyInbox) as server:
        server.visited = threading.Event()  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/", server.visited  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()


@pytest.fixture
def chromium() -> Path:
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing: run `make test`, or once `python3 tools/install.py chromium`")
    return CHROMIUM


def test_a_missing_browser_is_told_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="absent was not found: install Chromium"):
        HeadlessPerson(APPROVAL, executable=tmp_path / "absent")


def test_they_say_beforehand_what_they_will_decide(tmp_path: Path) -> None:
    assert HeadlessPerson((Decision(approve=False), *APPROVAL), executable=tmp_path).decides == (False, True)


@pytest.mark.slow
def test_a_browser_that_does_not_start_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    broken.chmod(0o755)
    reasons: list[str] = []
    with HeadlessPerson(APPROVAL, executable=broken).at_inbox("http://127.0.0.1:1/", reasons.append):
        pass
    (reason,) = reasons
    assert "closed" in reason


@pytest.mark.slow
def test_an_inbox_that_cannot_be_reached_is_told(chromium: Path) -> None:
    told, reasons = threading.Event(), []

    def give_up(reason: str) -> None:
        reasons.append(reason)
        told.set()

    with HeadlessPerson(APPROVAL, executable=chromium).at_inbox("http://127.0.0.1:1/", give_up):
        assert told.wait(30)
    assert reasons[0].startswith("Page.goto: net::ERR_")


@pytest.mark.slow
def test_they_leave_when_nothing_waits_any_more(chromium: Path, inbox: tuple[str, threading.Event]) -> None:
    link, visited = inbox
    reasons: list[str] = []
    with HeadlessPerson(APPROVAL, executable=chromium).at_inbox(link, reasons.append):
        assert visited.wait(30)
    assert "headless-person" not in [thread.name for thread in threading.enumerate()]
    assert reasons == []


@pytest.mark.slow
def test_after_a_while_before_an_empty_inbox_they_give_up(
    chromium: Path, inbox: tuple[str, threading.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(headless_person, "PATIENCE_S", 0)
    told, reasons = threading.Event(), []

    def give_up(reason: str) -> None:
        reasons.append(reason)
        told.set()

    with HeadlessPerson(APPROVAL, executable=chromium).at_inbox(inbox[0], give_up):
        assert told.wait(30)
    assert reasons[0].startswith("Locator.wait_for: Timeout")
