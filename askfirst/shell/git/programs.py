"""Programs that a git command runs besides git: aliases, hooks, editors, transports, filters.

``nested`` names those that the command line or the call's environment brings along, for the engine to analyse as
commands of their own. What ``git config`` stores for later runs is an effect.

From: git-config(1), git(1) "Environment Variables", git-remote-ext(1).
"""

from __future__ import annotations

import fnmatch
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from askfirst.effects import Risk
from askfirst.facts import UNKNOWN
from askfirst.shell.command import Word
from askfirst.shell.deletes import Grade
from askfirst.shell.git.builtins import BUILTINS
from askfirst.shell.git.call import GitCall, lower_key, parse_git
from askfirst.shell.options import some

if TYPE_CHECKING:
    from collections.abc import Iterable

    from askfirst.effects import Effect
    from askfirst.facts import Facts
    from askfirst.shell.command import Command
    from askfirst.shell.git.case import Case

PROGRAM_KEYS = (
    "core.sshcommand", "core.editor", "core.pager", "core.askpass", "core.gitproxy", "core.alternaterefscommand",
    "sequence.editor", "diff.external", "diff.*.command", "diff.*.textconv", "merge.*.driver", "filter.*.clean",
    "filter.*.smudge", "filter.*.process", "gpg.program", "gpg.*.program", "gpg.ssh.defaultkeycommand", "pager.*",
    "difftool.*.cmd", "mergetool.*.cmd", "interactive.difffilter", "remote.*.uploadpack", "remote.*.receivepack",
    "uploadpack.packobjectshook", "trailer.*.cmd", "trailer.*.command", "web.browser", "browser.*.cmd", "man.*.cmd",
    "guitool.*.cmd", "sendemail.sendmailcmd", "sendemail.tocmd", "sendemail.cccmd", "tar.*.command",
)  # fmt: skip
"""Keys whose value is a shell command (lower case but for the middle part)."""

_BANG_KEYS = ("alias.*", "credential.helper", "credential.*.helper", "submodule.*.update")
"""Keys whose value is a shell command when it begins with ``!``."""

_FOLDER_KEYS = ("core.hookspath", "init.templatedir", "include.path", "includeif.*.path")
"""Keys that name a place from which programs, or settings that name programs, are taken."""

