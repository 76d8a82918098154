"""What is deleted by way of a temporary folder: ``mv src /tmp/ && rm -rf /tmp/src``.

Each half alone is free: a file that is put aside is still there, and temporary files are nobody's loss.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Final

from askfirst.effects import Risk
from askfirst.shell.deletes import Grade, effect

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from askfirst.effects import Effect
    from askfirst.shell.command import Command
    from askfirst.shell.ports import Rules

_SCRATCH: Final = ("/tmp/", "/var/tmp/", "/dev/shm/")  # noqa: S108  # recognised, never written
_MOVES: Final = frozenset({"mv", "gmv"})
_DELETES: Final = frozenset({"rm", "grm", "rimraf", "shred"})


def moved_and_deleted(commands: Sequence[Command], rules: Rules) -> Iterator[Effect]:
    """The effect of deleting a tree that the same line has moved to a temporary folder."""
    moved: dict[str, str] = {}
    for command in commands:
        paths = [word.text for word in command.args if not word.text.startswith("-")]
        if command.program in _MOVES and len(paths) > 1:
            moved |= dict(_put_aside(command, paths))
        elif command.program in _DELETES and moved:
            for path in (_at(command, path) for path in paths):
                source = next((moved[to] for to in moved if to == path or to.startswith(f"{path}/")), "")
                if source and _is_deep(command):
                    grade = Grade(risk=Risk.HIGH, what=f"{source}, and deletes it there")
                    yield effect(rules, "filesystem.move-away", command, source, grade)


def _put_aside(command: Command, paths: list[str]) -> Iterator[tuple[str, str]]:
    """Where the things are now, with what they were."""
    target = _at(command, paths[-1])
    into = paths[-1].endswith("/") or len(paths) > 2 or f"{target}/" in _SCRATCH
    for source in paths[:-1]:
        place = posixpath.join(target, posixpath.basename(source.rstrip("/"))) if into else target
        if place.startswith(_SCRATCH) and not _at(command, source).startswith(_SCRATCH):
            yield place, source


def _at(command: Command, path: str) -> str:
    path = path.removesuffix("/*").rstrip("/") or path
    return posixpath.normpath(posixpath.join(command.cwd or "/", path))


def _is_deep(command: Command) -> bool:
    """Whether folders go, too; a single file that is put aside and deleted is recorded as any other."""
    letters = "".join(word.text for word in command.args if word.text.startswith("-"))
    return command.program == "rimraf" or "r" in letters.lower() or "recursive" in letters
