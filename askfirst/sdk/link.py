"""Carries conversations to a broker: HTTP/1.1 over a unix socket or TCP, one connection a call.

Which broker: ``url`` (``unix:/path``, ``http://host:port``, ``https://host``), else ``$ASKFIRST_URL``, else the local
one of this user, which is started when none runs. Standard library only: a program that asks loads no server.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import socket
import ssl
import time
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from askfirst.errors import PROBLEM, BrokerUnavailableError, Error, InputError, error_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from askfirst.sdk.steps import Reply, Send, Transport

CALL_S = 30.0
"""What a call may take beside the time that the broker is asked to hold it, seconds."""
MAX_BYTES = 16 * 1024 * 1024
"""Bound of an answer, bytes."""
URL_VARIABLE = "ASKFIRST_URL"
TOKEN_VARIABLE = "ASKFIRST_TOKEN"  # noqa: S105  # the name of a variable
_AGAIN = frozenset({429, 502, 503, 504})
"""What may pass by itself: of the broker's own answers those that say when, of a proxy's all."""
_RETRY_AFTER_MAX_S = 60.0
"""No longer between two calls, whatever an answer says: the decision may be there before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a broker listens: ``path`` of a unix socket, or ``host`` and ``port``."""

    path: str = ""
    host: str = ""
    port: int = 0
    is_tls: bool = False

    @classmethod
    def parse(cls, url: str) -> Address:
        """The address in ``unix:/run/askfirst.sock``, ``http://127.0.0.1:7433`` or ``https://ask.example.com``.

        Raises:
            InputError: it is none of these.
        """
        if url.startswith("unix:/"):
            return cls(path=url.removeprefix("unix:"))
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
            raise InputError(f"the broker's URL is {url!r}, expected unix:/path, http://host:port or https://host")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return cls(host=parts.hostname, port=port, is_tls=parts.scheme == "https")

    def __str__(self) -> str:
        return self.path or f"{self.host}:{self.port}"


class Link:
    """A ``Transport`` over HTTP.

    Args:
        address: the broker's.
        token: bearer token, ``""`` for none; a unix socket needs none.
        start: starts a broker when none listens; None: nobody may start one.
    """

    def __init__(self, address: Address, *, token: str = "", start: Callable[[], None] | None = None) -> None:
        self._address = address
        self._token = token
        self._start = start

    def send(self, send: Send) -> Reply:
        """The answer, blocking."""
        try:
            return _reply(self._exchange(send))
        except _NobodyListensError:
            if self._start is None:
                raise
            self._start()
        return _reply(self._exchange(send))

    async def send_async(self, send: Send) -> Reply:
        """The same without blocking the event loop: a thousand waits need no threads."""
        try:
            return _reply(await self._exchange_async(send))
        except _NobodyListensError:
            if self._start is None:
                raise
            await asyncio.to_thread(self._start)
        return _reply(await self._exchange_async(send))

    def pause(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)

    async def pause_async(self, seconds: float) -> None:
        """Sleep on the event loop."""
        await asyncio.sleep(seconds)

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch."""
        return time.time_ns() // 1_000_000

    def _exchange(self, send: Send) -> bytes:
        limit_s = send.wait_s + CALL_S
        try:
            with self._connect(limit_s) as connection:
                connection.settimeout(limit_s)
                try:
                    connection.sendall(self._request(send))
                except BrokenPipeError:
                    return _bounded(_left(connection))
                return _bounded(iter(lambda: connection.recv(65_536), b""))
        except OSError as error:
            raise _unavailable(self._address, error) from error

    def _connect(self, limit_s: float) -> socket.socket:
        if self._address.path:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.connect(self._address.path)
            except OSError:
                connection.close()
                raise
            return connection
        plain = socket.create_connection((self._address.host, self._address.port), limit_s)
        if not self._address.is_tls:
            return plain
        return ssl.create_default_context().wrap_socket(plain, server_hostname=self._address.host)

    async def _exchange_async(self, send: Send) -> bytes:
        try:
            async with asyncio.timeout(send.wait_s + CALL_S):
                reader, writer = await self._open()
                try:
                    writer.write(self._request(send))
                    return await _read(reader)
                finally:
                    writer.close()
                    with contextlib.suppress(OSError):  # it is closed either way
                        await writer.wait_closed()
        except OSError as error:  # TimeoutError is one
            raise _unavailable(self._address, error) from error

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._address.path:
            return await asyncio.open_unix_connection(self._address.path)
        context = ssl.create_default_context() if self._address.is_tls else None
        return await asyncio.open_connection(self._address.host, self._address.port, ssl=context)

    def _request(self, send: Send) -> bytes:
        body = b"" if send.body is None else json.dumps(send.body, allow_nan=False).encode()
        fields = {
            "Host": self._address.host or "askfirst",
            "Connection": "close",
            "Content-Length": str(len(body)),
            "Content-Type": "application/json",
            **({"Idempotency-Key": send.key} if send.key else {}),
            **({"Authorization": f"Bearer {self._token}"} if self._token else {}),
        }
        if any(character in value for value in (send.path, *fields.values()) for character in "\r\n"):
            raise InputError("a line break in a header of the request")
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"{send.method} {send.path} HTTP/1.1\r\n{head}\r\n".encode("latin-1", "backslashreplace") + body


