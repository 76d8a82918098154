"""Commands inside options and variables of programs whose own work is something else: a pager, a proxy, a checkpoint.

Data: per program the option and a pattern whose first group is shell text. Sources: tar(1), ssh_config(5), rsync(1),
GNU sed «Commands Requiring a newline», vim(1), gdb(1), expect(1), bash(1), the list of GTFOBins for the choice.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from askfirst.shell.command import HOLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from askfirst.shell.command import Word
    from askfirst.shell.job import Job

_ANY = re.compile(r"(.+)", re.DOTALL)
_QUOTED = r"""["']((?:\\.|[^"'\\])*)["']"""
_BANG = re.compile(r"[:\s]*(?:sil\w*!?\s+)?!\s*(.+)", re.DOTALL)
_VIM_CALL = re.compile(rf".*?\b(?:system(?:list)?|execute|os\.execute|jobstart|termopen)\(\s*{_QUOTED}.*", re.DOTALL)
_VIM_DELETE = re.compile(rf".*?\bdelete\(\s*{_QUOTED}.*", re.DOTALL)
_VIM_EMPTIES = re.compile(r"[:\s]*(?:%|1,\$|g/[.^]?/)\s*d(?:elete)?\b.*", re.DOTALL)
_LISP_SHELL = re.compile(r'.*?\((?:async-)?shell-command(?:-to-string)?\s+"((?:\\.|[^"\\])*)".*', re.DOTALL)
_LISP_DELETE = re.compile(r'.*?\(delete-(?:directory|file)\s+"((?:\\.|[^"\\])*)".*', re.DOTALL)
_SHELL_WORD = re.compile(r"\s*(?:platform\s+)?(?:shell|!|pipe)\s*(.+)", re.DOTALL)
_DEBUG_CALL = re.compile(rf"\s*(?:call|print|p|expr)\b.*?\bsystem\s*\(\s*{_QUOTED}.*", re.DOTALL)
_SSH_COMMAND = re.compile(r"(?:Proxy|Local|KnownHosts)Command[= ](.+)", re.DOTALL | re.IGNORECASE)
_SED_COMMAND = re.compile(r"(?:^|[;\n{}]|\d|\$|/I?|!)[ \t]*e[ \t]+([^\n]+)")
_SED_REPLACEMENT = re.compile(r"s(.)(?:(?!\1).)*\1((?:\\.|(?!\1).)*)\1[gpI0-9]*e")

_OPTIONS: dict[str, tuple[tuple[str, re.Pattern[str]], ...]] = {
    # program: (option, pattern); an option that ends in `=` has its value attached, others also in the next word
    "tar": (
        ("--checkpoint-action", re.compile(r"exec=(.+)", re.DOTALL)),
        *((option, _ANY) for option in ("-I", "--use-compress-program", "--to-command", "-F", "--info-script")),
        *((option, _ANY) for option in ("--rsh-command", "--new-volume-script")),
    ),
    "ssh": (("-o", _SSH_COMMAND),),
    "rsync": (("-e", _ANY), ("--rsh", _ANY)),
    "vim": tuple((option, pattern) for option in ("-c", "--cmd", "+", "-sc") for pattern in (_BANG, _VIM_CALL)),
    "less": (("+", _BANG),),
    "emacs": tuple((option, _LISP_SHELL) for option in ("--eval", "-eval", "--execute")),
    "gdb": tuple(
        (option, pattern)
        for option in ("-ex", "-iex", "-o", "--eval-command")
        for pattern in (_SHELL_WORD, _DEBUG_CALL)
    ),
    "dc": (("-e", _BANG),),
    "man": (("-P", _ANY), ("--pager", _ANY)),
    "zip": (("-TT", _ANY), ("--unzip-command", _ANY)),
    "sort": (("--compress-program", _ANY),),
    "split": (("--filter", _ANY),),
    "wget": (("--use-askpass", _ANY),),
}
_DELETES: dict[str, tuple[tuple[str, re.Pattern[str]], ...]] = {
    "vim": tuple((option, _VIM_DELETE) for option in ("-c", "--cmd", "+", "-sc")),
    "emacs": tuple((option, _LISP_DELETE) for option in ("--eval", "-eval", "--execute")),
}
"""As ``_OPTIONS``, but the group is a path that is deleted with everything below it."""
_SAME = {
    **dict.fromkeys(("gtar", "bsdtar"), "tar"),
    **dict.fromkeys(("scp", "sftp", "autossh", "sshfs"), "ssh"),
    **dict.fromkeys(("vi", "nvim", "ex", "view", "gvim", "vimdiff"), "vim"),
    **dict.fromkeys(("more", "most"), "less"),
    "lldb": "gdb",
    "emacsclient": "emacs",
    **dict.fromkeys(("expect", "wish", "tclsh8.6", "jimsh"), "tclsh"),
}
_PROMPTS = frozenset({"PS0", "PS1", "PS2", "PS4"})
_EXPORTED = re.compile(r"\s*\(\)\s*(.+)", re.DOTALL)
"""A function that bash takes from its environment: ``BASH_FUNC_ls%%=() { …; }``."""
_VARIABLES = frozenset(
    "PAGER MANPAGER EDITOR VISUAL BROWSER LESSOPEN LESSCLOSE PROMPT_COMMAND SUDO_ASKPASS SSH_ASKPASS RSYNC_RSH".split()
)


def inside_options(job: Job, name: str) -> list[Word]:
    """Shell texts in the options of a command."""
    if name in {"sed", "gsed"}:
        return _sed(job.argv[1:])
    if name == "gh" and [word.text for word in job.argv[1:3]] == ["alias", "set"]:
        return [replace(word, text=word.text[1:]) for word in job.argv[3:] if word.text.startswith("!")]
    known = _SAME.get(name, name)
    found = [replace(value, text=match[1], shown=match[1]) for value, match in _matches(job, _OPTIONS.get(known, ()))]
    for value, match in _matches(job, _DELETES.get(known, ())):
        text = f"rm -rf -- {shlex.quote(match[1])}"
        found.append(replace(value, text=text, shown=text))
    if known == "vim" and _empties(job.argv[1:]):
        found += [replace(word, text=f"truncate -s 0 -- {shlex.quote(word.text)}") for word in _files(job.argv[1:])]
    return found


def _matches(job: Job, table: tuple[tuple[str, re.Pattern[str]], ...]) -> Iterator[tuple[Word, re.Match[str]]]:
    args = job.argv[1:]
    for option, pattern in table:
        for index, word in enumerate(args):
            value = _value(option, word, args[index + 1] if index + 1 < len(args) else None)
            match = pattern.fullmatch(value.text) if value else None
            if value and match:
                yield value, match


def _empties(args: list[Word]) -> bool:
    """Whether an editor is told to delete every line, and to write."""
    given = [
        value.text
        for option in ("-c", "-sc", "+")
        for i, word in enumerate(args)
        if (value := _value(option, word, args[i + 1] if i + 1 < len(args) else None))
    ]
    writes = any(re.search(r"(?:^|[|:\s])(?:w|wq|x|wa|wqa|xa)!?\s*(?:$|\|)", text) for text in given)
    return writes and any(_VIM_EMPTIES.match(text) for text in given)


def _files(args: list[Word]) -> list[Word]:
    """The files that an editor opens: the last words that are no option and no option's value."""
    return [
        word
        for before, word in zip(["", *(each.text for each in args)], args, strict=False)
        if not word.text.startswith(("-", "+")) and before not in {"-c", "-sc", "--cmd", "-S", "-u", "-i"}
    ]


