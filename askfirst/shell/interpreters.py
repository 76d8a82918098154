"""Interpreters: the code on their command line, on standard input or in a small file, and what it would do.

Python, JavaScript and the like are read by ``code.inspect_code``; what it finds comes back here as commands.
"""

from __future__ import annotations

import itertools
import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from askfirst.shell.code import inspect_code
from askfirst.shell.command import HOLE, UNKNOWN_SHOWN, Stream, Word
from askfirst.shell.entry_points import of_specifier
from askfirst.shell.frameworks import is_script
from askfirst.shell.job import program_name
from askfirst.shell.source import DECODED, NETWORK
from askfirst.shell.streams import NOTHING, output, text_stream
from askfirst.shell.unwrap_table import INTERPRETERS, Interpreter
from askfirst.shell.words import unescape

if TYPE_CHECKING:
    from askfirst.shell.execute import Execute
    from askfirst.shell.job import Job

_VERSION = re.compile(r"[0-9.]+$")
_MAX_FOLLOWED = 128
_MAX_SCRIPTS = 4
_MAX_SKIPPED = 32
_SUBCOMMANDS = frozenset("run test install add eval build fmt lint check task x exec pm serve deploy publish".split())


def interpreter(job: Job, run: Execute) -> Stream | None:
    """``python -c code``, ``python -m module``, ``python file``, ``… | python``."""
    row = INTERPRETERS[_row_name(job.argv[0].text)]
    codes, rest, module = _read(job.argv[1:], row)
    if module is not None:
        run.evaluator.emit(job, runs=True)
        _module(job, run, module)
        return run.inner(job, [replace(module, text=module.text.partition(".")[0]), *rest], f"{row.name} -m")
    if not codes and row.name == "awk" and rest:
        codes = [rest[0]]
    if program_name(job.argv[0]) == "timeit":
        codes += rest
    if row.name == "javascript" and [word.text for word in rest[:1]] == ["eval"]:  # deno eval CODE
        codes = [word for word in rest[1:] if not word.text.startswith("-")][:1]
    if codes:
        run.evaluator.emit(job, runs=True)
        for code in codes:
            _inspect(job, run, row.name, Stream(kind="text", text=code.text), code)
        return _printed(codes) or output(job.argv, job.stdin, job.state)
    _note_address(job, run, row, rest)
    package = _package(rest) if row.name == "javascript" else []
    if package:
        run.evaluator.emit(job, runs=True)
        return run.inner(job, package, posixpath.basename(job.argv[0].text))
    if row.name == "javascript" and rest and rest[0].text in _SUBCOMMANDS:
        return None
    if rest and is_script(rest[0].text):
        run.evaluator.emit(job, runs=True)
        return run.inner(job, rest, posixpath.basename(job.argv[0].text))
    _script(job, run, row, rest)
    return output(job.argv, NOTHING, job.state)


def _script(job: Job, run: Execute, row: Interpreter, rest: list[Word]) -> None:
    """The file that is run, or standard input."""
    source = job.stdin
    if rest and rest[0].text not in {"-", "/dev/stdin"}:
        source = run.evaluator.files.content(rest[0], job.state)
    run.evaluator.emit(job, runs=False)
    if source.kind in {"none", "unknown"}:
        return
    _run_file(job, run, row.name, source, job.argv[0])


def _run_file(job: Job, run: Execute, language: str, source: Stream, word: Word) -> None:
    """Code of a file; where it cannot be read its name has to do."""
    source = run.evaluator.files.read(source)
    _inspect(job, run, language, source, word)
    if source.kind == "file":
        run.unread(job, source.text)


def _module(job: Job, run: Execute, name: Word) -> None:
    """``python -m scripts.reset_db`` runs a file of the project, where there is one or its name says what it does."""
    path = replace(name, text=name.text.replace(".", "/") + ".py")
    source = run.evaluator.files.content(path, job.state)
    if "." in name.text and name.known and source.kind not in {"none", "unknown"}:
        _run_file(job, run, "python", source, name)


_PRINTS = re.compile(
    r"\s*+(?:print|puts|echo|say|console\.log|process\.stdout\.write|sys\.stdout\.write)\b[\s(]*+"
    r"(?:\"((?:[^\"\\]|\\.)*+)\"|'((?:[^'\\]|\\.)*+)')[\s);]*+",
    re.DOTALL,
)


def _printed(codes: list[Word]) -> Stream | None:
    """What code prints that does nothing but print one text; ``None`` when it does anything else."""
    match = _PRINTS.fullmatch(codes[0].text) if len(codes) == 1 else None
    return None if match is None else text_stream(unescape(match[1] or match[2] or "") + "\n")


def _note_address(job: Job, run: Execute, row: Interpreter, rest: list[Word]) -> None:
    """The script is an address: ``deno run -A https://…``."""
    if row.name != "javascript":
        return
    operands = [word for word in rest if not word.text.startswith("-")]
    first = operands[1:2] if operands and operands[0].text in {"run", "x", "serve", "test", "bench"} else operands[:1]
    for word in first:
        if word.text.startswith(("http://", "https://")):
            run.note(job, "remote-code", word.text)


def _package(rest: list[Word]) -> list[Word]:
    """The command line that a package stands for: ``deno run -A npm:vercel@33 remove`` runs ``vercel remove``."""
    for at, word in enumerate(rest[:_MAX_SKIPPED]):
        if program := of_specifier(word.text):
            return [replace(word, text=program, shown=program), *rest[at + 1 :]]
        if not word.text.startswith("-") and word.text not in {"run", "x"}:
            break
    return []


