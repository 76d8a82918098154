"""Built-ins that change what the shell knows: ``cd``, ``export``, ``read``, ``set``, ``alias``, ``trap`` and others.

Each returns whether the command is a plain one afterwards: listed, and printing what ``streams`` says.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from askfirst.shell.command import HOLE, Word
from askfirst.shell.state import Variable
from askfirst.shell.streams import NOTHING, output

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.shell.execute import Execute
    from askfirst.shell.job import Job

    Builtin: TypeAlias = Callable[[Job, Execute], bool]

_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\+?)=(.*)", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _operands(job: Job) -> list[Word]:
    return [word for word in job.argv[1:] if not word.text.startswith("-") or word.text == "-"]


def _cd(job: Job, _: Execute) -> bool:
    operands = _operands(job)
    job.state.enter(operands[0].text if operands else job.state.home)
    return True


def _popd(job: Job, _: Execute) -> bool:
    job.state.enter("-")
    return True


def _declare(job: Job, _: Execute) -> bool:
    """``export``, ``declare``, ``local``, ``readonly``: assign, perhaps export."""
    state = job.state
    options = {word.text for word in job.argv[1:] if word.text.startswith("-")}
    exports = job.argv[0].text == "export" or any("x" in option for option in options)
    for word in _operands(job):
        match = _ASSIGNMENT.fullmatch(word.text)
        name = match[1] if match else word.text
        if match:
            state.assign(name, [match[3]], append=bool(match[2]))
        elif _NAME.fullmatch(name) and name not in state.variables and job.argv[0].text != "export":
            state.assign(name, [""])
        if exports and name in state.variables:
            state.variables[name] = replace(state.variables[name], exported=True)
    return True


def _unset(job: Job, _: Execute) -> bool:
    for word in _operands(job):
        job.state.variables[word.text] = Variable(("",))
        job.state.functions.pop(word.text, None)
    return True


def _read(job: Job, _: Execute) -> bool:
    """``read a b``: the words of the first line when it is known; every line counts for a loop."""
    names = [word.text for word in _operands(job) if _NAME.fullmatch(word.text)] or ["REPLY"]
    known = job.stdin.kind == "text"
    lines = [line for line in job.stdin.text.splitlines() if line.strip()] if known else []
    for index, name in enumerate(names):
        values = []
        for line in lines:
            fields = line.split(None, len(names) - 1)
            values.append(fields[index].strip() if index < len(fields) else "")
        job.state.assign(name, values or [HOLE], names=True)
    return True


def _set(job: Job, _: Execute) -> bool:
    texts = [word.text for word in job.argv[1:]]
    if "--" in texts:
        job.state.positionals = tuple(texts[texts.index("--") + 1 :])
    elif texts and not texts[0].startswith(("-", "+")):
        job.state.positionals = tuple(texts)
    return True


def _shift(job: Job, _: Execute) -> bool:
    operands = _operands(job)
    count = int(operands[0].text[:4]) if operands and operands[0].text.isdecimal() else 1
    job.state.positionals = job.state.positionals[count:]
    return True


def _alias(job: Job, _: Execute) -> bool:
    for word in job.argv[1:]:
        name, equals, text = word.text.partition("=")
        if equals:
            job.state.aliases[name] = text
    return True


def _unalias(job: Job, _: Execute) -> bool:
    for word in job.argv[1:]:
        job.state.aliases.pop(word.text, None)
    return True


def _source(job: Job, run: Execute) -> bool:
    """``source file``: its text runs in this shell."""
    operands = job.argv[1:]
    if not operands:
        return True
    run.evaluator.emit(job, runs=True)
    is_input = operands[0].text == "/dev/stdin"
    stream = job.stdin if is_input else run.evaluator.files.content(operands[0], job.state)
    run.stream(job, stream, "source", state=job.state)
    return False


def _trap(job: Job, run: Execute) -> bool:
    """``trap text EXIT``: the text runs with what the variables are then, so it waits for the end of the script."""
    operands = [word for word in job.argv[1:] if word.text not in {"-", "--", "-p", "-l"}]
    run.evaluator.emit(job, runs=True)
    if len(operands) > 1 and operands[0].text:
        job.state.traps.append((operands[0].text, operands[0].span if operands[0].span[1] else job.span))
    return False


def _printf(job: Job, _: Execute) -> bool:
    """``printf -v name format …``: the variable gets what would be printed."""
    if len(job.argv) > 3 and job.argv[1].text == "-v":
        text = output([job.argv[0], *job.argv[3:]], NOTHING, job.state)
        job.state.assign(job.argv[2].text, [text.text])
    return True


def _mapfile(job: Job, _: Execute) -> bool:
    names = [word.text for word in _operands(job) if _NAME.fullmatch(word.text)]
    lines = tuple(job.stdin.text.splitlines()) if job.stdin.kind == "text" else (HOLE,)
    for name in names[-1:]:
        job.state.assign(name, [" ".join(lines)], elements=lines)
    return True


def _let(job: Job, run: Execute) -> bool:
    """``let 'a[$(text)]=1'``: arithmetic runs what is substituted into it, also out of single quotes."""
    for word in job.argv[1:]:
        if "$(" in word.text or "`" in word.text:
            run.text(job, Word(text=f'" {word.text} "', span=word.span), "let", state=job.state.copy())
    return True


BUILTINS: dict[str, Builtin] = {
    "let": _let,
    "cd": _cd,
    "chdir": _cd,
    "pushd": _cd,
    "popd": _popd,
    "export": _declare,
    "declare": _declare,
    "typeset": _declare,
    "local": _declare,
    "readonly": _declare,
    "unset": _unset,
    "read": _read,
    "set": _set,
    "shift": _shift,
    "alias": _alias,
    "unalias": _unalias,
    "source": _source,
    ".": _source,
    "trap": _trap,
    "printf": _printf,
    "mapfile": _mapfile,
    "readarray": _mapfile,
}
