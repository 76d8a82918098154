"""Runs a program in a process group of its own and ends the group, never anything else, when it takes too long."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from askfirst.errors import Error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

GRACE_S = 5.0
"""Seconds between asking a group to end and ending it."""
POLL_S = 0.05


class ProgramError(Error):
    """A program cannot be started; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run.

    Attributes:
        command: the program and its arguments.
        cwd: its working directory.
        environ: its whole environment; nothing is inherited.
        timeout_s: seconds until the group is ended, > 0.
        stdin: bytes on its standard input, which then ends.
    """

    command: Sequence[str | Path]
    cwd: Path
    environ: Mapping[str, str]
    timeout_s: float
    stdin: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How a program ended.

    Attributes:
        exit_code: its code, or minus the signal that ended it.
        stdout: everything it printed; what is not UTF-8 is replaced.
        stderr: the same for its errors.
        was_ended: whether it was we who ended it, by the timeout or by ``stop``.
    """

    exit_code: int
    stdout: str = ""
    stderr: str = ""
    was_ended: bool = False


def run_group(
    program: Program, *, on_line: Callable[[str], None] | None = None, stop: threading.Event | None = None
) -> Finished:
    """Run a program until it and everything that shares its standard output has ended.

    Args:
        program: what to run.
        on_line: gets each line of standard output as it comes, without its end.
        stop: when set, the group is ended as by the timeout.

    Raises:
        ProgramError: it cannot be started.
    """
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as errors:
        source.write(program.stdin)
        source.seek(0)
        process = _start(program, source, errors)
        watchdog = _Watchdog(process.pid, program.timeout_s, stop)
        try:
            lines = list(_lines(process.stdout, on_line))
        except BaseException:
            watchdog.close()
            _end(process)
            raise
        watchdog.close()
        exit_code = process.wait()
        errors.seek(0)
        stderr = errors.read().decode(errors="replace")
        return Finished(exit_code=exit_code, stdout="".join(lines), stderr=stderr, was_ended=watchdog.has_bitten)


def _start(program: Program, source: IO[bytes], errors: IO[bytes]) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            program.command,
            cwd=program.cwd,
            env=dict(program.environ),
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise ProgramError(f"{program.command[0]} does not start: {error}") from error


def _lines(stdout: IO[str] | None, on_line: Callable[[str], None] | None) -> list[str]:
    assert stdout is not None  # we asked for the pipe
    lines = []
    with stdout:
        for line in stdout:
            lines.append(line)
            if on_line is not None:
                on_line(line.rstrip("\n"))
    return lines


def _end(process: subprocess.Popen[str]) -> None:
    """End a group whose leader is not reaped yet, so that its number cannot be anybody else's."""
    signal_group(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_S)
    signal_group(process.pid, signal.SIGKILL)
    process.wait()


def signal_group(group: int, number: signal.Signals) -> None:
    """Signal a group that we started; one that has gone is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


class _Watchdog:
    """Ends a group at its deadline; closed before the leader is reaped, so it never hits a reused number."""

    def __init__(self, group: int, timeout_s: float, stop: threading.Event | None) -> None:
        self.has_bitten = False
        self._group = group
        self._deadline = time.monotonic() + timeout_s
        self._stop = stop or threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"watchdog-{group}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.is_set() and time.monotonic() < self._deadline:
            if self._closed.wait(POLL_S):
                return
        self.has_bitten = True
        signal_group(self._group, signal.SIGTERM)
        if not self._closed.wait(GRACE_S):
            signal_group(self._group, signal.SIGKILL)
