"""The rule book: every rule of every pack, and what the data rules say about a command."""

from __future__ import annotations

import dataclasses
import functools
import posixpath
import re
import shlex
from collections import defaultdict
from typing import TYPE_CHECKING, Final, Literal

from askfirst.effects import Effect, Risk
from askfirst.errors import ConfigError
from askfirst.rules import load
from askfirst.rules.match import Syntax
from askfirst.rules.patterns import pattern
from askfirst.rules.schema import Program
from askfirst.shell.command import HOLE
from askfirst.shell.options import clipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from askfirst.rules.patterns import Pattern
    from askfirst.rules.schema import Pack, Rule
    from askfirst.shell.command import Command, Word

Standing = Literal["harmless", "known", "unknown"]
"""What the packs know of a command: nothing to fear, its program, or not even that."""

_PLAIN_GLOB: Final = re.compile(r"[\w@%+=:,./*?\[\]-]+", re.ASCII)
_SWITCHED_OFF: Final = "the rule is switched off by configuration"


class RuleBook:
    """Rules by id and by program. Immutable once built; matching has no side effect but compiling on first use."""

    def __init__(self, packs: Iterable[Pack], *, disabled: Iterable[str] = (), enabled: Iterable[str] = ()) -> None:
        """Take the rules of all packs; ``disabled`` and ``enabled`` name packs or rules.

        Raises:
            ConfigError: a name is neither a pack nor a rule, or programs of the packs contradict each other.
        """
        packs = tuple(packs)
        load.require_consistent(packs)
        self._rules: dict[str, Rule] = {rule.id: rule for pack in packs for rule in pack.rules}
        self._live = _live(packs, frozenset(disabled), frozenset(enabled))
        self._programs = _merged(program for pack in packs for program in pack.programs)
        self._names, self._globs = _names(self._programs)
        self._by_program: dict[str, list[Rule]] = defaultdict(list)
        for rule in self._rules.values():
            if not rule.handler and rule.id in self._live:
                self._by_program[rule.program].append(rule)
        self._cache: dict[str, Syntax] = {}

    @classmethod
    def load(cls, *, disabled: Iterable[str] = (), enabled: Iterable[str] = ()) -> RuleBook:
        """The book of the packs that come with the program.

        Args:
            disabled: ids of packs or rules to switch off.
            enabled: ids of packs or rules to switch on; stronger than ``disabled`` where more specific.

        Raises:
            ConfigError: a pack breaks the schema, or a name is unknown.
        """
        return _loaded(frozenset(disabled), frozenset(enabled))

    @property
    def rules(self) -> Mapping[str, Rule]:
        """Every rule by id, also those that are switched off."""
        return self._rules

    def match(self, command: Command) -> list[Effect]:
        """What the data rules find in the command, gravest first."""
        found: dict[str, Effect] = {}
        for asked in (command, *self._run_by(command)):
            for syntax in self._syntaxes(asked):
                for rule, path, operands in syntax.fitting(asked):
                    found.setdefault(rule.id, _found(rule, asked, path, operands))
        return sorted(found.values(), key=lambda effect: -effect.risk)

    def knows(self, name: str) -> bool:
        """Whether a pack is about the program of this base name."""
        return name in self._names or any(glob.matches(name) for glob, _ in self._globs)

    def standing(self, command: Command) -> Standing:
        """Whether the packs know the command to be harmless, know its program, or do not know it at all.

        Harmless is said only of a command in which no rule was found, every reading of which is harmless, and whose
        subcommand is known to the letter.
        """
        syntaxes = self._syntaxes(command)
        if not syntaxes:
            return "unknown"
        if all(syntax.is_harmless(command.args) for syntax in syntaxes) and not self.match(command):
            return "harmless"
        return "known"

    def effect(  # keyword-only; the contract of every handler
        self,
        rule_id: str,
        command: Command,
        *,
        target: str,
        risk: Risk | None = None,
        reversible: bool | None = None,
        facts: tuple[str, ...] = (),
        suggestion: str | None = None,
        **values: str,
    ) -> Effect:
        """The effect that a handler found, in the words of the rule.

        A rule that is switched off still yields its effect, at MEDIUM at most: recorded, not asked about.

        Args:
            rule_id: e.g. ``git.reset-hard``.
            command: where it was found.
            target: what is hit.
            risk: instead of the rule's.
            reversible: instead of the rule's.
            facts: what was looked up, as short sentences.
            suggestion: instead of the rule's, ready to run.
            values: for the braces of the rule's loss and suggestion, beside ``target``; quoted as one word in the
                suggestion.

        Raises:
            KeyError: no rule has this id, or its loss names a value that was not given.
        """
        rule = self._rules[rule_id]
        values = {"target": target} | values
        if suggestion is None:
            suggestion = _filled(rule.suggestion, {name: shlex.quote(value) for name, value in values.items()})
        effect = _effect(rule, command, target, rule.loss.format_map(values), suggestion)
        is_live = rule_id in self._live
        risk = rule.risk if risk is None else risk
        return dataclasses.replace(
            effect,
            risk=risk if is_live else min(risk, Risk.MEDIUM),
            reversible=rule.reversible if reversible is None else reversible,
            facts=facts if is_live else (*facts, _SWITCHED_OFF),
        )

    def _run_by(self, command: Command) -> Iterator[Command]:
        """The program of the packs that the first word names, where the program runs such: ``pnpm vercel --prod``."""
        for syntax in self._syntaxes(command):
            words = syntax.readings(command.args)[0].words if syntax.program.runs else ()
            if words and self._owners(words[0]):
                start = next(index for index, word in enumerate(command.argv) if word is words[0])
                yield dataclasses.replace(command, argv=command.argv[start:])

    def _syntaxes(self, command: Command) -> list[Syntax]:
        """The programs that go by this name: ``copilot`` is two."""
        return [self._compiled(owner) for owner in self._owners(command.argv[0])]

    def _owners(self, first: Word) -> list[str]:
        """Programs that the first word names: by path, as ``x.exe``, or as a package, ``@railway/cli@latest``."""
        if not first.known:
            return []
        package = first.text[:1] + first.text[1:].partition("@")[0]
        base = posixpath.basename(package).removesuffix(".exe")
        owners = self._names.get(package) or self._names.get(base)
        return owners or [owner for glob, owner in self._globs if glob.matches(base)]

    def _compiled(self, owner: str) -> Syntax:
        if owner not in self._cache:
            self._cache[owner] = Syntax(self._programs[owner], self._by_program[owner])
        return self._cache[owner]


