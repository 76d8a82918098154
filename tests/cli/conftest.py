"""Requests as the broker's API hands them out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from askfirst.broker.shown import case_out
from askfirst.engine import Case
from askfirst.testing.bench import a_draft, a_request

MakeRequest = Callable[..., dict[str, Any]]


@pytest.fixture
def api_request() -> MakeRequest:
    def make(command: str = "git reset --hard HEAD~2", **changes: Any) -> dict[str, Any]:
        request = replace(a_request(a_draft(command=command)), **changes)
        return case_out(Case(request=request)).model_dump()

    return make
