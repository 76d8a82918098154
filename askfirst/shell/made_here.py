"""Containers and networks that the line itself has made: removing them again loses nothing that was there before.

``docker run -d --name t postgres; …; docker rm -f t`` is how a test is set up and taken down. Volumes do not count:
making one that exists already is no error, so the data in it may be older than the line.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from askfirst.effects import Risk

if TYPE_CHECKING:
    from askfirst.effects import Effect
    from askfirst.shell.command import Command

_PROGRAMS: Final = frozenset({"docker", "podman", "nerdctl", "finch"})
_MAKERS: Final = frozenset({"run", "create"})
_RULES: Final = frozenset({"containers.remove-force", "containers.remove-network"})


class MadeHere:
    """What the commands of one line have made so far."""

    def __init__(self) -> None:
        self._names: set[tuple[str, str]] = set()

    def ran(self, command: Command) -> None:
        """Remembers what the command makes, where its name is known."""
        texts = [word.text for word in command.args]
        if command.program not in _PROGRAMS or _MAKERS.isdisjoint(texts[:2]):
            return
        if texts[0] == "network":
            names = texts[-1:]
        else:
            names = [text.partition("=")[2] for text in texts if text.startswith("--name=")]
            names += [after for before, after in itertools.pairwise(texts) if before == "--name"]
        self._names |= {(command.where, name) for name in names if name}

    def graded(self, command: Command, effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
        """The effects of the command, those at medium that only take back what the line made."""
        if not self._names or command.program not in _PROGRAMS:
            return effects
        words = [word for word in command.args if not word.text.startswith("-")]
        named = words[2:] if words[:1] and words[0].text in {"container", "network"} else words[1:]
        if not named or any((command.where, word.text) not in self._names for word in named):
            return effects
        return tuple(replace(one, risk=Risk.MEDIUM) if one.rule in _RULES else one for one in effects)
