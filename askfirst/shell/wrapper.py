"""A row of the unwrap table: how a program runs another one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

ProgramOf = Callable[[str], str]
Then = Literal["argv", "joined", "shell", "nothing"]


def words(text: str) -> frozenset[str]:
    """The words of a text as a set: how columns of the table are written."""
    return frozenset(text.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapper:
    """How a program runs another.

    Attributes:
        names: base names.
        path: alternatives of subcommand words that must come first, e.g. ``("compose exec", "exec")``; none: ``""``.
        before: options with a value that may stand in front of the subcommand.
        values: options that take the next word as their value.
        pairs: long options that take the next two words.
        scripts: options whose value is a shell script.
        splits: options whose value is split into words put in front of the rest.
        directories: options whose value becomes the working directory.
        logins: options that make it start in the home folder of the account.
        lookups: options that make it print or look up instead of running anything.
        assignments: ``NAME=value`` in front of the command belong to its environment.
        operands: words to skip after the options (a duration, a lock file, a host, a container).
        dashes: the command starts behind ``--`` only.
        starts: options behind which the command starts.
        entries: options whose value is the program, the rest its arguments.
        permuted: its own options may also stand behind the operands.
        program_of: the program that the first skipped operand stands for, in front of the rest; ``""`` for none.
        needs: the row holds only when one of these options is given.
        then: what the rest is: an argv, words joined to a script, a shell that reads standard input, or nothing.
        where: the command runs there; ``{}`` is the first skipped operand.
        lone: without a command it starts a shell that reads standard input.
    """

    names: frozenset[str]
    path: tuple[str, ...] = ("",)
    before: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()
    pairs: frozenset[str] = frozenset()
    scripts: frozenset[str] = frozenset()
    splits: frozenset[str] = frozenset()
    directories: frozenset[str] = frozenset()
    logins: frozenset[str] = frozenset()
    lookups: frozenset[str] = frozenset()
    assignments: bool = False
    operands: int = 0
    dashes: bool = False
    starts: frozenset[str] = frozenset()
    entries: frozenset[str] = frozenset()
    permuted: bool = False
    program_of: ProgramOf | None = None
    needs: frozenset[str] = frozenset()
    then: Then = "argv"
    where: str = ""
    lone: bool = False


def row(
    names: str,
    *,
    path: str = "",
    then: Then = "argv",
    where: str = "",
    operands: int = 0,
    program_of: ProgramOf | None = None,
    **columns: str | bool,
) -> Wrapper:
    """A row, its sets written as words; ``path``: alternatives parted by ``|``."""
    given: dict[str, Any] = {name: words(value) if isinstance(value, str) else value for name, value in columns.items()}
    return Wrapper(
        names=words(names),
        path=tuple(path.split("|")),
        then=then,
        where=where,
        operands=operands,
        program_of=program_of,
        **given,
    )
