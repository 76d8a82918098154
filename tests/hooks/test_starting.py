"""How the robust client starts a broker, finds one again, and does without."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import venv
from typing import TYPE_CHECKING

import pytest

from askfirst.host import HookAnswer
from askfirst.testing.hook_broker import BOUND_S, FakeBroker, answering, sending, waiting

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hooks.conftest import Hook

STARTED = b"from the started broker\n"


@pytest.fixture
def starting(hook: Hook) -> Hook:
    """A hook whose broker command works."""
    module = "askfirst.testing.hook_broker"
    return dataclasses.replace(hook, broker=(sys.executable, "-m", module, str(hook.socket), str(hook.starts)))


def starts(hook: Hook) -> list[int]:
    return [int(pid) for pid in hook.starts.read_text(encoding="ascii").split()]


def feed(process: subprocess.Popen[bytes], payload: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(payload)
    process.stdin.close()


def test_the_first_call_starts_a_broker_that_outlives_it(starting: Hook) -> None:
    assert starting.run() == (0, STARTED, b"")
    assert starting.run() == (0, STARTED, b"")
    (pid,) = starts(starting)
    os.kill(pid, 0)


def test_the_missing_state_folder_is_made_for_its_owner_alone(starting: Hook, folder: Path) -> None:
    there = dataclasses.replace(starting, folder=folder / "state")
    command = (*starting.broker[:3], str(there.socket), str(starting.starts))
    assert dataclasses.replace(there, broker=command).run()[0] == 0
    assert there.folder.stat().st_mode & 0o777 == 0o700


def test_clients_that_find_no_broker_at_once_start_one(starting: Hook) -> None:
    processes = [starting.start() for _ in range(6)]
    for process in processes:
        feed(process, b"{}")
    for process in processes:
        with process:
            assert process.wait(BOUND_S * 2) == 0
    assert len(starts(starting)) == 1


def test_a_broker_killed_while_a_person_decides_is_replaced_and_answers_the_same_payload(starting: Hook) -> None:
    with FakeBroker(starting.socket, waiting) as broker, starting.start() as process:
        feed(process, b"payload")
        received = broker.next_received()
        broker.close()
        received.connection.shutdown(2)
        assert process.wait(BOUND_S) == 0
        assert process.stdout is not None
        assert process.stdout.read() == STARTED
    assert len(starts(starting)) == 1


def test_a_killed_broker_process_is_replaced(starting: Hook) -> None:
    assert starting.run()[0] == 0
    os.kill(starts(starting)[0], signal.SIGKILL)
    assert starting.run() == (0, STARTED, b"")
    assert len(starts(starting)) == 2


def test_a_broker_that_was_there_is_waited_for_although_none_can_be_started(hook: Hook) -> None:
    with FakeBroker(hook.socket, waiting) as broker, hook.start() as process:
        feed(process, b"payload")
        received = broker.next_received()
        broker.close()
        hook.socket.unlink()
        received.connection.shutdown(2)
        with FakeBroker(hook.socket, answering(HookAnswer(stdout=b"back\n"))) as successor:
            assert process.wait(BOUND_S) == 0
            assert successor.next_received().body == b"payload"


def test_a_broker_gets_nothing_of_the_agent_s_session(hook: Hook, folder: Path) -> None:
    script = f'env > "{folder}/env"; false'
    env = {
        "ANTHROPIC_API_KEY": "secret",
        "GIT_DIR": "/x",
        "XDG_STATE_HOME": "/y",
        "HTTPS_PROXY": "p",
        "ASKFIRST_A": "1",
    }
    assert dataclasses.replace(hook, broker=("sh", "-c", script)).run(env=env)[0] == 2
    names = {line.partition("=")[0] for line in (folder / "env").read_text(encoding="utf-8").splitlines()}
    assert {"XDG_STATE_HOME", "HTTPS_PROXY", "ASKFIRST_A", "PATH", "HOME"} <= names
    assert not {"ANTHROPIC_API_KEY", "GIT_DIR", "ASKFIRST_PATH", "CLAUDE_CODE_ENTRYPOINT"} & names


def test_a_broker_gets_the_path_that_the_host_gave(hook: Hook, folder: Path) -> None:
    path = os.environ["PATH"] + ":/the/host's"
    script = f'echo "$PATH" > "{folder}/path"; false'
    dataclasses.replace(hook, broker=("sh", "-c", script)).run(env={"PATH": path})
    assert (folder / "path").read_text(encoding="utf-8") == path + "\n"


@pytest.mark.parametrize("command", ["exit 1", "kill -9 $$"])
def test_a_broker_that_does_not_start_blocks(hook: Hook, command: str) -> None:
    code, out, err = dataclasses.replace(hook, broker=("sh", "-c", command)).run()
    assert (code, out) == (2, b"")
    assert err


def test_a_folder_that_cannot_be_made_blocks(hook: Hook, folder: Path) -> None:
    (folder / "file").touch()
    code, out, err = dataclasses.replace(hook, folder=folder / "file" / "state").run()
    assert (code, out) == (2, b"")
    assert err


@pytest.fixture
def whole(hook: Hook, folder: Path) -> Hook:
    """A hook whose interpreter has an ``askfirst.entry`` that tells how it was called."""
    venv.create(folder / "venv", symlinks=True)
    package = next((folder / "venv").glob("lib/*/site-packages")) / "askfirst"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "entry.py").write_text(
        "import sys; print(sys.argv[1:], sys.stdin.read()); print('why', file=sys.stderr); sys.exit(2)",
        encoding="ascii",
    )
    return dataclasses.replace(hook, python=folder / "venv" / "bin" / "python")


def test_where_no_broker_can_be_started_the_whole_program_judges(whole: Hook) -> None:
    assert whole.run(b"payload") == (2, b"['hook', 'judge', 'claude-code'] payload\n", b"why\n")


def test_a_large_payload_reaches_the_whole_program(whole: Hook) -> None:
    payload = b"x" * 3_000_000
    assert whole.run(payload)[1].endswith(payload + b"\n")


def test_a_full_disk_does_not_matter(whole: Hook) -> None:
    limited = f"ulimit -f 0; {whole.line}"
    for behaviour in (answering(HookAnswer(stdout=b"ok")), sending(b"")):
        whole.socket.unlink(missing_ok=True)
        with FakeBroker(whole.socket, behaviour, answering(HookAnswer(stdout=b"ok"))):
            result = subprocess.run(["sh", "-c", limited], input=b"x" * 100_000, capture_output=True, check=False)
            assert (result.returncode, result.stdout, result.stderr) == (0, b"ok", b"")
    whole.socket.unlink()
    result = subprocess.run(["sh", "-c", limited], input=b"payload", capture_output=True, check=False)
    assert (result.returncode, result.stderr) == (2, b"why\n")
