"""Programs that run others in ways a table row cannot tell: shells, xargs, find, parallel, make, git, interpreters."""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from askfirst.facts import NoFacts
from askfirst.shell.command import HOLE, Stream, Word
from askfirst.shell.find import operands as found_operands
from askfirst.shell.frameworks import FRAMEWORKS, RUNNERS, framework_code, tool_at
from askfirst.shell.git import nested
from askfirst.shell.sql import SQL_HANDLERS, client_files, client_shell
from askfirst.shell.streams import NOTHING, UNKNOWN, concatenate
from askfirst.shell.unwrap import joined
from askfirst.shell.unwrap_table import SHELL_VALUES, SHELLS

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.shell.execute import Execute
    from askfirst.shell.job import Job

    Program: TypeAlias = Callable[[Job, Execute], Stream | None]

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
_CLUSTER_C = re.compile(r"-[A-Za-z]*c[A-Za-z]*")
_CLUSTER_I = re.compile(r"-[A-Za-z]*i[A-Za-z]*")
_CLUSTER_N = re.compile(r"-[A-Za-z]*n[A-Za-z]*")
_COMMAND_OPTION = re.compile(r"-c(?:o(?:m(?:m(?:a(?:nd?)?)?)?)?)?|/c", re.IGNORECASE)
_BARE = re.compile(r"[\w./-]+", re.ASCII)


def _shell(job: Job, run: Execute) -> Stream | None:
    """``sh -c text name args``, ``sh file args``, ``… | sh``."""
    name = posixpath.basename(job.argv[0].text)
    args = job.argv[1:]
    at, has_script, reads = 0, False, False
    checks, interactive = False, False
    while at < len(args) and args[at].text.startswith(("-", "+")) and args[at].text not in {"-", "--"}:
        text = args[at].text
        has_script = has_script or _CLUSTER_C.fullmatch(text) is not None
        reads = reads or text == "-s"
        checks = checks or text in {"--version", "--help"} or _CLUSTER_N.fullmatch(text) is not None
        interactive = interactive or _CLUSTER_I.fullmatch(text) is not None
        at += 2 if text in SHELL_VALUES else 1
    if at < len(args) and args[at].text in {"-", "--"}:
        at += 1
    if checks and not interactive:
        return None  # `-n` only checks the syntax, but an interactive shell ignores it
    operands = args[at:]
    run.evaluator.emit(job, runs=True)
    state = job.state.child({key: word.text for key, word in job.env.items()})
    if has_script and operands:
        state.zero = operands[1].text if len(operands) > 1 else name
        state.positionals = tuple(word.text for word in operands[2:])
        if len(operands) > 1 and _BARE.fullmatch(operands[0].text) and operands[0].text not in SHELLS:
            # `ssh host bash -c 'rm -rf x'` arrives as `bash -c rm -rf x`: what was meant counts too.
            run.text(job, joined(operands), f"{name} -c", state=job.state.child({}))
        return run.text(job, operands[0], f"{name} -c", state=state)
    if operands and not reads and operands[0].text not in {"/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"}:
        state.zero = operands[0].text
        state.positionals = tuple(word.text for word in operands[1:])
        return run.stream(job, run.evaluator.files.content(operands[0], job.state), name, state=state)
    state.positionals = tuple(word.text for word in operands)
    return run.stream(job, job.stdin, name, state=state)


def _powershell(job: Job, run: Execute) -> Stream | None:
    """Programs that a PowerShell text runs; its own cmdlets are judged by the handlers."""
    words = job.argv[1:]
    at = next((i for i, word in enumerate(words) if _COMMAND_OPTION.fullmatch(word.text)), None)
    run.evaluator.emit(job, runs=False)
    if at is not None and words[at + 1 :]:
        run.text(job, joined(words[at + 1 :]), posixpath.basename(job.argv[0].text))
    return UNKNOWN


def _split_command(args: list[Word], values: frozenset[str]) -> tuple[dict[str, Word | None], list[Word]]:
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


def _xargs(job: Job, run: Execute) -> Stream | None:
    """Names from standard input become arguments."""
    options, command = _split_command(job.argv[1:], _XARGS_VALUES)
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
    return [Word(text=text, shown=text.replace(HOLE, "…"), glob="*" in text or "?" in text) for text in texts]


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


def _find(job: Job, run: Execute) -> Stream | None:
    """``-exec … ;`` and its like: once for what ``find`` would find."""
    args = job.argv[1:]
    executes = [i for i, word in enumerate(args) if word.text in {"-exec", "-execdir", "-ok", "-okdir"}]
    if not executes:
        return None
    run.evaluator.emit(job, runs=True)
    out = []
    for start in executes:
        end = next(
            (i for i in range(start + 1, len(args)) if args[i].text in {";", "+"} or args[i].text == "\\;"), len(args)
        )
        command = args[start + 1 : end]
        for found in found_operands(run.evaluator.command(job)) or [Word(text=HOLE, shown="…")]:
            argv = [_replaced(word, "{}", found) for word in command]
            out.append(run.inner(job, argv, f"find {args[start].text}", state=job.state.copy(), stdin=NOTHING))
    return concatenate(out)


