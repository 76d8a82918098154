"""Programs that run others in ways a table row cannot tell: shells, xargs, find, parallel, make, git, interpreters."""

from __future__ import annotations

import itertools
import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from askfirst.facts import NoFacts
from askfirst.shell.command import Stream, Word
from askfirst.shell.compiled import COMPILERS, SOURCE_RUNNERS, compile_sources, run_source
from askfirst.shell.fan_out import fd_exec, find_exec, parallel, split_command, xargs
from askfirst.shell.frameworks import FRAMEWORKS, RUNNERS, console_language, framework_code, framework_script, tool_at
from askfirst.shell.git import nested
from askfirst.shell.sql import SQL_HANDLERS, client_files, client_shell
from askfirst.shell.sql_clients import CLIENTS, is_session
from askfirst.shell.streams import NOTHING, UNKNOWN, concatenate, output
from askfirst.shell.task_files import just_recipes, task_recipes
from askfirst.shell.tasks import package_scripts, read_make_call, read_makefile
from askfirst.shell.unwrap import joined
from askfirst.shell.unwrap_table import SHELL_VALUES, SHELLS

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.shell.execute import Execute
    from askfirst.shell.job import Job

    Program: TypeAlias = Callable[[Job, Execute], Stream | None]

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
    _start_files(job, run, interactive=interactive)
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
    if job.stdin.kind == "unknown":
        run.note(job, "piped-script", name)
        return UNKNOWN
    return run.stream(job, job.stdin, name, state=state)


def _start_files(job: Job, run: Execute, *, interactive: bool) -> None:
    """The files that a shell reads before anything else, by its environment and its options."""
    named: list[tuple[str, Word]] = [(name, job.env[name]) for name in ("BASH_ENV", "ENV") if name in job.env]
    if interactive:
        pairs = itertools.pairwise(job.argv)
        named += [(before.text, after) for before, after in pairs if before.text in {"--rcfile", "--init-file"}]
    for name, word in named:
        run.stream(job, run.evaluator.files.content(word, job.state), name)


def _powershell(job: Job, run: Execute) -> Stream | None:
    """Programs that a PowerShell text runs; its own cmdlets are judged by the handlers."""
    words = job.argv[1:]
    at = next((i for i, word in enumerate(words) if _COMMAND_OPTION.fullmatch(word.text)), None)
    run.evaluator.emit(job, runs=False)
    if at is not None and words[at + 1 :]:
        run.text(job, joined(words[at + 1 :]), posixpath.basename(job.argv[0].text))
        return UNKNOWN
    script = next((word for word in words if word.text.lower().endswith(".ps1")), None)
    if script is not None:
        source = run.evaluator.files.read(run.evaluator.files.content(script, job.state))
        if source.kind == "text":
            run.evaluator.emit(replace(job, argv=job.argv[:1], stdin=source), runs=False)
        elif source.kind == "file":
            run.unread(job, source.text)
    return UNKNOWN


def _crontab(job: Job, run: Execute) -> Stream | None:
    """Lines of a crontab: five fields, then a command."""
    operands = [word for word in job.argv[1:] if not word.text.startswith("-") or word.text == "-"]
    if any(word.text in {"-l", "-r", "-e", "-h", "--help", "-V", "--version"} for word in job.argv[1:]):
        return None
    run.evaluator.emit(job, runs=True)
    source = (
        job.stdin
        if not operands or operands[-1].text in {"-", "/dev/stdin"}
        else run.evaluator.files.content(operands[-1], job.state)
    )
    source = run.evaluator.files.read(source)
    empties = any(one.operator == "<" and one.target.text == "/dev/null" for one in job.redirects)
    if empties or source.kind == "none":
        return run.inner(job, [job.argv[0], replace(job.argv[0], text="-r", shown="-r")], "crontab of nothing")
    if source.kind != "text":
        run.note(job, "piped-script", "crontab")
        return NOTHING
    for line in source.text.splitlines():
        match = re.match(r"\s*(?:@\w+|(?:\S+\s+){4}\S+)\s+(.*)", line)
        if match and not line.lstrip().startswith("#"):
            run.text(job, Word(text=match[1].replace("%", "\n")), "crontab", stdin=NOTHING)
    return NOTHING


