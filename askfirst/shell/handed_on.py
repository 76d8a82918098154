"""A command line handed to a program that nobody knows: ``with-env prod terraform destroy``, ``retry -t 3 -- npm …``.

There are more wrappers than any table holds. Where the words of an unknown program spell out the command line of
another one, that one most likely runs, so it is judged too. Words that ask to explain or to look something up, and
programs that only print their words, make the rest data; a program's name alone (``tldr rm``) is no command line.
"""

from __future__ import annotations

import itertools
import posixpath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from askfirst.shell.command import Word

ASKING: Final = frozenset(
    """
    check classify config describe doc docs dry-run explain grep help info install lint list lookup man query search
    show simulate uninstall which why
    """.split()
)
"""Words that make what follows a thing that is asked about."""
_PRINTING: Final = frozenset({"echo", "printf", "print", "grep", "egrep", "rg", "cat"})
_TEXT_OPTIONS: Final = frozenset({"-c", "--command", "--cmd", "--exec", "--execute", "--run"})
_MAX_SKIPPED: Final = 12
"""Words in front of the command that are looked at."""


def command_in(argv: Sequence[Word], is_program: Callable[[str], bool]) -> list[Word]:
    """The command line among the arguments, from its program on; empty when there is none."""
    for index, word in enumerate(argv[1:_MAX_SKIPPED], start=1):
        if word.text in ASKING or posixpath.basename(word.text) in _PRINTING:
            return []
        if is_program(word.text) and index + 1 < len(argv):
            return list(argv[index:])
    return []


def scripts_in(argv: Sequence[Word], is_program: Callable[[str], bool]) -> list[Word]:
    """Values of options that are called like those of shells and begin with a program."""
    return [
        value
        for option, value in itertools.pairwise(argv[1:_MAX_SKIPPED])
        if option.text in _TEXT_OPTIONS and " " in value.text and is_program(value.text.split(maxsplit=1)[0])
    ]
