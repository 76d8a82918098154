"""Reads a command line as getopt_long and git's parse-options do, over words that may be partly unknown.

* Long options may be abbreviated. An ambiguous abbreviation makes the program stop; here it counts as every option that
  it could mean, since versions differ in the options they know.
* ``--no-x`` takes ``--x`` back, in order.
* A word that may be an option because its beginning is unknown is an operand, and ``unsure`` is set.

Syntax tables are text: blank-separated ``[letter/]name[:|?]``; ``:`` takes a value from the next word or behind ``=``,
``?`` only behind ``=`` or stuck to the letter. ``letter/`` alone is an option without a long name, called ``-letter``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from askfirst.shell.command import HOLE, Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """A command line, read.

    Attributes:
        given: names of the options in force, long where there is one, without dashes (``force``); ``-x`` for a letter
            without a long name or outside the table.
        values: the value words of each option that takes one, in order.
        operands: the other words before ``--``.
        rest: the words behind ``--``, None when there is no ``--``.
        unsure: a word may be an option that cannot be seen.
    """

    given: frozenset[str] = frozenset()
    values: Mapping[str, tuple[Word, ...]] = field(default_factory=dict)
    operands: tuple[Word, ...] = ()
    rest: tuple[Word, ...] | None = None
    unsure: bool = False

    @property
    def words(self) -> tuple[Word, ...]:
        """Every operand, before and behind ``--``."""
        return self.operands + (self.rest or ())

    def has(self, *names: str) -> bool:
        """Whether any of these options is given."""
        return not self.given.isdisjoint(names)

    def value(self, name: str) -> Word | None:
        """The last value of an option."""
        words = self.values.get(name)
        return words[-1] if words else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Syntax:
    """The options of one program or subcommand: name → ``""``, ``":"`` or ``"?"``; letter → name."""

    arity: Mapping[str, str]
    letters: Mapping[str, str]

    def meant(self, name: str) -> tuple[str, ...]:
        """The options that a spelled-out or abbreviated name can mean; the name itself when none is known."""
        if name in self.arity:
            return (name,)
        positive = name.removeprefix("no-")
        if positive != name and positive in self.arity:
            return (name,)
        if positive != name:
            return tuple(f"no-{known}" for known in self.arity if known.startswith(positive)) or (name,)
        return tuple(known for known in self.arity if known.startswith(name)) or (name,)


@cache
def syntax(table: str) -> Syntax:
    """The syntax that a table describes (see the module)."""
    arity: dict[str, str] = {}
    letters: dict[str, str] = {}
    for entry in table.split():
        kind = entry[-1] if entry[-1] in ":?" else ""
        letter, slash, name = entry.removesuffix(kind).rpartition("/")
        name = name or f"-{letter}"
        arity[name] = kind
        if slash:
            letters[letter] = name
    return Syntax(arity=arity, letters=letters)


def read_options(words: Sequence[Word], known: Syntax, *, stop_at_operand: bool = False) -> Options:
    """The options and operands in ``words`` (without the program).

    Args:
        words: the arguments.
        known: their syntax.
        stop_at_operand: everything from the first operand on is operands, as POSIX programs do it.
    """
    reader = _Reader(known)
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        if word.text == "--":
            return reader.done(rest=tuple(words[position:]))
        if not word.text.startswith("-") or word.text == "-":
            reader.operand(word)
            if stop_at_operand:
                reader.operands.extend(words[position:])
                break
            continue
        wants_value = reader.long(word) if word.text.startswith("--") else reader.cluster(word)
        if wants_value and position < len(words):
            reader.value(wants_value, words[position])
            position += 1
    return reader.done()


class _Reader:
    def __init__(self, known: Syntax) -> None:
        self.known = known
        self.given: set[str] = set()
        self.values: dict[str, list[Word]] = {}
        self.operands: list[Word] = []
        self.unsure = False

    def operand(self, word: Word) -> None:
        self.unsure = self.unsure or word.text.startswith(HOLE)
        self.operands.append(word)

    def value(self, name: str, word: Word) -> None:
        self.values.setdefault(name, []).append(word)

    def give(self, name: str) -> None:
        self.given.add(name)
        if name.startswith("no-"):
            self.given.discard(name.removeprefix("no-"))
        self.given.discard(f"no-{name}")

    def long(self, word: Word) -> str:
        """Takes ``--name`` or ``--name=value``; the option that takes the next word as its value, or ``""``."""
        name, equals, value = word.text[2:].partition("=")
        self.unsure = self.unsure or HOLE in name
        names = self.known.meant(name.partition(HOLE)[0])
        for each in names:
            self.give(each)
            if equals:
                self.value(each, part(word, value))
        if equals or len(names) != 1:
            return ""
        return names[0] if self.known.arity.get(names[0]) == ":" else ""

    def cluster(self, word: Word) -> str:
        """Takes ``-abc``, or ``-abVALUE`` where b takes a value; as ``long``."""
        for position, letter in enumerate(word.text[1:], start=2):
            if letter == HOLE:
                self.unsure = True
                return ""
            name = self.known.letters.get(letter, f"-{letter}")
            self.give(name)
            kind = self.known.arity.get(name, "")
            stuck = word.text[position:]
            if kind and stuck:
                self.value(name, part(word, stuck))
                return ""
            if kind == ":":
                return name
        return ""

    def done(self, rest: tuple[Word, ...] | None = None) -> Options:
        return Options(
            given=frozenset(self.given),
            values={name: tuple(words) for name, words in self.values.items()},
            operands=tuple(self.operands),
            rest=rest,
            unsure=self.unsure,
        )


def part(word: Word, text: str) -> Word:
    """The end of a word as a word of its own, e.g. the value in ``--name=value``."""
    return Word(text=text, glob=word.glob, shown=word.shown if HOLE in text else "", span=word.span)


def listed(words: Iterable[Word], limit: int = 3) -> str:
    """Words for people, the first few, e.g. ``a, b, c and 4 more``."""
    shown = [word.shown or word.text for word in words]
    return some(shown, limit)


def some(names: Sequence[str], limit: int = 3) -> str:
    """Names for people, the first few, e.g. ``a, b, c and 4 more``."""
    head = ", ".join(names[:limit])
    return head if len(names) <= limit else f"{head} and {len(names) - limit} more"


MAX_SHOWN_CHARS = 300
"""Longest name of a target or a loss in a reason; the whole command is shown elsewhere."""
MAX_JUDGED = 100
"""Operands of one command that are judged one by one; with more of them nobody can say what is lost."""


def clipped(text: str) -> str:
    """The text, or its beginning where it is long."""
    return text if len(text) <= MAX_SHOWN_CHARS else text[: MAX_SHOWN_CHARS - 1] + "…"
