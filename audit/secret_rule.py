"""One kind of secret, and many of them laid out so that most need not be searched for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Iterator, Sequence

_FOLDED: Final = str.maketrans("\u017f\u0131\u0130\u212a", "siik")
"""What patterns that ignore case take for ASCII letters, too.

From: https://docs.python.org/3/library/re.html#re.IGNORECASE.
"""
_APART: Final = bytes(code if chr(code).isalnum() or code == ord("_") else ord(" ") for code in range(128)) + b" " * 128
"""Puts a blank for whatever stands between words."""


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A kind of secret.

    Attributes:
        name: what stands in the secret's place.
        pattern: what to search for; the secret is its first group without a name that matched, or all of it.
        marks: one of them stands in everything that it matches. One in small letters is meant in any case.
        words: one of them stands as a word of its own in everything that it matches, in any case. Neither words nor
            marks: not known, so that the pattern is always searched for.
        inner: where one command may hold several secrets, or holds them anywhere: what to search for in that which the
            pattern found.
        is_secret: tells a secret from what may stand in its place.
    """

    name: str
    pattern: re.Pattern[str]
    marks: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    inner: re.Pattern[str] | None = None
    is_secret: Callable[[str], bool] | None = None

    def secrets(self, match: re.Match[str]) -> Iterator[tuple[int, int]]:
        """Start and end of each secret in what the pattern matched."""
        matches = [match] if self.inner is None else self.inner.finditer(match.string, *match.span(_group_of(match)))
        for found in matches:
            start, end = found.span(_group_of(found))
            if end > start and (self.is_secret is None or self.is_secret(found.string[start:end])):
                yield start, end


def _group_of(match: re.Match[str]) -> int:
    """The number of the group that is meant; 0: all of it."""
    named = match.re.groupindex.values()
    return next((number for number in range(1, match.re.groups + 1) if match[number] and number not in named), 0)


class Rules:
    """Rules, laid out by their marks and words.

    A mark is looked for in the text; words are looked up, however many there are, at the cost of some twenty marks.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.all: Final = tuple(rules)
        self._unmarked = tuple(rule for rule in self.all if not rule.marks and not rule.words)
        self._called: dict[str, list[Rule]] = {}
        for rule in self.all:
            for sign in (*rule.marks, *rule.words):
                self._called.setdefault(sign, []).append(rule)
        self._words = frozenset(word.encode() for rule in self.all for word in rule.words)
        marks = dict.fromkeys(mark for rule in self.all for mark in rule.marks)
        self._small = tuple(mark for mark in marks if mark == mark.lower())
        self._capital = tuple(mark for mark in marks if mark != mark.lower())
        self._with = lru_cache(maxsize=1024)(self._with_signs)

    def for_text(self, text: str) -> Sequence[Rule]:
        """Those that could match in the text: all others cannot."""
        folded = (text if text.isascii() else text.translate(_FOLDED)).lower()
        found = [mark for mark in self._small if mark in folded]
        if not text.islower():
            found += [mark for mark in self._capital if mark in text]
        words = self._words.intersection(folded.encode("ascii", "replace").translate(_APART).split())
        if words:
            found += [word.decode() for word in words]
        return self._with(tuple(found)) if found else self._unmarked

    def _with_signs(self, found: tuple[str, ...]) -> Sequence[Rule]:
        called = {rule for sign in found for rule in self._called[sign]}
        return (*self._unmarked, *called)
