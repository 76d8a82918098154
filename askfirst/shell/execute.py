"""Runs one simple command in the mind: aliases, functions, built-ins, wrappers, special programs, script files."""

from __future__ import annotations

import fnmatch
import itertools
import posixpath
import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from askfirst.shell.builtins import BUILTINS
from askfirst.shell.command import HOLE, Stream, Word
from askfirst.shell.escapes import CODE_OPTIONS, inside_options, inside_variables, reads_commands, typed
from askfirst.shell.handed_on import command_in, scripts_in
from askfirst.shell.handlers import HANDLERS
from askfirst.shell.harmless import ALWAYS
from askfirst.shell.interpreters import interpreter, is_interpreter
from askfirst.shell.job import Job, Scope, program_name
from askfirst.shell.opaque import sounds_grave
from askfirst.shell.programs import PROGRAMS
from askfirst.shell.source import DECODED, NETWORK
from askfirst.shell.streams import NOTHING, UNKNOWN, concatenate, output
from askfirst.shell.unwrap import Inner, joined, unwrap
from askfirst.shell.unwrap_table import BY_NAME, SHELLS

if TYPE_CHECKING:
    from askfirst.shell.evaluate import Evaluator
    from askfirst.shell.state import State

_SAME_SHELL = frozenset(
    {"command", "builtin", "exec", "time", "!", "{", "then", "do", "else", "eval", "coproc", "noglob"}
)
_ENDS = frozenset({"}", "fi", "done", "esac", ")", "]]"})
_PLAIN = re.compile(r"[\w@%+=:,./-]*")
_INIT_SCRIPTS = frozenset({"/etc/init.d", "/etc/rc.d", "/etc/rc.d/init.d"})
_MAX_MATCHES = 8
_MAX_TOLD = 2
_MAX_TYPED = 64
_MAX_CALLS = 2
"""A function that is running this often is not entered again: its body has been seen."""


def _normal(job: Job) -> Job:
    """The program by the name that the tables know: ``GIT.EXE``, ``RM`` where the disk ignores case, an init script."""
    head = job.argv[0]
    folder, _, script = head.text.rpartition("/")
    if folder in _INIT_SCRIPTS and script and len(job.argv) > 1:
        return replace(job, argv=[replace(head, text="service"), replace(head, text=script), *job.argv[1:]])
    text = head.text.replace("\\", "/") if head.text.lower().endswith(".exe") else head.text
    name = posixpath.basename(text)
    plain = name.lower().removesuffix(".exe")
    if plain == name or not _is_program(plain):
        return job
    return replace(job, argv=[replace(head, text=text.removesuffix(name) + plain), *job.argv[1:]])


def _is_known(name: str) -> bool:
    """Whether this is a program, so that an unknown word in front of it is a wrapper or nothing: ``$SUDO ls``."""
    return _is_program(name) or name in BUILTINS or name in ALWAYS


def _matching(pattern: str) -> list[str]:
    """The programs that a pattern like ``/b?n/r[m]`` may come to: the shell takes the first file that fits."""
    fits = re.compile(fnmatch.translate(posixpath.basename(pattern))).fullmatch
    return [name for name in sorted(HANDLERS.by_program.keys() | SHELLS) if fits(name)][:_MAX_MATCHES]


def _is_program(name: str) -> bool:
    """Whether this is a program that runs others or that code judges."""
    return name in BY_NAME or name in PROGRAMS or name in HANDLERS.by_program


