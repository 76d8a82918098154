"""The analysis of a shell command as a whole: from its text to commands, effects and one of three outcomes.

- GATE: some effect is high or critical. ALLOW: every command is understood, no effect gates. PASS: anything else.
- Nothing short-circuits: every effect of every stage is collected.
- Beyond a limit the outcome is GATE.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from askfirst.effects import Effect, EffectKind, Outcome, Risk
from askfirst.facts import UNKNOWN, Facts, NoFacts, OnlyHome
from askfirst.shell import limits, opaque, rebuilt_database
from askfirst.shell.aging import Aging
from askfirst.shell.command import HOLE, UNKNOWN_SHOWN, Stream
from askfirst.shell.evaluate import Evaluator
from askfirst.shell.execute import Execute
from askfirst.shell.handlers import HANDLERS, Registry
from askfirst.shell.harmless import is_harmless
from askfirst.shell.job import Found, Note, Place
from askfirst.shell.made_here import MadeHere
from askfirst.shell.state import State
from askfirst.shell.streams import text_stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from askfirst.rules.book import RuleBook
    from askfirst.shell.command import Command
    from askfirst.shell.findings import Findings

FALLBACK_HOME = "/home/user"
_GATED = Risk.HIGH


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A node of the tree that ``explain`` prints.

    Attributes:
        label: a wrapper (``sudo``, ``bash -c``) or, at a leaf, the command as it would run.
        span: its place in the text that the host sent.
        effects: what was found in it, gravest first.
        steps: what it runs.
    """

    label: str
    span: tuple[int, int] = (0, 0)
    effects: tuple[Effect, ...] = ()
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What was found in one shell text.

    Attributes:
        commands: every simple command that would run, wrappers too, in the order they were met.
        effects: gravest first.
        outcome: the conclusion.
        expanded: the commands as the shell would run them, ``""`` when that is the text itself.
        scripts: absolute paths of files whose text runs.
        writes: absolute path -> text of the files it would write, None where the text is not known.
        tree: for ``explain``.
    """

    commands: tuple[Command, ...] = ()
    effects: tuple[Effect, ...] = ()
    outcome: Outcome = Outcome.PASS
    expanded: str = ""
    scripts: tuple[str, ...] = ()
    writes: Mapping[str, str | None] = field(default_factory=dict)
    tree: tuple[Step, ...] = field(default=())


def analyse(
    text: str,
    *,
    cwd: str,
    facts: Facts,
    book: RuleBook,
    written: Mapping[str, str] | None = None,
    home: str = "",
    cpu_s: float = limits.MAX_CPU_S,
    registry: Registry = HANDLERS,
) -> Analysis:
    """Analyse a shell text.

    Args:
        text: what the host would hand to the shell.
        cwd: absolute working directory, ``""`` when the host did not say.
        facts: what may be asked about this machine.
        book: the rules.
        written: absolute path -> content of files that the session wrote by other tools.
        home: home directory; asked from ``facts`` when empty.
        cpu_s: processor time for the pure part, seconds.
        registry: the code that finds effects.
    """
    if len(text) > limits.MAX_COMMAND_CHARS:
        return _refused(text, f"it is longer than {limits.MAX_COMMAND_CHARS} characters")
    if not home:
        asked = facts.home()
        home = FALLBACK_HOME if asked is UNKNOWN else asked
    if type(facts) is NoFacts:  # not one that knows something
        facts = OnlyHome(home, cwd)
    budget = limits.Budget()
    budget.start(cpu_s)
    evaluator = Evaluator(text, facts, budget, Execute, book.knows)
    before = {path: text_stream(content) for path, content in (written or {}).items()}
    files = dict(before)
    try:
        evaluator.script(text, Place(), State(cwd=cwd or None, home=home, files=files))
    except limits.LimitError as limit:
        evaluator.found.notes.append(Note("limits", (0, len(text)), limit.reason, _short(text)))
    judge = _Judge(Aging(facts), book, registry, cwd, MadeHere(facts))
    found = _concluded(text, evaluator.found, tuple(evaluator.files.scripts), judge, budget)
    return replace(found, writes={path: _text(now) for path, now in files.items() if now != before.get(path)})


def _text(stream: Stream) -> str | None:
    return stream.text if stream.kind == "text" and HOLE not in stream.text else None


def _refused(text: str, reason: str) -> Analysis:
    effect = opaque.effect(Note("limits", (0, len(text)), reason, _short(text)))
    return Analysis(effects=(effect,), outcome=Outcome.GATE, tree=(Step(label=_short(text), effects=(effect,)),))


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:199]}…"


@dataclass(frozen=True, slots=True)
class _Judge:
    """Finds effects and says what is understood."""

    facts: Aging
    book: RuleBook
    registry: Registry
    origin: str
    made: MadeHere

    def effects(self, command: Command, *, runs: bool) -> tuple[Effect, ...]:
        """The effects of the next command of the line; ``runs``: all that it does is to run others."""
        placed = replace(command, origin=self.origin)
        found = tuple(self.registry.effects(placed, self.facts, self.book, runs=runs))
        found = rebuilt_database.graded(placed, self.made.graded(placed, found))
        self.facts.ran(command)
        self.made.ran(command)
        return found

    def code(self, command: Command, findings: Findings) -> tuple[Effect, ...]:
        """The effects of program code that are no commands."""
        return tuple(one for handler in self.registry.code for one in handler(findings, command, self.book))

    def line(self, found: Found) -> Iterable[Effect]:
        """The effects that show only in the whole line."""
        commands = [command for command, _ in found.commands]
        for handler in self.registry.lines:
            yield from handler(commands, [findings for _, findings in found.code], self.book)

    def is_understood(self, command: Command) -> bool:
        """Whether nothing about the command is left open: what it has no effect for, it does not do."""
        if command.program in self.registry.understood:
            return all(word.known for word in command.argv)
        standing = self.book.standing(command)
        return standing == "harmless" or (standing == "unknown" and is_harmless(command))


def _concluded(text: str, found: Found, scripts: tuple[str, ...], judge: _Judge, budget: limits.Budget) -> Analysis:
    notes = list(found.notes)
    if not found.clean:
        notes.append(Note("unparsed", (0, len(text)), "", text))
    in_time = itertools.takewhile(lambda pair: budget.may_judge(pair[0]), enumerate(found.commands))
    judged = [(command, runs, judge.effects(command, runs=runs)) for _, (command, runs) in in_time]
    if len(judged) < len(found.commands):
        notes.append(Note("limits", (0, len(text)), "it has too many commands to be judged in time", _short(text)))
    code = [(command, True, judge.code(command, findings)) for command, findings in found.code]
    loose = [*(opaque.effect(note) for note in notes), *judge.line(found)]
    effects = _sorted([*(one for _, _, own in judged + code for one in own), *loose])
    gated = any(effect.risk >= _GATED for effect in effects)
    opaque_found = notes or any(effect.kind is EffectKind.OPAQUE for effect in effects)
    understood = not opaque_found and all(runs or judge.is_understood(command) for command, runs in found.commands)
    return Analysis(
        commands=tuple(command for command, _ in found.commands),
        effects=effects,
        outcome=Outcome.GATE if gated else Outcome.ALLOW if understood else Outcome.PASS,
        expanded=_expanded(text, [command for command, runs in found.commands if not runs]),
        scripts=scripts,
        tree=_tree(judged + code, loose),
    )


def _sorted(effects: Iterable[Effect]) -> tuple[Effect, ...]:
    """Gravest first; of several that say the same of one place only the gravest."""
    unique: dict[tuple[object, ...], Effect] = {}
    for effect in map(_legible, effects):
        pack = effect.rule.partition(".")[0]
        key = (pack, effect.kind, effect.target, effect.span, effect.via)
        known = unique.get(key)
        if known is None or effect.risk > known.risk:
            unique[key] = effect
    return tuple(sorted(unique.values(), key=lambda effect: -effect.risk))


def _legible(effect: Effect) -> Effect:
    """The effect in words for people: what is unknown is called so, and no suggestion has a gap in it."""
    if HOLE not in f"{effect.target}{effect.loss}{effect.command}{effect.suggestion}{effect.via}{effect.facts}":
        return effect
    return replace(
        effect,
        target=_named(effect.target),
        loss=_named(effect.loss),
        command=_named(effect.command),
        suggestion="" if HOLE in effect.suggestion else effect.suggestion,
        via=tuple(map(_named, effect.via)),
        facts=tuple(map(_named, effect.facts)),
    )


def _named(text: str) -> str:
    return text.replace(HOLE, UNKNOWN_SHOWN)


def _expanded(text: str, commands: list[Command]) -> str:
    shown = "\n".join(dict.fromkeys(command.shown for command in commands))
    return "" if shown.split() == text.split() else shown


def _tree(judged: list[tuple[Command, bool, tuple[Effect, ...]]], loose: list[Effect]) -> tuple[Step, ...]:
    """The commands under the wrappers that they were found in."""
    leaves = [
        (c.via, Step(label=c.shown, span=c.span, effects=_sorted(own))) for c, runs, own in judged if own or not runs
    ]
    leaves += [(effect.via, Step(label=effect.command, span=effect.span, effects=(effect,))) for effect in loose]
    return _grouped(leaves)


def _grouped(leaves: list[tuple[tuple[str, ...], Step]]) -> tuple[Step, ...]:
    out: list[Step] = []
    pending: list[tuple[tuple[str, ...], Step]] = []
    label = ""

    def close() -> None:
        if pending:
            inner = _grouped(pending)
            out.append(Step(label=label, span=(inner[0].span[0], inner[-1].span[1]), steps=inner))
            pending.clear()

    for via, step in leaves:
        if not via:
            close()
            out.append(step)
            continue
        if _named(via[0]) != label:
            close()
            label = _named(via[0])
        pending.append((via[1:], step))
    close()
    return tuple(out)
