"""What a shell knows while it runs: variables, functions, aliases, the directory, files written so far.

A variable may have several values (a loop, two branches): each is followed, at most ``MAX_VALUES`` of them.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from askfirst.shell.command import HOLE, Stream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from askfirst.shell.job import Place
    from askfirst.shell.source import Source
    from askfirst.shell.syntax import Node

MAX_VALUES = 32
MAX_VALUE_CHARS = 65_536


@dataclass(frozen=True, slots=True)
class Variable:
    """``values`` are what it may hold, without duplicates; ``elements`` when it is an array.

    ``names``: a pattern in a value stands for the names that it matches, as in ``for f in *.py``.
    """

    values: tuple[str, ...]
    elements: tuple[str, ...] | None = None
    exported: bool = False
    names: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """A shell function: its body and where that stands."""

    source: Source
    body: Node
    place: Place


@dataclass(slots=True)
class State:
    """The state of one shell.

    Attributes:
        cwd: absolute, ``None`` when it cannot be known.
        home: the home directory.
        variables: assigned ones; a name that is missing comes from the environment.
        positionals: ``$1 …``; empty at the top level.
        zero: ``$0``.
        functions: defined so far.
        aliases: defined so far.
        files: what is known to be in files written so far, by absolute path; shared between subshells.
        previous: the directory before the last ``cd``.
        traps: texts that run when the shell ends or gets a signal, with the span they stand in.
    """

    cwd: str | None
    home: str
    variables: dict[str, Variable] = field(default_factory=dict)
    positionals: tuple[str, ...] = ()
    zero: str = "bash"
    functions: dict[str, Function] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    files: dict[str, Stream] = field(default_factory=dict)
    previous: str | None = None
    traps: list[tuple[str, tuple[int, int]]] = field(default_factory=list)

    def copy(self) -> State:
        """A shell that starts from here and does not change this one, but for files."""
        return replace(self, variables=dict(self.variables), functions=dict(self.functions), aliases=dict(self.aliases))

    def child(self, extra: dict[str, str]) -> State:
        """The state of another program started from here: exported variables only."""
        variables = {name: one for name, one in self.variables.items() if one.exported}
        variables |= {name: Variable((value,), exported=True) for name, value in extra.items()}
        return State(cwd=self.cwd, home=self.home, variables=variables, files=self.files)

    def elsewhere(self) -> State:
        """The state of a shell on another machine or in a container: nothing is known."""
        return State(cwd=None, home=f"{HOLE}/home")

    def assign(
        self,
        name: str,
        values: Iterable[str],
        *,
        append: bool = False,
        elements: tuple[str, ...] | None = None,
        names: bool = False,
    ) -> None:
        """Give ``name`` these possible values, or make it an array."""
        old = self.variables.get(name)
        found = tuple(dict.fromkeys(values))
        if append and old:
            found = tuple(dict.fromkeys(a + b for a in old.values for b in found))
        if len(found) > MAX_VALUES or any(len(one) > MAX_VALUE_CHARS for one in found):
            found = (HOLE,)
        self.variables[name] = Variable(found, elements, exported=bool(old and old.exported), names=names)

    def path(self, text: str) -> str | None:
        """``text`` as an absolute normal path, ``None`` when that cannot be known."""
        if HOLE in text or not text or "\0" in text:
            return None
        if text.startswith("/"):
            return posixpath.normpath(text)
        return None if self.cwd is None else posixpath.normpath(posixpath.join(self.cwd, text))

    def enter(self, target: str) -> None:
        """``cd target``."""
        if target == "-":
            self.cwd, self.previous = self.previous, self.cwd
            return
        self.previous = self.cwd
        self.cwd = self.path(target)

    def merge(self, others: list[State], *, also_self: bool) -> None:
        """Continue as any of ``others`` could have left things (and as this one is, when ``also_self``)."""
        states = [self, *others] if also_self else others
        if not states:
            return
        names = {name for state in states for name in state.variables}
        for name in names:
            found = [state.variables[name] for state in states if name in state.variables]
            first = found[0]
            if any(one is not first for one in found):
                values = tuple(dict.fromkeys(value for one in found for value in one.values))
                values = values if len(values) <= MAX_VALUES else (HOLE,)
                self.variables[name] = Variable(
                    values, found[-1].elements, any(one.exported for one in found), any(one.names for one in found)
                )
            else:
                self.variables[name] = first
        for state in others:
            self.functions |= state.functions
            self.aliases |= state.aliases
        directories = {state.cwd for state in states}
        self.cwd = directories.pop() if len(directories) == 1 else None
