"""Which answers of a broker are worth the same call again, and when."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from askfirst.errors import BrokerUnavailableError, Error
from askfirst.sdk.link import Address, Link
from askfirst.sdk.steps import Pause, Send, persistently

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROBLEM = 'application/problem+json\r\n\r\n{"detail": "no witness answers"}'
TEXT = "text/plain\r\n\r\nBad Gateway"
JSON = 'application/json\r\n\r\n{"message": "no upstream"}'
SEND = Send(method="GET", path="/v1/requests/1")


@pytest.fixture
def answering(tmp_path: Path) -> Callable[[str], Link]:
    """A link to a server that gives this answer, once."""

    def served(answer: str) -> Link:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(tmp_path / "s"))
        listener.listen()

        def serve() -> None:
            with listener, listener.accept()[0] as connection:
                connection.recv(65_536)
                connection.sendall(answer.encode())

        threading.Thread(target=serve, daemon=True).start()
        return Link(Address(path=str(tmp_path / "s")))

    return served


@pytest.mark.parametrize(
    ("status", "rest", "after_s"),
    [
        (503, f"Retry-After: 30\r\nContent-Type: {PROBLEM}", 30),
        (503, f"retry-after: 1\r\nContent-Type: {PROBLEM}", 1),
        (503, f"Content-Type: {PROBLEM}", None),
        (503, f"Retry-After: soon\r\nContent-Type: {PROBLEM}", None),
        (503, f"Retry-After: 86400\r\nContent-Type: {PROBLEM}", 60),
        (429, f"Retry-After: 7\r\nContent-Type: {PROBLEM}", 7),
        (503, f"Content-Type: {JSON}", 0),  # a proxy's own
        (503, f"Retry-After: Wed, 25 Nov 2026 12:00:00 GMT\r\nContent-Type: {JSON}", 0),
        (502, f"Content-Type: {TEXT}", 0),
        (403, f"Retry-After: 7\r\nContent-Type: {PROBLEM}", None),
    ],
)
def test_what_may_pass_by_itself_is_worth_the_same_call_again(
    answering: Callable[[str], Link], status: int, rest: str, after_s: float | None
) -> None:
    with pytest.raises(Error) as caught:
        answering(f"HTTP/1.1 {status} x\r\n{rest}").send(SEND)
    again = caught.value.retry_after_s if isinstance(caught.value, BrokerUnavailableError) else None
    assert again == after_s


def test_a_request_that_is_refused_before_it_is_read_is_told_why(answering: Callable[[str], Link]) -> None:
    """The answering server reads the beginning only, and closes, as a broker does with a body that is too long."""
    problem = f"HTTP/1.1 413 x\r\nContent-Type: {PROBLEM.replace('no witness answers', 'the body is too long')}"
    with pytest.raises(Error, match="the body is too long") as caught:
        answering(problem).send(Send(method="POST", path="/v1/requests", body={"a": "x" * 3_000_000}))
    assert not isinstance(caught.value, BrokerUnavailableError)


def pauses(retry_after_s: float, patience_s: float) -> list[float]:
    """How long a call that is never answered is let rest, each time, until it is given up."""
    now_ms, rests = 0, list[float]()
    flow = persistently(SEND, round(patience_s * 1000), lambda: now_ms)
    step = next(flow)
    try:
        while True:
            if isinstance(step, Pause):
                rests.append(step.seconds)
                now_ms += round(step.seconds * 1000)
                step = flow.send({})
            else:
                step = flow.throw(BrokerUnavailableError("later", retry_after_s=retry_after_s))
    except BrokerUnavailableError:
        return rests


@pytest.mark.parametrize(
    ("retry_after_s", "patience_s", "rests"),
    [
        (0, 1, [0.05, 0.1, 0.2, 0.4, 0.25]),
        (1, 5, [1, 1, 1, 1]),
        (30, 70, [30, 30]),
        (30, 20, []),  # it would be in vain
    ],
)
def test_no_call_comes_again_sooner_than_was_said(retry_after_s: float, patience_s: float, rests: list[float]) -> None:
    assert pauses(retry_after_s, patience_s) == rests
