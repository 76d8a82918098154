"""Who may do what with files: ``chmod``, ``chown``, ``chgrp``, ``setfacl``, ``chattr``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from askfirst.effects import Risk
from askfirst.shell.deletes import Grade, effect
from askfirst.shell.options import MAX_JUDGED, read_options, syntax
from askfirst.shell.places import Place, locate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from askfirst.effects import Effect
    from askfirst.facts import Facts
    from askfirst.shell.command import Command, Word
    from askfirst.shell.ports import Rules

_RECURSIVE_DANGER: Final = (Place.OUTSIDE, Place.UNKNOWN, Place.GIT, Place.DEVICE)
_OPEN_MODE: Final = re.compile(r"0?[0-7]?777|0?[0-7]?666|([ugo]*[ao][ugoa]*)\+[rxXst]*w[rwxXst]*|a=rwx|0?000|a-rwx|a=")
_SETUID_MODE: Final = re.compile(r"0?[4567][0-7]{3}|[ugoa,]*\+[rwxXt]*s[rwxXst]*|.*u[+=][rwxXt]*s.*")
_ADDING_MODE: Final = re.compile(r"[ugoa]*\+[rxX]+")
_SYNTAX: Final = syntax("R/recursive reference: from: f/silent v/verbose c/changes h/no-dereference H/ L/ P/")


def judge_permissions(command: Command, facts: Facts, book: Rules) -> Iterable[Effect]:
    """``chmod``, ``chown``, ``chgrp``, ``setfacl``, ``chattr``: whole trees outside the project, open doors, setuid."""
    options = read_options(command.args, _SYNTAX)
    words = options.words
    mode = ""
    if not options.has("reference") and command.program not in {"setfacl", "chattr"} and words:
        first = next((word for word in command.args if word.text.startswith("-") and _is_mode(word.text)), words[0])
        mode = first.text
        words = words if first.text.startswith("-") else words[1:]
    if command.program == "chmod":
        yield from setuid_effects(mode, words, command, book)
    adds = command.program == "chmod" and _ADDING_MODE.fullmatch(mode) is not None
    opens = command.program == "chmod" and _OPEN_MODE.fullmatch(mode) is not None
    if len(words) > MAX_JUDGED:
        grade = Grade(risk=Risk.HIGH, what=f"who may do what with {len(words)} files, more than are looked at")
        yield effect(book, "filesystem.permissions", command, f"{len(words)} paths", grade)
    for word in words[:MAX_JUDGED]:
        yield from _opened(word, command, facts, book, recursive=options.has("recursive"), opens=opens, adds=adds)


def setuid_effects(mode: str, words: Sequence[Word], command: Command, book: Rules) -> Iterable[Effect]:
    """What a mode makes of the files when it has them run with their owner's rights; that of their group does not."""
    if not _SETUID_MODE.fullmatch(mode) or re.fullmatch(r"0?2[0-7]{3}|g\+s", mode):
        return
    for word in words[:MAX_JUDGED]:
        grade = Grade(risk=Risk.HIGH, what=f"{word.shown or word.text} runs with its owner's rights", reversible=True)
        yield effect(book, "filesystem.setuid", command, word.shown or word.text, grade)


def _is_mode(text: str) -> bool:
    return re.fullmatch(r"-[rwxXst]+", text) is not None and text not in {"-R", "-h"}


def _opened(
    word: Word, command: Command, facts: Facts, book: Rules, *, recursive: bool, opens: bool, adds: bool
) -> Iterable[Effect]:
    spot = locate(word, command, facts, follow=True)
    whole = spot.place >= Place.SYSTEM
    recursive = recursive or (not (spot.known or adds) and spot.place in {Place.OUTSIDE, Place.SYSTEM, Place.ROOT})
    if recursive and whole and (opens or spot.place is not Place.PROJECT):
        risk = Risk.CRITICAL if spot.place is not Place.PROJECT else Risk.HIGH
    elif (
        (recursive and spot.place in _RECURSIVE_DANGER)
        or (opens and spot.place in {Place.SYSTEM, Place.ROOT})
        or (opens and spot.place in {Place.HOME, Place.GIT, Place.DEVICE})
    ):
        risk = Risk.HIGH
    else:
        risk = Risk.MEDIUM
    grade = Grade(risk=risk, what=f"who may do what with {spot.shown}")
    yield effect(book, "filesystem.permissions", command, spot, grade)