def _found(rule: Rule, command: Command, path: tuple[Word, ...], operands: tuple[Word, ...]) -> Effect:
    """The effect of a data rule: its words filled from the command line."""
    parts = {"subcommand": path, "operands": operands}
    parts |= {f"operand{number}": (word,) for number, word in enumerate(operands[:9], start=1)}
    shown = {name: clipped(" ".join(word.shown or word.text for word in words)) for name, words in parts.items()}
    quoted = {name: " ".join(map(_quoted, words)) for name, words in parts.items()}
    program = {"program": command.program}
    loss = " ".join(rule.loss.format_map(_Blank(program | shown)).split())
    target = shown["operands"] or shown["subcommand"] or command.program
    return _effect(rule, command, target, loss, _filled(rule.suggestion, program | quoted))


def _effect(rule: Rule, command: Command, target: str, loss: str, suggestion: str) -> Effect:
    return Effect(
        rule=rule.id,
        kind=rule.kind,
        risk=rule.risk,
        reversible=rule.reversible,
        target=target,
        loss=loss,
        suggestion=suggestion,
        span=command.span,
        command=command.shown,
        via=command.via,
        cwd="" if command.where or command.cwd is None else command.cwd,
    )


@functools.cache
def _loaded(disabled: frozenset[str], enabled: frozenset[str]) -> RuleBook:
    return RuleBook(load.packs(load.sources()), disabled=disabled, enabled=enabled)


def _live(packs: tuple[Pack, ...], disabled: frozenset[str], enabled: frozenset[str]) -> frozenset[str]:
    """Ids of the rules that are switched on: a word about the rule beats one about its pack."""
    known = {pack.id for pack in packs} | {rule.id for pack in packs for rule in pack.rules}
    for name in sorted(disabled | enabled):
        if name not in known:
            raise ConfigError(f"no rule pack and no rule is called {name!r}{load.nearest(name, known)}")
    return frozenset(
        rule.id
        for pack in packs
        for rule in pack.rules
        if rule.id in enabled
        or (rule.id not in disabled and (pack.id in enabled or (pack.enabled and pack.id not in disabled)))
    )


def _merged(programs: Iterable[Program]) -> dict[str, Program]:
    """One program a name, with everything that the packs say about it."""
    merged: dict[str, Program] = {}
    for program in programs:
        known = merged.get(program.name)
        merged[program.name] = program if known is None else _joined(known, program)
    return merged


def _joined(first: Program, second: Program) -> Program:
    usual = Program(name="").help_options
    own = {program.help_options for program in (first, second)} - {usual}
    if len(own) > 1:
        raise ConfigError(f"packs disagree about the help options of {first.name}, expected one list")
    return Program(
        name=first.name,
        aliases=(*first.aliases, *second.aliases),
        value_options=first.value_options | second.value_options,
        help_options=own.pop() if own else usual,
        dry_run=first.dry_run | second.dry_run,
        harmless=(*first.harmless, *second.harmless),
        runs=first.runs or second.runs,
        passes_on=(*first.passes_on, *second.passes_on),
    )


def _names(programs: Mapping[str, Program]) -> tuple[dict[str, list[str]], tuple[tuple[Pattern, str], ...]]:
    """Base name to programs, for plain names and for patterns."""
    names: dict[str, list[str]] = defaultdict(list)
    globs: list[tuple[Pattern, str]] = []
    for program in programs.values():
        for name in dict.fromkeys((program.name, *program.aliases)):
            if "*" in name or "?" in name:
                globs.append((pattern(name), program.name))
            else:
                names[name].append(program.name)
    return dict(names), tuple(globs)


class _Blank(dict[str, str]):
    """Values for braces; what is not there is empty."""

    def __missing__(self, key: str) -> str:
        return ""


def _filled(template: str, values: Mapping[str, str]) -> str:
    """The suggestion, or nothing when a value for it is missing or not known: half a command is no help."""
    try:
        text = template.format_map(values)
    except KeyError:
        return ""
    return "" if HOLE in text else text


def _quoted(word: Word) -> str:
    """The word as one could type it; an unknown part stays a hole, which voids the suggestion."""
    is_plain_glob = word.glob and _PLAIN_GLOB.fullmatch(word.text)
    return word.text if is_plain_glob else shlex.quote(word.text)