def _make(job: Job, run: Execute) -> Stream | None:
    """The recipes that ``make`` would run: of the named file, all; of the folder's own Makefile, the targets'."""
    call = read_make_call([word.text for word in job.argv[1:]])
    if call.is_dry:
        return None
    state = job.state.copy()
    for folder in call.folders:
        state.enter(folder)
    lines = list(call.evals)
    for name in call.files or _MAKEFILES:
        source = job.stdin if name in {"-", "/dev/stdin"} else run.evaluator.files.content(Word(text=name), state)
        source = run.evaluator.files.read(source)
        if source.kind == "text":
            makefile = read_makefile(source.text, call.variables)
            lines += makefile.every_recipe() if call.files else makefile.recipes(call.targets)
            if not call.files:
                break
    shell = call.variables.get("SHELL", "")
    if " " in shell or ";" in shell:
        lines.append(shell)
    run.evaluator.emit(job, runs=bool(lines))
    if not lines:
        run.unread_tasks(job, call.targets)
    for line in lines:
        run.text(job, Word(text=line), "make", stdin=NOTHING, state=state.child(call.variables))
    return NOTHING


_PACKAGE_VALUES = frozenset({"--prefix", "-C", "--dir", "--cwd", "-w", "--workspace", "--filter", "-F"})
_MAKEFILES = ("GNUmakefile", "makefile", "Makefile")


def _runner(job: Job, run: Execute) -> Stream | None:
    """``pnpm rimraf dist``: a tool of the project by its bare name."""
    name = posixpath.basename(job.argv[0].text)
    at = tool_at([word.text for word in job.argv], _PACKAGE_VALUES) if name in RUNNERS else None
    if at is None:
        return None
    run.evaluator.emit(job, runs=True)
    return run.inner(job, job.argv[at:], name)


def _package_script(job: Job, run: Execute) -> Stream | None:
    """``npm run name`` and its like: the script in the folder's ``package.json``."""
    tool = _runner(job, run)
    if tool is not None:
        return tool
    program = posixpath.basename(job.argv[0].text)
    options, rest = split_command(job.argv[1:], _PACKAGE_VALUES)
    state = job.state.copy()
    for option in ("--prefix", "-C", "--dir", "--cwd"):
        folder = options.get(option)
        if folder is not None:
            state.enter(folder.text)
    names = [word.text for word in rest if not word.text.startswith("-")]
    if names[:1] and names[0] in {"run", "run-script", "rum", "urn"}:
        names = names[1:]
    elif not names[:1] or (program == "npm" and names[0] not in {"test", "t", "start", "stop", "restart"}):
        return None
    name = {"t": "test"}.get(names[0], names[0]) if names else ""
    source = run.evaluator.files.read(run.evaluator.files.content(Word(text="package.json"), state))
    scripts = package_scripts(source.text, name) if source.kind == "text" and name else []
    if not scripts:
        run.unread_tasks(job, [name])
        return None
    run.evaluator.emit(job, runs=False)
    for script in scripts:
        run.text(job, Word(text=script), f"{program} run {name}", stdin=NOTHING, state=state.child({}))
    return UNKNOWN


_TASK_FILES: dict[str, tuple[tuple[str, ...], Callable[[str, list[str]], list[str]]]] = {
    "just": (("justfile", "Justfile", ".justfile"), just_recipes),
    **dict.fromkeys(("task", "go-task"), (("Taskfile.yml", "Taskfile.yaml", "taskfile.yml"), task_recipes)),
}


def _tasks(job: Job, run: Execute) -> Stream | None:
    """``just name`` and ``task name``: the recipes of the folder's own file, or of the one that is named."""
    names, read = _TASK_FILES[posixpath.basename(job.argv[0].text)]
    options, rest = split_command(job.argv[1:], _TASK_VALUES)
    if {"--list", "-l", "--summary", "--show", "-s", "--dry-run", "-n", "--dry", "--help"} & options.keys():
        return None
    state = job.state.copy()
    folder = options.get("-d") or options.get("--working-directory") or options.get("--dir")
    if folder is not None:
        state.enter(folder.text)
    given = next((one for name in ("-f", "--justfile", "-t", "--taskfile") if (one := options.get(name))), None)
    targets = [word.text for word in rest if not word.text.startswith("-")]
    lines: list[str] = []
    for word in [given] if given else [Word(text=name) for name in names]:
        source = run.evaluator.files.read(run.evaluator.files.content(word, state))
        if source.kind == "text":
            lines = read(source.text, targets)
            break
    run.evaluator.emit(job, runs=False)
    if not lines:
        run.unread_tasks(job, targets)
    for line in lines:
        run.text(job, Word(text=line), job.argv[0].text, stdin=NOTHING, state=state.child({}))
    return UNKNOWN


