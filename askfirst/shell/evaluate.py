"""Runs shell text in the mind: statements in order, with state, streams and files, down to simple commands.

Nothing is executed and nothing is read but through the ``Facts`` port. Every branch and every loop value counts;
what cannot be told becomes a ``HOLE``. The evaluator decides nothing: it lists the commands and what stayed opaque.
"""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from askfirst.shell.command import HOLE, Command, Stream, Word
from askfirst.shell.escapes import inside_variables
from askfirst.shell.expand import Expander, unmark
from askfirst.shell.job import Found, Job, Note, Place, Scope
from askfirst.shell.known_files import KnownFiles
from askfirst.shell.limits import Budget, LimitError, require_parsable
from askfirst.shell.parse import parse
from askfirst.shell.redirects import resolve, send
from askfirst.shell.source import DECODED, NETWORK, Source, prepare
from askfirst.shell.state import Function, State
from askfirst.shell.streams import NOTHING, UNKNOWN, concatenate
from askfirst.shell.syntax import (
    Case,
    Define,
    For,
    Group,
    If,
    Node,
    Pipeline,
    Redirected,
    Sequence,
    Simple,
    Test,
    While,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from askfirst.facts import Facts
    from askfirst.shell.execute import Execute
    from askfirst.shell.syntax import Assignment, Range

MAX_COMBINATIONS = 64
_DECLARING = frozenset({"declare", "typeset", "local", "export", "readonly"})


class Evaluator:
    """One analysis of one text.

    Attributes:
        facts: what may be asked about this machine.
        budget: what is left of the limits.
        knows: whether a rule is about the program of this name.
        files: what is known to be in files.
        found: what was collected.
        active: functions and aliases that are running.
        piped: number of pipelines around the current statement.
    """

    def __init__(
        self,
        text: str,
        facts: Facts,
        budget: Budget,
        execute: type[Execute],
        knows: Callable[[str], bool] = frozenset[str]().__contains__,
    ) -> None:
        self.root = text
        self.facts = facts
        self.budget = budget
        self.knows = knows
        self.files = KnownFiles(facts)
        self.found = Found()
        self.active: list[str] = []
        self.piped = 0
        self._executor = execute(self)
        self._trees: dict[tuple[int, Range], tuple[Source, Sequence]] = {}

    # -- texts -------------------------------------------------------------------------------------------------------

    def script(self, text: str, place: Place, state: State, stdin: Stream = NOTHING) -> Stream:
        """Run a shell text, then the traps it has set; what it prints."""
        if not text.strip():
            return NOTHING
        self.budget.depth -= 1
        try:
            if self.budget.depth < 0:
                raise LimitError("texts are nested too deeply in it")
            source = prepare(text, inner=place.base != 0 or bool(place.via))
            require_parsable(source.code)
            out = self.range((0, len(source.code)), Scope(source, place, state, stdin))
            while state.traps:
                trap, span = state.traps.pop(0)
                self.script(trap, self.nested(trap, span, place, "trap"), state)
            return out
        finally:
            self.budget.depth += 1

    def range(self, where: Range, scope: Scope) -> Stream:
        """Run a range of a prepared text; what it prints."""
        source = scope.source
        key = (id(source), where)
        if key not in self._trees:
            tree = parse(source, *where)
            self._trees[key] = (source, tree.body)
            self.found.clean = self.found.clean and tree.clean and source.closed
            if tree.too_deep:
                self.note("limits", scope.locate(where), "statements are nested too deeply in it", scope.place)
        return self.run(self._trees[key][1], scope)

    def nested(self, text: str, span: Range, place: Place, label: str, *, where: str = "") -> Place:
        """The place of a text that is a word of a command."""
        base = None
        if span != (0, 0) and text and HOLE not in text:
            at = self.root.find(text, span[0], span[1])
            base = at if at >= 0 else None
        return Place(base, span, where or place.where, (*place.via, label))

    # -- results -----------------------------------------------------------------------------------------------------

    def note(self, code: str, span: Range, detail: str, place: Place, command: str = "") -> None:
        """Remember something opaque."""
        self.found.notes.append(Note(code, span, unmark(detail), unmark(command), place.via))

    def emit(self, job: Job, *, runs: bool) -> None:
        """List a command; ``runs``: it only runs another one, which is listed too."""
        self.found.commands.append((self.command(job), runs))

    @staticmethod
    def command(job: Job) -> Command:
        """The command as rules see it."""
        exported = {
            name: Word(text=unmark(one.values[0]))
            for name, one in job.state.variables.items()
            if one.exported and one.values
        }
        return Command(
            argv=tuple(_clean(word) for word in job.argv),
            cwd=job.state.cwd,
            env=exported | {name: _clean(word) for name, word in job.env.items()},
            redirects=tuple(replace(one, target=_clean(one.target)) for one in job.redirects),
            stdin=replace(job.stdin, text=unmark(job.stdin.text)),
            where=job.place.where,
            via=job.place.via,
            span=job.span,
        )

    # -- statements --------------------------------------------------------------------------------------------------

    @contextmanager
    def frame(self) -> Iterator[None]:
        """One level deeper; LimitError beyond the last one."""
        self.budget.frames -= 1
        try:
            if self.budget.frames < 0:
                raise LimitError("commands are nested too deeply in it")
            yield
        finally:
            self.budget.frames += 1

    def run(self, node: Node, scope: Scope) -> Stream:
        """Run one statement; what it prints."""
        with self.frame():
            return _STATEMENTS[type(node)](self, node, scope)

    def expander(self, scope: Scope) -> Expander:
        """Expands the words of a scope."""
        return Expander(scope.source, scope.state, _InWords(self, scope), scope.locate)

    def pipeline_(self, node: Pipeline, scope: Scope) -> Stream:
        """Each stage in a shell of its own reads what the one before prints."""
        stream = scope.stdin
        self.piped += 1
        for index, stage in enumerate(node.stages):
            stream = self.run(stage, replace(scope, state=scope.state.copy(), stdin=stream))
            if stream.kind == "none" and index < len(node.stages) - 1:
                stream = UNKNOWN
        self.piped -= 1
        return stream

    def sequence_(self, node: Sequence, scope: Scope) -> Stream:
        """One statement after the other, all of them."""
        out = []
        for operator, item in node.items:
            if operator == "||":
                other = scope.state.copy()
                out.append(self.run(item, replace(scope, state=other)))
                other.cwd = scope.state.cwd  # `cd x || exit`: what follows runs where the left side went
                scope.state.merge([other], also_self=True)
            else:
                out.append(self.run(item, scope))
        return concatenate(out)

    def if_(self, node: If, scope: Scope) -> Stream:
        """Every branch; what follows may come from any."""
        out: list[Stream] = []
        ends: list[State] = []
        for condition, body in node.branches:
            if condition is not None:
                self.run(condition, scope)
            ends.append(scope.state.copy())
            out.append(self.run(body, replace(scope, state=ends[-1])))
        scope.state.merge(ends, also_self=node.branches[-1][0] is not None)
        return concatenate(out)

    def for_(self, node: For, scope: Scope) -> Stream:
        """The body, with every value at once."""
        values = list(scope.state.positionals)
        if node.values is not None:
            values = [word.text for word in self.expander(scope).words(node.values)]
        if not values:
            return NOTHING
        scope.state.assign(node.name, values, names=True)
        return self._twice(node.body, scope)

    def while_(self, node: While, scope: Scope) -> Stream:
        """The condition, then the body."""
        self.run(node.condition, scope)
        return self._twice(node.body, scope)

    def _twice(self, body: Node, scope: Scope) -> Stream:
        """A loop body: once more when it changed a variable, so that the next round sees the new value."""
        before = dict(scope.state.variables)
        out = self.run(body, scope)
        now = scope.state.variables
        if any(now.get(name) is not one for name, one in before.items()):
            out = self.run(body, scope)
        return out

    def case_(self, node: Case, scope: Scope) -> Stream:
        """Every arm; what follows may come from any, or from none."""
        self.expander(scope).text(node.subject)
        out: list[Stream] = []
        ends: list[State] = []
        for patterns, body in node.arms:
            branch = replace(scope, state=scope.state.copy())
            for pattern in patterns:
                self.expander(branch).text(pattern)
            out.append(self.run(body, branch))
            ends.append(branch.state)
        scope.state.merge(ends, also_self=True)
        return concatenate(out)

    def group_(self, node: Group, scope: Scope) -> Stream:
        """The body, in a shell of its own in round brackets."""
        return self.run(node.body, replace(scope, state=scope.state.copy()) if node.subshell else scope)

    def define_(self, node: Define, scope: Scope) -> Stream:
        """Remember a function."""
        scope.state.functions[node.name] = Function(scope.source, node.body, scope.place)
        return NOTHING

    def redirected_(self, node: Redirected, scope: Scope) -> Stream:
        """A compound statement with redirections."""
        redirects, stdin = resolve(self, node.redirects, scope)
        inside = replace(scope, stdin=stdin)
        if not redirects:
            return self.run(node.body, inside)
        job = Job([], scope.state, scope.place, redirects[0].target.span, redirects=redirects)
        self._only_redirects(job)
        return send(self, job, self.run(node.body, inside))

    def test_(self, node: Test, scope: Scope) -> Stream:
        """Only what is substituted into a test runs."""
        self.expander(scope).run_inside(node.range)
        return NOTHING

    # -- simple commands ---------------------------------------------------------------------------------------------

    def simple_(self, node: Simple, scope: Scope) -> Stream:
        """A simple command, once for each combination of the values that its variables may have."""
        first = self.expander(scope)
        out = [self._once(node, scope, first)]
        if not first.widths:
            return out[0]
        names = list(first.widths)
        combinations = itertools.product(*(range(first.widths[name]) for name in names))
        for combination in itertools.islice(combinations, 1, MAX_COMBINATIONS):
            expander = self.expander(scope)
            expander.choice = dict(zip(names, combination, strict=True))
            out.append(self._once(node, scope, expander, again=True))
        if next(combinations, None) is not None:  # too many: once more with any values
            anything = replace(scope, state=scope.state.copy())
            for name in names:
                anything.state.assign(name, [HOLE])
            out.append(self._once(node, anything, self.expander(anything)))
        return concatenate(dict.fromkeys(out))

    def _once(self, node: Simple, scope: Scope, expander: Expander, *, again: bool = False) -> Stream:
        self.budget.spend()
        state = scope.state
        argv = expander.words(node.words)
        lasting = not argv or argv[0].text in _DECLARING
        env: dict[str, Word] = {}
        for one in node.assignments:
            if one.element:
                expander.run_inside(one.element)
            text, elements = _assigned(one, expander)
            env[one.name] = Word(text=text, shown=text)
            if lasting:
                _assign(state, one, text, elements, again=again)
        redirects, stdin = resolve(self, node.redirects, scope)
        job = Job(argv, state, scope.place, scope.locate(node.span), stdin, env, redirects)
        if argv:
            return send(self, job, self._executor.execute(job))
        if redirects:
            self._only_redirects(job)
        for name, script in inside_variables(env):
            self.script(script.text, self.nested(script.text, job.span, scope.place, name), state.copy())
        printed = stdin if redirects and redirects[-1].operator == "<" else NOTHING  # `$(< file)`
        return send(self, job, printed)

    def _only_redirects(self, job: Job) -> None:
        """Redirections without a command of their own are listed as those of ``:``."""
        self.emit(replace(job, argv=[Word(text=":", shown=":", span=job.span)], stdin=NOTHING, env={}), runs=False)


def _assigned(one: Assignment, expander: Expander) -> tuple[str, tuple[str, ...] | None]:
    """The value, and the elements of an array."""
    if one.elements is None:
        return expander.text(one.value), None
    elements = tuple(word.text for word in expander.words(one.elements))
    return " ".join(elements), elements


def _assign(state: State, one: Assignment, text: str, elements: tuple[str, ...] | None, *, again: bool) -> None:
    old = state.variables.get(one.name)
    before = (old.elements or ()) if old else ()
    if elements is not None:
        state.assign(one.name, [text], elements=(*before, *elements) if one.append else elements)
    elif one.element:
        state.assign(one.name, [HOLE], elements=(*before, text))
    else:
        others = old.values if again and old else ()
        state.assign(one.name, (*others, text), append=one.append)


_STATEMENTS: dict[type, Callable[[Evaluator, Any, Scope], Stream]] = {
    Simple: Evaluator.simple_,
    Pipeline: Evaluator.pipeline_,
    Sequence: Evaluator.sequence_,
    If: Evaluator.if_,
    For: Evaluator.for_,
    While: Evaluator.while_,
    Case: Evaluator.case_,
    Group: Evaluator.group_,
    Define: Evaluator.define_,
    Redirected: Evaluator.redirected_,
    Test: Evaluator.test_,
}
"""How each kind of statement runs."""


def _clean(word: Word) -> Word:
    return word if word.text.isascii() else replace(word, text=unmark(word.text), shown=unmark(word.shown))


@dataclass(frozen=True, slots=True)
class _InWords:
    """Runs substitutions for the expander."""

    evaluator: Evaluator
    scope: Scope

    def capture(self, inner: Range) -> str:
        return _output(self.evaluator.range(inner, self._aside()))

    def capture_text(self, script: str, span: Range) -> str:
        place = replace(self.evaluator.nested(script, span, self.scope.place, ""), via=self.scope.place.via)
        return _output(self.evaluator.script(script, place, self.scope.state.copy()))

    def process(self, inner: Range, direction: str) -> str:
        """``<(…)`` and ``>(…)``: a path whose content is the output, or that feeds the script what is written."""
        files, scope = self.evaluator.files, self.scope
        path = f"/dev/fd/{100 + len(files.sinks) + len(scope.state.files)}"
        if direction == "<":
            scope.state.files[path] = self.evaluator.range(inner, self._aside())
        else:
            files.sinks[path] = lambda stream, state: self._feed(inner, stream, state)
        return path

    def _feed(self, inner: Range, stream: Stream, state: State) -> None:
        self.evaluator.range(inner, replace(self.scope, state=state.copy(), stdin=stream))

    def _aside(self) -> Scope:
        return replace(self.scope, state=self.scope.state.copy())


def _output(stream: Stream) -> str:
    """The output as text; files on the disk are not read for words, they may hold secrets."""
    match stream.kind:
        case "none":
            return ""
        case "text":
            return stream.text.rstrip("\n").replace("\0", "")
        case "network":
            return HOLE + NETWORK
        case "decoded":
            return HOLE + DECODED
        case _:
            return HOLE