class Execute:
    """Runs simple commands for one evaluator."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator

    def execute(self, job: Job) -> Stream:
        """Run the command; what it prints."""
        with self.evaluator.frame():
            head = job.argv[0]
            if HOLE in head.text:
                return self._computed(job)
            if head.glob and (matches := _matching(head.text)):
                self.note(job, "computed-program", head.shown)
                for match in matches:
                    self.inner(job, [replace(head, text=match, glob=False), *job.argv[1:]], head.shown)
                return UNKNOWN
            name = head.text
            if name in _ENDS and len(job.argv) == 1:
                return NOTHING
            if name == "coproc" and len(job.argv) > 2 and job.argv[2].text == "{":
                return self.inner(job, job.argv[2:], name)  # `coproc NAME { …; }`
            if name in job.state.aliases and name not in self.evaluator.active:
                return self._alias(job, name)
            if name in job.state.functions:
                return self._function(job, name)
            job = _normal(job)
            stream = self._program(job, program_name(job.argv[0]))
            self.evaluator.files.drain(job.argv, stream, job.state)
            return stream

    def inner(self, job: Job, argv: list[Word], label: str, **changes: object) -> Stream:
        """Run ``argv`` on behalf of the command ``job``; ``changes`` to the job or its place."""
        if not argv:
            return NOTHING
        where = str(changes.pop("where", "") or job.place.where)
        place = replace(job.place, via=(*job.place.via, label), where=where)
        span = (
            (argv[0].span[0], argv[-1].span[1]) if argv[0].span[1] and argv[-1].span[1] >= argv[0].span[0] else job.span
        )
        new = replace(job, argv=argv, place=place, span=span, redirects=(), **changes)  # type: ignore[arg-type]  # fields of Job
        return self.execute(new)

    def text(self, job: Job, script: Word, label: str, **options: object) -> Stream:
        """Run a word as a shell text.

        ``options``: ``state`` (default: a child of the job's), ``stdin``, ``where``.
        """
        if script.content_of:  # `bash -c "$(cat x.sh)"` runs the file as `bash x.sh` does
            files = self.evaluator.files
            is_here = not job.place.where
            source = files.read(files.content(Word(text=script.content_of), job.state)) if is_here else UNKNOWN
            if source.kind != "text":
                self.note(job, "unread-script", script.content_of)
                return UNKNOWN
            script = replace(script, text=source.text)
        state = options.get("state") or job.state.child({name: word.text for name, word in job.env.items()})
        stdin = options.get("stdin", job.stdin)
        span = script.span if script.span[1] else job.span
        place = self.evaluator.nested(script.text, span, job.place, label, where=str(options.get("where") or ""))
        assert isinstance(stdin, Stream)
        return self.evaluator.script(script.text, place, state, stdin)  # type: ignore[arg-type]  # a State

    def stream(self, job: Job, stream: Stream, label: str, **options: object) -> Stream:
        """Run what a stream holds as a shell text, or note that it cannot be known."""
        stream = self.evaluator.files.read(stream)
        match stream.kind:
            case "text":
                return self.text(job, Word(text=stream.text), label, stdin=NOTHING, **options)
            case "network":
                self.note(job, "remote-code", stream.text)
            case "decoded":
                self.note(job, "decoded-code", job.argv[0].text)
            case "file":
                self.note(job, "unread-script", stream.text)
            case "unknown":
                self.note(job, "unknown-script", job.argv[0].text)
        return UNKNOWN

    def note(self, job: Job, code: str, detail: str) -> None:
        """Note something opaque about the command."""
        shown = " ".join(word.shown or word.text for word in job.argv)
        self.evaluator.note(code, job.span, detail, job.place, shown)

    def unread(self, job: Job, path: str) -> None:
        """Note a script that cannot be read, where its name says what it does."""
        if sounds_grave(path):
            self.note(job, "unread-script", path)

    def unread_tasks(self, job: Job, names: list[str]) -> None:
        """Note tasks of a file that cannot be read, where their names say what they do.

        A task *release* is most of the time a build with optimisation.
        """
        for name in names[:_MAX_TOLD]:
            if "release" not in name:
                self.unread(job, name)

    def _computed(self, job: Job) -> Stream:
        """The program's name is not known."""
        head, rest = job.argv[0], job.argv[1:]
        if NETWORK in head.text:
            self.note(job, "remote-code", head.shown)
        elif DECODED in head.text:
            self.note(job, "decoded-code", head.shown)
        else:
            prefix = head.text == HOLE and bool(rest) and _is_known(program_name(rest[0]))
            self.note(job, "computed-prefix" if prefix else "computed-program", head.shown)
            self.evaluator.emit(job, runs=False)
        if head.text == HOLE and rest and not rest[0].text.startswith("-"):
            self.execute(replace(job, argv=rest, redirects=()))  # `$SUDO rm x`: the first word may be empty
        return UNKNOWN

    def _alias(self, job: Job, name: str) -> Stream:
        text = job.state.aliases[name]
        rest = " ".join(shlex.quote(word.text) if HOLE not in word.text else word.text for word in job.argv[1:])
        self.evaluator.active.append(name)
        try:
            return self.text(job, Word(text=f"{text} {rest}", span=job.span), f"alias {name}", state=job.state)
        finally:
            self.evaluator.active.pop()

    def _function(self, job: Job, name: str) -> Stream:
        evaluator, state = self.evaluator, job.state
        function = state.functions[name]
        entered = f"{name} {id(function.body)}"  # a new function of the same name is another one
        if evaluator.active.count(entered) >= 1 and evaluator.piped:
            self.note(job, "fork-bomb", name)
        if evaluator.active.count(entered) >= _MAX_CALLS:
            if job.argv[1:]:
                self.note(job, "computed-program", name)  # with other arguments it may do something else
            return UNKNOWN
        before = state.positionals
        state.positionals = tuple(word.text for word in job.argv[1:])
        evaluator.active.append(entered)
        try:
            inside = replace(function.place, via=(*job.place.via, name), where=job.place.where)
            return evaluator.run(function.body, Scope(function.source, inside, state, job.stdin))
        finally:
            evaluator.active.pop()
            state.positionals = before

    def _program(self, job: Job, name: str) -> Stream:
        for script in inside_options(job, name):
            self.text(job, script, f"{name} option", stdin=NOTHING)
        for variable, script in inside_variables(job.env):
            self.text(job, script, variable, stdin=NOTHING)
        if reads_commands(name):
            self._told(job, name)
        builtin = BUILTINS.get(name)
        if builtin is not None and builtin(job, self):
            self.evaluator.emit(job, runs=False)
            return output(job.argv, job.stdin, job.state)
        for program in (PROGRAMS.get(name), interpreter if is_interpreter(name) else None):
            stream = program(job, self) if program is not None else None
            if stream is not None:
                return stream
        inner = unwrap(job.argv)
        if inner is not None:
            return self._wrapper(job, inner, name)
        return self._leaf(job)

    def _told(self, job: Job, name: str) -> None:
        """A debugger, an editor or a Tcl shell: what it is told on standard input, in a file, behind ``-c``."""
        operands = [word for word in job.argv[1:] if not word.text.startswith("-")]
        files = self.evaluator.files
        sources = [files.read(job.stdin), *(files.content(word, job.state) for word in operands[:_MAX_TOLD])]
        texts = [files.read(one).text for one in sources if one.kind == "text"]
        if name in CODE_OPTIONS:
            texts += [after.text for before, after in itertools.pairwise(job.argv) if before.text in CODE_OPTIONS[name]]
        for text in texts:
            for script in typed(name, text, operands[-1].text if operands else "")[:_MAX_TYPED]:
                self.text(job, Word(text=script), f"{name} input", stdin=NOTHING)

    def _leaf(self, job: Job) -> Stream:
        """A program that runs nothing else, or a file of our own."""
        head = job.argv[0]
        if job.place.via and head.text.startswith(("http://", "https://")):
            self.note(job, "remote-code", head.text)  # `npx https://…/tool.tgz`
        path = job.state.path(head.text) if "/" in head.text and not job.place.where else None
        if path is not None:
            stream = self.evaluator.files.at(path, job.state)
            if stream.kind != "file" or not path.startswith(("/usr/", "/bin/", "/sbin/", "/opt/")):
                return self.file(job, stream, path, job.argv[1:])
        self.evaluator.emit(job, runs=False)
        self._handed_on(job)
        return output(job.argv, job.stdin, job.state)

    def _handed_on(self, job: Job) -> None:
        """A command line that a program which nobody knows, or a script that cannot be read, is given."""
        name = program_name(job.argv[0])
        if _is_known(name) or self.evaluator.knows(name):
            return
        for script in scripts_in(job.argv, self._runs):
            self.text(job, script, f"{name} -c", state=job.state.child({}))
        argv = command_in(job.argv, self._runs)
        if argv:
            self.inner(job, argv, name, state=job.state.copy())

    def _runs(self, text: str) -> bool:
        name = posixpath.basename(text)
        return HOLE not in text and not text.startswith("-") and (_is_program(name) or self.evaluator.knows(name))

    def file(self, job: Job, stream: Stream, path: str, arguments: list[Word]) -> Stream:
        """Run a file: by its first line with a shell or another interpreter."""
        stream = self.evaluator.files.read(stream)
        if stream.kind == "file":
            self.evaluator.emit(job, runs=False)
            self.unread(job, path)
            self._handed_on(job)
            return UNKNOWN
        self.evaluator.emit(job, runs=True)
        first = stream.text.partition("\n")[0]
        if stream.kind == "text" and first.startswith("#!") and not first.rstrip().endswith("sh"):
            words = first[2:].split()
            words = words[1:] if words and words[0].endswith("/env") else words
            words = [word for word in words if not word.startswith("-")]
            if not words:
                return UNKNOWN
            interpreter = [Word(text=words[0], shown=words[0]), replace(job.argv[0], text=path), *arguments]
            job.state.files[path] = stream
            return self.inner(job, interpreter, job.argv[0].text)
        state = job.state.child({name: word.text for name, word in job.env.items()})
        state.positionals, state.zero = tuple(word.text for word in arguments), path
        return self.stream(job, stream, job.argv[0].shown or path, state=state)

    def _wrapper(self, job: Job, inner: Inner, name: str) -> Stream:
        """A row of the unwrap table."""
        self.evaluator.emit(job, runs=not inner.lookup)
        if inner.lookup:
            return output([Word(text="which"), *inner.argv], job.stdin, job.state)
        where = inner.where
        same = name in _SAME_SHELL
        state = job.state if same else job.state.elsewhere() if where else job.state.copy()
        if inner.login:
            state.cwd = None  # the home folder of whoever that is
        if inner.directory:
            state.cwd = state.path(inner.directory)
        label = where or name
        env = {**job.env, **inner.env}
        out = [
            self.text(job, one, f"{label} -c", where=where, state=self._script_state(state, where))
            for one in inner.scripts
        ]
        then = inner.row.then
        if inner.argv and then == "argv":
            out.append(self.inner(job, inner.argv, label, where=where, state=state, env=env))
        elif inner.argv and then == "joined":
            script_state = state if same else self._script_state(state, where)
            out += self._as_meant(job, inner, label, where, state)
            out.append(self.text(job, joined(inner.argv), label, where=where, state=script_state))
        elif then == "shell" or (inner.row.lone and not inner.scripts and not inner.argv):
            out.append(self.stream(job, job.stdin, label, where=where, state=self._script_state(state, where)))
        return concatenate(out) if out else NOTHING

    def _as_meant(self, job: Job, inner: Inner, label: str, where: str, state: State) -> list[Stream]:
        """Words that are joined to a script lose their quotes; what was meant with them counts too.

        ``ssh host psql -c 'DROP TABLE x'``, ``tmux send-keys 'rm -rf x' Enter``.
        """
        if len(inner.argv) < 2 or all(_PLAIN.fullmatch(word.text) for word in inner.argv):
            return []
        if " " in inner.argv[0].text:
            return [self.text(job, inner.argv[0], label, where=where, state=self._script_state(state.copy(), where))]
        return [self.inner(job, inner.argv, label, where=where, state=state.copy())]

    @staticmethod
    def _script_state(state: State, where: str) -> State:
        """The state of a shell that is started: what is exported, or what is there."""
        return state if where else state.child({})
