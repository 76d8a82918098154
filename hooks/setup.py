"""Where a host keeps its hooks and how ours get in and out: the port between the hosts and ``askfirst install``.

One setup a host, and all of it pure: texts of files to texts of files. Reading, showing the difference, writing and
asking belong to the caller.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

LONG_S = 86_400
"""The timeout that is written where a host takes any: a day, because a person may be asleep."""
BRIEF_S = 30
"""The timeout of hooks that only tell us something, so that nobody decides anything meanwhile."""

Scope = Literal["user", "project", "managed"]
"""Whose agents a settings file governs: one person's, one repository's, or all of a machine's (root writes it)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where settings are looked for.

    Attributes:
        home: the person's home folder, absolute.
        project: the repository's folder, absolute.
        environ: the environment; several hosts name their folder in a variable, e.g. ``CODEX_HOME``.
        root: the folder that managed files are below, ``/`` but in tests.
    """

    home: Path
    project: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    root: Path = Path("/")

    def folder(self, variable: str, *below_home: str) -> Path:
        """The folder that a variable names, else the one below the home folder."""
        named = self.environ.get(variable, "")
        return Path(named) if named.startswith("/") else self.home.joinpath(*below_home)


@dataclass(frozen=True, slots=True, kw_only=True)
class HookLine:
    """What is put into a host's settings.

    Attributes:
        line: the command line from ``hooks.command_line.hook_command``.
        timeout_s: the host's timeout that the line was made for, whole seconds; a setup writes it in its host's unit.
        notice_line: the same for events that let nothing run (``gates=False``), ``""`` where a setup has none.
        second_line: with rules of the host's own for what is critical, where it has any that hold without a hook.
    """

    line: str
    timeout_s: int
    notice_line: str = ""
    second_line: bool = False


class HostSetup(Protocol):
    """One host's settings files."""

    @property
    def name(self) -> str:
        """As in the registry, e.g. ``codex``."""
        ...

    @property
    def title(self) -> str:
        """For people, e.g. ``Codex CLI``."""
        ...

    @property
    def programs(self) -> tuple[str, ...]:
        """The host is on this machine when one of these is on PATH, or the folder of its user-level file exists."""
        ...

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """Those that the host has files for."""
        ...

    @property
    def timeout_s(self) -> int:
        """When the host gives a hook up, seconds: what the setup writes, or what the host has built in."""
        ...

    def files(self, scope: Scope, places: Places) -> tuple[Path, ...]:
        """The files to put our hooks into, in the order in which they are to be written."""
        ...

    def merged(self, path: Path, before: str, hook: HookLine | None) -> str:
        """The text that one of ``files`` should have.

        Everything that is not ours stays. The result of a second call is that of the first. A text that begins with
        ``#!`` is a program, which the caller makes executable.

        Args:
            path: the file.
            before: its text, ``""`` when there is none.
            hook: our hook; None to take it out.

        Returns:
            ``""`` when there should be no file.

        Raises:
            InputError: the text has a shape that the host would not read either; the message says what to mend.
        """
        ...

    def obstacles(self, path: Path, text: str) -> tuple[str, ...]:
        """What in one of ``files`` keeps the host from running our hooks, as sentences, e.g. a switch for all hooks."""
        ...