_PROGRAM_VARIABLES = (
    "GIT_SSH_COMMAND", "GIT_SSH", "GIT_EDITOR", "GIT_SEQUENCE_EDITOR", "GIT_PAGER", "PAGER", "EDITOR", "VISUAL",
    "GIT_ASKPASS", "SSH_ASKPASS", "GIT_EXTERNAL_DIFF", "GIT_PROXY_COMMAND",
)  # fmt: skip
_PROGRAM_OPTIONS = {
    "archive": ("exec",),
    "clone": ("upload-pack",),
    "difftool": ("extcmd",),
    "fetch": ("upload-pack",),
    "grep": ("open-files-in-pager",),
    "ls-remote": ("upload-pack", "exec"),
    "pull": ("upload-pack",),
    "push": ("receive-pack", "exec"),
    "rebase": ("exec",),
}
_READS_CONFIG = ("get", "get-all", "get-regexp", "get-urlmatch", "list", "unset", "unset-all", "remove-section")
_BOOLEANS = frozenset({"", "true", "false", "yes", "no", "on", "off", "0", "1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Nested:
    """A command that a git command runs.

    Attributes:
        label: what it is found under, e.g. ``git alias co``.
        script: shell text, when it is text.
        argv: words, when it is an argument list.
    """

    label: str
    script: str = ""
    argv: tuple[Word, ...] = ()


def nested(command: Command, facts: Facts) -> tuple[Nested, ...]:
    """What a git command runs besides git, as far as the command line, its environment and aliases say."""
    call = parse_git(command)
    return (*_alias(call, facts), *_from_settings(call), *_from_environment(call), *_from_arguments(call))


def _alias(call: GitCall, facts: Facts) -> Iterable[Nested]:
    if not call.name or call.name in BUILTINS:
        return
    value = call.setting(f"alias.{call.name}") or call.setting(f"alias.{call.name.lower()}")
    if value is None and call.place is not None:
        found = facts.setting(call.place, f"alias.{call.name}")
        value = None if found is UNKNOWN else found
    if not value:
        return
    label = f"git alias {call.name}"
    if value.startswith("!"):
        rest = "".join(" " + shlex.quote(word.text) for word in call.words if word.known)
        yield Nested(label=label, script=value[1:] + rest)
        return
    try:
        words = shlex.split(value)
    except ValueError:
        return
    start = len(call.command.argv) - len(call.words) - 1
    argv = (*call.command.argv[:start], *(Word(text=word) for word in words), *call.words)
    yield Nested(label=label, argv=argv)


def _from_settings(call: GitCall) -> Iterable[Nested]:
    for setting in call.settings:
        if setting.value is None or setting.value in _BOOLEANS:
            continue
        if _matches(setting.key, (*PROGRAM_KEYS, "core.fsmonitor")):
            yield Nested(label=f"git -c {setting.key}", script=setting.value)
        elif (
            _matches(setting.key, _BANG_KEYS) and setting.value.startswith("!") and not setting.key.startswith("alias.")
        ):
            yield Nested(label=f"git -c {setting.key}", script=setting.value[1:])


def _from_environment(call: GitCall) -> Iterable[Nested]:
    for name in _PROGRAM_VARIABLES:
        word = call.command.env.get(name)
        if word is not None and word.known and word.text:
            yield Nested(label=name, script=word.text)


def _from_arguments(call: GitCall) -> Iterable[Nested]:
    for option in _PROGRAM_OPTIONS.get(call.name, ()):
        for word in call.options.values.get(option, ()):
            if word.known and word.text:
                yield Nested(label=f"git {call.name} --{option}", script=word.text)
    first = call.words[0].text if call.words else ""
    if call.name == "bisect" and first == "run":
        yield Nested(label="git bisect run", argv=call.words[1:])
    elif call.name == "submodule" and "foreach" in [word.text for word in call.words[:2]]:
        words = [word for word in call.words[1:] if word.text not in {"foreach", "--recursive", "-q", "--quiet"}]
        text = words[0].text if len(words) == 1 else " ".join(shlex.quote(word.text) for word in words)
        yield Nested(label="git submodule foreach", script=text)
    elif call.name == "filter-branch":
        filters = [
            after.text for word, after in zip(call.words, call.words[1:], strict=False) if "-filter" in word.text
        ]
        yield from (Nested(label="git filter-branch", script=text) for text in filters)
    for word in call.options.words:
        if word.text.startswith("ext::"):
            yield Nested(label="git remote-ext", script=word.text.removeprefix("ext::"))


def _matches(key: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(key, pattern) for pattern in patterns)


def steered(case: Case) -> Iterable[Effect]:
    """Effects of settings given for this run that cannot be analysed further: unknown programs, foreign hooks."""
    if case.call.name in {"help", "version"}:
        return
    for setting in case.call.settings:
        runs = _matches(setting.key, (*PROGRAM_KEYS, *_BANG_KEYS, "core.fsmonitor"))
        places = _matches(setting.key, _FOLDER_KEYS) or setting.key == "*"
        if setting.value is None and (runs or places):
            yield case.effect("git.unknown-program", setting.key, Grade(risk=Risk.HIGH, what=setting.key))
        elif setting.key == "core.hookspath" and setting.value in {"/dev/null", ""}:
            yield case.note("git.no-verify", case.call.name or "git")
        elif places:
            what = f"programs that {setting.key}={setting.value} names"
            yield case.effect("git.unknown-program", setting.key, Grade(risk=Risk.HIGH, what=what))
    for name in _PROGRAM_VARIABLES:
        word = case.call.command.env.get(name)
        if word is not None and not word.known and name.startswith("GIT_"):
            yield case.effect("git.unknown-program", name, Grade(risk=Risk.MEDIUM, what=f"the program in {name}"))


def config(case: Case) -> Iterable[Effect]:
    """``git config``: a stored setting that makes later git commands run a program or send work elsewhere."""
    options = case.options
    words = options.words
    if words and words[0].text in {"set", "get", "list", "unset", "edit", "rename-section", "remove-section"}:
        if words[0].text != "set":
            return
        words = words[1:]
    if options.has(*_READS_CONFIG) or len(words) < 2:
        return
    key, value = lower_key(words[0].text), words[1].text
    runs = _matches(key, (*PROGRAM_KEYS, "core.fsmonitor")) and value not in _BOOLEANS and not _is_plain_tool(value)
    shell = _matches(key, _BANG_KEYS) and (value.startswith("!") or not words[1].known)
    places = _matches(key, _FOLDER_KEYS) and value != "/dev/null"
    if key.startswith("alias.") and shell and words[1].known:
        yield case.effect("git.config-alias", key, Grade(risk=Risk.MEDIUM, what=some([value])))
    elif runs or shell or places or key == "clean.requireforce":
        yield case.effect("git.config-program", key, Grade(risk=Risk.HIGH, what=f"{key} = {words[1].shown or value}"))


def _is_plain_tool(value: str) -> bool:
    """An editor, pager or signing program by its bare name, as people set them every day."""
    names = {"cat", "less", "more", "true", ":", "vi", "vim", "nvim", "nano", "emacs", "code", "delta", "gpg", "gpg2"}
    words = value.split()
    return bool(words) and words[0] in names and not set(value) & set(";|&$`<>()")
