"""``find`` and ``fd``: which files they hit, and what ``-delete`` loses.

``operands`` says what ``{}`` stands for, so that the command behind ``-exec`` is judged on the right paths: each root,
an unknown folder, and the name pattern if there is one, e.g. ``./`` + HOLE + ``/*.pyc``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from askfirst.effects import Risk
from askfirst.facts import usable
from askfirst.shell.command import HOLE, Word
from askfirst.shell.deletes import Grade, grade_delete, grade_overwrite
from askfirst.shell.options import read_options, syntax
from askfirst.shell.places import Place, locate
from askfirst.shell.precious import is_regenerable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from askfirst.effects import Effect
    from askfirst.facts import Facts
    from askfirst.shell.command import Command
    from askfirst.shell.ports import Rules

_NAME_TESTS: Final = frozenset({"-name", "-iname", "-path", "-ipath", "-wholename", "-iwholename"})
_OTHER_TESTS: Final = frozenset(
    """
    -mtime -mmin -atime -amin -ctime -cmin -newer -size -regex -iregex -user -group -perm -inum -links -samefile -empty
    -newermt -newerat -newerct -lname -uid -gid -nouser -nogroup -used
    """.split()
)
_WRITES: Final = frozenset({"-fprint", "-fprint0", "-fls", "-fprintf"})
_NEGATIONS: Final = frozenset({"!", "-not"})
_ALTERNATIVES: Final = frozenset({"-o", "-or", ","})
_GLOBAL: Final = re.compile(r"-[HLPX]|-D|-O\d?|-E|-x|-s|-d")


def operands(command: Command) -> tuple[Word, ...]:
    """The words that stand for ``{}`` in the command that ``find`` or ``fd`` runs."""
    if command.program in {"fd", "fdfind"}:
        return _fd_operands(command)
    roots, tests = _split(command.args)
    narrowed = _OTHER_TESTS.intersection(word.text for word in tests)
    names = _names(tests) or (("?" + HOLE,) if narrowed else ("",))
    return tuple(_operand(root, name) for root in roots for name in names)


def _operand(root: Word, name: str) -> Word:
    top = root.text.rstrip("/") or ("/" if root.text.startswith("/") else ".")
    text = f"{top.rstrip('/')}/{HOLE}/{name}" if name else f"{top.rstrip('/')}/{HOLE}"
    shown = f"{root.shown or root.text}/…/{name}" if name else f"{root.shown or root.text}/…"
    return Word(text=text, glob=any(c in name for c in "*?["), shown=shown, span=root.span)


def _split(words: Sequence[Word]) -> tuple[tuple[Word, ...], tuple[Word, ...]]:
    """The roots and the expression of a ``find`` command line."""
    start = 0
    while start < len(words) and _GLOBAL.fullmatch(words[start].text):
        start += 2 if words[start].text == "-D" else 1
    end = start
    while end < len(words) and not words[end].text.startswith(("-", "(", "!", ")")):
        end += 1
    return tuple(words[start:end]) or (Word(text="."),), tuple(words[end:])


def _names(tests: Sequence[Word]) -> tuple[str, ...]:
    """The name patterns that narrow the hits; none when they do not hold for every hit."""
    texts = [word.text for word in tests]
    names = [texts[i + 1] for i, text in enumerate(texts[:-1]) if text in _NAME_TESTS]
    negated = any(text in _NEGATIONS and after in _NAME_TESTS for text, after in zip(texts, texts[1:], strict=False))
    alternatives = sum(text in _ALTERNATIVES for text in texts)
    if negated or any(HOLE in name for name in names) or alternatives >= max(len(names), 1):
        return ()
    names = [name.rstrip("/*") if name.rstrip("/*") else name for name in names]
    return tuple(name.rpartition("/")[2] or name for name in names)


def _fd_operands(command: Command) -> tuple[Word, ...]:
    table = (
        "e/extension: t/type: d/max-depth: E/exclude: x/exec: X/exec-batch: S/size: o/owner: j/threads: c/color: H/hidden I/no-ignore"
        " g/glob a/absolute-path s/case-sensitive i/ignore-case F/fixed-strings L/follow p/full-path 0/print0 base-directory: search-path:"
    )
    words = list(command.args)
    cut = next((i for i, w in enumerate(words) if w.text in {"-x", "-X", "--exec", "--exec-batch"}), len(words))
    options = read_options(words[:cut], syntax(table))
    extension = options.value("extension")
    pattern = options.words[0].text if options.words else ""
    name = f"*.{extension.text}" if extension else pattern if options.has("glob") else ""
    roots = options.words[1:] or options.values.get("search-path", ()) or (Word(text="."),)
    return tuple(_operand(root, name) for root in roots)


def judge_find(command: Command, facts: Facts, book: Rules) -> Iterable[Effect]:
    """``find … -delete`` and the files that ``-fprint`` overwrites; commands behind ``-exec`` are the engine's."""
    facts = usable(facts, cwd=command.cwd, where=command.where)
    roots, tests = _split(command.args)
    texts = [word.text for word in tests]
    for position, text in enumerate(texts[:-1]):
        if text in _WRITES:
            spot = locate(tests[position + 1], command, facts, follow=True)
            if spot.place is not Place.SINK:
                grade = grade_overwrite(spot, facts)
                yield _effect(book, "filesystem.overwrite", command, spot.shown, grade)
    if "-delete" in texts:
        for root in roots:
            yield from _deleted(root, texts, command, facts, book)


def _deleted(root: Word, texts: list[str], command: Command, facts: Facts, book: Rules) -> Iterable[Effect]:
    names = _names([Word(text=text) for text in texts])
    spot = locate(root, command, facts, follow=True)
    narrowed = bool(_OTHER_TESTS.intersection(texts) or names)
    if "-empty" in texts and not _ALTERNATIVES.intersection(texts):
        grade = Grade(risk=Risk.MEDIUM, what="only empty files and folders")
    elif names and all(is_regenerable(name) for name in names) and spot.place in {Place.INSIDE, Place.PROJECT}:
        grade = Grade(risk=Risk.MEDIUM, what=f"files that tools rebuild: {', '.join(names)}")
    elif spot.place is Place.TEMP_ROOT and narrowed:
        grade = Grade(risk=Risk.MEDIUM, what="some temporary files")
    else:
        grade = grade_delete(spot, facts, recursive=True)
    yield _effect(book, "filesystem.delete", command, spot.shown, grade)


def _effect(book: Rules, rule: str, command: Command, target: str, grade: Grade) -> Effect:
    return book.effect(
        rule, command, target=target, risk=grade.risk, reversible=grade.reversible, facts=grade.facts, what=grade.what
    )
