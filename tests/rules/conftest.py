"""Commands from text, before there is a shell: words by shlex, ``$(…)`` and ``$X`` as unknown words."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from askfirst.rules.book import RuleBook
from askfirst.shell.command import HOLE, Command, Word

if TYPE_CHECKING:
    from collections.abc import Callable

_UNKNOWN = re.compile(r"\$\([^)]*\)|`[^`]*`|\$\w+")


def _word(text: str, sources: list[str]) -> Word:
    shown = text
    for source in sources[: text.count(HOLE)]:
        shown = shown.replace(HOLE, source, 1)
    del sources[: text.count(HOLE)]
    return Word(text=text, shown=shown, glob=any(letter in text for letter in "*?["))


@pytest.fixture(scope="session")
def command() -> Callable[[str], Command]:
    """A function from one simple command's text to its ``Command``."""

    def parse(text: str) -> Command:
        sources = _UNKNOWN.findall(text)
        words = shlex.split(re.split(r" <<? | \| ", _UNKNOWN.sub(HOLE, text))[0])
        return Command(argv=tuple(_word(word, sources) for word in words))

    return parse


@pytest.fixture(scope="session")
def book() -> RuleBook:
    """The book of every pack."""
    return RuleBook.load()
