"""Reads a command line by a row of the unwrap table: what it would run, where, and with what around it."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from askfirst.shell.command import HOLE, Word
from askfirst.shell.source import prepare
from askfirst.shell.unwrap_table import BY_NAME
from askfirst.shell.words import lex, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from askfirst.shell.wrapper import Wrapper

_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*(?:%%|\(\))?)=(.*)", re.DOTALL)
"""Also the functions that bash takes from its environment (``BASH_FUNC_ls%%``)."""


@dataclass(slots=True)
class Inner:
    """What a wrapper runs.

    Attributes:
        row: the row that matched.
        argv: the command, empty when there is none.
        scripts: shell texts that it runs.
        env: what it puts into the environment.
        directory: where it runs, ``""`` when that does not change.
        operands: the words that were skipped (host, container, duration).
        entry: the program from an option of ``entries``.
        lookup: it only prints.
        login: it runs in the home folder of whom it becomes.
    """

    row: Wrapper
    argv: list[Word] = field(default_factory=list)
    scripts: list[Word] = field(default_factory=list)
    env: dict[str, Word] = field(default_factory=dict)
    directory: str = ""
    operands: list[Word] = field(default_factory=list)
    entry: list[Word] = field(default_factory=list)
    lookup: bool = False
    login: bool = False

    @property
    def where(self) -> str:
        """Where it runs, in words; ``""`` on this machine."""
        if not self.row.where:
            return ""
        first = self.operands[0].shown or self.operands[0].text if self.operands else ""
        return self.row.where.format(first).strip()


def unwrap(argv: list[Word]) -> Inner | None:
    """What ``argv`` runs, when its program is in the table and its subcommand fits; else ``None``."""
    for row in BY_NAME.get(posixpath.basename(argv[0].text), ()):
        rest = _behind_path(row, argv[1:])
        if rest is not None and (not row.needs or any(word.text in row.needs for word in rest)):
            return _read(row, rest)
    return None


def _behind_path(row: Wrapper, args: list[Word]) -> list[Word] | None:
    """The words behind the subcommand, ``None`` when it is another one."""
    for path in row.path:
        at, wanted = 0, path.split()
        for step in wanted:
            at = _skip_options(row, args, at, step)
            if at >= len(args) or args[at].text != step:
                break
            at += 1
        else:
            return args[at:]
    return None


def _skip_options(row: Wrapper, args: list[Word], at: int, wanted: str) -> int:
    while at < len(args) and args[at].text != wanted and args[at].text.startswith("-"):
        at += 2 if args[at].text in row.before else 1
    return at


def _read(row: Wrapper, args: list[Word]) -> Inner:
    inner = Inner(row)
    rest = _options(row, args, inner)
    if row.then == "nothing":
        while rest:  # operands and options in any order
            rest = _options(row, rest if _is_option(rest[0]) else rest[1:], inner)
    started = next((i for i, word in enumerate(args) if word.text in row.starts), None)
    if started is not None:
        inner.argv = args[started + 1 :]
        return inner
    if row.dashes and any(word.text == "--" for word in args):
        rest = _behind_dashes(args)
        inner.operands = [word for word in args[: len(args) - len(rest)] if not word.text.startswith("-")][
            : row.operands
        ]
    else:
        skipped, rest = rest[: row.operands], rest[row.operands :]
        inner.operands = skipped
        while row.permuted and rest and _is_option(rest[0]) and rest[0].text != "--":
            rest = _options(row, rest, inner)
        if row.operands and rest and rest[0].text == "--":
            rest = rest[1:]
    if row.program_of and inner.operands and not inner.entry and (program := row.program_of(inner.operands[0].text)):
        inner.entry = [replace(inner.operands[0], text=program, shown=program)]
    rest = inner.entry + inner.argv + rest
    inner.argv = _assignments(rest, inner) if row.assignments else rest
    return inner


def _is_option(word: Word) -> bool:
    """A lone ``-`` is an operand: taken for an option it would never be used up."""
    return word.text.startswith("-") and word.text != "-"


def _behind_dashes(args: list[Word]) -> list[Word]:
    for index, word in enumerate(args):
        if word.text == "--":
            return args[index + 1 :]
    return []


def _assignments(words: list[Word], inner: Inner) -> list[Word]:
    for index, word in enumerate(words):
        match = _ASSIGNMENT.fullmatch(word.text)
        if match is None:
            return words[index:]
        inner.env[match[1]] = replace(word, text=match[2])
    return []


def _options(row: Wrapper, args: list[Word], inner: Inner) -> list[Word]:
    """Take the options in front off, note those that matter; the rest."""
    words = iter(enumerate(args))
    for index, word in words:
        text = word.text
        if text == "--":
            return args[index + 1 :]
        if row.assignments and _ASSIGNMENT.fullmatch(text):
            _assignments([word], inner)
            continue
        if not text.startswith(("-", "+")) or (text == "-" and not _is_own_dash(row)):
            return args[index:]
        inner.lookup = inner.lookup or text in row.lookups
        inner.login = inner.login or text in row.logins
        if text.startswith("--"):
            _long(row, word, words, inner)
        else:
            _cluster(row, word, words, inner)
    return []


def _is_own_dash(row: Wrapper) -> bool:
    """Whether a lone ``-`` is an option: ``su -`` logs in, ``env -`` empties; elsewhere it is what is run or read."""
    return "-" in row.logins or bool(row.splits)


def _long(row: Wrapper, word: Word, words: Iterator[tuple[int, Word]], inner: Inner) -> None:
    name, equals, value = word.text.partition("=")
    if name in row.pairs:
        next(words, None)
        next(words, None)
    elif equals:
        _take(row, name, replace(word, text=value, shown=value), inner)
    elif _has_value(row, name):
        _take(row, name, next(words, (0, None))[1], inner)


def _cluster(row: Wrapper, word: Word, words: Iterator[tuple[int, Word]], inner: Inner) -> None:
    text = word.text
    if _has_value(row, text):
        _take(row, text, next(words, (0, None))[1], inner)
        return
    for at in range(1, len(text)):
        name = text[0] + text[at]
        if _has_value(row, name):
            value = text[at + 1 :]
            rest = replace(word, text=value, shown=value) if value else next(words, (0, None))[1]
            _take(row, name, rest, inner)
            return


def _has_value(row: Wrapper, name: str) -> bool:
    return any(name in options for options in (row.values, row.scripts, row.splits, row.directories, row.entries))


def _take(row: Wrapper, name: str, value: Word | None, inner: Inner) -> None:
    if value is None:
        return
    if name in row.scripts:
        inner.scripts.append(value)
    elif name in row.directories:
        inner.directory = value.text
    elif name in row.entries:
        inner.entry = split(value)
    elif name in row.splits:
        inner.argv += split(value)
    elif name in {"-w", "--workdir", "--cwd"} and row.where:
        inner.directory = value.text


def split(word: Word) -> list[Word]:
    """A text split into words as ``env -S`` and aliases do: quotes count, nothing is expanded."""
    source = prepare(word.text, inner=True)
    out = []
    for _, start, end in tokens(source, 0, len(source.code)):
        parts = lex(source, start, end)
        text = "".join(p.text if p.kind == "text" else source.code[p.start : p.end] for p in parts)
        out.append(Word(text=text, shown=text, span=word.span))
    return out


def joined(words: list[Word]) -> Word:
    """Words as one script, joined by blanks as ``eval`` and ``ssh`` do."""
    if len(words) == 1:
        return words[0]
    text = " ".join(word.text for word in words)
    span = (words[0].span[0], words[-1].span[1]) if words else (0, 0)
    return Word(text=text, shown=text if HOLE not in text else " ".join(w.shown or w.text for w in words), span=span)
