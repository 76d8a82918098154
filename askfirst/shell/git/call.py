"""Reads a git command line: global options, the repository that is meant, the subcommand and its options.

Sources: git's ``git.c:handle_options`` (global options are never abbreviated), ``parse-options.c`` (those of
subcommands are), git-config(1) for ``GIT_CONFIG_COUNT``.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from askfirst.facts import GitPlace
from askfirst.git_environment import ELSEWHERE
from askfirst.shell.command import HOLE, Word
from askfirst.shell.git.syntax import SYNTAX
from askfirst.shell.options import Options, part, read_options, syntax

if TYPE_CHECKING:
    from collections.abc import Sequence

    from askfirst.shell.command import Command

_VALUE_GLOBALS = frozenset({"-C", "-c", "--git-dir", "--work-tree", "--namespace", "--config-env", "--attr-source"})
_LONG_VALUES = ("--git-dir", "--work-tree", "--namespace", "--config-env", "--exec-path", "--super-prefix")
_HELP = frozenset({"--help", "-h", "--version", "-v", "--html-path", "--man-path", "--info-path", "--exec-path"})

_USAGE_ANYWHERE = frozenset({"branch", "checkout", "clean", "mv", "push", "reset", "restore", "rm", "switch", "tag"})
"""Subcommands that read every option before they act, and for ``-h`` or ``--help`` only print their usage."""

# Variables that change which repository or configuration git reads in ways that we do not follow.
_STEERING = (ELSEWHERE - {"GIT_DIR", "GIT_WORK_TREE"}) | {"GIT_CEILING_DIRECTORIES"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A configuration value given for one run: ``key`` in lower case but for its middle part; None when not known."""

    key: str
    value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GitCall:
    """One git command.

    Attributes:
        command: the command itself.
        name: the subcommand; ``"help"`` when git only prints about itself, ``""`` when it is unknown or missing.
        options: the subcommand's options and operands.
        words: everything behind the subcommand.
        settings: from ``-c``, ``--config-env`` and ``GIT_CONFIG_*``.
        place: the repository, None when that cannot be known.
    """

    command: Command
    name: str
    options: Options
    words: tuple[Word, ...]
    settings: tuple[Setting, ...] = ()
    place: GitPlace | None = None

    def setting(self, key: str) -> str | None:
        """The last value given on the command line for a lower-case key."""
        return next((s.value for s in reversed(self.settings) if s.key == key), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Globals:
    folders: tuple[Word, ...]
    values: dict[str, Word]
    settings: tuple[Setting, ...]
    rest: tuple[Word, ...]
    prints_only: bool


def parse_git(command: Command) -> GitCall:
    """The git command in ``command``, whose program is git."""
    found = _read_globals(command.args)
    settings = _environment_settings(command) + found.settings
    place = _place(command, found)
    name, words = (found.rest[0].text, found.rest[1:]) if found.rest else ("help", ())
    if found.prints_only or _asks_for_help(words):
        name = "help"
    if HOLE in name:
        name = ""
    options = read_options(words, syntax(SYNTAX.get(name, "")))
    if name in _USAGE_ANYWHERE and options.has("help", "-h"):
        name = "help"
    return GitCall(command=command, name=name, options=options, words=words, settings=settings, place=place)


def _asks_for_help(words: Sequence[Word]) -> bool:
    return bool(words) and (words[0].text == "--help" or (len(words) == 1 and words[0].text == "-h"))


def _read_globals(words: Sequence[Word]) -> _Globals:
    folders: list[Word] = []
    values: dict[str, Word] = {}
    settings: list[Setting] = []
    prints_only = False
    position = 0
    while position < len(words) and words[position].text.startswith("-"):
        name, value, used = _global(words, position)
        position += used
        prints_only = prints_only or (name in _HELP and value is None)
        if value is None:
            continue
        if name == "-C":
            folders.append(value)
        elif name in {"-c", "--config-env"}:
            settings.append(_setting(value, from_environment=name == "--config-env"))
        else:
            values[name] = value
    return _Globals(
        folders=tuple(folders),
        values=values,
        settings=tuple(settings),
        rest=tuple(words[position:]),
        prints_only=prints_only,
    )


def _global(words: Sequence[Word], position: int) -> tuple[str, Word | None, int]:
    """Name, value and number of words of the global option at ``position``."""
    word = words[position]
    name, equals, value = word.text.partition("=")
    if equals and name in _LONG_VALUES:
        return name, part(word, value), 1
    if word.text in _VALUE_GLOBALS:
        following = words[position + 1] if position + 1 < len(words) else None
        return word.text, following, 2
    # Not real git, but seen in the wild and harmless to read: the value stuck to the letter.
    if word.text[:2] in {"-c", "-C"}:
        return word.text[:2], part(word, word.text[2:]), 1
    return word.text, None, 1


def _setting(word: Word, *, from_environment: bool) -> Setting:
    key, equals, value = word.text.partition("=")
    if from_environment or HOLE in word.text:
        return Setting(key=lower_key(key), value=None)
    return Setting(key=lower_key(key), value=value if equals else "true")


def lower_key(key: str) -> str:
    """A configuration key with section and name in lower case; the middle part keeps its case (git-config(1))."""
    section, dot, rest = key.partition(".")
    middle, last_dot, name = rest.rpartition(".")
    return f"{section.lower()}{dot}{middle}{last_dot}{name.lower()}"


def _environment_settings(command: Command) -> tuple[Setting, ...]:
    """Settings in ``GIT_CONFIG_COUNT`` with its keys and values; ``GIT_CONFIG_PARAMETERS`` is unknown text."""
    found: list[Setting] = []
    for name, word in command.env.items():
        if name.startswith("GIT_CONFIG_KEY_"):
            value = command.env.get(f"GIT_CONFIG_VALUE_{name.removeprefix('GIT_CONFIG_KEY_')}")
            known = value.text if value is not None and value.known else None
            found.append(Setting(key=lower_key(word.text), value=known))
        elif name == "GIT_CONFIG_PARAMETERS":
            found.append(Setting(key="*", value=None))
    return tuple(found)


def _place(command: Command, found: _Globals) -> GitPlace | None:
    """The repository meant, None where a part of the answer is not known or not on this machine."""
    named = {
        "git_dir": found.values.get("--git-dir") or command.env.get("GIT_DIR"),
        "work_tree": found.values.get("--work-tree") or command.env.get("GIT_WORK_TREE"),
    }
    words = [*found.folders, *(word for word in named.values() if word is not None)]
    if command.where or not all(word.known for word in words) or any(name in command.env for name in _STEERING):
        return None
    folder = posixpath.join(command.cwd or "", *(word.text for word in found.folders))
    if not posixpath.isabs(folder):
        return None
    absolute = {key: posixpath.join(folder, word.text) if word else "" for key, word in named.items()}
    return GitPlace(folder=folder, git_dir=absolute["git_dir"], work_tree=absolute["work_tree"])
