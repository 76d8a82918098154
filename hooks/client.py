"""The robust hook client: gets an answer from the broker, starting one or waiting for its return, or refuses.

Run as ``python -I -S /abs/hooks/client.py HOST SOCKET WAIT_S NAMES HOST_PID [BROKER...]``:

- HOST: registry name of the host, part of the URL.
- SOCKET: the broker's unix socket.
- WAIT_S: our own deadline in seconds, an integer below the host's timeout.
- NAMES: the environment variables that the host's adapter wants to see, joined by commas.
- HOST_PID: the process that waits for us; when it is gone nobody reads the answer. The fast client puts ``:ATTEMPT``
  behind it when it has reached a broker, with the id under which it did.
- BROKER: the command that starts a broker, ``askfirst serve`` of this interpreter unless given.

Rules:

- The exit code is 0 or 2, or 3 where the broker says so of an event that gates nothing. Anything that goes wrong, a
  bug included, ends in 2 with a sentence on standard error and nothing on standard output. Standard output is written
  once, at the end; nothing else can reach it.
- A broken connection is tried again until the deadline, with the same payload: the broker joins it to the same request
  by its idempotency key. So the death of a broker costs the waiting person nothing.
- All tries of one process are one attempt, by a random id: what was approved is released to one attempt, and a new
  broker gives it again to the same one.
- Two clients that find no broker start one: they take turns under a lock.
- Where no broker can be started, the whole program judges in this process and denies what it would have asked about.
- Nothing outside the standard library, and of that only what starts in a millisecond: where perl is missing every call
  pays for it (docs/adr/0002-hook-client.md).
"""

import _socket
import fcntl
import os
import select
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from types import FrameType
    from typing import NoReturn
else:
    import _signal as signal  # what signal is made of; the enums around it cost 6 ms

MAX_BYTES = 16 * 1024 * 1024
"""Bound of the payload and of an answer, bytes; ``askfirst-hook.pl`` has the same number."""
RESERVE_S = 5
"""What the broker's answer at its own deadline may take to reach us, seconds; ``askfirst-hook.pl`` has it too."""
MAX_VALUE_BYTES = 1024
"""Bound of one environment variable's value, bytes."""
START_S = 20.0
"""How long a broker may take to listen, seconds."""
MAX_REFUSALS = 3
"""Complete responses without an answer, after which we give up."""
HOST_CHECK_S = 2.0
"""How often we look whether the host is still there, seconds."""
PAUSES_S = (0.05, 10.0)
"""The first and the longest pause between two tries, seconds; each is twice the one before."""
SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
BROKER_VARIABLES = ("HOME", "PATH", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "ASKFIRST_", "LC_", "XDG_", "SSL_CERT_")
"""Names, or beginnings ending in ``_``, of what a broker gets of our environment. The rest is the agent's session: its
keys, and the GIT_* of the folder it happens to work in."""
UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"


class Blocked(Exception):  # noqa: N818 - a decision, not a mishap
    """The call is blocked; the message says why."""


class Interrupted(BaseException):
    """A signal or the deadline ended the wait; below BaseException so that no failed try swallows it."""


class BrokenError(Exception):
    """There is no broker, or it went away before it answered; ``was_there`` says which."""

    def __init__(self, message: str, *, was_there: bool = False) -> None:
        super().__init__(message)
        self.was_there = was_there


class NoAnswerError(Exception):
    """A whole response came and it is not an answer."""


def main(arguments: list[str]) -> int:
    """Runs the client and returns its exit code, 0, 2 or 3; arguments as in the module's docstring."""
    try:
        out_fd = fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, 3)  # never in the place of one that is closed
        os.dup2(2, 1)
        code, out, err = answer(arguments, out_fd)
        write_all(2, err)
        write_all(out_fd, out)
    except (Blocked, Interrupted) as error:
        return refuse(str(error))
    except BaseException as error:  # noqa: BLE001 - the outermost frame: whatever happened, the call is blocked
        return refuse(f"the hook broke: {type(error).__name__}: {error}")
    return code


