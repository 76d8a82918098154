"""Hearing of new mail by IMAP (RFC 3501), at once by IDLE (RFC 2177).

- The folder is opened read-only: whoever else reads it sees every mail as they would without us.
- The cursor is ``UIDVALIDITY:UID`` of the last mail that is on disk. Without one only what comes from now on is read;
  where the server has numbered its mails anew, the last week is read again (a mail that comes twice is kept once).
- The library blocks, so each of its calls runs in a thread; cancelling closes the connection, which ends such a call.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

import imapclient  # type: ignore[import-untyped]  # it has no types
from imapclient.exceptions import IMAPClientError  # type: ignore[import-untyped]

from askfirst.errors import ChannelError
from channels.email.parse import delivery_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from channels.email.settings import Settings

    Take = Callable[[Sequence[tuple[str, bytes]], str], Awaitable[None]]

MAIL_MAX_BYTES = 256 * 1024
"""So much of a mail is read; the text comes first."""
_TIMEOUT_S = 20.0
_IDLE_S = 120
"""Then the connection is tried, which tells a dead one; servers end an idle one after 30 minutes."""
_POLL_S = 15.0
"""Where the server has no IDLE."""
_BATCH = 16
_AGAIN_DAYS = 7
_P = ParamSpec("_P")
_T = TypeVar("_T")
_CURSOR = re.compile(r"([0-9]{1,10}):([0-9]{1,10})", re.ASCII)


class Incoming(Protocol):
    """Where mail comes in."""

    async def listen(self, cursor: str, take: Take) -> None:
        """Hand what comes in after this cursor to ``take``, with the next cursor, until cancelled.

        Raises:
            ChannelError: the connection failed; listen again later.
        """
        ...

    async def check(self) -> None:
        """Log in and look at the folder.

        Raises:
            ChannelError: it is not possible.
        """
        ...


class Mailbox:
    """One folder of one account; an ``Incoming``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def listen(self, cursor: str, take: Take) -> None:
        """See ``Incoming``."""
        async with self._opened() as line:
            place = await line.do(_start, self._settings.folder, cursor)
            await take([], place.cursor)
            while True:
                for uids in await line.do(_new, place):
                    deliveries = await line.do(_fetched, uids)
                    place = Place(validity=place.validity, uid=uids[-1])
                    await take(deliveries, place.cursor)
                if await line.do(_can_idle):
                    await line.do(_idle)
                else:
                    await asyncio.sleep(_POLL_S)
                    await line.do(_noop)

    async def check(self) -> None:
        """See ``Incoming``."""
        async with self._opened() as line:
            await line.do(_start, self._settings.folder, "")

    @contextlib.asynccontextmanager
    async def _opened(self) -> AsyncIterator[_Line]:
        """A connection that is logged in; its failures are ours."""
        opening = asyncio.ensure_future(asyncio.to_thread(_open, self._settings))
        try:
            try:
                line = _Line(await asyncio.shield(opening))
            except asyncio.CancelledError:
                opening.add_done_callback(_close)
                raise
            try:
                yield line
            finally:
                await line.close()
        except (IMAPClientError, OSError) as error:
            raise ChannelError(f"{self._settings.imap.host} shows no mail: {error}") from error


class _Line:
    """A connection, of which one call at a time runs in a thread."""

    def __init__(self, client: imapclient.IMAPClient) -> None:
        self._client = client
        self._running: asyncio.Future[Any] | None = None

    async def do(
        self, call: Callable[Concatenate[imapclient.IMAPClient, _P], _T], *args: _P.args, **more: _P.kwargs
    ) -> _T:
        """What this call returns."""
        self._running = asyncio.ensure_future(asyncio.to_thread(call, self._client, *args, **more))
        result: _T = await asyncio.shield(self._running)
        return result

    async def close(self) -> None:
        """Hang up, which ends a call that waits; only then give the socket back, or another could get its number."""
        with contextlib.suppress(OSError):
            self._client.socket().shutdown(socket.SHUT_RDWR)
        if self._running is not None:
            await asyncio.wait({self._running})
            self._running.exception()
        with contextlib.suppress(OSError):
            self._client.shutdown()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far a folder was read.

    Attributes:
        validity: the server's numbering of this folder, RFC 3501 §2.3.1.1.
        uid: of the last mail that was read.
    """

    validity: int
    uid: int

    @property
    def cursor(self) -> str:
        """As it is kept."""
        return f"{self.validity}:{self.uid}"


def _open(settings: Settings) -> imapclient.IMAPClient:
    server = settings.imap
    client = imapclient.IMAPClient(
        server.host,
        port=server.port,
        ssl=server.tls == "implicit",
        ssl_context=settings.tls if server.tls == "implicit" else None,
        timeout=_TIMEOUT_S,
    )
    try:
        if server.tls == "starttls":
            client.starttls(settings.tls)
        client.login(settings.user, settings.password)
    except BaseException:
        client.shutdown()
        raise
    return client


def _close(opening: asyncio.Future[imapclient.IMAPClient]) -> None:
    """Close what was opened for nobody any more."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().shutdown()


def _start(client: imapclient.IMAPClient, folder: str, cursor: str) -> Place:
    found: dict[bytes, Any] = client.select_folder(folder, readonly=True)
    validity, following = int(found[b"UIDVALIDITY"]), int(found.get(b"UIDNEXT", 1))
    kept = _CURSOR.fullmatch(cursor)
    if kept is None:
        return Place(validity=validity, uid=following - 1)
    if int(kept[1]) == validity:
        return Place(validity=validity, uid=int(kept[2]))
    recent = client.search(["SINCE", (datetime.now(UTC) - timedelta(days=_AGAIN_DAYS)).date()])
    return Place(validity=validity, uid=min(recent, default=following) - 1)


def _new(client: imapclient.IMAPClient, place: Place) -> list[list[int]]:
    """The numbers of what came after this place, in order, in batches."""
    found = client.search(["UID", f"{place.uid + 1}:*"])
    uids = sorted(int(each) for each in found if each > place.uid)  # "*" is the last one, however old
    return [uids[start : start + _BATCH] for start in range(0, len(uids), _BATCH)]


def _fetched(client: imapclient.IMAPClient, uids: list[int]) -> list[tuple[str, bytes]]:
    """(id, mail) of these, in order, without those that are gone meanwhile."""
    found = client.fetch(uids, [f"BODY.PEEK[]<0.{MAIL_MAX_BYTES}>"])
    mails = [_body(found[uid]) for uid in uids if uid in found]
    return [(delivery_id(raw), raw) for raw in mails if raw]


def _body(items: dict[bytes, Any]) -> bytes:
    return next((bytes(value) for name, value in items.items() if name.startswith(b"BODY[]") and value), b"")


def _can_idle(client: imapclient.IMAPClient) -> bool:
    return bool(client.has_capability("IDLE"))


def _noop(client: imapclient.IMAPClient) -> None:
    client.noop()


def _idle(client: imapclient.IMAPClient) -> None:
    client.idle()
    client.idle_check(timeout=_IDLE_S)
    client.idle_done()
