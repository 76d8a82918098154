"""``find`` and ``fd``: which files they hit, and what ``-delete`` loses.

``operands`` says what ``{}`` stands for, so that the command behind ``-exec`` is judged on the right paths: each root,
an unknown folder, and the name pattern if there is one, e.g. ``./`` + HOLE + ``/*.pyc``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from askfirst.effects import Risk
from askfirst.facts import usable
from askfirst.shell.command import HOLE, Word
from askfirst.shell.deletes import Grade, effect, grade_delete, grade_overwrite, hit
from askfirst.shell.options import read_options, syntax
from askfirst.shell.places import Place, locate
from askfirst.shell.precious import is_regenerable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from askfirst.effects import Effect
    from askfirst.facts import Facts
    from askfirst.shell.command import Command
    from askfirst.shell.places import Spot
    from askfirst.shell.ports import Rules

# From: GNU findutils 4.10 manual, and find(1) of macOS.
_NAME_TESTS: Final = frozenset({"-name", "-iname", "-path", "-ipath", "-wholename", "-iwholename"})
_NARROWING: Final = re.compile(
    r"-([acm](time|min)|newer\w*|size|i?regex|user|group|perm|inum|links|samefile|uid|gid|used)"
)
_VALUED: Final = re.compile(
    r"-(maxdepth|mindepth|type|xtype|fstype|printf|context|regextype|files0-from|lname|ilname|flags)"
)
_MAX_OPERANDS: Final = 32
"""Combinations of roots and names that ``{}`` may stand for; more are one unknown path."""
_EXECUTES: Final = frozenset({"-exec", "-execdir", "-ok", "-okdir"})
_WRITES: Final = {"-fprint": 1, "-fprint0": 1, "-fls": 1, "-fprintf": 2}
_GLOBAL: Final = re.compile(r"-[HLPXEsdx]+|-D|-O\d?")
_FD_SYNTAX: Final = (
    "e/extension: t/type: d/max-depth: E/exclude: x/exec: X/exec-batch: S/size: o/owner: j/threads: c/color: H/hidden"
    " I/no-ignore g/glob a/absolute-path s/case-sensitive i/ignore-case F/fixed-strings L/follow p/full-path 0/print0"
    " base-directory: search-path: changed-within: changed-before:"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A ``find`` command line, read.

    Attributes:
        roots: where it begins.
        tests: primaries with their first argument (``""`` without one), operators among them, in order.
        written: the files that ``-fprint`` and its like overwrite.
    """

    roots: tuple[Word, ...]
    tests: tuple[tuple[str, str], ...]
    written: tuple[Word, ...]

    def has(self, *primaries: str) -> bool:
        """Whether one of these primaries is there."""
        return any(name in primaries for name, _ in self.tests)

    @property
    def names(self) -> tuple[str, ...]:
        """The name patterns one of which every hit matches; none where that cannot be told."""
        found = [value for name, value in self.tests if name in _NAME_TESTS]
        before = [
            earlier for (earlier, _), (name, _) in zip(self.tests, self.tests[1:], strict=False) if name in _NAME_TESTS
        ]
        alternatives = sum(name in {"-o", "-or", ","} for name, _ in self.tests)
        if (
            alternatives >= max(len(found), 1)
            or {"!", "-not"}.intersection(before)
            or any(HOLE in each for each in found)
        ):
            return ()
        return tuple(name.rstrip("/*").rpartition("/")[2] or name for name in found)

    @property
    def is_narrowed(self) -> bool:
        """Whether age, size, owner or the like narrow the hits."""
        return any(_NARROWING.fullmatch(name) for name, _ in self.tests)


