"""Whether a rule fits a command: words, options and paths against the patterns of a pack.

The rules kept here:

- A command line can be read in several ways when a pack does not know whether an option takes a value, or when a word
  is unknown. A rule that fits **any** reading fits; a command is harmless only when **every** reading is.
- Nothing but the path decides which subcommand it is: an argument never disarms a rule. A harmless path switches off
  only rules with a wildcard path, and only when its verb stands at or before theirs.
- A help option counts only as a word of its own, a dry run only with a value that the program takes for one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from askfirst.rules.patterns import Option, OptionPattern, Path, Pattern, option_patterns, path, pattern
from askfirst.shell.command import HOLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from askfirst.rules.schema import Program, Rule
    from askfirst.shell.command import Command, Stream, Word

_VERSION = frozenset({"--version", "-v", "-V", "-version"})
"""Help options that elsewhere take a value: ``--version 3`` names the version to delete."""
_TRUE = frozenset({"true", "1", "t", "yes"})


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a command line: the words that are no options, and the options."""

    words: tuple[Word, ...]
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A data rule, ready to be tested."""

    rule: Rule
    paths: tuple[Path, ...]
    operands: tuple[Pattern, ...]
    any_operand: tuple[Pattern, ...]
    not_operand: tuple[Pattern, ...]
    options_any: tuple[OptionPattern, ...]
    options_all: tuple[tuple[OptionPattern, ...], ...]
    options_none: tuple[OptionPattern, ...]
    stdin: tuple[Pattern, ...]

    @classmethod
    def of(cls, rule: Rule) -> CompiledRule:
        """Compile every pattern of the rule."""
        return cls(
            rule,
            tuple(path(source) for source in rule.subcommand),
            tuple(pattern(source) for source in rule.operands),
            tuple(pattern(source) for source in rule.any_operand),
            tuple(pattern(source) for source in rule.not_operand),
            option_patterns(rule.options_any),
            tuple(option_patterns([source]) for source in rule.options_all),
            option_patterns(rule.options_none),
            tuple(pattern(source) for source in rule.stdin),
        )

    def reads(self, stdin: Stream) -> bool:
        """Whether a line of the input is meant; input that is not known is."""
        if not self.stdin or stdin.kind not in {"none", "text"}:
            return True
        return any(wanted.matches(line.strip()) for line in stdin.text.splitlines() for wanted in self.stdin)

    def operands_in(self, reading: Reading, harmless_at: int | None) -> tuple[Word, ...] | None:
        """The operands behind the path when the rule fits this reading, else ``None``.

        Args:
            reading: the command line.
            harmless_at: where a harmless path ends in it, ``None`` when there is none.
        """
        if not self._options_fit(reading.options):
            return None
        for candidate in self.paths or (_EVERYTHING,):
            end = candidate.end(reading.words)
            if end is None or (candidate.is_generic and harmless_at is not None and harmless_at <= end):
                continue
            operands = reading.words[end:]
            if self._operands_fit(operands):
                return operands
        return None

    def _options_fit(self, options: tuple[Option, ...]) -> bool:
        if self.options_any and not _given(self.options_any, options):
            return False
        return all(_given(wanted, options) for wanted in self.options_all) and not any(
            unwanted.matches(option) for unwanted in self.options_none for option in options
        )

    def _operands_fit(self, operands: tuple[Word, ...]) -> bool:
        if len(operands) < len(self.operands):
            return False
        if not all(_is_meant(wanted, word) for wanted, word in zip(self.operands, operands, strict=False)):
            return False
        targets = [word for word in operands if not any(harmless.matches(word.text) for harmless in self.not_operand)]
        if not self.any_operand:
            return bool(targets) or not self.not_operand
        return any(_is_meant(wanted, word) for wanted in self.any_operand for word in targets)


def _is_meant(wanted: Pattern, word: Word) -> bool:
    """Whether the operand is meant; an unknown list also by its source: ``$(docker ps -q)``, or ``…`` below xargs."""
    return wanted.matches(word.text) or (
        word.text == HOLE and word.shown.startswith(("$(", "`", "…")) and wanted.matches(word.shown)
    )


def _given(wanted: tuple[OptionPattern, ...], options: tuple[Option, ...]) -> bool:
    return any(alternative.matches(option) for alternative in wanted for option in options)


_EVERYTHING = path("")


class Syntax:
    """How one program reads its command line, and the rules for it; compiled once."""

    def __init__(self, program: Program, rules: Iterable[Rule]) -> None:
        self.program = program
        self.rules = tuple(CompiledRule.of(rule) for rule in rules)
        self._help = program.help_options
        self._dry_run = option_patterns(sorted(program.dry_run))
        sources = (*program.help_options, *(name for each in program.dry_run for name in each.split("|")))
        self._exempting_words = frozenset(name for name in sources if not name.startswith("-"))
        self._passes_on = tuple(path(source) for source in program.passes_on)
        self._harmless = tuple(path(source) for source in program.harmless)
        valued, flags = _arity(rule for rule in rules)
        self._valued = program.value_options | valued
        exempting = {name for source in program.dry_run for name in source.split("|")}
        exempting |= program.help_options - _VERSION
        self._flags = (flags | exempting) - self._valued
        self._never_open = {name for name in self._flags if name.startswith("--") or name in exempting}

    def fitting(self, command: Command) -> Iterator[tuple[Rule, tuple[Word, ...], tuple[Word, ...]]]:
        """Each rule that fits a reading, with the words of its path and the operands behind it."""
        for reading in self.readings(command.args):
            if self.is_exempt(reading):
                continue
            harmless_at = self.harmless_at(reading.words)
            for rule in self.rules:
                operands = rule.operands_in(reading, harmless_at)
                if operands is not None and rule.reads(command.stdin):
                    yield rule.rule, reading.words[: len(reading.words) - len(operands)], operands

    def is_harmless(self, args: tuple[Word, ...]) -> bool:
        """Whether every reading is exempt, or takes a harmless path of known words.

        What a program that runs others is told about help or a dry run may be meant for the other one.
        """
        return all(
            (self.is_exempt(reading) and not self.program.runs) or self._is_known_path(reading.words)
            for reading in self.readings(args)
        )

    def _is_known_path(self, words: tuple[Word, ...]) -> bool:
        end = self.harmless_at(words)
        return end is not None and all(word.known for word in words[:end])

    def readings(self, args: tuple[Word, ...]) -> tuple[Reading, ...]:
        """Every way to read the arguments, the plainest first."""
        readings = [self._read(args, greedy=False)]
        if any(option.value is None for option in readings[0].options):
            readings.append(self._read(args, greedy=True))
        readings += [
            Reading(tuple(word for word in reading.words if word.text != HOLE), reading.options)
            for reading in readings
            if any(word.text == HOLE for word in reading.words)
        ]
        return tuple(readings)

    def is_exempt(self, reading: Reading) -> bool:
        """Whether it only shows help, or only says what it would do."""
        return (
            any(option.name in self._help and option.value is None and option.alone for option in reading.options)
            or any(self._is_dry(wanted, reading.options) for wanted in self._dry_run)
            or (bool(self._exempting_words) and any(word.text in self._exempting_words for word in reading.words))
        )

    @staticmethod
    def _is_dry(wanted: OptionPattern, options: tuple[Option, ...]) -> bool:
        """Whether the last option of this name says so: ``--dry-run=client --dry-run=none`` does it."""
        named = [option for option in options if wanted.name.matches(option.name)]
        if not named:
            return False
        value = named[-1].value
        if wanted.value is None:
            return value is None or value.lower() in _TRUE
        return value is not None and wanted.value.matches(value)

    def harmless_at(self, words: tuple[Word, ...]) -> int | None:
        """How many words the shortest harmless path takes up, ``None`` when none matches."""
        return min((end for known in self._harmless if (end := known.end(words)) is not None), default=None)

    def _read(self, args: tuple[Word, ...], *, greedy: bool) -> Reading:
        """Split into words and options; ``greedy`` lets an option of unknown arity take the next plain word."""
        words: list[Word] = []
        options: list[Option] = []
        index = 0
        while index < len(args):
            text = args[index].text
            index += 1
            if text == "--":
                words += args[index:]
                break
            if len(text) < len("-x") or text[0] != "-":
                words.append(args[index - 1])
                if self._passes_on and any(end.end(tuple(words)) == len(words) for end in self._passes_on):
                    words += args[index:]
                    break
                continue
            following = args[index].text if index < len(args) else None
            given, takes_next = self._options_of(text, following)
            if greedy and not takes_next and following and not following.startswith("-") and self._is_open(given):
                given[-1] = replace(given[-1], value=following)
                takes_next = True
            options += given
            index += takes_next
        return Reading(tuple(words), tuple(options))

    def _is_open(self, given: list[Option]) -> bool:
        """Whether the last option of a word may take the next word, as far as the pack knows."""
        return given[-1].value is None and given[0].name not in self._never_open

    def _options_of(self, text: str, following: str | None) -> tuple[list[Option], bool]:
        """The options in one word, and whether the last one takes the next word as its value."""
        name, equals, value = text.partition("=")
        if name in self._valued:
            return [Option(name, value if equals else following)], not equals
        given = [Option(name, value if equals else None)]
        if text.startswith("--") or len(name) == len("-x") or name in self._flags:
            return given, False
        for index, letter in enumerate(text[1:], start=len("-x")):
            if f"-{letter}" in self._valued:
                attached = text[index:].removeprefix("=")
                given.append(Option(f"-{letter}", attached or following, alone=False))
                return given, not attached
            given.append(Option(f"-{letter}", None, alone=False))
        return given, False


def _arity(rules: Iterable[Rule]) -> tuple[frozenset[str], frozenset[str]]:
    """Option names that rules give a value to, and those that they name without one."""
    valued: set[str] = set()
    flags: set[str] = set()
    for rule in rules:
        for source in (*rule.options_any, *rule.options_all):
            for alternative in source.split("|"):
                name, equals, _ = alternative.partition("=")
                (valued if equals else flags).add(name)
    return frozenset(valued), frozenset(flags)
