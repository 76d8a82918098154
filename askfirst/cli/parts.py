"""What the command line needs of the outer packages; ``askfirst.entry`` fills it in, nothing here imports them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TextIO, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from askfirst.diagnosis import Finding
    from askfirst.engine import Case
    from askfirst.host import HostAdapter
    from askfirst.paths import StatePaths
    from askfirst.settings_change import SettingsChange


class VerifyProblem(Protocol):
    """One thing that is wrong with a log."""

    @property
    def message(self) -> str:
        """What is wrong, a sentence."""
        ...

    @property
    def time(self) -> str:
        """Since when, as far as can be told: when the first entry concerned, or the last good one, was made."""
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
    def meanings(self) -> Sequence[str]:
        """What each kind of evidence that held proves, and against whom."""
        ...

    @property
    def limits(self) -> Sequence[str]:
        """What was not shown, and what would show it."""
        ...


class LogReader(Protocol):
    """The log of one store, read offline; see ``audit.offline``."""

    def verify(
        self,
        *,
        checkpoint: Path | None,
        seen: Sequence[str],
        receipts: Sequence[Path],
        vkeys: Sequence[str],
        witnesses: Sequence[str],
        witness_urls: Sequence[str],
        repositories: Sequence[str],
        timestamps: Sequence[Path],
        authorities: Path | None,
    ) -> VerifyReport:
        """Verify it with all evidence that is at hand."""
        ...

    def verify_range(self, first: int, last: int, *, vkeys: Sequence[str]) -> VerifyReport:
        """Verify some entries under the signed head, without reading the others."""
        ...

    def find(self, wanted: Mapping[str, object], limit: int, *, after: int = -1) -> list[dict[str, Any]]:
        """The newest entries that are wanted, oldest first, of those behind the index ``after``."""
        ...

    def show(self, index: int) -> dict[str, Any]:
        """One entry with its payloads."""
        ...

    def stats(self, wanted: Mapping[str, object]) -> dict[str, Any]:
        """Counts over requests."""
        ...

    def receipts(self, indexes: Sequence[int]) -> list[tuple[str, bytes]]:
        """The receipt for each of these entries, as a text, with the entry's stored bytes."""
        ...

    def export(self, out: Path) -> int:
        """Write everything that a third party needs into a new folder; the number of entries."""
        ...

    def formats(self) -> tuple[str, ...]:
        """What ``write`` can write."""
        ...

    def write(self, form: str, wanted: Mapping[str, object], file: TextIO) -> int:
        """Write wanted entries in a format; how many lines."""
        ...

    def page(self, wanted: Mapping[str, object], title: str) -> str:
        """Wanted entries as an HTML page."""
        ...

    def anchor_git(self, repository: Path, *, ref: str, remote: str) -> tuple[str, str]:
        """Commit the head to a git ref; the head and the commit's id."""
        ...

    def anchor_timestamp(self, folder: Path, url: str) -> tuple[str, Path]:
        """Have the head timestamped; the head and where the token is."""
        ...


class WitnessFolder(Protocol):
    """A witness in a folder; see ``audit.witness_server``."""

    def vkey(self, name: str) -> str:
        """Its public key, made when there is none."""
        ...

    def watch(self, vkeys: Sequence[str]) -> list[str]:
        """Watch these logs, too; the vkeys of all."""
        ...

    def serve(self, *, name: str, host: str, port: int) -> int:
        """Serve until interrupted; the exit code."""
        ...


class HookCommand(Protocol):
    """Makes command lines for hosts' settings."""

    def __call__(self, host: str, paths: StatePaths, *, gates: bool = True) -> str:
        """The line for a host and a state folder; without ``gates`` for events that let nothing run."""
        ...


Scope: TypeAlias = "Literal['user', 'project', 'managed']"


class Check(Protocol):
    """What can be found out about a host beside its settings files."""

    def overrides(self) -> Sequence[Finding]:
        """What weakens our hooks, or switches them off."""
        ...

    def canary(self) -> Finding:
        """Whether the real program is stopped by the gate."""
        ...


class PlanChanges(Protocol):
    """Finds out what is to be done to hosts' settings files."""

    def __call__(
        self,
        hosts: Sequence[str],
        scope: Scope,
        project: Path,
        paths: StatePaths,
        *,
        remove: bool = False,
        second_line: bool = False,
    ) -> list[SettingsChange]:
        """The changes, also those that are not needed.

        Raises:
            InputError: a host is not known or has no such scope, or a file cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Functions of the outer packages, each importing what it needs when it is called.

    Attributes:
        serve: run a broker on this state folder; ``port`` None takes the configuration's; returns the exit code.
        relay: run a relay where the broker of this state folder is on another machine; its exit code, None: it is not.
        login_link: a one-time link to the web inbox of the running broker.
        adapters: the hosts by registry name.
        hook_command: the command line that a host's settings need, for a host and a state folder.
        install: merge our hooks into a host's settings file, or remove them; returns (before, after) as texts.
        fingerprint: digest of what is ours in a host's settings file.
        hosts_here: the hosts that are on this machine, seen from a project's folder.
        changes: what is to be done to hosts' settings files.
        obstacles: what in a host's settings file keeps it from running our hooks.
        check: a host's further checks, given the scopes that have our hooks and a project's folder.
        log: reads the audit log of a store file, offline.
        witness: a witness of other logs, in a folder of its own.
        past_calls: the last n tool calls of the log, each with its arguments and what became of it.
        schemes: the channels that are installed, and those of them that need no set-up.
        preview: a page that shows a case as each channel shows it, as of a moment.
        telegram_bot: the user name of the bot with this token, given the Bot API's address and the webhook that it may
            have; asks the service.
        github_look: what a ``[github]`` table and its secret come to, given the folder, the issue and the login to look
            at; each finding has ``name``, ``ok`` and ``text``.
        mcp: serve the MCP tools on standard input and output until it ends.
    """

    serve: Callable[[StatePaths, int | None, bool], int]
    relay: Callable[[StatePaths, bool], int | None]
    login_link: Callable[[StatePaths], str]
    adapters: Callable[[], Mapping[str, HostAdapter]]
    hook_command: HookCommand
    install: Callable[[str, Path, StatePaths, bool], tuple[str, str]]
    fingerprint: Callable[[str, Path], str]
    hosts_here: Callable[[Path], tuple[str, ...]]
    changes: PlanChanges
    obstacles: Callable[[str, Path], tuple[str, ...]]
    check: Callable[[str, frozenset[Scope], Path], Check | None]
    log: Callable[[Path], LogReader]
    witness: Callable[[Path], WitnessFolder]
    past_calls: Callable[[Path, int], list[dict[str, object]]]
    schemes: Callable[[], tuple[Mapping[str, int], frozenset[str]]]
    preview: Callable[[Case, int], str]
    telegram_bot: Callable[[str, str, str], str]
    github_look: Callable[[Mapping[str, object], str, Mapping[str, str]], list[dict[str, Any]]]
    mcp: Callable[[], None]
