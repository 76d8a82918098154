"""Programs that run a command for each of many names: xargs, find, fd, parallel."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING

from askfirst.shell.command import HOLE, Stream, Word
from askfirst.shell.find import operands as found_operands
from askfirst.shell.streams import NOTHING, concatenate
from askfirst.shell.unwrap_table import SHELLS

if TYPE_CHECKING:
    from askfirst.shell.execute import Execute
    from askfirst.shell.job import Job

_XARGS_VALUES = frozenset(
    "-n -P -L -s -d -a -E -I -R -S -J --max-args --max-procs --max-chars --delimiter --arg-file"
    " --process-slot-var".split()
)
_PARALLEL_VALUES = frozenset(
    "-j --jobs -P --max-procs -n -N --max-args -L -a --arg-file -S --sshlogin --sshloginfile -I --colsep -C --delay"
    " --timeout --retries --results --joblog --tmpdir --workdir --wd -d --delimiter --memfree --load --nice --halt"
    " --tag-string --tagstring --block --recstart --recend --env --basefile --bf --return --shuf-n".split()
)
_MAX_NAMES = 64


def split_command(args: list[Word], values: frozenset[str]) -> tuple[dict[str, Word | None], list[Word]]:
    """Options in front (with their values), and the command."""
    options: dict[str, Word | None] = {}
    at = 0
    while at < len(args) and args[at].text.startswith("-") and args[at].text != "-":
        text = args[at].text
        if text == "--":
            at += 1
            break
        name, equals, value = text.partition("=")
        if equals:
            options[name] = replace(args[at], text=value)
        elif text in values:
            options[text] = args[at + 1] if at + 1 < len(args) else None
            at += 1
        elif text[:2] in values and not text.startswith("--"):
            options[text[:2]] = replace(args[at], text=text[2:])
        else:
            options[text] = None
        at += 1
    return options, args[at:]


def xargs(job: Job, run: Execute) -> Stream | None:
    """Names from standard input become arguments."""
    options, command = split_command(job.argv[1:], _XARGS_VALUES)
    run.evaluator.emit(job, runs=True)
    source = job.stdin
    file = options.get("-a") or options.get("--arg-file")
    if file is not None:
        source = run.evaluator.files.content(file, job.state)
    source = run.evaluator.files.read(source)
    marker = options.get("-I") or options.get("--replace") or options.get("-J")
    placeholder = marker.text if marker and marker.text else "{}" if {"-i", "-I", "--replace"} & options.keys() else ""
    separate = bool(placeholder) or bool({"-d", "--delimiter", "-0", "-L"} & options.keys())
    names = _names(source, separate=separate)
    command = command or [Word(text="echo", shown="echo")]
    if source.kind in {"network", "decoded"} and _runs_text(command):
        run.note(job, "remote-code" if source.kind == "network" else "decoded-code", source.text)
    if not placeholder:
        return run.inner(job, [*command, *names], "xargs", stdin=NOTHING, state=job.state.copy())
    out = []
    for name in names:
        argv = [_replaced(word, placeholder, name) for word in command]
        out.append(run.inner(job, argv, "xargs", stdin=NOTHING, state=job.state.copy()))
    return concatenate(out)


def _runs_text(command: list[Word]) -> bool:
    return posixpath.basename(command[0].text) in SHELLS


def _names(source: Stream, *, separate: bool) -> list[Word]:
    if source.kind != "text":
        return [Word(text=HOLE, shown="…")]
    lines = source.text.replace("\0", "\n").splitlines()
    texts = [line for line in lines if line] if separate else [_unquoted(one) for line in lines for one in line.split()]
    if len(texts) > _MAX_NAMES:
        texts = [*texts[:_MAX_NAMES], HOLE]
    return [
        Word(text=text, shown=text.replace(HOLE, "…"), glob=any(letter in text for letter in ("*", "?", HOLE)))
        for text in texts
    ]


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def _replaced(word: Word, placeholder: str, name: Word) -> Word:
    if placeholder not in word.text:
        return word
    return replace(
        word,
        text=word.text.replace(placeholder, name.text),
        shown=(word.shown or word.text).replace(placeholder, name.shown or name.text),
        glob=word.glob or name.glob,
    )


def find_exec(job: Job, run: Execute) -> Stream | None:
    """``-exec … ;`` and its like: once for what ``find`` would find."""
    args = job.argv[1:]
    executes = [i for i, word in enumerate(args) if word.text in {"-exec", "-execdir", "-ok", "-okdir"}]
    if not executes:
        return None
    run.evaluator.emit(job, runs=True)
    out = []
    names = found_operands(run.evaluator.command(job)) or [Word(text=HOLE, shown="…")]
    for start in executes:
        end = next(
            (i for i in range(start + 1, len(args)) if args[i].text in {";", "+"} or args[i].text == "\\;"), len(args)
        )
        command = args[start + 1 : end]
        for found in names:
            argv = [_replaced(word, "{}", found) for word in command]
            out.append(run.inner(job, argv, f"find {args[start].text}", state=job.state.copy(), stdin=NOTHING))
    return concatenate(out)


def fd_exec(job: Job, run: Execute) -> Stream | None:
    """``fd … -x command``: once for what ``fd`` would find."""
    args = job.argv[1:]
    start = next((i for i, word in enumerate(args) if word.text in {"-x", "-X", "--exec", "--exec-batch"}), None)
    if start is None:
        return None
    run.evaluator.emit(job, runs=True)
    end = next((i for i in range(start + 1, len(args)) if args[i].text == ";"), len(args))
    command = args[start + 1 : end]
    out = []
    for found in found_operands(run.evaluator.command(job)) or [Word(text=HOLE, shown="…")]:
        argv = [_replaced(word, "{}", found) for word in command]
        argv = [*command, found] if argv == command else argv
        out.append(run.inner(job, argv, "fd --exec", state=job.state.copy(), stdin=NOTHING))
    return concatenate(out)


def parallel(job: Job, run: Execute) -> Stream | None:
    """The command with each argument behind ``:::``, or those arguments (or lines of standard input) as commands."""
    options, rest = split_command(job.argv[1:], _PARALLEL_VALUES)
    run.evaluator.emit(job, runs=True)
    marks = [i for i, word in enumerate(rest) if word.text in {":::", ":::+", "::::"}]
    command = rest[: marks[0]] if marks else rest
    if marks and rest[marks[0]].text != "::::":
        names = [word for word in rest[marks[0] + 1 :] if word.text not in {":::", ":::+"}]
        if len(names) > _MAX_NAMES:
            run.note(job, "limits", f"it has more than {_MAX_NAMES} arguments")
    else:
        file = (
            options.get("-a")
            or options.get("--arg-file")
            or (rest[marks[0] + 1] if marks and len(rest) > marks[0] + 1 else None)
        )
        source = job.stdin if file is None else run.evaluator.files.content(file, job.state)
        source = run.evaluator.files.read(source)
        if not command and source.kind != "text":
            return run.stream(job, source, "parallel")
        names = _names(source, separate=True)
    out = []
    for name in names[: _MAX_NAMES + 1]:
        words = [_replaced(word, "{}", name) for word in command]
        words = [*words, name] if words == command else words
        if len(words) == 1:
            out.append(run.text(job, words[0], "parallel", stdin=NOTHING))
        else:
            out.append(run.inner(job, words, "parallel", stdin=NOTHING, state=job.state.copy()))
    return concatenate(out)
