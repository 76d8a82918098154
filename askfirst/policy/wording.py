"""What the words of a command are, and what else a shell may make of them, for patterns to be tried on."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from askfirst.policy.patterns import Glob
from askfirst.shell.command import HOLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from askfirst.shell.command import Command, Word

_CHOICES_MAX = 64
"""Ways to choose one word of each of its braces; of more than that each is any number of words."""


def wording(command: Command) -> tuple[str, ...]:
    """Its words, each unknown part a ``HOLE``."""
    return tuple(word.text for word in command.argv)


def guesses(command: Command) -> tuple[tuple[str | Glob, ...], ...]:
    """What else it may come to, where that is open: names of files, and of each word with braces one or all.

    The shell hands on all words that braces become, and a rule about ``push prod:*`` means each word of
    ``push prod:{a,b}`` none the less.
    """
    if not any(word.glob or word.braces for word in command.argv):
        return ()
    slots = [_slot(number, list(words)) for number, words in itertools.groupby(command.argv, lambda word: word.braces)]
    if math.prod(map(len, slots)) > _CHOICES_MAX:
        slots = [each if len(each) == 1 else [(HOLE,)] for each in slots]
    return tuple(tuple(itertools.chain.from_iterable(chosen)) for chosen in itertools.product(*slots))


def _slot(number: int, words: Sequence[Word]) -> list[tuple[str | Glob, ...]]:
    """What may stand in one place: these words, or, where one word became them, each alone."""
    every = tuple(_guessed(words))
    return [every, *((each,) for each in every)] if number else [every]


def _guessed(words: Iterable[Word]) -> Iterable[str | Glob]:
    return (Glob(word.text) if word.glob else word.text for word in words)
