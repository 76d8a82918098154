"""Which files a simple command writes, replaces or removes, told by its own words.

For rules that ask *where* something is written (start-up files, hooks, our own settings). Paths come back joined with
the working directory and normalised where both are known; unknown parts stay ``HOLE``s.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from askfirst.shell.command import HOLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from askfirst.shell.command import Command, Word

How = Literal["append", "write", "remove", "change"]


class Written(NamedTuple):
    """A file that is touched; ``remove`` also for one that is moved away, ``change`` for its mode or owner."""

    path: str
    how: How


_OPERATORS: dict[str, How] = {
    ">": "write",
    ">|": "write",
    "&>": "write",
    ">&": "write",
    "<>": "write",
    ">>": "append",
    "&>>": "append",
}
_TARGET_LAST = frozenset({"cp", "mv", "install", "ln", "rsync", "scp", "link", "copy", "gcp", "gmv"})
_REMOVERS = frozenset({"rm", "unlink", "shred", "srm", "truncate", "rmdir", "trash", "wipe", "del", "grm", "gshred"})
_CHANGERS = frozenset({"chmod", "chown", "chgrp", "chattr", "setfacl", "xattr"})
_TAKES_AWAY = re.compile(r"-[rwxXst]+")
_IN_PLACE = frozenset({"sed", "gsed", "perl", "ruby", "yq", "sponge", "ed", "ex", "patch", "dos2unix"})
_OUTPUT_OPTIONS = {
    "curl": ("-o", "--output"),
    "wget": ("-O", "--output-document"),
    "sort": ("-o", "--output"),
    "openssl": ("-out",),
    "gcc": ("-o",),
}


def written(command: Command) -> list[Written]:
    """Every file that the command itself touches."""
    found = [
        Written(each.target.text, _OPERATORS[each.operator])
        for each in command.redirects
        if each.operator in _OPERATORS
    ]
    found += _by_program(command)
    return [Written(_absolute(each.path, command.cwd), each.how) for each in found if each.path]


def _absolute(path: str, cwd: str | None) -> str:
    if path.startswith(("/", "~", HOLE, "&")) or cwd is None:
        return posixpath.normpath(path) if path.startswith("/") else path
    return posixpath.normpath(posixpath.join(cwd, path))


def _by_program(command: Command) -> Iterator[Written]:
    program, operands = command.program, [word.text for word in command.args if not word.text.startswith("-")]
    if program == "tee":
        how: How = "append" if {"-a", "--append"} & {word.text for word in command.args} else "write"
        yield from (Written(path, how) for path in operands)
    elif program in _TARGET_LAST:
        yield from _copies(program, command.args, operands)
    elif program in _REMOVERS:
        yield from (Written(path, "remove") for path in operands)
    elif program in _CHANGERS:
        takes_away = any(_TAKES_AWAY.fullmatch(word.text) for word in command.args)  # `chmod -x file`
        yield from (Written(path, "change") for path in (operands if takes_away else operands[1:]))
    elif program in _IN_PLACE and _is_in_place(program, command.args):
        yield from (Written(path, "write") for path in operands)
    elif program == "dd":
        yield from (Written(path[len("of=") :], "write") for path in operands if path.startswith("of="))
    elif program in _OUTPUT_OPTIONS:
        yield from _outputs(command.args, _OUTPUT_OPTIONS[program])


def _copies(program: str, args: tuple[Word, ...], operands: list[str]) -> Iterator[Written]:
    """The target of a copy, also inside of a target folder; what is moved away is removed."""
    folder = next(_outputs(args, ("-t", "--target-directory")), None)
    sources = operands[:-1] if folder is None else operands
    target = folder.path if folder is not None else operands[-1] if len(operands) > 1 else ""
    if target:
        yield Written(target, "write")
        yield from (Written(posixpath.join(target, posixpath.basename(each)), "write") for each in sources)
    if program in {"mv", "gmv"}:
        yield from (Written(each, "remove") for each in sources)


def _outputs(args: tuple[Word, ...], names: tuple[str, ...]) -> Iterator[Written]:
    for index, word in enumerate(args):
        name, equals, value = word.text.partition("=")
        if equals and name in names:
            yield Written(value, "write")
        elif word.text in names and index + 1 < len(args):
            yield Written(args[index + 1].text, "write")


def _is_in_place(program: str, args: tuple[Word, ...]) -> bool:
    if program in {"sponge", "ed", "ex", "patch", "dos2unix"}:
        return True
    return any(
        word.text.startswith(("-i", "--in-place", "-pi", "-ni")) or (word.text[:1] == "-" and "i" in word.text[1:4])
        for word in args
        if not word.text.startswith("--") or word.text.startswith("--in-place")
    )