def refuse(why: str) -> int:
    """Writes the refusal as well as it can and returns 2."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    text = f"askfirst: this call is blocked: {why}".replace("\n", " ")[:2000] + "\n"
    try:
        write_all(2, text.encode("utf-8", "backslashreplace"))
    except OSError:
        return 2  # nobody reads us; the exit code still blocks
    return 2


def answer(arguments: list[str], out_fd: int) -> tuple[int, bytes, bytes]:
    """Exit code, standard output and standard error, by whatever way gives them.

    Raises:
        Blocked: there is no answer.
        Interrupted: the deadline or a signal came first.
    """
    if len(arguments) < 5:
        raise Blocked("the hook's command line is incomplete; run `askfirst hook install` again")
    host, path, wait, names, origin, *broker = arguments
    host_pid, was_there, attempt = origin.partition(":")
    deadline = time.monotonic() + int(wait)
    watch_signals(int(wait))
    os.environ["PATH"] = os.environ.pop("ASKFIRST_PATH", os.environ.get("PATH", os.defpath))
    payload = read_payload(0)
    head = (
        f"POST /v1/hook/{host} HTTP/1.1\r\nHost: askfirst\r\nContent-Type: application/octet-stream\r\n"
        f"Content-Length: {len(payload)}\r\nConnection: close\r\nX-Askfirst-Environ: {environ(names)}\r\n"
        f"X-Askfirst-Attempt: {attempt or os.urandom(16).hex()}\r\n"
    )
    exchange = Exchange(path, head, payload, deadline, int(host_pid))
    try:
        return ask_until(exchange, broker, was_there=bool(was_there))
    except BrokenError as error:
        if "--relay" in broker:  # the broker is elsewhere; what this machine thinks of the call does not count
            raise Blocked(
                f"the broker is on another machine and cannot be asked ({error}); run `askfirst doctor` to see why"
            ) from None
        judge_here(host, payload, out_fd)


def watch_signals(wait_s: int) -> None:
    """Turns the signals that end us, and the deadline, into refusals."""

    def stop(number: int, _frame: "FrameType | None") -> None:
        if number == signal.SIGALRM:
            raise Interrupted(f"nobody decided within {wait_s} s and the gate did not answer; try again later")
        raise Interrupted("stopped before the gate answered")

    for number in SIGNALS:
        signal.signal(number, stop)
    signal.setitimer(signal.ITIMER_REAL, wait_s)


def read_payload(fd: int) -> bytes:
    """Everything on ``fd``.

    Raises:
        Blocked: it cannot be read, is empty, or is larger than MAX_BYTES.
    """
    chunks: list[bytes] = []
    size = 0
    while size <= MAX_BYTES:
        try:
            chunk = os.read(fd, 1 << 16)
        except OSError as error:
            raise Blocked(f"its payload could not be read: {error.strerror}") from None
        if not chunk:
            break
        chunks.append(chunk)
        size += len(chunk)
    if not 0 < size <= MAX_BYTES:
        raise Blocked("its payload is empty" if not size else f"its payload is larger than {MAX_BYTES} bytes")
    return b"".join(chunks)


def environ(names: str) -> str:
    """The named variables that are set, percent-encoded, e.g. ``A=1&B=x%20y``."""
    pairs = []
    for name in names.split(","):
        value = os.environb.get(name.encode("ascii"))
        if value is not None:
            text = "".join(chr(o) if o in UNRESERVED else f"%{o:02X}" for o in value[:MAX_VALUE_BYTES])
            pairs.append(f"{name}={text}")
    return "&".join(pairs)


def ask_until(exchange: "Exchange", broker: list[str], *, was_there: bool) -> tuple[int, bytes, bytes]:
    """Asks until there is an answer; ``was_there`` says that a broker has taken this payload before.

    Raises:
        Blocked: the broker answers, and not with an answer.
        BrokenError: there never was a broker and none can be started.
    """
    refusals = 0
    pause_s, longest_s = PAUSES_S
    while True:
        try:
            return exchange.once()
        except NoAnswerError as error:
            refusals += 1
            if refusals == MAX_REFUSALS:
                raise Blocked(f"the broker answered {error}; run `askfirst serve` in a terminal to see why") from None
        except BrokenError as error:
            was_there = was_there or error.was_there
            try:
                start_broker(exchange.path, broker)
            except BrokenError:
                if not was_there:
                    raise
        time.sleep(pause_s)
        pause_s = min(longest_s, pause_s * 2)


class Exchange:
    """One question to the broker, which can be put again and again.

    Attributes:
        path: the broker's unix socket.
    """

    def __init__(self, path: str, head: str, payload: bytes, deadline: float, host_pid: int) -> None:
        self.path = path
        self._head = head
        self._payload = payload
        self._deadline = deadline
        self._host_pid = host_pid
        self._parent = os.getppid()

    def once(self) -> tuple[int, bytes, bytes]:
        """Exit code, standard output and standard error; it may take until a person decides.

        Raises:
            BrokenError: the connection failed or broke off.
            NoAnswerError: the response is complete and no answer.
            Blocked: the host is gone.
        """
        broker_s = max(0, int(self._deadline - time.monotonic()) - RESERVE_S)
        connection = connect(self.path)
        try:
            self._send(connection, f"{self._head}X-Askfirst-Wait-S: {broker_s}\r\n\r\n".encode("ascii"))
            response = self._receive(connection)
        except OSError as error:
            raise BrokenError(str(error), was_there=True) from None
        finally:
            connection.close()
        return parts(response)

    def _send(self, connection: _socket.socket, head: bytes) -> None:
        data = memoryview(head + self._payload)
        try:
            while data:
                data = data[connection.send(data) :]
        except BrokenPipeError:
            return  # it refused before it read all; what it says is still to be read

    def _receive(self, connection: _socket.socket) -> bytes:
        response = bytearray()
        while True:
            if not select.select([connection], [], [], HOST_CHECK_S)[0]:
                self._require_host()
                continue
            chunk = connection.recv(1 << 16)
            if not chunk:
                return bytes(response)
            response += chunk
            if len(response) > MAX_BYTES:
                raise NoAnswerError("more than a hook answer may have")

    def _require_host(self) -> None:
        if os.getppid() != self._parent or not is_running(self._host_pid):
            raise Blocked("the host is gone")


def connect(path: str) -> _socket.socket:
    """A connection to the broker.

    Raises:
        BrokenError: nobody listens there.
    """
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        connection.connect(path)
    except OSError as error:
        connection.close()
        raise BrokenError(str(error)) from None
    return connection


def is_running(pid: int) -> bool:
    """Whether there is a process with this id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def parts(response: bytes) -> tuple[int, bytes, bytes]:
    """Exit code, standard output and standard error of a response.

    Raises:
        BrokenError: it ends too early.
        NoAnswerError: it is complete and no answer.
    """
    head, end, body = response.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    length = fields.get(b"content-length", b"")
    if not end or (length.isdigit() and len(body) < int(length)):
        raise BrokenError("the response broke off", was_there=True)
    if status[:13] not in (b"HTTP/1.1 200 ", b"HTTP/1.1 200"):
        raise NoAnswerError(ascii(status[:60].decode("latin-1")))
    if fields.get(b"content-type") != b"application/x-askfirst-hook":
        raise NoAnswerError("something else than a hook answer")
    return frame_parts(body)