def _value(option: str, word: Word, following: Word | None) -> Word | None:
    """The value that ``word`` gives to the option, if it does."""
    if word.text == option:
        return following
    attached = f"{option}=" if option.startswith("--") else option
    if not word.text.startswith(attached):
        return None
    return replace(word, text=word.text[len(attached) :])


def _sed(args: list[Word]) -> list[Word]:
    """The ``e`` command and flag of GNU sed."""
    found = []
    for word in args:
        texts = [match[1] for match in _SED_COMMAND.finditer(word.text)]
        texts += [match[2].replace("\\/", "/") for match in _SED_REPLACEMENT.finditer(word.text)]
        found += [replace(word, text=text, shown=text) for text in texts]
    return found


_TCL = (
    re.compile(
        r"""\b(?:spawn|exec|system)\s+(?:-\w+\s+)*+((?:'[^']*'|"(?:\\.|[^"\\])*+"|\{[^{}]*\}|[^;\n\]}'"{])++)"""
    ),
    re.compile(r'\bsend(?:_user)?\s+(?:--?\s+)?"((?:\\.|[^"\\])*)"'),
)
_TYPED: dict[str, tuple[re.Pattern[str], ...]] = {
    "gdb": (re.compile(r"^[ \t]*(?:shell|!|pipe)[ \t]*(.+)$", re.MULTILINE),),
    "ed": (re.compile(r"^[ \t]*(?:[\d,$.%]*[ \t]*[rw]?[ \t]*)!(.+)$", re.MULTILINE),),
    "vim": (re.compile(r"^[:\s]*(?:sil\w*!?\s+)?!(.+)$", re.MULTILINE),),
    "tclsh": _TCL,
    "m4": (re.compile(r"\be?syscmd\(\s*`?((?:[^'()]|\([^()]*\))*)"),),
    "lftp": (re.compile(r"(?:^|;)[ \t]*!([^;\n]+)", re.MULTILINE),),
    "dc": (re.compile(r"^!(.+)$", re.MULTILINE),),
}
"""Programs that run shell commands of what they are told on standard input, in a file or behind ``-c``."""
_TCL_DELETE = re.compile(r"\bfile\s+delete\s+(?:-force\s+)?(?:--\s+)?([^;\n\]]+)")
_ED_EMPTIES = re.compile(r"^[ \t]*(?:%|1,\$|,|g/[.^]?/)[ \t]*d$", re.MULTILINE)


