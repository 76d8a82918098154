"""The live list: what may be decided from it, and how typed lines are answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from askfirst.cli.inbox import Session


class Broker:
    """Lists the requests that it is given and keeps the reviews that it gets."""

    def __init__(self, *pending: dict[str, Any]) -> None:
        self.pending = pending
        self.reviews: list[tuple[str, str]] = []

    def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        if method == "GET":
            return {"requests": list(self.pending)[: options["params"]["limit"]]}
        self.reviews.append((options["json"]["verdict"], options["json"]["text"]))
        return {"note": "noted"}


def session(broker: Any, keys: Iterator[str] | None = None) -> Session:
    made = Session(broker, may_decide=True, read_line=lambda: next(keys or iter(["\n"])))
    made.draw()
    return made


def test_a_listed_request_is_decided_by_its_whole_code(api_request: Any) -> None:
    request = api_request()
    broker = Broker(request)
    assert session(broker).obey(f"approve {request['code'].lower()} fine by me\n")
    assert broker.reviews == [("approve", "fine by me")]


def test_the_beginning_of_a_code_denies_and_does_not_approve(
    api_request: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    request = api_request()
    broker = Broker(request)
    person = session(broker)
    person.obey(f"approve {request['code'][:6]}\n")
    assert "to approve type its whole code" in capsys.readouterr().out
    person.obey(f"deny {request['code'][:6]} not now\n")
    assert broker.reviews == [("deny", "not now")]


def test_what_is_not_seen_in_full_cannot_be_approved(api_request: Any, capsys: pytest.CaptureFixture[str]) -> None:
    request = api_request("x" * 5000)
    broker = Broker(request)
    person = session(broker)
    person.obey(f"approve {request['code']}\n")
    assert broker.reviews == []
    assert "read it whole first: show" in capsys.readouterr().out
    person.obey(f"show {request['code']}\n")
    assert "x" * 5000 in capsys.readouterr().out
    person.obey(f"approve {request['code']}\n")
    assert broker.reviews == [("approve", "")]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("foo\n", "'foo' is no command; show CODE"),
        ("foo bar\n", "'foo' is no command; show CODE"),
        ("approve\n", "approve which? type its code"),
        ("show ZZZ\n", "no request is named 'ZZZ' here"),
    ],
)
def test_what_cannot_be_obeyed_is_answered_in_a_sentence(
    api_request: Any, capsys: pytest.CaptureFixture[str], line: str, sentence: str
) -> None:
    assert session(Broker(api_request())).obey(line)
    assert sentence in capsys.readouterr().out


@pytest.mark.parametrize("line", ["", "quit\n", "q\n", "exit\n"])
def test_the_session_ends_when_it_is_told_to(line: str) -> None:
    assert not session(Broker()).obey(line)


def test_the_end_of_the_input_behind_a_command_ends_the_session(api_request: Any) -> None:
    assert not session(Broker(api_request()), iter([""])).obey("foo\n")


def test_thousands_do_not_scroll_by(api_request: Any, capsys: pytest.CaptureFixture[str]) -> None:
    session(Broker(*[api_request()] * 1000))
    shown = capsys.readouterr().out
    assert len(shown.splitlines()) < 300
    assert "these are the newest 50" in shown