def frame_parts(body: bytes) -> tuple[int, bytes, bytes]:
    """Exit code, standard output and standard error of a frame (``askfirst.host.HookAnswer.frame``).

    Raises:
        NoAnswerError: it is malformed, or some host would take it for leave to run.
    """
    line, _, texts = body.partition(b"\n")
    words = line.split(b" ")
    is_frame = len(words) == 4 and words[0] == b"askfirst-hook/1" and words[1] in (b"0", b"2", b"3")
    if not is_frame or not all(word.isdigit() and len(word) < 9 for word in words[2:]):
        raise NoAnswerError("a malformed hook answer")
    code, out_bytes, err_bytes = (int(word) for word in words[1:])
    if len(texts) != out_bytes + err_bytes:
        raise NoAnswerError("a hook answer of another length than it says")
    if code and (out_bytes or not err_bytes):
        raise NoAnswerError("a refusal that some hosts take for leave to run")
    return code, texts[:out_bytes], texts[out_bytes:]


def start_broker(path: str, command: list[str]) -> None:
    """Returns when a broker listens at ``path``, having started one unless another client did.

    Raises:
        BrokenError: none could be started.
    """
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        lock = os.open(
            os.path.join(os.path.dirname(path), "start.lock"),
            os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW,
            0o600,
        )
    except OSError as error:
        raise BrokenError(str(error)) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_listening(path):
            spawn(path, command or [sys.executable, "-I", "-m", "askfirst.entry", "serve", "--socket", path])
    finally:
        os.close(lock)


def is_listening(path: str) -> bool:
    """Whether somebody accepts connections at ``path``."""
    try:
        connect(path).close()
    except BrokenError:
        return False
    return True


def spawn(path: str, command: list[str]) -> None:
    """Starts a broker in a session of its own and waits until it listens.

    Raises:
        BrokenError: it cannot be started, or failed, or nobody listens within START_S.
    """
    import subprocess  # noqa: PLC0415 - 15 ms that only a first call pays

    kept = {name: value for name, value in os.environ.items() if is_for_broker(name)}
    quiet = subprocess.DEVNULL
    try:
        process = subprocess.Popen(
            command, stdin=quiet, stdout=quiet, stderr=quiet, env=kept, cwd="/", start_new_session=True
        )
    except OSError as error:
        raise BrokenError(str(error)) from None
    end = time.monotonic() + START_S
    while not is_listening(path):
        if process.poll() not in (None, 0) or time.monotonic() > end:
            raise BrokenError("the broker did not start")
        time.sleep(0.02)


def is_for_broker(name: str) -> bool:
    """Whether a broker that we start gets this variable."""
    return name.upper().endswith("_PROXY") or any(
        name == known or (known.endswith("_") and name.startswith(known)) for known in BROKER_VARIABLES
    )


def judge_here(host: str, payload: bytes, out_fd: int) -> "NoReturn":
    """Becomes the whole program, which judges the payload without a broker; the deadline's alarm stays set.

    Raises:
        Blocked: it cannot be started.
    """
    try:
        feed(payload)
        os.dup2(out_fd, 1)
        os.execv(sys.executable, [sys.executable, "-I", "-m", "askfirst.entry", "hook", "judge", host])
    except OSError as error:
        raise Blocked(
            f"no broker, and none could be started: {error.strerror}; run `askfirst serve` in a terminal to see why"
        ) from None


def feed(payload: bytes) -> None:
    """Makes standard input a pipe that a child fills: no temporary file, so a full disk does not matter."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        try:
            for fd in (0, 1, 2, reader):
                os.close(fd)
            write_all(writer, payload)
        finally:
            os._exit(0)
    os.close(writer)
    os.dup2(reader, 0)
    os.close(reader)


def write_all(fd: int, data: bytes) -> None:
    """Writes all of ``data``; OSError when that cannot be done."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


if __name__ == "__main__":
    os._exit(main(sys.argv[1:]))