def _fd(job: Job, run: Execute) -> Stream | None:
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


def _parallel(job: Job, run: Execute) -> Stream | None:
    """The command with each argument behind ``:::``, or those arguments (or lines of standard input) as commands."""
    options, rest = _split_command(job.argv[1:], _PARALLEL_VALUES)
    run.evaluator.emit(job, runs=True)
    marks = [i for i, word in enumerate(rest) if word.text in {":::", ":::+", "::::"}]
    command = rest[: marks[0]] if marks else rest
    if marks and rest[marks[0]].text != "::::":
        names = [word for word in rest[marks[0] + 1 :] if word.text not in {":::", ":::+"}][:_MAX_NAMES]
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
    for name in names:
        words = [_replaced(word, "{}", name) for word in command]
        words = [*words, name] if words == command else words
        if len(words) == 1:
            out.append(run.text(job, words[0], "parallel", stdin=NOTHING))
        else:
            out.append(run.inner(job, words, "parallel", stdin=NOTHING, state=job.state.copy()))
    return concatenate(out)


def _crontab(job: Job, run: Execute) -> Stream | None:
    """Lines of a crontab: five fields, then a command."""
    operands = [word for word in job.argv[1:] if not word.text.startswith("-") or word.text == "-"]
    if any(word.text in {"-l", "-r", "-e"} for word in job.argv[1:]):
        return None
    run.evaluator.emit(job, runs=True)
    source = (
        job.stdin
        if not operands or operands[-1].text in {"-", "/dev/stdin"}
        else run.evaluator.files.content(operands[-1], job.state)
    )
    source = run.evaluator.files.read(source)
    if source.kind != "text":
        run.note(job, "unknown-script", "crontab")
        return NOTHING
    for line in source.text.splitlines():
        match = re.match(r"\s*(?:@\w+|(?:\S+\s+){4}\S+)\s+(.*)", line)
        if match and not line.lstrip().startswith("#"):
            run.text(job, Word(text=match[1].replace("%", "\n")), "crontab", stdin=NOTHING)
    return NOTHING


def _make(job: Job, run: Execute) -> Stream | None:
    """``make -f -`` and ``make -f file`` with a known text: its recipes; ``--eval`` too."""
    args = job.argv[1:]
    texts = [text.removeprefix("-f") for text in (word.text for word in args) if text.startswith("-f") and text != "-f"]
    texts += [args[i + 1].text for i, word in enumerate(args[:-1]) if word.text in {"-f", "--file", "--makefile"}]
    for name in ("GNUmakefile", "makefile", "Makefile") if not texts else ():
        path = job.state.path(name)
        if path is not None and (path in job.state.files):
            texts = [path]
    sources = (
        job.stdin if text in {"-", "/dev/stdin"} else run.evaluator.files.content(Word(text=text), job.state)
        for text in texts[:4]
    )
    streams = [run.evaluator.files.read(source) for source in sources]
    evals = [word.text.partition("=")[2] for word in args if word.text.startswith("--eval=")]
    known = [one.text for one in streams if one.kind == "text"] + evals
    if not known:
        return None
    run.evaluator.emit(job, runs=True)
    for text in known:
        for recipe in _recipes(text):
            run.text(job, Word(text=recipe), "make", stdin=NOTHING)
    return NOTHING


def _recipes(makefile: str) -> list[str]:
    text = makefile.replace("\\\n", " ")
    lines = re.findall(r"^\t(.*)$|^[^\s#:=][^:=\n]*::?(?!=)[^;\n]*;(.*)$|\$\(shell ([^)]*)\)", text, re.MULTILINE)
    return [next(one for one in found if one).lstrip("@-+ \t").replace("$$", "$") for found in lines if any(found)]


def _git(job: Job, run: Execute) -> Stream | None:
    """Commands inside of git's options, environment and aliases; the git rules see the command itself."""
    command = run.evaluator.command(job)
    texts = [word.text for word in job.argv[1:]]
    if texts[:1] == ["config"]:
        _remember_alias(job, job.argv[2:])
    remembered = job.state.aliases.get(f"git {texts[0]}") if texts else None
    if remembered:
        command = replace(
            command, argv=(job.argv[0], Word(text="-c"), Word(text=f"alias.{texts[0]}={remembered}"), *job.argv[1:])
        )
    for one in nested(command, NoFacts() if job.place.where else run.evaluator.facts):
        if one.script:
            run.text(job, Word(text=one.script), one.label)
        elif one.argv:
            run.inner(job, list(one.argv), one.label)
    return None


def _remember_alias(job: Job, args: list[Word]) -> None:
    """``git config alias.x text`` earlier in the same command."""
    texts = [word.text for word in args if not word.text.startswith("-") and word.text != "set"]
    if len(texts) > 1 and texts[0].lower().startswith("alias."):
        job.state.aliases[f"git {texts[0][6:]}"] = texts[1]


