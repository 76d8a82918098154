"""What the broker serves on loopback TCP."""

from __future__ import annotations

import socket

import pytest

from askfirst.broker.web import WEB_HOST, bind_web


def test_a_port_that_is_taken_is_told_and_another_one_used(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server((WEB_HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with bind_web(port) as listener:
            assert listener.getsockname()[1] not in {0, port}
    assert caplog.messages == [f"port {port} on {WEB_HOST} is taken; the web inbox gets another one"]


def test_answers_over_tcp_do_not_wait_for_the_acknowledgement_of_their_head() -> None:
    """asyncio switches Nagle's algorithm off only where the socket says that it is TCP: 40 ms an answer otherwise."""
    with bind_web(0) as listener:
        assert listener.proto == socket.IPPROTO_TCP
