"""Runs git to look at a repository, and nothing that the repository brings along.

* What git is started with is ``askfirst.git_environment``'s: no hook, filter, alias, prompt, lock or transport.
* Only git's own commands are run, and none that shows text which a pager, a textconv or an external diff would see.
* All runs of one reader share one budget of time; output beyond a limit is no answer.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from askfirst.facts import UNKNOWN, GitPlace
from askfirst.git_environment import LIST_FILTERS, emptied, git_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from askfirst.facts import Unknown

_MAX_OUTPUT_BYTES: Final = 1 << 20
_TO_NETWORK: Final = ("SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR")
_NOWHERE: Final = GitPlace(folder="/")


class Deadline:
    """A budget of time for several looks; it starts to run with the first one."""

    def __init__(self, budget_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._budget_s = budget_s
        self._clock = clock
        self._end: float | None = None

    def left_s(self) -> float:
        """Seconds left, not below 0."""
        if self._end is None:
            self._end = self._clock() + self._budget_s
        return max(0.0, self._end - self._clock())


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What a run of git gave: exit code and standard output."""

    code: int
    stdout: bytes

    @property
    def text(self) -> str:
        """The output without the last newline."""
        return os.fsdecode(self.stdout).removesuffix("\n")

    @property
    def fields(self) -> list[str]:
        """The parts of output that NUL bytes end."""
        return [os.fsdecode(part) for part in self.stdout.split(b"\0") if part]


class GitReader:
    """Looks at repositories; see the module for what it keeps from happening."""

    def __init__(
        self, deadline: Deadline, environ: Mapping[str, str], *, max_output_bytes: int = _MAX_OUTPUT_BYTES
    ) -> None:
        self._deadline = deadline
        self._max_output_bytes = max_output_bytes
        self._environ = environ
        self._agent = {name: environ[name] for name in _TO_NETWORK if name in environ}
        self._filters: dict[GitPlace, tuple[tuple[str, str], ...] | None] = {}

    def run(self, place: GitPlace, *arguments: str) -> Output | Unknown:
        """The output of ``git arguments`` at a place; ``UNKNOWN`` beyond the time or the size, or without git."""
        if place not in self._filters:
            self._filters[place] = self._emptied_filters(place)
        filters = self._filters[place]
        return UNKNOWN if filters is None else self._run(place, filters, arguments)

    def ask_network(
        self, arguments: Sequence[str], *, settings: tuple[tuple[str, str], ...], protocols: str
    ) -> Output | Unknown:
        """The output of a git command that talks to another machine, outside of any repository.

        Args:
            arguments: the command; addresses in it are the caller's to check.
            settings: configuration on top of our own.
            protocols: those that may be used, as in ``GIT_ALLOW_PROTOCOL``.
        """
        variables = {**self._agent, "GIT_ALLOW_PROTOCOL": protocols, "GIT_DIR": os.devnull}
        return self._run(_NOWHERE, settings, tuple(arguments), variables)

    def _emptied_filters(self, place: GitPlace) -> tuple[tuple[str, str], ...] | None:
        """Settings that switch off every filter program; None when they cannot be listed."""
        found = self._run(place, (), LIST_FILTERS)
        if found is UNKNOWN or found.code not in {0, 1}:
            return None
        return emptied(found.fields)

    def _run(
        self,
        place: GitPlace,
        settings: tuple[tuple[str, str], ...],
        arguments: tuple[str, ...],
        more: Mapping[str, str] | None = None,
    ) -> Output | Unknown:
        if not self._deadline.left_s() or any("\0" in argument for argument in arguments):
            return UNKNOWN
        variables = {"GIT_DIR": place.git_dir} if place.git_dir else {}
        variables |= {"GIT_WORK_TREE": place.work_tree} if place.work_tree else {}
        variables |= more or {}
        try:
            process = subprocess.Popen(  # git, never a shell
                ["git", "-C", place.folder, *arguments],  # the git that the person's PATH names
                env=git_environment(self._environ, settings, variables),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except (OSError, ValueError):  # no git here, or an argument that none can take
            return UNKNOWN
        return self._collect(process)

    def _collect(self, process: subprocess.Popen[bytes]) -> Output | Unknown:
        """Reads to the end, or kills the process at the limit of time or size."""
        with process:
            try:
                stdout = self._read(process)
            except BaseException:
                process.kill()
                raise
            if stdout is None:
                process.kill()
        return UNKNOWN if stdout is None else Output(code=process.returncode, stdout=stdout)

    def _read(self, process: subprocess.Popen[bytes]) -> bytes | None:
        """Everything on standard output; standard error is read away. None at the limit."""
        chunks: list[bytes] = []
        size = 0
        with selectors.DefaultSelector() as selector:
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    selector.register(stream, selectors.EVENT_READ)
            while selector.get_map():
                ready = selector.select(self._deadline.left_s())
                if not ready:
                    return None
                for key, _ in ready:
                    chunk = os.read(key.fd, 1 << 16)
                    if not chunk:
                        selector.unregister(key.fileobj)
                    size += len(chunk)
                    if key.fileobj is process.stdout:
                        chunks.append(chunk)
                if size > self._max_output_bytes:
                    return None
        return b"".join(chunks)
