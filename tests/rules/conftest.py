"""Commands from text by the shell engine itself, and the book of every pack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from askfirst.facts import NoFacts
from askfirst.rules.book import RuleBook
from askfirst.shell.analysis import analyse

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.shell.command import Command


@pytest.fixture(scope="session")
def book() -> RuleBook:
    """The book of every pack."""
    return RuleBook.load()


@pytest.fixture(scope="session")
def commands(book: RuleBook) -> Callable[[str], tuple[Command, ...]]:
    """A function from a shell text to the simple commands that would run."""

    def parse(text: str) -> tuple[Command, ...]:
        return analyse(text, cwd="/home/user/project", facts=NoFacts(), book=book).commands

    return parse
