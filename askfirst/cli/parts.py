"""What the command line needs of the outer packages; ``askfirst.entry`` fills it in, nothing here imports them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from askfirst.host import HostAdapter
    from askfirst.paths import StatePaths


class VerifyProblem(Protocol):
    """One thing that is wrong with a log."""

    @property
    def message(self) -> str:
        """What is wrong and since when, a sentence."""
        ...


class VerifyReport(Protocol):
    """What an offline verification found; a frozen dataclass."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        ...

    @property
    def size(self) -> int:
        """Entries that are there."""
        ...

    @property
    def root(self) -> str:
        """Merkle tree hash over them, hexadecimal."""
        ...

    @property
    def problems(self) -> Sequence[VerifyProblem]:
        """What is wrong, gravest cause first."""
        ...

    @property
    def proofs(self) -> Sequence[str]:
        """What was shown."""
        ...

    @property
    def limits(self) -> Sequence[str]:
        """What was not, and what would show it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Functions of the outer packages, each importing what it needs when it is called.

    Attributes:
        serve: run a broker on this state folder; ``port`` None takes the configuration's; returns the exit code.
        login_link: a one-time link to the web inbox of the running broker.
        adapters: the hosts by registry name.
        hook_command: the command line that a host's settings need, for a host and a state folder.
        install: merge our hooks into a host's settings file, or remove them; returns (before, after) as texts.
        verify: check the audit log of a store file offline.
        tail: the last n entries of the log.
        export: write the log to a folder; returns the number of entries.
        mcp: serve the MCP tools on standard input and output until it ends.
    """

    serve: Callable[[StatePaths, int | None, bool], int]
    login_link: Callable[[StatePaths], str]
    adapters: Callable[[], Mapping[str, HostAdapter]]
    hook_command: Callable[[str, StatePaths], str]
    install: Callable[[str, Path, StatePaths, bool], tuple[str, str]]
    verify: Callable[[Path, Path | None, Sequence[str]], VerifyReport]
    tail: Callable[[Path, int], list[dict[str, object]]]
    export: Callable[[Path, Path], int]
    mcp: Callable[[], None]
