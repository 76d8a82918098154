"""A group is run to its end, or ended as a whole."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from askfirst.demo.process_group import Finished, Program, ProgramError, run_group

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def shell(tmp_path: Path) -> Callable[..., Program]:
    def make(text: str, *, timeout_s: float = 30, stdin: bytes = b"") -> Program:
        environ = {"PATH": os.environ["PATH"], "ONLY": "this"}
        return Program(command=("sh", "-c", text), cwd=tmp_path, environ=environ, timeout_s=timeout_s, stdin=stdin)

    return make


def test_output_errors_and_code_come_back(shell: Callable[..., Program]) -> None:
    lines: list[str] = []
    done = run_group(shell("cat; echo $ONLY; echo bad >&2; exit 3", stdin=b"in\xff\n"), on_line=lines.append)
    assert done == Finished(exit_code=3, stdout="in\ufffd\nthis\n", stderr="bad\n")
    assert lines == ["in\ufffd", "this"]


def test_nothing_is_inherited(shell: Callable[..., Program], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    assert "SECRET" not in run_group(shell("env")).stdout


def test_at_the_timeout_the_children_are_ended_too(shell: Callable[..., Program]) -> None:
    # The child holds the pipe: had it been left alive, this would return after its minute and not before.
    done = run_group(shell("sleep 60 & wait", timeout_s=0.1))
    assert done == Finished(exit_code=-signal.SIGTERM, was_ended=True)


def test_a_stop_ends_it_and_its_output_is_kept(shell: Callable[..., Program]) -> None:
    stop = threading.Event()
    done = run_group(shell("echo before; exec sleep 60"), on_line=lambda _: stop.set(), stop=stop)
    assert done == Finished(exit_code=-signal.SIGTERM, stdout="before\n", was_ended=True)


def test_an_error_of_the_watcher_ends_it(shell: Callable[..., Program]) -> None:
    pids: list[int] = []

    def fail(line: str) -> None:
        pids.append(int(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_group(shell("echo $$; exec sleep 60"), on_line=fail)
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_a_program_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="absent does not start"):
        run_group(Program(command=("absent",), cwd=tmp_path, environ={}, timeout_s=1))