def read_find(words: Sequence[Word]) -> Search:
    """Reads the arguments of ``find``; what stands behind ``-exec`` is left out."""
    start = 0
    while start < len(words) and _GLOBAL.fullmatch(words[start].text):
        start += 2 if words[start].text == "-D" else 1
    at = start
    while at < len(words) and not words[at].text.startswith(("-", "(", "!", ")")):
        at += 1
    roots = tuple(words[start:at]) or (Word(text="."),)
    tests: list[tuple[str, str]] = []
    written: list[Word] = []
    while at < len(words):
        name = words[at].text
        value = words[at + 1].text if at + 1 < len(words) else ""
        at += 1
        if name in _EXECUTES:
            at = next((i for i in range(at, len(words)) if words[i].text in {";", "+"}), len(words)) + 1
        elif name in _WRITES:
            written += words[at : at + 1]
            at += _WRITES[name]
        elif name in _NAME_TESTS or _NARROWING.fullmatch(name) or _VALUED.fullmatch(name):
            tests.append((name, value))
            at += 1
        else:
            tests.append((name, ""))
    return Search(roots=roots, tests=tuple(tests), written=tuple(written))


def operands(command: Command) -> tuple[Word, ...]:
    """The words that stand for ``{}`` in the command that ``find`` or ``fd`` runs."""
    if command.program in {"fd", "fdfind"}:
        return _fd_operands(command)
    search = read_find(command.args)
    names = search.names or (("?" + HOLE,) if search.is_narrowed else ("",))
    if len(search.roots) * len(names) > _MAX_OPERANDS:
        return (Word(text=HOLE, shown="…"),)
    return tuple(_operand(root, name) for root in search.roots for name in names)


def _operand(root: Word, name: str) -> Word:
    top = root.text.rstrip("/") if root.text.strip("/") else root.text[:1].rstrip("/")
    shown = root.shown or root.text
    if not name:
        return Word(text=f"{top}/{HOLE}", glob=True, shown=f"{shown}/…", span=root.span)  # everything that is there
    glob = any(letter in name for letter in "*?[")
    return Word(text=f"{top}/{HOLE}/{name}", glob=glob, shown=f"{shown}/…/{name.replace(HOLE, '…')}", span=root.span)


def _fd_operands(command: Command) -> tuple[Word, ...]:
    words = list(command.args)
    cut = next((i for i, w in enumerate(words) if w.text in {"-x", "-X", "--exec", "--exec-batch"}), len(words))
    options = read_options(words[:cut], syntax(_FD_SYNTAX))
    extension = options.value("extension")
    pattern = options.words[0].text if options.words else ""
    name = f"*.{extension.text}" if extension else pattern if options.has("glob") else ""
    roots = options.words[1:] or options.values.get("search-path", ()) or (Word(text="."),)
    return tuple(_operand(root, name) for root in roots)


def judge_find(command: Command, facts: Facts, book: Rules) -> Iterable[Effect]:
    """``find … -delete`` and the files that ``-fprint`` overwrites; commands behind ``-exec`` are the engine's."""
    facts = usable(facts, cwd=command.cwd, where=command.where)
    search = read_find(command.args)
    for word in search.written:
        spot = locate(word, command, facts, follow=True)
        if spot.place is not Place.SINK:
            yield hit(book, "filesystem.overwrite", command, spot, grade_overwrite(spot, facts))
    if search.has("-delete"):
        if len(search.roots) > _MAX_OPERANDS:
            grade = Grade(risk=Risk.HIGH, what=f"files in {len(search.roots)} folders, more than are looked at")
            yield effect(book, "filesystem.delete", command, f"{len(search.roots)} folders", grade)
        for root in search.roots[:_MAX_OPERANDS]:
            spot = locate(root, command, facts, follow=True)
            yield hit(book, "filesystem.delete", command, spot, _grade(search, spot, facts), names=tuple(search.names))


def _grade(search: Search, spot: Spot, facts: Facts) -> Grade:
    names = search.names
    needed = spot.place in {Place.SYSTEM, Place.ROOT, Place.MOUNT, Place.GIT}  # mount points and the like are empty too
    if not needed and search.has("-empty") and not search.has("-o", "-or", ",", "!", "-not"):
        return Grade(risk=Risk.MEDIUM, what="only empty files and folders")
    if names and spot.place in {Place.INSIDE, Place.PROJECT} and all(is_regenerable(name) for name in names):
        return Grade(risk=Risk.MEDIUM, what=f"files that tools rebuild: {', '.join(names)}")
    if spot.place is Place.TEMP_ROOT and (names or search.is_narrowed):
        return Grade(risk=Risk.MEDIUM, what="some temporary files")
    return grade_delete(spot, facts, recursive=True)
