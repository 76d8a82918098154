"""Writes that outlive the session or take a guard away: start-up files, hooks, access files, our own configuration.

Writing start-up files is an everyday step of setting up a tool (``export PATH=…`` appended to ``~/.bashrc``), so lines
that only set the environment are recorded and everything else is asked about. What guards the agent (settings and
hooks of its host, Askfirst's own files and processes) is asked about in every case.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from askfirst.effects import Risk, Touch
from askfirst.shell.command import HOLE
from askfirst.shell.found import effect_of
from askfirst.shell.harmless import ALWAYS
from askfirst.shell.persistence_paths import persistence_rule
from askfirst.shell.written import How, written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from askfirst.effects import Effect
    from askfirst.facts import Facts
    from askfirst.rules.book import RuleBook
    from askfirst.shell.command import Command

_HOST_FOLDERS = frozenset(
    {".claude", ".codex", ".gemini", ".qwen", ".cursor", ".opencode", ".copilot", ".factory", ".kiro"}
)
_OWN_PROCESS = re.compile(r"(?<![\w/.-])\[?a\]?skfirst(?![\w/])|askfirst[ -](?:serve|broker)|broker\.(?:json|lock|pid)")
_OWN_FILE = re.compile(r"askfirst(?:-\d+)?/[^\s'\"]*(?:askfirst\.db|\.sock\b|\.key\b|api-token)")
"""Our store, socket and keys, wherever a command names them: whoever opens these decides past the gate."""
_HOST_PROCESS = re.compile(r"^-?(?:claude|codex|gemini|opencode|cursor-agent|qwen)$")
_OURS = frozenset({"askfirst"})
_KILLERS = frozenset({"pkill", "killall", "skill", "xkill", "fuser"})
_FINDERS = frozenset({"pgrep", "pidof", "lsof", "fuser", "ss"})
_READERS = frozenset({"cat", "jq", "head", "sed"})
_PID_FILE = re.compile(r"askfirst/.*\.(?:json|lock|pid)$|broker\.(?:json|lock|pid)$")
_SERVICES = frozenset({"systemctl", "service", "launchctl", "supervisorctl", "pm2", "brew", "rc-service", "sv"})
_UNINSTALLERS = frozenset(
    {"pip", "pip3", "uv", "pipx", "pipenv", "poetry", "conda", "mamba", "brew", "apt", "apt-get", "dnf"}
)
_TAKES_AWAY = frozenset(
    {"uninstall", "remove", "purge", "stop", "disable", "mask", "kill", "bootout", "unload", "delete"}
)
_ENVIRONMENT = ("CLAUDE_CODE_SIMPLE", "CLAUDE_CONFIG_DIR", "CODEX_HOME", "ASKFIRST_STATE_DIR", "ASKFIRST_CONFIG")
_HOSTS = frozenset(
    {"claude", "codex", "gemini", "opencode", "qwen", "cursor-agent", "copilot", "droid", "amp", "goose"}
)

_SSH_RUNS = re.compile(r"(?:Proxy|Local|KnownHosts|Remote)Command|\bexec\b|\bInclude\b", re.IGNORECASE)
"""Keywords of ssh_config(5) that run something."""
_GIT_CONFIGS = (".gitconfig", "/git/config", ".git/config")
_MAX_LINES = 200
_VALUE = r"(?:[^`|;&<>$]|\$(?!\())*"
_INIT = r"(?:init|env|hook|activate|shellenv|completion|shell|bash|zsh|fish|-|--[\w=-]+)"
_PLAIN_LINE = re.compile(
    rf"""\s*(?:\#.*
        | (?:export\s+|typeset\s+-x\s+)?[A-Za-z_]\w*={_VALUE} | export\s+[\w\s]+ | set\s+-gx\s+{_VALUE}
        | alias\s+[\w.-]+={_VALUE}
        | (?:source|\.)\s+{_VALUE}
        | \[\s+-[sfdx]\s+{_VALUE}\]\s*&&\s*(?:\\?\.|source|export)\s+{_VALUE}(?:\#.*)?
        | eval\s+"?\$\([\w./~${{}}"'-]+(?:\s+{_INIT})*\s*\)"?
        | (?:setopt|shopt|autoload)\s{_VALUE} | bindkey\b{_VALUE} | if\s+\[{_VALUE}\] | then | else | fi | compinit
        )?\s*""",
    re.VERBOSE,
)


_FROM_SCRATCH = re.compile(
    r"(?:\b(?:PATH|LD_\w+|BASH_ENV|ENV|PROMPT_COMMAND|PYTHONSTARTUP|NODE_OPTIONS)=|\balias\s+[\w.-]+=|(?:^|[;&]\s*)(?:source|\.)\s)"
    r"[^\n;]{0,200}?/(?:tmp|var/tmp|dev/shm)\b",
    re.MULTILINE,
)
"""Settings that let later shells run what lies in a folder that anybody may write to."""
_GIT_RUNS = re.compile(
    r"=\s*\"?!|\b(?:sshCommand|fsmonitor|hooksPath|editor|pager|askPass|textconv|clean|smudge|process)\s*="
)
"""Values of a git configuration that are commands."""


def written_effects(path: str, how: How, text: str, command: Command, rules: RuleBook) -> Iterator[Effect]:
    """The effect of touching the file at ``path``; ``text`` is what is written, a ``HOLE`` when unknown."""
    rule = persistence_rule(path)
    if how == "remove" and posixpath.basename(path.rstrip("/")) in _HOST_FOLDERS:
        rule = "persistence.gate"
    if not rule:
        return
    risk: Risk | None = None
    if rule == "persistence.shell-start":
        risk = Risk.MEDIUM if how in {"append", "change"} and _is_plain(text) else Risk.HIGH
    elif (
        rule == "persistence.ci"
        and path.endswith(_GIT_CONFIGS)
        and how in {"append", "write"}
        and _GIT_RUNS.search(text)
    ):
        risk = Risk.HIGH
    elif (how == "change" and rule != "persistence.gate") or (
        path.endswith(".ssh/config") and how != "remove" and not (_SSH_RUNS.search(text) or HOLE in text)
    ):
        risk = Risk.MEDIUM
    elif rule == "persistence.system-file" and path.endswith("sysrq-trigger"):
        rule = "system.sysrq"
    made = effect_of(rules, rule, command, target=path, risk=risk)
    known = path.startswith("/") and HOLE not in path and not command.where
    yield replace(made, touches=(Touch(kind="path", path=path),)) if known else made


def _is_plain(text: str) -> bool:
    """Whether every line only sets the environment: nothing is run that is not already installed."""
    unescaped = text.replace("\\n", "\n").replace("\\t", " ")
    lines = unescaped.splitlines()
    known = HOLE * 2 not in text and len(lines) <= _MAX_LINES and _FROM_SCRATCH.search(unescaped) is None
    return known and all(map(_PLAIN_LINE.fullmatch, lines))


def persistence_effects(command: Command, _facts: Facts, rules: RuleBook) -> Iterator[Effect]:
    """The effects of this command on start-up files, access files and guards."""
    seen: set[str] = set()
    for path, how in written(command):
        if path not in seen:
            seen.add(path)
            yield from written_effects(path, how, _text_written(command), command, rules)
    yield from _guard_effects(command, rules)


def _text_written(command: Command) -> str:
    if command.program in {"echo", "printf"}:
        return " ".join(word.text for word in command.args)
    return command.stdin.text if command.stdin.kind == "text" else HOLE * 2


def _guard_effects(command: Command, rules: RuleBook) -> Iterator[Effect]:
    texts = [word.text for word in command.args]
    if command.program in _KILLERS and any(_OWN_PROCESS.search(text) for text in texts):
        yield effect_of(rules, "persistence.gate", command, target="Askfirst's own process")
    elif command.program in _KILLERS and any(_HOST_PROCESS.search(text) for text in texts):
        yield effect_of(rules, "persistence.host", command, target="the agent's own host")
    elif _takes_back(command, texts):
        yield effect_of(rules, "persistence.gate", command, target="what Askfirst keeps for people to undo")
    elif command.program in _SERVICES | _UNINSTALLERS:
        named = any(re.match(r"(?:dev\.|com\.)?askfirst\b", text) for text in texts)
        if named and _TAKES_AWAY & set(texts):
            yield effect_of(rules, "persistence.gate", command, target="Askfirst itself")
    if command.program.startswith(("python", "pypy", "uv")) and "askfirst.entry" in texts:
        yield effect_of(rules, "persistence.gate", command, target="Askfirst's own command line")
    if command.program not in ALWAYS | _OURS and any(_OWN_FILE.search(text) for text in texts):
        yield effect_of(rules, "persistence.gate", command, target="Askfirst's own store, socket or keys")
    if command.program in _HOSTS and any(name in command.env for name in _ENVIRONMENT):
        yield effect_of(rules, "persistence.unguarded-agent", command, target=command.program)


def _takes_back(command: Command, texts: list[str]) -> bool:
    """``askfirst undo`` and ``askfirst trash purge``: for people, who say so in a shell of theirs."""
    words = [text for text in texts if not text.startswith("-")]
    if command.program != "askfirst" or {"--dry-run", "--help", "-h"} & set(texts):
        return False
    return words[:1] == ["undo"] or (words[:1] == ["trash"] and words[1:2] in (["purge"], ["restore"]))


def line_guard_effects(commands: Iterable[Command], rules: RuleBook) -> Iterator[Effect]:
    """The effect of ``kill $(pgrep -f askfirst)`` and ``ps | grep askfirst | xargs kill``: found only in the line."""
    commands = tuple(commands)
    lists = any(command.program == "ps" for command in commands)
    if not any(_finds_us(command, lists=lists) for command in commands):
        return
    for command in commands:
        if command.program in {"kill", "pkill", "xargs"} and any(HOLE in word.text for word in command.args):
            yield effect_of(rules, "persistence.gate", command, target="Askfirst's own process")


def _finds_us(command: Command, *, lists: bool) -> bool:
    """Whether it looks up our own process; ``lists``: the line also has ``ps``, so a ``grep`` for our name counts."""
    texts = [word.text for word in command.args]
    if command.program in _FINDERS or (lists and command.program in {"grep", "awk", "egrep", "rg"}):
        return any(_OWN_PROCESS.search(text) for text in texts)
    return command.program in _READERS and any(_PID_FILE.search(text) for text in texts)
