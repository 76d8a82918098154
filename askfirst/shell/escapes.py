"""Commands inside options and variables of programs whose own work is something else: a pager, a proxy, a checkpoint.

Data: per program the option and a pattern whose first group is shell text. Sources: tar(1), ssh_config(5), rsync(1),
GNU sed «Commands Requiring a newline», vim(1), gdb(1), expect(1), bash(1), the list of GTFOBins for the choice.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from askfirst.shell.command import HOLE

if TYPE_CHECKING:
    from askfirst.shell.command import Word
    from askfirst.shell.job import Job

_ANY = re.compile(r"(.+)", re.DOTALL)
_BANG = re.compile(r"[:\s]*(?:sil\w*!?\s+)?!\s*(.+)", re.DOTALL)
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
    "vim": (("-c", _BANG), ("--cmd", _BANG), ("+", _BANG)),
    "gdb": (("-ex", re.compile(r"(?:shell|!|pipe)\s*(.+)", re.DOTALL)),),
    "expect": (("-c", re.compile(r"\s*(?:spawn|exec|system)\s+([^;\n]+)")),),
    "man": (("-P", _ANY), ("--pager", _ANY)),
    "zip": (("-TT", _ANY), ("--unzip-command", _ANY)),
    "sort": (("--compress-program", _ANY),),
    "split": (("--filter", _ANY),),
    "wget": (("--use-askpass", _ANY),),
}
_SAME = {
    **dict.fromkeys(("gtar", "bsdtar"), "tar"),
    **dict.fromkeys(("scp", "sftp", "autossh", "sshfs"), "ssh"),
    **dict.fromkeys(("vi", "nvim", "ex", "view", "gvim", "vimdiff"), "vim"),
    "lldb": "gdb",
}
_VARIABLES = frozenset(
    "PAGER MANPAGER EDITOR VISUAL BROWSER LESSOPEN LESSCLOSE PROMPT_COMMAND SUDO_ASKPASS SSH_ASKPASS RSYNC_RSH".split()
)


def inside_options(job: Job, name: str) -> list[Word]:
    """Shell texts in the options of a command."""
    if name in {"sed", "gsed"}:
        return _sed(job.argv[1:])
    found = []
    args = job.argv[1:]
    for option, pattern in _OPTIONS.get(_SAME.get(name, name), ()):
        for index, word in enumerate(args):
            value = _value(option, word, args[index + 1] if index + 1 < len(args) else None)
            match = pattern.fullmatch(value.text) if value else None
            if value and match:
                found.append(replace(value, text=match[1], shown=match[1]))
    return found


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


def inside_variables(env: dict[str, Word]) -> list[tuple[str, Word]]:
    """Shell texts in variables that programs run, with the variables' names."""
    return [(name, word) for name, word in env.items() if name in _VARIABLES and word.text and word.text != HOLE]
