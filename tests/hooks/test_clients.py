from __future__ import annotations

import dataclasses
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from askfirst.host import HookAnswer
from askfirst.testing.hook_broker import BOUND_S, FakeBroker, answering, response, sending, waiting
from hooks.command_line import PERL

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hooks.conftest import Hook

ALLOW = HookAnswer(stdout=b'{"decision":"this very input"}\n')
DENY = HookAnswer(exit_code=2, stderr=b"three commits would be lost\n")


def blocked(result: tuple[int | None, bytes, bytes]) -> str:
    """The sentence of a blocked call."""
    code, out, err = result
    assert (code, out) == (2, b"")
    *noise, sentence = err.decode().splitlines()
    assert sentence.startswith("askfirst: this call is blocked: "), noise
    return sentence.removeprefix("askfirst: this call is blocked: ")


@pytest.mark.parametrize("answer", [HookAnswer(), ALLOW, DENY, HookAnswer(stdout=b"x" * 300_000, stderr=b"\xff\0")])
def test_the_broker_s_answer_is_passed_on_byte_for_byte(hook: Hook, answer: HookAnswer) -> None:
    with FakeBroker(hook.socket, answering(answer)):
        assert hook.run() == (answer.exit_code, answer.stdout, answer.stderr)


@pytest.mark.parametrize("size", [1, 65_537, 5_000_000])
def test_the_broker_gets_the_payload_whole_with_the_deadline_and_the_named_variables(hook: Hook, size: int) -> None:
    payload = os.urandom(size)
    with FakeBroker(hook.socket, answering(HookAnswer())) as broker:
        assert hook.run(payload, env={"CLAUDE_CODE_ENTRYPOINT": "a b&ü", "OTHER": "secret"})[0] == 0
        received = broker.next_received()
    assert received.line == "POST /v1/hook/claude-code HTTP/1.1"
    assert received.body == payload
    assert 20 <= int(received.fields["x-askfirst-wait-s"]) <= 25
    assert received.fields["x-askfirst-environ"] == "CLAUDE_CODE_ENTRYPOINT=a%20b%26%C3%BC"
    assert received.fields["connection"] == "close"


