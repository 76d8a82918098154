"""The one registry of code that finds effects: by program, and for every command."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from askfirst.effects import Effect
from askfirst.facts import Facts
from askfirst.rules.book import RuleBook
from askfirst.shell.command import Command

Handler: TypeAlias = Callable[[Command, Facts, RuleBook], Iterable[Effect]]
"""Finds the effects of one command, of all risks."""

HANDLERS: dict[str, tuple[Handler, ...]] = {}
"""Base name of a program -> its handlers."""

EVERY_COMMAND: tuple[Handler, ...] = ()
"""Handlers that look at each command: redirections, secrets, persistence."""

UNDERSTOOD: frozenset[str] = frozenset()
"""Programs whose handlers say everything there is to say: without an effect they are harmless."""
