"""Grants in the terminal: how one is named."""

from __future__ import annotations

from typing import Any, cast

import pytest

from askfirst.cli.grants import named
from askfirst.client import Client
from askfirst.errors import Error


class FakeBroker:
    """Knows these requests, of which the grants of some are open."""

    def __init__(self, requests: list[dict[str, Any]], granted: list[int]) -> None:
        self._requests = requests
        self._granted = granted

    def call(self, _method: str, path: str, **_more: object) -> Any:
        if path == "/v1/grants":
            found = [self._requests[n] for n in self._granted]
            return {"grants": [{"request": each["id"], "code": each["code"]} for each in found]}
        if path == "/v1/requests":
            return {"requests": self._requests}
        return next(each for each in self._requests if path.endswith(each["id"]))


def code_of(name: str) -> str:
    requests = [
        {"id": f"{n}" * 26, "code": code} for n, code in enumerate(["AB1-c", "AB2-d", "AC3-e", "AD4-f", "AD5-f"])
    ]
    return named(cast("Client", FakeBroker(requests, [0, 1, 3])), name)[1]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("ab1", "AB1-c"),
        ("1" * 26, "AB2-d"),
        ("ac", "AC3-e"),
        ("2" * 26, "AC3-e"),
        ("ad", "AD4-f"),
        ("ad5", "AD5-f"),
    ],
)
def test_a_grant_that_is_not_open_itself_is_found_by_its_request(name: str, code: str) -> None:
    """All of it was passed on, and some of that may not have run yet."""
    assert code_of(name) == code


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("ab", "2 open grants named 'ab'; `askfirst grants list` shows the codes"),
        ("a", "3 open grants named 'a'; `askfirst grants list` shows the codes"),
        ("x", "no request is named 'x' here; `askfirst requests list` shows the codes"),
    ],
)
def test_a_name_that_is_of_several_grants_or_of_none_is_refused(name: str, sentence: str) -> None:
    with pytest.raises(Error) as told:
        code_of(name)
    assert str(told.value) == sentence