CODE_OPTIONS = {"expect": frozenset({"-c"}), "lftp": frozenset({"-c", "-e"})}
"""Options whose value is such text."""


def reads_commands(name: str) -> bool:
    """Whether the program is told what to do by text that may hold shell commands."""
    return _SAME.get(name, name) in _TYPED or name in {"sftp", "ftp"}


def typed(name: str, text: str, file: str) -> list[str]:
    """The shell commands in what a program is told; ``file``: the one it edits."""
    known = "lftp" if name in {"sftp", "ftp"} else _SAME.get(name, name)
    found = [match[1].removesuffix("\\r").removesuffix("\\n") for one in _TYPED[known] for match in one.finditer(text)]
    if known == "tclsh":
        found += [f"rm -rf -- {match[1]}" for match in _TCL_DELETE.finditer(text)]
    if known in {"ed", "vim"} and file and _ED_EMPTIES.search(text) and re.search(r"^(?:w|wq|x)\b", text, re.MULTILINE):
        found.append(f"truncate -s 0 -- {shlex.quote(file)}")
    return found


def inside_variables(env: dict[str, Word]) -> list[tuple[str, Word]]:
    """Shell texts in variables that programs run, with the variables' names."""
    return [
        (name, replace(word, text=text, shown=text))
        for name, word in env.items()
        if word.text != HOLE and (text := _run_of(name, word.text))
    ]


def _run_of(name: str, value: str) -> str:
    """What a variable of this name makes a program run; a prompt runs what is substituted in it, at each line."""
    if name in _VARIABLES:
        return value
    if name in _PROMPTS and re.search(r"\$\(|`", value):
        return f': "{value}"'
    function = _EXPORTED.fullmatch(value) if name.startswith("BASH_FUNC_") else None
    return function[1] if function else ""
