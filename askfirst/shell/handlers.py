"""The one registry of code that finds effects: by program, and for every command."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from askfirst.effects import Effect
from askfirst.facts import Facts
from askfirst.rules.book import RuleBook
from askfirst.shell.command import Command

Handler: TypeAlias = Callable[[Command, Facts, RuleBook], Iterable[Effect]]
"""Finds the effects of one command, of all risks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Who looks at which command.

    Attributes:
        by_program: base name of a program -> its handlers.
        every: handlers that look at each command: redirections, secrets, persistence.
        understood: programs whose handlers say everything there is to say: without an effect they are harmless.
    """

    by_program: Mapping[str, tuple[Handler, ...]] = field(default_factory=dict)
    every: tuple[Handler, ...] = ()
    understood: frozenset[str] = frozenset()

    def effects(self, command: Command, facts: Facts, book: RuleBook) -> Iterable[Effect]:
        """Everything found in the command, by code and by the data rules."""
        for handler in (*self.by_program.get(command.program, ()), *self.every):
            yield from handler(command, facts, book)
        yield from book.match(command)


HANDLERS = Registry()
"""The handlers of this program."""
