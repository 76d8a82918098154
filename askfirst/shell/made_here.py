"""What the line itself has made: taking it back loses nothing that was there before.

``docker run -d --name t postgres; …; docker rm -f t`` is how a test is set up and taken down: containers and networks
count. Volumes do not: making one that exists already is no error, so the data in it may be older than the line.

``cd /tmp/try && git init && … && git reset --hard`` is how git is tried out: repositories in a temporary folder that
the line has made count for whatever stays in them. Elsewhere ``git init`` may stand in a folder full of files.
"""

from __future__ import annotations

import itertools
import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from askfirst.effects import Risk
from askfirst.facts import UNKNOWN, Kind
from askfirst.shell.places import is_temporary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from askfirst.effects import Effect
    from askfirst.facts import Facts
    from askfirst.shell.command import Command

_PROGRAMS: Final = frozenset({"docker", "podman", "nerdctl", "finch"})
_MAKERS: Final = frozenset({"run", "create"})
_RULES: Final = frozenset({"containers.remove-force", "containers.remove-network"})
_IN_REPOSITORY: Final = frozenset(
    f"git.{name}"
    for name in (
        "branch-delete branch-force checkout-force checkout-paths clean gc-prune reflog-expire reset-hard restore rm"
        " stash-clear stash-drop tag-delete tag-force update-ref"
    ).split()
)
"""What git loses of a repository itself; what it does to another one, as a push, is judged as ever."""


class MadeHere:
    """What the commands of one line have made so far; ``facts`` of the time before the line."""

    def __init__(self, facts: Facts) -> None:
        self._before = facts
        self._names: set[tuple[str, str]] = set()
        self._repositories: set[str] = set()

    def ran(self, command: Command) -> None:
        """Remembers what the command makes, where its name is known."""
        if command.program == "git":
            self._repositories |= {folder for folder in _repository_of(command) if self._is_new(folder)}
            return
        texts = [word.text for word in command.args]
        if command.program not in _PROGRAMS or _MAKERS.isdisjoint(texts[:2]):
            return
        if texts[0] == "network":
            names = texts[-1:]
        else:
            names = [text.partition("=")[2] for text in texts if text.startswith("--name=")]
            names += [after for before, after in itertools.pairwise(texts) if before == "--name"]
        self._names |= {(command.where, name) for name in names if name}

    def _is_new(self, folder: str) -> bool:
        """Whether nothing that was there before is known to be in the folder, and only a temporary one at that."""
        if not is_temporary(folder):
            return False
        there = self._before.path(folder)
        return there is UNKNOWN or there.kind is Kind.MISSING or (there.kind is Kind.FOLDER and there.empty)

    def graded(self, command: Command, effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
        """The effects of the command, those at medium that only take back what the line made."""
        if command.program == "git" and self._repositories and not command.where:
            return tuple(replace(one, risk=Risk.MEDIUM) if self._is_own(one, command) else one for one in effects)
        if not self._names or command.program not in _PROGRAMS:
            return effects
        words = [word for word in command.args if not word.text.startswith("-")]
        named = words[2:] if words[:1] and words[0].text in {"container", "network"} else words[1:]
        if not named or any((command.where, word.text) not in self._names for word in named):
            return effects
        return tuple(replace(one, risk=Risk.MEDIUM) if one.rule in _RULES else one for one in effects)

    def _is_own(self, effect: Effect, command: Command) -> bool:
        """Whether it stays in a repository that the line made."""
        folders = {touch.path for touch in effect.touches if touch.kind == "repository"}
        if not folders and command.args and not command.args[0].text.startswith("-"):
            folders = {posixpath.normpath(command.cwd or "/")}  # partly unknown: `cd "$(mktemp -d)"`
        is_inside = bool(folders) and self._repositories.issuperset(folders)
        return is_inside and effect.rule in _IN_REPOSITORY and effect.risk > Risk.MEDIUM


_VALUES: Final = frozenset(
    "-b --branch --initial-branch --depth -o --origin --template --object-format -c --config --reference -j --jobs"
    " --filter --shallow-since -u --upload-pack".split()
)
"""Options of ``git init`` and ``git clone`` that take the next word."""


def _repository_of(command: Command) -> Iterator[str]:
    """The folder, absolute, of the repository that ``git init`` or ``git clone`` makes on this machine."""
    words: list[str] = []
    waiting = iter(word.text for word in command.args)
    for text in waiting:
        if text in _VALUES:
            next(waiting, None)
        elif not text.startswith("-"):
            words.append(text)
    if command.where or command.cwd is None or words[:1] not in (["init"], ["clone"]):
        return
    if words[0] == "clone":  # without a folder it is called as the repository is
        address = "".join(words[1:2]).rstrip("/")
        words[1:] = words[2:3] or [posixpath.basename(address).removesuffix(".git") or "/"]
    yield posixpath.normpath(posixpath.join(command.cwd, *words[1:2]))