def is_interpreter(name: str) -> bool:
    """Whether a program runs code that we look at."""
    return _row_name(name) in INTERPRETERS


def _row_name(name: str) -> str:
    name = posixpath.basename(name).removesuffix(".exe")
    return name if name in INTERPRETERS else _VERSION.sub("", name)


def _read(args: list[Word], row: Interpreter) -> tuple[list[Word], list[Word], Word | None]:
    """The code on the command line, the operands, the module of ``python -m``."""
    codes: list[Word] = []
    at = 0
    while at < len(args) and args[at].text.startswith("-") and args[at].text not in {"-", "--"}:
        text = args[at].text
        name, equals, value = text.partition("=")
        following = args[at + 1] if at + 1 < len(args) else None
        if equals and name in row.code and name.startswith("--"):
            codes.append(replace(args[at], text=value))
        elif row.name == "python" and text.endswith("m") and not text.startswith("--") and following is not None:
            return codes, args[at + 2 :], following
        elif (option := _code_option(text, row)) is not None:
            attached = text[option:]
            if attached:
                codes.append(replace(args[at], text=attached))
            elif following is not None:
                codes.append(following)
                at += 1
            if row.name == "python":
                return codes, args[at + 1 :], None
        elif text in row.values:
            at += 1
        at += 1
    return codes, args[at:], None


def _code_option(text: str, row: Interpreter) -> int | None:
    """Where the code begins in an option like ``-c``, ``-lne`` or ``-ccode``; ``None`` when it is another option."""
    if text in row.code:
        return len(text)
    if text.startswith("--"):
        return None
    for at in range(1, len(text)):
        if f"-{text[at]}" in row.code:
            return at + 1
        if f"-{text[at]}" in row.values or not text[at].isalnum():
            return None
    return None


def _inspect(job: Job, run: Execute, language: str, source: Stream, word: Word) -> None:
    """Follow what the code runs and deletes."""
    if source.kind == "network" or (source.kind == "text" and NETWORK in source.text):
        run.note(job, "remote-code", source.text if source.kind == "network" else word.shown)
    elif source.kind == "decoded" or (source.kind == "text" and DECODED in source.text):
        run.note(job, "decoded-code", word.shown)
    elif source.kind == "text" and source.text.strip(HOLE + " \n"):
        _follow(job, run, language, source.text, word)
    elif source.kind == "text" and HOLE in source.text:
        run.note(job, "unknown-script", word.shown)


def _follow(job: Job, run: Execute, language: str, text: str, word: Word) -> None:
    """Run the commands that the code comes to, each under the interpreter's name."""
    found = inspect_code(language, text, home=job.state.home)
    run.evaluator.found.code.append((run.evaluator.command(job), found))
    label = f"{posixpath.basename(job.argv[0].text)} code"
    for path in found.scripts[:_MAX_SCRIPTS]:
        is_input = path in {"-", "/dev/stdin"}
        source = job.stdin if is_input else run.evaluator.files.content(Word(text=path, span=word.span), job.state)
        if source.kind not in {"none", "unknown"}:
            with run.evaluator.frame():
                _run_file(job, run, language, source, word)
    if max(len(found.shell), len(found.commands)) > _MAX_FOLLOWED or len(found.scripts) > _MAX_SCRIPTS:
        run.note(job, "limits", "its code runs more than is looked at")
    if job.stdin.kind == "text" and any(script.strip() == HOLE for script in found.shell):
        run.text(job, Word(text=job.stdin.text), label, stdin=NOTHING)  # `os.system(sys.stdin.read())`
    for script in found.shell[:_MAX_FOLLOWED]:
        run.text(job, Word(text=script, span=word.span), label, stdin=NOTHING)
    heads = [*found.shell, *(argv[0] for argv in found.commands if argv)]
    computed = any(head.startswith(HOLE) for head in heads)
    lists = _word_lists(text) if computed else []
    for argv in (*found.commands[:_MAX_FOLLOWED], *lists):
        if argv:
            words = [_as_word(one, word, may_be_pattern=argv[0] == "rm") for one in argv]
            run.inner(job, words, label, stdin=NOTHING, state=job.state.copy())


_LIST = re.compile(r"\[\s*+((?>\"(?:[^\"\\]|\\.)*+\"[\s,]*+){2,64})\]", re.DOTALL)
_ITEM = re.compile(r"\"(?:[^\"\\]|\\.)*+\"", re.DOTALL)
_MAX_LISTS = 8


def _word_lists(text: str) -> list[tuple[str, ...]]:
    """Lists of plain strings in code that runs a computed program: ``a = ["rm", "-rf", "x"]; spawn(a[0], …)``."""
    lists = itertools.islice(_LIST.finditer(text.replace("'", '"')), _MAX_LISTS)
    return [tuple(item[1:-1] for item in _ITEM.findall(match[1])) for match in lists]


def _as_word(text: str, origin: Word, *, may_be_pattern: bool) -> Word:
    """A value of the code as a word; what a glob API gives is the pattern itself, so a delete's path may be one."""
    is_pattern = may_be_pattern and any(char in text for char in "*?[")
    return Word(text=text, glob=is_pattern, shown=text.replace(HOLE, UNKNOWN_SHOWN), span=origin.span)