def _store(job: Job, run: Execute) -> Stream | None:
    """``tee``, ``cp``, ``mv``, ``ln``, ``install``: files get known content; downloads to files."""
    name = posixpath.basename(job.argv[0].text)
    operands = [word for word in job.argv[1:] if not word.text.startswith("-")]
    evaluator, state = run.evaluator, job.state
    if name == "tee":
        for word in operands:
            evaluator.files.store(word, job.stdin, state, append="-a" in {w.text for w in job.argv})
    elif len(operands) == 2:
        path = state.path(operands[0].text)
        stream = evaluator.files.at(path, state) if path is not None else UNKNOWN
        if stream.kind != "file" or name != "mv":
            target = operands[1]
            if target.text.endswith("/") or target.text == ".":
                target = replace(target, text=posixpath.join(target.text, posixpath.basename(operands[0].text)))
            evaluator.files.store(target, stream, state)
    return None


def _download(job: Job, run: Execute) -> Stream | None:
    """``curl -o file``, ``wget -O file``, ``wget url``: the file holds a download."""
    name = posixpath.basename(job.argv[0].text)
    args = job.argv[1:]
    urls = [w for w in args if "://" in w.text or (not w.text.startswith("-") and "/" in w.text and "." in w.text)]
    network = Stream(kind="network", text=urls[0].text if urls else "")
    target: Word | None = None
    for i, word in enumerate(args):
        option = "-O" if name == "wget" else "-o"
        long = "--output-document" if name == "wget" else "--output"
        attached = re.fullmatch(rf"-[A-Za-z]*?{option[1]}(.*)", word.text)
        if word.text == long or (attached and not attached[1]):
            target = args[i + 1] if i + 1 < len(args) else None
        elif attached:
            target = replace(word, text=attached[1])
        elif word.text.startswith(f"{long}="):
            target = replace(word, text=word.text.partition("=")[2])
        elif name == "curl" and re.fullmatch(r"-[A-Za-z]*O[A-Za-z]*|--remote-name(-all)?", word.text) and urls:
            target = replace(urls[0], text=posixpath.basename(urls[0].text))
    if target is None and name == "wget" and urls:
        target = replace(urls[0], text=posixpath.basename(urls[0].text))
    if target is not None and target.text != "-":
        run.evaluator.files.store(target, network, job.state)
        run.evaluator.emit(job, runs=False)
        return NOTHING
    return None


def _database(job: Job, run: Execute) -> Stream | None:
    """Database clients: SQL files that we know go in as standard input; shell commands they start are run."""
    source = run.evaluator.files.read(job.stdin)
    job = replace(job, stdin=source)
    for script in client_shell(run.evaluator.command(job)):
        run.text(job, Word(text=script), posixpath.basename(job.argv[0].text), stdin=NOTHING)
    files = {
        path: run.evaluator.files.read(run.evaluator.files.content(Word(text=path), job.state))
        for path in client_files(run.evaluator.command(job))
    }
    known = [one for one in files.values() if one.kind == "text"]
    if known and len(known) == len(files):
        argv = [
            word
            for word in job.argv
            if word.text.partition("=")[2] not in files and word.text not in {*files, "-f", "--file"}
        ]
        run.evaluator.emit(replace(job, argv=argv, stdin=concatenate(known)), runs=False)
        return UNKNOWN
    run.evaluator.emit(job, runs=False)
    return UNKNOWN


def _framework(job: Job, run: Execute) -> Stream | None:
    """Code on the command line of a web framework's task runner; the command itself is judged by the packs."""
    code = framework_code([word.text for word in job.argv])
    if code is None:
        return None
    run.evaluator.emit(job, runs=False)
    argv = {"ruby": "ruby -e", "php": "php -r", "python": "python3 -c", "sql": "psql -c"}[code.language].split()
    words = [Word(text=one, span=job.span) for one in (*argv, code.text)]
    return run.inner(job, words, posixpath.basename(job.argv[0].text))


def _runner(job: Job, run: Execute) -> Stream | None:
    """``pnpm prisma migrate reset``: a tool of the project by its bare name."""
    at = tool_at([word.text for word in job.argv])
    if at is None:
        return None
    run.evaluator.emit(job, runs=True)
    return run.inner(job, job.argv[at:], posixpath.basename(job.argv[0].text))


PROGRAMS: dict[str, Program] = {
    **dict.fromkeys(RUNNERS, _runner),
    **dict.fromkeys(FRAMEWORKS, _framework),
    **dict.fromkeys(SHELLS, _shell),
    **dict.fromkeys(("pwsh", "powershell"), _powershell),
    "xargs": _xargs,
    "gxargs": _xargs,
    "find": _find,
    "gfind": _find,
    "fd": _fd,
    "fdfind": _fd,
    "parallel": _parallel,
    "rush": _parallel,
    "crontab": _crontab,
    "make": _make,
    "gmake": _make,
    "git": _git,
    **dict.fromkeys(SQL_HANDLERS, _database),
    "tee": _store,
    "cp": _store,
    "mv": _store,
    "ln": _store,
    "install": _store,
    "curl": _download,
    "wget": _download,
}
