"""What the whole analysis finds in a shell text, with every pack and nothing known about the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from askfirst.facts import NoFacts
from askfirst.rules.book import RuleBook
from askfirst.shell.analysis import analyse

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.effects import Effect


@pytest.fixture(scope="session")
def effects() -> Callable[[str], tuple[Effect, ...]]:
    """A function from a shell text to its effects."""
    book = RuleBook.load()

    def find(text: str) -> tuple[Effect, ...]:
        return analyse(text, cwd="/home/user/project", facts=NoFacts(), book=book).effects

    return find