def open_link(*, url: str = "", token: str = "") -> Link:
    """The broker that this program is to use; see the module's docstring.

    Raises:
        InputError: the URL is no address.
        ConfigError: the local state folder is not ours alone.
    """
    url = url or os.environ.get(URL_VARIABLE, "")
    token = token or os.environ.get(TOKEN_VARIABLE, "")
    if url:
        return Link(Address.parse(url), token=token)
    from askfirst.paths import state_paths  # noqa: PLC0415  # only a local broker needs its folder

    paths = state_paths()

    def start() -> None:
        from askfirst.client import start_broker  # noqa: PLC0415  # httpx, only where a broker has to be started

        start_broker(paths)

    return Link(Address(path=str(paths.socket)), start=start)


_installed: list[Transport] = []


def install(transport: Transport) -> Callable[[], None]:
    """Let everything that was given no transport use this one; returns what undoes it. For tests."""
    _installed.append(transport)
    return lambda: _installed.remove(transport)


def installed() -> Transport | None:
    """The transport that was installed last."""
    return _installed[-1] if _installed else None


class _NobodyListensError(BrokerUnavailableError):
    """No process listens at the address."""


def _unavailable(address: Address, error: OSError) -> BrokerUnavailableError:
    is_absent = isinstance(error, ConnectionRefusedError | FileNotFoundError)
    kind = _NobodyListensError if is_absent else BrokerUnavailableError
    return kind(f"no broker answers on {address}: {error.strerror or str(error) or type(error).__name__}")


def _left(connection: socket.socket) -> Iterator[bytes]:
    """What a broker has said that refused a request before it had read all of it."""
    with contextlib.suppress(ConnectionResetError):  # it has closed on the rest
        while chunk := connection.recv(65_536):
            yield chunk


def _bounded(chunks: Any) -> bytes:
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > MAX_BYTES:
            raise OSError(f"the answer is longer than {MAX_BYTES} bytes")
    return bytes(data)


async def _read(reader: asyncio.StreamReader) -> bytes:
    data = bytearray()
    while chunk := await reader.read(65_536):
        data += chunk
        if len(data) > MAX_BYTES:
            raise OSError(f"the answer is longer than {MAX_BYTES} bytes")
    return bytes(data)


class _Received(io.BytesIO):
    """Stands where ``HTTPResponse`` expects a socket."""

    def makefile(self, *_arguments: object, **_options: object) -> io.BytesIO:
        return self


def _reply(data: bytes) -> Reply:
    """The JSON object in a whole response.

    Raises:
        BrokerUnavailableError: it is cut off, or says that the same call may be sent again.
        Error: the class that its status stands for.
    """
    try:
        response = HTTPResponse(cast("socket.socket", _Received(data)))
        response.begin()
        body = json.loads(response.read())
    except (HTTPException, ValueError, RecursionError) as error:
        raise BrokerUnavailableError(
            f"the broker's answer was cut off: {str(error) or type(error).__name__}"
        ) from error
    raise_for(response.status, body, {name.lower(): value for name, value in response.getheaders()})
    reply: Reply = body
    return reply


def raise_for(status: int, body: object, headers: Mapping[str, str]) -> None:
    """Raise what this answer of the API stands for, unless it is a JSON object of a call that succeeded.

    Args:
        status: of HTTP.
        body: the JSON value.
        headers: looked up in lower case.
    """
    if status in _AGAIN:
        retry_after_s = _retry_after_s(headers)
        if retry_after_s is None and headers.get("content-type", "").startswith(PROBLEM):
            raise Error(_detail(body, status))  # e.g. no witness answers: each further try would be one more refusal
        raise BrokerUnavailableError(_detail(body, status), retry_after_s=retry_after_s or 0.0)
    if status >= 400 or not isinstance(body, dict):
        raise error_of(status)(_detail(body, status))


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds of ``Retry-After``; None where there are none (a date is for proxies, which are asked again anyway)."""
    told = headers.get("retry-after", "")
    return min(float(told[:6]), _RETRY_AFTER_MAX_S) if told.isascii() and told.isdecimal() else None


def _detail(body: object, status: int) -> str:
    told = body.get("detail") if isinstance(body, dict) else None
    return str(told) if told else f"the broker answered {status}"