FRAME = DENY.frame()
MALFORMED = {
    "http 500": response(ALLOW.frame(), status="500 Internal Server Error"),
    "http 204": response(ALLOW.frame(), status="204 No Content"),
    "redirect": response(ALLOW.frame(), status="307 Temporary Redirect"),
    "json": response(b'{"ok":true}', content_type="application/json"),
    "frame as another type": response(ALLOW.frame(), content_type="text/plain"),
    "empty body": response(b""),
    "short frame": response(FRAME[:-1]),
    "long frame": response(FRAME + b"x"),
    "other exit code": response(b"askfirst-hook/1 1 0 2\nno"),
    "other version": response(b"askfirst-hook/2 0 0 0\n"),
    "negative length": response(b"askfirst-hook/1 0 -1 1\n"),
    "huge length": response(b"askfirst-hook/1 0 99999999999999999999 0\n"),
    "number with a sign": response(b"askfirst-hook/1 0 +0 0\n"),
    "unicode digits": response("askfirst-hook/1 0 \u0660 0\n".encode()),
    "refusal without a word": response(b"askfirst-hook/1 2 0 0\n"),
    "refusal with output": response(b"askfirst-hook/1 2 2 2\n{}no"),
    "chunked": response(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    + b"16\r\n"
    + HookAnswer().frame()
    + b"\r\n0\r\n\r\n",
    "not http": b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
    "http 0.9": ALLOW.frame(),
    "too much": response(b"x" * (17 << 20)),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_anything_but_a_whole_well_formed_answer_blocks(hook: Hook, data: bytes) -> None:
    short = dataclasses.replace(hook, wait_s=1)
    with FakeBroker(hook.socket, sending(data)):
        blocked(short.run())


BROKEN: dict[str, Callable[..., None]] = {
    "at once": sending(b""),
    "within the head": sending(b"HTTP/1.1 200 OK\r\nContent-"),
    "within the frame": sending(response(FRAME)[:-3]),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_broken_connection_is_tried_again_with_the_same_payload(hook: Hook, broken: Callable[..., None]) -> None:
    with FakeBroker(hook.socket, broken, broken, answering(ALLOW)) as broker:
        assert hook.run(b"payload") == (0, ALLOW.stdout, b"")
        tries = [broker.next_received() for _ in range(3)]
    assert [one.body for one in tries] == [b"payload"] * 3
    assert len({one.fields["x-askfirst-attempt"] for one in tries}) == 1


def test_every_call_is_an_attempt_of_its_own(hook: Hook) -> None:
    with FakeBroker(hook.socket, answering(ALLOW)) as broker:
        for _ in range(3):
            hook.run(env={"ASKFIRST_ATTEMPT": "x"})
        attempts = [broker.next_received().fields["x-askfirst-attempt"] for _ in range(3)]
    assert len(set(attempts)) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", attempt) for attempt in attempts)


def test_a_broker_that_answers_late_is_waited_for(hook: Hook) -> None:
    with FakeBroker(hook.socket, waiting) as broker, hook.start() as process:
        assert process.stdin is not None
        process.stdin.write(b"payload")
        process.stdin.close()
        received = broker.next_received()
        received.connection.sendall(response(DENY.frame()))
        received.connection.shutdown(socket.SHUT_RDWR)
        assert process.stderr is not None
        assert process.wait(BOUND_S) == 2
        assert process.stderr.read() == DENY.stderr


def test_the_deadline_blocks_by_itself(hook: Hook) -> None:
    with FakeBroker(hook.socket, waiting):
        assert "within 1 s" in blocked(dataclasses.replace(hook, wait_s=1).run())


def test_a_host_that_never_ends_its_payload_is_blocked_at_the_deadline(hook: Hook) -> None:
    with FakeBroker(hook.socket, waiting), dataclasses.replace(hook, wait_s=1).start() as process:
        assert process.wait(BOUND_S) == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_blocks_with_a_sentence(hook: Hook, number: int) -> None:
    with FakeBroker(hook.socket, waiting) as broker, hook.start() as process:
        assert process.stdin is not None
        process.stdin.write(b"payload")
        process.stdin.close()
        received = broker.next_received()
        os.kill(received.pid, number)
        assert process.wait(BOUND_S) == 2
        assert received.gone.wait(BOUND_S)
        assert process.stderr is not None
        assert process.stderr.read() == b"askfirst: this call is blocked: stopped before the gate answered\n"


def test_a_killed_client_blocks(hook: Hook) -> None:
    with FakeBroker(hook.socket, waiting, answering(ALLOW)) as broker, hook.start() as process:
        assert process.stdin is not None
        process.stdin.write(b"payload")
        process.stdin.close()
        os.kill(broker.next_received().pid, signal.SIGKILL)
        assert process.wait(BOUND_S) == 2
        assert process.stdout is not None
        assert process.stdout.read() == b""


@pytest.mark.slow
def test_a_client_whose_host_dies_lets_the_broker_know(hook: Hook) -> None:
    with FakeBroker(hook.socket, waiting) as broker:
        host = subprocess.Popen(
            [sys.executable, "-c", "import subprocess, sys; subprocess.run(['sh', '-c', sys.argv[1]])", hook.line],
            stdin=subprocess.PIPE,
        )
        assert host.stdin is not None
        host.stdin.write(b"payload")
        host.stdin.close()
        received = broker.next_received()
        host.kill()
        host.wait()
        assert received.gone.wait(BOUND_S)


@pytest.mark.parametrize("payload", [b"", b"x" * (16 * 1024 * 1024 + 1)], ids=["empty", "huge"])
def test_an_unusable_payload_is_blocked_before_the_broker_hears_of_it(hook: Hook, payload: bytes) -> None:
    with FakeBroker(hook.socket, answering(ALLOW)) as broker:
        assert blocked(hook.run(payload)).startswith("its payload is ")
        assert broker.received.empty()


@pytest.mark.parametrize(
    ("closed", "answer"), [("<&-", ALLOW), (">&-", ALLOW), ("2>&-", DENY), ("<&- >&-", ALLOW), ("<&- >&- 2>&-", ALLOW)]
)
def test_a_closed_standard_file_is_blocked(hook: Hook, closed: str, answer: HookAnswer) -> None:
    line = f"exec {closed}; {hook.line}"
    with FakeBroker(hook.socket, answering(answer)):
        result = subprocess.run(["sh", "-c", line], input=b"{}", capture_output=True, check=False)
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr or "2>&-" in closed


def test_an_unreadable_standard_input_is_blocked(hook: Hook, folder: Path) -> None:
    with FakeBroker(hook.socket, answering(ALLOW)):
        result = subprocess.run(["sh", "-c", f"{{ {hook.line}; }} < {folder}"], capture_output=True, check=False)
        blocked((result.returncode, result.stdout, result.stderr))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_an_answer_that_cannot_be_written_is_blocked(hook: Hook) -> None:
    with FakeBroker(hook.socket, answering(ALLOW)), Path("/dev/full").open("wb") as full:
        result = subprocess.run(["sh", "-c", hook.line], input=b"{}", stdout=full, stderr=subprocess.PIPE, check=False)
        blocked((result.returncode, b"", result.stderr))


def test_without_a_broker_and_without_a_program_it_is_blocked(hook: Hook) -> None:
    blocked(hook.run())


def test_without_clients_it_is_blocked(hook: Hook, folder: Path) -> None:
    with FakeBroker(hook.socket, answering(ALLOW)):
        code, out, err = dataclasses.replace(hook, client_dir=folder).run()
        assert (code, out) == (2, b"")
        assert b"No such file or directory" in err


def test_without_perl_and_python_it_is_blocked(hook: Hook) -> None:
    nothing = dataclasses.replace(hook, perl="/nonexistent/perl", python=Path("/nonexistent/python"))
    with FakeBroker(hook.socket, answering(ALLOW)):
        blocked(nothing.run())


def test_an_interpreter_that_hangs_at_its_start_is_ended_by_the_deadline(hook: Hook, folder: Path) -> None:
    python = folder / "python"
    python.write_text("#!/bin/sh\nexec sleep 60\n", encoding="ascii")
    python.chmod(0o755)
    blocked(dataclasses.replace(hook, python=python, wait_s=1, perl=PERL).run())


@pytest.mark.parametrize("body", ["exit 1", "die 'x'", "kill 9, $$", "syntax error {"])
def test_a_fast_client_that_crashes_is_replaced_by_the_robust_one(hook: Hook, folder: Path, body: str) -> None:
    clients = folder / "clients"
    clients.mkdir()
    shutil.copy(hook.client_dir / "client.py", clients)
    (clients / "askfirst-hook.pl").write_text(body, encoding="ascii")
    with FakeBroker(hook.socket, answering(ALLOW)):
        assert dataclasses.replace(hook, client_dir=clients).run()[:2] == (0, ALLOW.stdout)


@pytest.mark.parametrize("body", ["raise SystemExit(1)", "import os; os.kill(os.getpid(), 9)", "syntax error"])
def test_a_robust_client_that_crashes_blocks(hook: Hook, folder: Path, body: str) -> None:
    clients = folder / "clients"
    shutil.copytree(hook.client_dir, clients)
    (clients / "client.py").write_text(body, encoding="ascii")
    blocked(dataclasses.replace(hook, client_dir=clients).run())


def test_odd_paths_are_quoted(hook: Hook, folder: Path) -> None:
    odd = folder / "a 'b' \"c\" $d `e` \\ *"
    odd.mkdir()
    clients = odd / "clients"
    shutil.copytree(hook.client_dir, clients)
    there = dataclasses.replace(hook, folder=odd, client_dir=clients)
    with FakeBroker(there.socket, answering(ALLOW)):
        assert there.run() == (0, ALLOW.stdout, b"")


def test_the_environment_cannot_put_code_into_the_clients(hook: Hook, folder: Path) -> None:
    for name in ("Evil.pm", "sitecustomize.py", "_socket.py"):
        (folder / name).write_text("print('evil'); exit(0)", encoding="ascii")
    env = {"PERL5OPT": "-MEvil", "PERL5LIB": str(folder), "PYTHONPATH": str(folder), "PERL_UNICODE": "SDA"}
    with FakeBroker(hook.socket, answering(ALLOW)):
        assert hook.run(b"\xc3\x28", env=env) == (0, ALLOW.stdout, b"")


@pytest.mark.slow
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(payload=st.binary(max_size=200), data=st.binary(max_size=200), whole=st.booleans())
def test_no_bytes_of_host_or_broker_give_another_exit_code_or_a_partial_answer(
    hook: Hook, payload: bytes, data: bytes, *, whole: bool
) -> None:
    hook.socket.unlink(missing_ok=True)
    sent = response(data) if whole else data
    with FakeBroker(hook.socket, sending(sent), answering(DENY)):
        code, out, err = hook.run(payload)
    assert (code, out) == (2, b"")
    assert err
