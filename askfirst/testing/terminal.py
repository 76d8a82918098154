"""A program in a terminal of its own, for tests that press keys and read the screen.

Screens are compared without white space: terminal programs move the cursor where a text has blanks.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ROWS, COLUMNS = 60, 200
_ESCAPE = re.compile(rb"\x1b(?:\[[0-9;?<>=]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][AB012]|[=>78cDEHM])")


class Terminal:
    """Runs ``command``; use it as a context manager, which ends it with its whole session."""

    def __init__(self, command: Sequence[str | Path], *, cwd: Path, environ: Mapping[str, str]) -> None:
        self._main, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._process = subprocess.Popen(
            # the shell makes the terminal its controlling one by opening it as the leader of a new session
            ["/bin/sh", "-c", 'exec <"$0" "$@"', os.ttyname(other), *map(str, command)],
            stdin=other,
            stdout=other,
            stderr=other,
            cwd=cwd,
            env={**environ, "TERM": "xterm-256color"},
            start_new_session=True,
        )
        os.close(other)
        self._seen = bytearray()
        self._grown = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join()
        os.close(self._main)

    @property
    def pid(self) -> int:
        """Of the program."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether the program has ended."""
        return self._process.poll() is not None

    @property
    def text(self) -> str:
        """Everything that was shown so far, without white space and control sequences."""
        with self._grown:
            shown = bytes(self._seen)
        return re.sub(r"\s", "", _ESCAPE.sub(b"", shown).decode("utf-8", "replace"))

    def press(self, keys: str) -> None:
        """Type these keys."""
        os.write(self._main, keys.encode())

    def press_unseen(self, keys: str, *, timeout_s: float = 30.0) -> None:
        """Type these keys once the program has turned the echo off; what was typed before is lost then (getpass).

        Raises:
            TimeoutError: it did not.
        """
        until = time.monotonic() + timeout_s
        while termios.tcgetattr(self._main)[3] & termios.ECHO:
            if time.monotonic() > until:
                raise TimeoutError("the terminal still shows what is typed")
            time.sleep(0.01)
        self.press(keys)

    def wait_for(self, text: str, *, after: int = 0, timeout_s: float = 30.0) -> int:
        """Wait until ``text`` is shown; the place behind it, for ``after`` of the next wait.

        Raises:
            TimeoutError: it was not; the message has the end of the screen.
        """
        sought = re.sub(r"\s", "", text)
        until = time.monotonic() + timeout_s
        while True:
            found = self.text.find(sought, after)
            if found >= 0:
                return found + len(sought)
            with self._grown:
                if time.monotonic() > until or (not self._grown.wait(1.0) and self.has_ended):
                    break
        raise TimeoutError(f"{text!r} was not shown; the end of what was: {self.text[-1500:]!r}")

    def _read(self) -> None:
        while True:
            try:
                if not select.select([self._main], [], [], 0.2)[0]:
                    if self.has_ended:
                        return
                    continue
                chunk = os.read(self._main, 1 << 16)
            except OSError:
                return
            if not chunk:
                return
            with self._grown:
                self._seen += chunk
                self._grown.notify_all()