_TASK_VALUES = frozenset(
    {"-d", "--working-directory", "--dir", "-f", "--justfile", "-t", "--taskfile", "--set", "-o", "--output"}
)


def _git(job: Job, run: Execute) -> Stream | None:
    """Commands inside of git's options, environment and aliases; the git rules see the command itself."""
    command = run.evaluator.command(job)
    texts = [word.text for word in job.argv[1:]]
    if texts[:1] == ["config"]:
        _remember_alias(job, run, job.argv[2:])
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


def _remember_alias(job: Job, run: Execute, args: list[Word]) -> None:
    """``git config alias.x text``: for later in the same command; one that runs a shell counts as running it."""
    texts = [word.text for word in args if not word.text.startswith("-") and word.text != "set"]
    if len(texts) > 1 and texts[0].lower().startswith("alias."):
        job.state.aliases[f"git {texts[0][6:]}"] = texts[1]
        if texts[1].startswith("!"):
            run.text(job, Word(text=texts[1][1:]), f"git {texts[0][6:]}", stdin=NOTHING, state=job.state.child({}))


_PROGRAM_FOLDERS = frozenset({"/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin"})


def _store(job: Job, run: Execute) -> Stream | None:
    """``tee``, ``cp``, ``mv``, ``ln``, ``install``: files get known content; downloads to files."""
    name = posixpath.basename(job.argv[0].text)
    operands = [word for word in job.argv[1:] if not word.text.startswith("-")]
    evaluator, state = run.evaluator, job.state
    if name in {"tee", "sponge"}:
        for word in operands:
            evaluator.files.store(word, job.stdin, state, append="-a" in {w.text for w in job.argv})
    elif len(operands) == 2:
        path = state.path(operands[0].text)
        stream = evaluator.files.at(path, state) if path is not None else UNKNOWN
        if path is not None and posixpath.dirname(path) in _PROGRAM_FOLDERS:
            stream = Stream(kind="text", text=f'#!/bin/sh\n{path} "$@"\n')  # the program by another name
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
    client = CLIENTS.get(posixpath.basename(job.argv[0].text))
    if client is not None and not is_session(client, run.evaluator.command(job)):
        return None
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
    return output(job.argv, job.stdin, job.state)


def _framework(job: Job, run: Execute) -> Stream | None:
    """Code that a web framework's task runner is given or fed; the command itself is judged by the packs."""
    argv = [word.text for word in job.argv]
    code = framework_code(argv)
    script = None if code else framework_script(argv)
    fed = "" if code or script or job.stdin.kind == "none" else console_language(argv)
    if code:
        inner = [*_WITH_CODE[code.language], code.text]
    elif script:
        inner = [_WITH_CODE[script.language][0], script.text]
    elif fed:
        inner = [_WITH_CODE[fed][0]]
    else:
        return None
    run.evaluator.emit(job, runs=False)
    words = [Word(text=one, span=job.span) for one in inner]
    return run.inner(job, words, posixpath.basename(job.argv[0].text))


_WITH_CODE = {
    "ruby": ("ruby", "-e"),
    "php": ("php", "-r"),
    "python": ("python3", "-c"),
    "elixir": ("elixir", "-e"),
    "sql": ("psql", "-c"),
}
"""Language -> a program that reads it, and its option for code; without the option it reads its input."""


PROGRAMS: dict[str, Program] = {
    **dict.fromkeys(FRAMEWORKS, _framework),
    **dict.fromkeys(SHELLS, _shell),
    **dict.fromkeys(("pwsh", "powershell"), _powershell),
    "xargs": xargs,
    "gxargs": xargs,
    "find": find_exec,
    "gfind": find_exec,
    "fd": fd_exec,
    "fdfind": fd_exec,
    "parallel": parallel,
    "rush": parallel,
    "crontab": _crontab,
    **dict.fromkeys(_TASK_FILES, _tasks),
    "make": _make,
    "gmake": _make,
    **dict.fromkeys(("npm", "pnpm", "yarn", "bun"), _package_script),
    "git": _git,
    **dict.fromkeys(COMPILERS, compile_sources),
    **dict.fromkeys(SOURCE_RUNNERS, run_source),
    **dict.fromkeys(SQL_HANDLERS, _database),
    "tee": _store,
    "sponge": _store,
    "cp": _store,
    "mv": _store,
    "ln": _store,
    "install": _store,
    "curl": _download,
    "wget": _download,
}
