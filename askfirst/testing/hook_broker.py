"""A fake broker for hooks: it speaks the wire of ``askfirst.host`` on a unix socket and answers as it is told.

In a test it runs in threads; as ``python -m askfirst.testing.hook_broker SOCKET STARTS`` it is a process of its own
that allows everything, and appends its process id to the file STARTS.
"""

from __future__ import annotations

import os
import queue
import socket
import struct
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from askfirst.host import HookAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

BOUND_S = 10.0
"""No wait in a test is longer, seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request of a hook client.

    Attributes:
        line: the request line.
        fields: header fields, names in lower case.
        body: the payload.
        pid: process id of the client, 0 where the system does not tell.
        connection: to answer on.
        gone: set when the client has closed its end while the broker was ``waiting``.
    """

    line: str
    fields: dict[str, str]
    body: bytes
    pid: int
    connection: socket.socket
    gone: threading.Event = field(default_factory=threading.Event)


def response(body: bytes, *, status: str = "200 OK", content_type: str = "application/x-askfirst-hook") -> bytes:
    """A whole HTTP response around ``body``."""
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body


def answering(answer: HookAnswer) -> Callable[[Received], None]:
    """Behaviour: this answer."""
    return sending(response(answer.frame()))


def sending(data: bytes) -> Callable[[Received], None]:
    """Behaviour: these bytes, then the connection ends."""
    return lambda received: received.connection.sendall(data)


def waiting(received: Received) -> None:
    """Behaviour: nothing until the client goes."""
    received.connection.recv(1)
    received.gone.set()


class FakeBroker:
    """Listens at ``path`` while it is entered; each connection gets the next behaviour, the last one again and again.

    Attributes:
        received: the requests, in order of arrival.
    """

    def __init__(self, path: Path, *behaviours: Callable[[Received], None]) -> None:
        self.received: queue.Queue[Received] = queue.Queue()
        self._behaviours = list(behaviours)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Listens no more; connections that are there stay."""
        if self._listener.fileno() >= 0:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()

    def next_received(self) -> Received:
        """The next request; queue.Empty when none comes within BOUND_S."""
        return self.received.get(timeout=BOUND_S)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._handle, args=(connection,), daemon=True).start()

    def _handle(self, connection: socket.socket) -> None:
        with connection:
            received = _received(connection)
            if received is None:
                return  # a client that only looked whether somebody listens
            behaviour = self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]
            self.received.put(received)
            try:
                behaviour(received)
            except OSError:
                return  # the client did not stay for the answer


def _received(connection: socket.socket) -> Received | None:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(1 << 16)
        if not chunk:
            return None
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    line, *lines = head.decode("ascii").split("\r\n")
    fields = {name.lower(): value for name, value in (text.split(": ", 1) for text in lines)}
    with connection.makefile("rb") as rest:
        body += rest.read(int(fields["content-length"]) - len(body))
    return Received(line=line, fields=fields, body=body, pid=_peer_pid(connection), connection=connection)


def _peer_pid(connection: socket.socket) -> int:
    if sys.platform != "linux":
        return 0
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[0])


def main(path: str, starts: str) -> None:
    """Serves at ``path`` until killed; what a broker killed before has left there is removed."""
    Path(path).unlink(missing_ok=True)
    with FakeBroker(Path(path), answering(HookAnswer(stdout=b"from the started broker\n"))):
        with Path(starts).open("a", encoding="ascii") as file:
            file.write(f"{os.getpid()}\n")
        threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
