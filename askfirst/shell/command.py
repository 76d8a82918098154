"""Words and simple commands as rules see them: after expansion, after unwrapping.

A word is three-valued: known, partly known, unknown. What is not known stands in its text as one ``HOLE`` each, so
that a known beginning (``/tmp/``) or a known option survives. Rules match on ``text``; only ``known`` words prove.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field

HOLE = "\ufffc"
"""Stands for any text, also none (U+FFFC OBJECT REPLACEMENT CHARACTER; removed from input before parsing)."""

UNKNOWN_SHOWN = "‹unknown›"
"""How a ``HOLE`` is shown to people."""

_CONTENT = re.compile(r"\"?(?:\$\(\s*(?:cat\s+|<\s*)([\w@%+=:,./~-]+)\s*\)|`cat\s+([\w@%+=:,./~-]+)`)\"?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word of a command.

    Attributes:
        text: the word after expansion and quote removal, each unknown part a ``HOLE``.
        glob: an unquoted ``*``, ``?`` or ``[`` is in it, which the shell would expand against the disk.
        shown: as people should see it, unknown parts in their source form, e.g. ``$DIR/x``.
        span: start and end offset (characters) in the text that the host sent; (0, 0) when it comes from elsewhere.
        braces: the same number in all words that one word with braces became, 0 in others; neighbours' differ.
    """

    text: str
    glob: bool = False
    shown: str = ""
    span: tuple[int, int] = (0, 0)
    braces: int = 0

    @property
    def known(self) -> bool:
        """Whether every part is known (a glob counts as known text)."""
        return HOLE not in self.text

    @property
    def content_of(self) -> str:
        """The file, unread, that the whole word is the content of: ``"$(cat x.sql)"``; ``""`` for another word."""
        match = _CONTENT.fullmatch(self.shown) if self.text == HOLE else None
        return (match[1] or match[2]) if match else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """A redirection: ``operator`` is ``>``, ``>>``, ``<``, ``>|``, ``&>``, ``<>`` …; ``fd`` as written or implied."""

    operator: str
    target: Word
    fd: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What a command reads on standard input.

    Attributes:
        kind: ``none`` (terminal or empty), ``text`` (known bytes), ``file`` (``text`` is its path), ``network``
            (downloaded), ``decoded`` (came out of a decoder that we cannot run), ``unknown``.
        text: for ``text`` the content, for ``file`` the path, for ``network`` the URL where known.
    """

    kind: str = "none"
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One simple command that would run.

    Attributes:
        argv: its words, program first; never empty.
        cwd: directory it would run in, absolute, or ``None`` when that cannot be known.
        origin: directory that the whole text would start in, absolute, ``""`` when not known: the project is there.
        env: the assignments in front of it and the exported ones known to us.
        redirects: in order.
        stdin: what it reads.
        where: ``""`` on this machine, else e.g. ``ssh host``, ``docker exec web``: then local facts say nothing.
        via: the wrappers it was found under, outermost first.
        span: start and end offset (characters) of the offending part in the text that the host sent.
    """

    argv: tuple[Word, ...]
    cwd: str | None = None
    origin: str = ""
    env: dict[str, Word] = field(default_factory=dict)
    redirects: tuple[Redirect, ...] = ()
    stdin: Stream = Stream()
    where: str = ""
    via: tuple[str, ...] = ()
    span: tuple[int, int] = (0, 0)

    @property
    def program(self) -> str:
        """Base name of the program, without path; ``""`` when it is not known."""
        first = self.argv[0]
        return posixpath.basename(first.text) if first.known else ""

    @property
    def args(self) -> tuple[Word, ...]:
        """The words after the program."""
        return self.argv[1:]

    @property
    def shown(self) -> str:
        """The command as people should see it."""
        return " ".join(word.shown or word.text for word in self.argv).replace(HOLE, UNKNOWN_SHOWN)
