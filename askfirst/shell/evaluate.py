"""Runs shell text in the mind: statements in order, with state, streams and files, down to simple commands.

Nothing is executed and nothing is read but through the ``Facts`` port. Every branch and every loop value counts;
what cannot be told becomes a ``HOLE``. The evaluator decides nothing: it lists the commands and what stayed opaque.
"""

from __future__ import annotations

import itertools
import posixpath
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from askfirst.shell.command import HOLE, Command, Redirect, Stream, Word
from askfirst.shell.expand import Expander, unmark
from askfirst.shell.limits import MAX_SCRIPT_BYTES, Budget, LimitError, require_parsable
from askfirst.shell.parse import parse
from askfirst.shell.source import DECODED as DECODED_MARK
from askfirst.shell.source import HEREDOC, HEREDOC_END, HERESTRING, NETWORK, READ_WRITE, Source, prepare
from askfirst.shell.state import Callable, State
from askfirst.shell.streams import NOTHING, UNKNOWN, concatenate, text_stream
from askfirst.shell.syntax import (
    Case,
    For,
    Function,
    Group,
    If,
    Node,
    Pipeline,
    Redirected,
    Redirection,
    Sequence,
    Simple,
    Test,
    While,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from askfirst.facts import Facts
    from askfirst.shell.execute import Execute
    from askfirst.shell.findings import Findings
    from askfirst.shell.syntax import Assignment, Range

MAX_COMBINATIONS = 64
_WRITES = frozenset({">", ">>", ">|", "&>", "&>>", ">&"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands: how to map its offsets, and what it was found under.

    Attributes:
        base: offset of the text in what the host sent, ``None`` when it does not stand there letter by letter.
        span: the part of what the host sent that it came from.
        where: ``""`` on this machine.
        via: wrappers, outermost first.
    """

    base: int | None = 0
    span: Range = (0, 0)
    where: str = ""
    via: tuple[str, ...] = ()

    def locate(self, source: Source, where: Range) -> Range:
        """The offsets in what the host sent."""
        if self.base is None:
            return self.span
        return self.base + source.original(where[0]), self.base + source.original(max(where[0], where[1] - 1)) + 1


@dataclass(frozen=True, slots=True)
class Job:
    """A simple command about to run.

    Attributes:
        argv: program first; words may hold marked holes.
        state: of the shell that runs it.
        place: where it stands.
        span: of the whole command.
        stdin: what it reads.
        env: assignments in front of it.
        redirects: in order.
    """

    argv: list[Word]
    state: State
    place: Place
    span: Range
    stdin: Stream = NOTHING
    env: dict[str, Word] = field(default_factory=dict)
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """Something that could not be followed, or is dangerous as such.

    Attributes:
        code: which one, see ``opaque``.
        job: the command.
        detail: what in it.
    """

    code: str
    span: Range
    detail: str
    command: str = ""
    via: tuple[str, ...] = ()


@dataclass(slots=True)
class Found:
    """What the evaluation collects.

    Attributes:
        commands: in the order they were met; with ``True`` for those that only run others.
        code: what program code does beside running commands, with the interpreter's command.
        notes: what stayed opaque.
        scripts: absolute paths of files whose text runs.
        clean: every text was parsed without an error.
    """

    commands: list[tuple[Command, bool]] = field(default_factory=list)
    code: list[tuple[Command, Findings]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    scripts: dict[str, None] = field(default_factory=dict)
    clean: bool = True


class Evaluator:
    """One analysis of one text."""

    def __init__(
        self, text: str, facts: Facts, budget: Budget, written: Mapping[str, str], execute: type[Execute]
    ) -> None:
        self.root = text
        self.facts = facts
        self.budget = budget
        self.written = written
        self.found = Found()
        self.executor = execute(self)
        self.active: list[str] = []
        self.piped = 0
        self._processes = 0
        self._sinks: dict[str, tuple[Source, Range, Place]] = {}
        self._trees: dict[tuple[int, Range], tuple[Source, Sequence]] = {}

    # -- texts -------------------------------------------------------------------------------------------------------

    def script(self, text: str, place: Place, state: State, stdin: Stream = NOTHING) -> Stream:
        """Run a shell text; what it prints."""
        if not text.strip():
            return NOTHING
        self.budget.depth -= 1
        try:
            if self.budget.depth < 0:
                raise LimitError("texts are nested too deeply in it")
            source = prepare(text, inner=place.base != 0 or bool(place.via))
            require_parsable(source.code)
            out = self.range(source, (0, len(source.code)), place, state, stdin)
            while state.traps:
                trap, span = state.traps.pop(0)
                self.script(trap, self.nested(trap, span, place, "trap"), state)
            return out
        finally:
            self.budget.depth += 1

    def range(self, source: Source, where: Range, place: Place, state: State, stdin: Stream) -> Stream:
        """Run a range of a prepared text; what it prints."""
        key = (id(source), where)
        if key not in self._trees:
            tree = parse(source, *where)
            self._trees[key] = (source, tree.body)
            self.found.clean = self.found.clean and tree.clean and source.closed
            if tree.too_deep:
                self.note("limits", place.locate(source, where), "statements are nested too deeply in it", place)
        return self.run(self._trees[key][1], source, place, state, stdin)

    def nested(self, text: str, span: Range, place: Place, label: str, *, where: str = "") -> Place:
        """The place of a text that is a word of a command."""
        base = None
        if span != (0, 0) and text and HOLE not in text:
            at = self.root.find(text, span[0], span[1])
            base = at if at >= 0 else None
        return Place(base, span, where or place.where, (*place.via, label))

    def note(self, code: str, span: Range, detail: str, place: Place, command: str = "") -> None:
        """Remember something opaque."""
        self.found.notes.append(Note(code, span, unmark(detail), unmark(command), place.via))

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

    # -- statements --------------------------------------------------------------------------------------------------

    def run(self, node: Node, source: Source, place: Place, state: State, stdin: Stream) -> Stream:
        """Run one statement; what it prints."""
        if isinstance(node, Simple):
            return self.simple(node, source, place, state, stdin)
        with self.frame():
            match node:
                case Pipeline(stages):
                    return self._pipeline(stages, source, place, state, stdin)
                case Sequence():
                    return self._sequence(node, source, place, state, stdin)
                case If(branches):
                    return self._if(branches, source, place, state, stdin)
                case For():
                    return self._for(node, source, place, state, stdin)
                case While(condition, body):
                    return self._while(condition, body, source, place, state, stdin)
                case Case():
                    return self._case(node, source, place, state, stdin)
                case Group(body, subshell):
                    return self.run(body, source, place, state.copy() if subshell else state, stdin)
                case Function(name, body):
                    state.functions[name] = Callable(source, body, place)
                    return NOTHING
                case Redirected(body, redirects):
                    return self._redirected(body, redirects, source, place, state, stdin)
                case Test(where):
                    self._expander(source, state, place).run_inside(where)
                    return NOTHING

    def _pipeline(self, stages: tuple[Node, ...], source: Source, place: Place, state: State, stdin: Stream) -> Stream:
        stream = stdin
        self.piped += 1
        for index, stage in enumerate(stages):
            stream = self.run(stage, source, place, state.copy(), stream)
            if stream.kind == "none" and index < len(stages) - 1:
                stream = UNKNOWN
        self.piped -= 1
        return stream

    def _sequence(self, node: Sequence, source: Source, place: Place, state: State, stdin: Stream) -> Stream:
        out = []
        for operator, item in node.items:
            if operator == "||":
                other = state.copy()
                out.append(self.run(item, source, place, other, stdin))
                other.cwd = state.cwd  # `cd x || exit`: what follows runs where the left side went
                state.merge([other], also_self=True)
            else:
                out.append(self.run(item, source, place, state, stdin))
        return concatenate(out)

    def _if(
        self,
        branches: tuple[tuple[Sequence | None, Sequence], ...],
        source: Source,
        place: Place,
        state: State,
        stdin: Stream,
    ) -> Stream:
        out: list[Stream] = []
        ends: list[State] = []
        for condition, body in branches:
            if condition is not None:
                self.run(condition, source, place, state, stdin)
            branch = state.copy()
            out.append(self.run(body, source, place, branch, stdin))
            ends.append(branch)
        state.merge(ends, also_self=branches[-1][0] is not None)
        return concatenate(out)

    def _for(self, node: For, source: Source, place: Place, state: State, stdin: Stream) -> Stream:
        if node.values is None:
            values = list(state.positionals)
        else:
            words = self._expander(source, state, place).words(node.values)
            values = [word.text for word in words]
        if not values:
            return NOTHING
        state.assign(node.name, values)
        return self._twice(node.body, source, place, state, stdin)

    def _while(self, condition: Node, body: Node, source: Source, place: Place, state: State, stdin: Stream) -> Stream:
        self.run(condition, source, place, state, stdin)
        return self._twice(body, source, place, state, stdin)

    def _twice(self, body: Node, source: Source, place: Place, state: State, stdin: Stream) -> Stream:
        """A loop body: once more when it changed a variable, so that the next round sees the new value."""
        before = dict(state.variables)
        out = self.run(body, source, place, state, stdin)
        if any(before.get(name) is not one for name, one in state.variables.items() if name in before):
            out = self.run(body, source, place, state, stdin)
        return out

    def _case(self, node: Case, source: Source, place: Place, state: State, stdin: Stream) -> Stream:
        self._expander(source, state, place).text(node.subject)
        out, ends = [], []
        for patterns, body in node.arms:
            branch = state.copy()
            for pattern in patterns:
                self._expander(source, branch, place).text(pattern)
            out.append(self.run(body, source, place, branch, stdin))
            ends.append(branch)
        state.merge(ends, also_self=True)
        return concatenate(out)

    def _redirected(
        self,
        body: Node,
        redirects: tuple[Redirection, ...],
        source: Source,
        place: Place,
        state: State,
        stdin: Stream,
    ) -> Stream:
        resolved, stdin = self._redirects(redirects, source, place, state, stdin)
        if resolved:
            span = resolved[0].target.span
            self.emit(Job([Word(text=":", shown=":", span=span)], state, place, span, redirects=resolved), runs=False)
        return self._written(resolved, self.run(body, source, place, state, stdin), state)

    # -- simple commands ---------------------------------------------------------------------------------------------

    def simple(self, node: Simple, source: Source, place: Place, state: State, stdin: Stream) -> Stream:
        """A simple command, once for each combination of the values that its variables may have."""
        with self.frame():
            first = self._expander(source, state, place)
            out = [self._simple_once(node, source, place, state, stdin, first)]
            if not first.widths:
                return out[0]
            names = list(first.widths)
            combinations = itertools.product(*(range(first.widths[name]) for name in names))
            for combination in itertools.islice(combinations, 1, MAX_COMBINATIONS):
                expander = self._expander(source, state, place)
                expander.choice = dict(zip(names, combination, strict=True))
                out.append(self._simple_once(node, source, place, state, stdin, expander, again=True))
            return concatenate(dict.fromkeys(out))

    def _simple_once(  # the context of every statement
        self,
        node: Simple,
        source: Source,
        place: Place,
        state: State,
        stdin: Stream,
        expander: Expander,
        *,
        again: bool = False,
    ) -> Stream:
        self.budget.spend()
        argv = expander.words(node.words)
        lasting = not argv or self._declares(source, node)
        env: dict[str, Word] = {}
        for one in node.assignments:
            value = self._assigned(one, expander)
            env[one.name] = Word(text=value[0], shown=value[0])
            if lasting:
                self._assign(one, value, state, again=again)
        redirects, stdin = self._redirects(node.redirects, source, place, state, stdin)
        span = place.locate(source, node.span)
        if not argv:
            if redirects:
                argv = [Word(text=":", shown=":", span=span)]
                self.emit(Job(argv, state, place, span, redirects=redirects), runs=False)
            return self._written(redirects, NOTHING, state)
        job = Job(argv, state, place, span, stdin, env, redirects)
        return self._written(redirects, self.executor.execute(job), state)

    @staticmethod
    def _declares(source: Source, node: Simple) -> bool:
        start, end = node.words[0] if node.words else (0, 0)
        return source.code[start:end] in {"declare", "typeset", "local", "export", "readonly"}

    @staticmethod
    def _assigned(one: Assignment, expander: Expander) -> tuple[str, tuple[str, ...] | None]:
        if one.elements is not None:
            elements = tuple(word.text for word in expander.words(one.elements))
            return " ".join(elements), elements
        return expander.text(one.value), None

    @staticmethod
    def _assign(one: Assignment, value: tuple[str, tuple[str, ...] | None], state: State, *, again: bool) -> None:
        text, elements = value
        old = state.variables.get(one.name)
        before = (old.elements or ()) if old else ()
        if elements is not None:
            state.assign(one.name, [text])
            kept = before if one.append else ()
            state.variables[one.name] = replace(state.variables[one.name], elements=(*kept, *elements))
        elif one.element:
            state.assign(one.name, [HOLE])
            state.variables[one.name] = replace(state.variables[one.name], elements=(*before, text))
        else:
            others = old.values if again and old else ()
            state.assign(one.name, (*others, text), append=one.append)

    def _redirects(
        self,
        redirections: tuple[Redirection, ...],
        source: Source,
        place: Place,
        state: State,
        stdin: Stream,
    ) -> tuple[tuple[Redirect, ...], Stream]:
        """The redirections with expanded targets (here-documents left out), and what standard input then is."""
        out: list[Redirect] = []
        expander = self._expander(source, state, place)
        for one in redirections:
            start, end = one.target
            raw = source.code[start:end]
            if raw.startswith(HEREDOC) and one.operator == "<":
                body = self._heredoc(source, raw, place, state)
                stdin = text_stream(body) if one.fd in {-1, 0} else stdin
            elif raw.startswith(HERESTRING) and one.operator == "<":
                stdin = text_stream(expander.text((start + 1, end)) + "\n")
            elif raw.startswith(READ_WRITE):
                out.append(Redirect(operator="<>", target=expander.word((start + 1, end)), fd=max(one.fd, 0)))
            else:
                target = expander.word(one.target)
                fd = one.fd if one.fd >= 0 else 0 if one.operator.startswith("<") else 1
                out.append(Redirect(operator=one.operator, target=target, fd=fd))
                if one.operator == "<" and fd == 0:
                    stdin = self.content(target, state)
        return tuple(out), stdin

    def _heredoc(self, source: Source, raw: str, place: Place, state: State) -> str:
        number = raw[1 : raw.index(HEREDOC_END)] if HEREDOC_END in raw else ""
        if not number.isdecimal() or int(number) >= len(source.heredocs):
            return HOLE
        heredoc = source.heredocs[int(number)]
        if heredoc.quoted or not any(char in heredoc.body for char in "$`\\"):
            return heredoc.body
        inner = prepare(heredoc.body, heredoc=True, inner=True)
        body_place = replace(place, base=None, span=place.span if place.base is None else (0, 0))
        return self._expander(inner, state, body_place).text((0, len(inner.code)), quoted=True)

    def content(self, word: Word, state: State) -> Stream:
        """What reading a file gives."""
        path = state.path(word.text)
        if path is None or word.glob:
            return UNKNOWN
        if path == "/dev/null":
            return NOTHING
        return self.file(path, state)

    def file(self, path: str, state: State) -> Stream:
        """What is known to be in the file: written by this command, by this session, or read from the disk."""
        if path in state.files:
            return state.files[path]
        if path in self.written:
            return text_stream(self.written[path])
        return Stream(kind="file", text=path)

    def read(self, stream: Stream) -> Stream:
        """A file's stream as its text, when it is small and can be read."""
        if stream.kind != "file":
            return stream
        data = self.facts.read_script(stream.text, MAX_SCRIPT_BYTES)
        if not isinstance(data, bytes) or b"\0" in data:
            return stream
        self.found.scripts[stream.text] = None
        return text_stream(data.decode("utf-8", "replace").replace(HOLE, "\ufffd"))

    def _written(self, redirects: tuple[Redirect, ...], stream: Stream, state: State) -> Stream:
        """Put what was printed where the redirections send it; what is left for the pipe."""
        for one in redirects:
            if one.operator not in _WRITES or one.fd != 1:
                continue
            if one.operator == ">&" and (one.target.text.isdecimal() or one.target.text == "-"):
                continue
            self.store(one.target, stream, state, append=one.operator.endswith(">>"))
            stream = NOTHING
        return stream

    def store(self, word: Word, stream: Stream, state: State, *, append: bool = False) -> None:
        """A file gets this content."""
        sink = self._sinks.get(word.text)
        if sink is not None:
            source, inner, place = sink
            self.range(source, inner, place, state.copy(), stream)
            return
        path = state.path(word.text)
        if path is None or path.startswith("/dev/"):
            return
        if append:
            before = self.file(path, state)
            stream = stream if before.kind == "file" else concatenate([before, stream])
        state.files[path] = Stream(kind="text") if stream.kind == "none" else stream

    # -- what stands in words ----------------------------------------------------------------------------------------

    def _expander(self, source: Source, state: State, place: Place) -> Expander:
        return Expander(source, state, _InWords(self, state, place), lambda where: place.locate(source, where))

    def process(self, source: Source, inner: Range, direction: str, place: Place, state: State) -> str:
        """``<(…)`` and ``>(…)``: a path whose content is the output, or that feeds the script what is written."""
        self._processes += 1
        path = f"/dev/fd/{100 + self._processes}"
        if direction == "<":
            state.files[path] = self.range(source, inner, place, state.copy(), NOTHING)
        else:
            self._sinks[path] = (source, inner, place)
        return path

    def drain(self, words: list[Word], stream: Stream, state: State) -> None:
        """A program that got ``>(…)`` as an argument writes its output there."""
        for word in words:
            if word.text in self._sinks:
                self.store(word, stream, state)

    # -- results -----------------------------------------------------------------------------------------------------

    def emit(self, job: Job, *, runs: bool) -> None:
        """List a command; ``runs``: it only runs another one, which is listed too."""
        self.found.commands.append((self.command(job), runs))

    def command(self, job: Job) -> Command:
        """The command as rules see it."""
        state = job.state
        env = {
            name: Word(text=unmark(one.values[0]))
            for name, one in state.variables.items()
            if one.exported and one.values
        }
        env |= {name: replace(word, text=unmark(word.text)) for name, word in job.env.items()}
        return Command(
            argv=tuple(_clean(word) for word in job.argv),
            cwd=state.cwd,
            env=env,
            redirects=tuple(replace(one, target=_clean(one.target)) for one in job.redirects),
            stdin=replace(job.stdin, text=unmark(job.stdin.text)),
            where=job.place.where,
            via=job.place.via,
            span=job.span,
        )


def _clean(word: Word) -> Word:
    return replace(word, text=unmark(word.text), shown=unmark(word.shown)) if not word.text.isascii() else word


@dataclass(frozen=True, slots=True)
class _InWords:
    """Runs substitutions for the expander."""

    evaluator: Evaluator
    state: State
    place: Place

    def capture(self, source: Source, inner: Range) -> str:
        return self._text(self.evaluator.range(source, inner, self.place, self.state.copy(), NOTHING))

    def capture_text(self, script: str, span: Range) -> str:
        place = self.evaluator.nested(script, span, self.place, "`…`")
        place = replace(place, via=self.place.via)
        return self._text(self.evaluator.script(script, place, self.state.copy()))

    def process(self, source: Source, inner: Range, direction: str) -> str:
        return self.evaluator.process(source, inner, direction, self.place, self.state)

    def _text(self, stream: Stream) -> str:
        """The output as text; files on the disk are not read for words, they may hold secrets."""
        match stream.kind:
            case "none":
                return ""
            case "text":
                return stream.text.rstrip("\n").replace("\0", "")
            case "network":
                return HOLE + NETWORK
            case "decoded":
                return HOLE + DECODED_MARK
            case _:
                return HOLE


def program_name(word: Word) -> str:
    """Base name of a program word."""
    return posixpath.basename(word.text)
