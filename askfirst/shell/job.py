"""What travels through an evaluation: where a text stands, a command about to run, and what was found."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from askfirst.shell.streams import NOTHING

if TYPE_CHECKING:
    from askfirst.shell.command import Command, Redirect, Stream, Word
    from askfirst.shell.findings import Findings
    from askfirst.shell.source import Source
    from askfirst.shell.state import State
    from askfirst.shell.syntax import Range


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands: how to map its offsets, and what it was found under.

    Attributes:
        base: offset of the text in what the host sent, ``None`` when it does not stand there letter by letter.
        span: the part of what the host sent that it came from.
        where: ``""`` on this machine.
        via: wrappers, outermost first.
    """

    base: int | None = 0
    span: Range = (0, 0)
    where: str = ""
    via: tuple[str, ...] = ()

    def locate(self, source: Source, where: Range) -> Range:
        """The offsets in what the host sent."""
        if self.base is None:
            return self.span
        start, end = where
        # not simply where the next character came from: a continuation taken out before it is none of the range
        last = source.original(max(start, end - 1))
        return self.base + source.original(start), self.base + min(last + 1, source.original(end))


@dataclass(frozen=True, slots=True)
class Scope:
    """What a statement runs in: its text, where that stands, the shell, standard input."""

    source: Source
    place: Place
    state: State
    stdin: Stream = NOTHING

    def locate(self, where: Range) -> Range:
        """The offsets in what the host sent."""
        return self.place.locate(self.source, where)


@dataclass(frozen=True, slots=True)
class Job:
    """A simple command about to run.

    Attributes:
        argv: program first; words may hold marked holes.
        state: of the shell that runs it.
        place: where it stands.
        span: of the whole command.
        stdin: what it reads.
        env: assignments in front of it.
        redirects: in order.
    """

    argv: list[Word]
    state: State
    place: Place
    span: Range
    stdin: Stream = NOTHING
    env: dict[str, Word] = field(default_factory=dict)
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """Something that could not be followed, or is dangerous as such.

    Attributes:
        code: which one, see ``opaque``.
        job: the command.
        detail: what in it.
    """

    code: str
    span: Range
    detail: str
    command: str = ""
    via: tuple[str, ...] = ()


@dataclass(slots=True)
class Found:
    """What the evaluation collects.

    Attributes:
        commands: in the order they were met; with ``True`` for those that only run others.
        code: what program code does beside running commands, with the interpreter's command.
        notes: what stayed opaque.
        clean: every text was parsed without an error.
    """

    commands: list[tuple[Command, bool]] = field(default_factory=list)
    code: list[tuple[Command, Findings]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    clean: bool = True


def program_name(word: Word) -> str:
    """Base name of a program word."""
    return posixpath.basename(word.text)
