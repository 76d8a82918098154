"""The broker's client for our own processes: over the unix socket, starting a broker when none runs."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import httpx

from askfirst.errors import BrokerUnavailableError, ConfigError, Error, StoreError, error_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from askfirst.paths import StatePaths

START_TIMEOUT_S = 20.0
"""How long a starting broker may take, seconds; a cold disk and a large log are the slow cases."""

STOP_TIMEOUT_S = 15.0

_START_ERRORS: dict[int | None, type[Error]] = {70: StoreError, 78: ConfigError}
"""By the exit code of a broker that ends instead of listening; the codes are those of ``askfirst.cli``."""


class Client:
    """Speaks REST ``/v1`` with the local broker."""

    def __init__(self, paths: StatePaths) -> None:
        self._paths = paths
        self._http = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(paths.socket)), base_url="http://askfirst", timeout=130.0
        )

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """One API call; the answer's JSON object.

        Raises:
            BrokerUnavailableError: no broker answers.
            Error: the class that the answer's status stands for, with the broker's sentence.
        """
        self._require_listener()
        try:
            response = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise BrokerUnavailableError(f"no broker answers on {self._paths.socket}: {error}") from error
        if response.is_error:
            raise error_of(response.status_code)(_detail(response))
        answer: dict[str, Any] = response.json()
        return answer

    def _require_listener(self) -> None:
        """Knock first: httpx leaks the socket of a connection that is refused (httpcore 1.0)."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock:
            try:
                knock.connect(str(self._paths.socket))
            except OSError as error:
                raise BrokerUnavailableError(f"no broker answers on {self._paths.socket}: {error.strerror}") from error

    @contextmanager
    def events(self) -> Iterator[Iterator[dict[str, Any]]]:
        """Every change of a request from now on, as API objects.

        Raises:
            BrokerUnavailableError: no broker answers, or it went away.
        """
        self._require_listener()
        try:
            with self._http.stream("GET", "/v1/events", timeout=None) as response:
                yield (json.loads(line[6:]) for line in response.iter_lines() if line.startswith("data: "))
        except httpx.TransportError as error:
            raise BrokerUnavailableError(f"the broker on {self._paths.socket} has gone: {error}") from error


def connect(paths: StatePaths) -> Client:
    """A client of a running broker; one is started when none answers.

    Raises:
        Error: none could be started, as ``start_broker`` says.
    """
    client = Client(paths)
    if not _answers(client):
        start_broker(paths)
    return client


def start_broker(paths: StatePaths) -> None:
    """Start a broker in the background unless another client has just done so; returns once it answers.

    Raises:
        ConfigError: it ended because of its configuration; the message is the one that it wrote.
        StoreError: the same of its store.
        BrokerUnavailableError: it did not come up for another reason.
    """
    descriptor = os.open(paths.start_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    client = Client(paths)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if _answers(client):
            return
        log_size = paths.log.stat().st_size if paths.log.exists() else 0
        process = _spawn(paths)
        until = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < until:
            if _answers(client):
                process.returncode = 0  # it outlives us on purpose; without this Popen warns of it
                return
            if process.poll() not in {None, 0}:
                break
            time.sleep(0.02)
    finally:
        client.close()
        os.close(descriptor)
    why = _last_words(paths, log_size) or f"see {paths.log}"
    raise _START_ERRORS.get(process.returncode, BrokerUnavailableError)(f"the broker did not start: {why}")


def stop_broker(paths: StatePaths) -> int | None:
    """End the running broker gracefully and wait until it has gone; its pid, None when none was running.

    Raises:
        BrokerUnavailableError: it is still there after ``STOP_TIMEOUT_S``.
    """
    with closing(Client(paths)) as client:
        try:
            pid: int = client.call("GET", "/healthz", timeout=5.0)["pid"]
        except BrokerUnavailableError:
            return None
    os.kill(pid, signal.SIGTERM)
    descriptor = os.open(paths.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        until = time.monotonic() + STOP_TIMEOUT_S
        while time.monotonic() < until:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.02)
            else:
                return pid
    finally:
        os.close(descriptor)
    raise BrokerUnavailableError(f"the broker (pid {pid}) has not ended within {STOP_TIMEOUT_S:.0f} s")


def _spawn(paths: StatePaths) -> subprocess.Popen[bytes]:
    """In a session of its own, isolated from the caller's PYTHON* variables and working directory."""
    log = os.open(paths.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-m", "askfirst.entry", "serve", "--background", "--state-dir", str(paths.root)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
        )
    finally:
        os.close(log)


def _last_words(paths: StatePaths, log_size: int) -> str:
    """The sentence with which a broker ended, written to its log behind the first ``log_size`` bytes."""
    with paths.log.open("rb") as log:
        log.seek(log_size)
        lines = log.read(100_000).decode("utf-8", "replace").splitlines()
    return next((line.removeprefix("askfirst: ") for line in reversed(lines) if line.startswith("askfirst: ")), "")


def _answers(client: Client) -> bool:
    try:
        client.call("GET", "/healthz", timeout=5.0)
    except Error:
        return False
    return True


def _detail(response: httpx.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return f"the broker answered {response.status_code}"
    return str(body.get("detail", body))
