"""What the core hands to a channel when it is opened: its table of the configuration, and what it may look at.

A channel never gets the desk: it cannot decide anything but by what it hears (``askfirst.ports.Reception``).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from askfirst.store import channel_memory, messages
from askfirst.store.reading import read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import sqlalchemy as sa

    from askfirst.call import ToolCall
    from askfirst.clock import Clock
    from askfirst.engine import Case
    from askfirst.grant_token import GrantSigner
    from askfirst.request import Request, RequestState
    from askfirst.store.messages import OpenMessage
    from askfirst.store.writer import Writer


class Requests(Protocol):
    """Requests to look at; ``askfirst.desk.Desk`` is one."""

    async def case(self, request_id: str) -> Case:
        """The case with this id; RequestNotFoundError when there is none."""
        ...

    async def coded(self, id_end: str, digest_start: str) -> list[Case]:
        """Cases of which any version goes by this code: see ``askfirst.code.parts_of``."""
        ...

    async def pending(self) -> list[Request]:
        """What waits for a person, those whose deadlines are nearest first."""
        ...

    async def requests(
        self, *, states: Sequence[RequestState] = (), limit: int = 100, before: str = ""
    ) -> list[Request]:
        """Requests, newest first."""
        ...


class Messages(Protocol):
    """What this channel has sent."""

    async def open(self) -> list[OpenMessage]:
        """Messages about requests that wait, or whose grant is open."""
        ...

    async def refresh(self) -> None:
        """Owe each of these an update, e.g. after a time in which people's acts may have been lost."""
        ...

    async def adopt(self, request_id: str, recipient: str, external_id: str) -> None:
        """Keep a message up to date, too, that the channel has sent of its own accord.

        It is taken to show what is true now, so it is owed no update before the next change.
        """
        ...


class Memory(Protocol):
    """What this channel must not forget: small texts, the same for all brokers of one store."""

    async def recall(self, key: str) -> str:
        """The text under this key, ``""`` for none."""
        ...

    async def remember(self, key: str, value: str) -> None:
        """Put a text there, on disk; ``""`` takes it away."""
        ...


class ShortMemory:
    """A ``Memory`` that lasts as long as its process; for tests and for channels that need none."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    async def recall(self, key: str) -> str:
        """See ``Memory``."""
        return self._texts.get(key, "")

    async def remember(self, key: str, value: str) -> None:
        """See ``Memory``."""
        self._texts[key] = value


class Operations(Protocol):
    """Operations of the channel's service that wait for people; ``askfirst.operations`` implements it."""

    async def ask(self, call: ToolCall, *, by: str, key: str, recipient: str) -> str:
        """Ask whether this may be done, whatever the policy would allow by itself.

        Args:
            call: the operation; its tool's name and arguments say what it is.
            by: who waits, as a host's name.
            key: the same operation is the same request.
            recipient: told beside those of the rule, so that the channel learns of the end.

        Returns:
            ``""`` once the request is on disk, else why the policy denies it.

        Raises:
            Error: it cannot be asked.
        """
        ...

    async def release(self, request_id: str) -> tuple[bool, str]:
        """Use the approval; whether the operation may go on now, and else why not.

        Until ``released`` the answer stays the same; afterwards there is nothing to tell: ``(False, "")``.
        """
        ...

    async def released(self, request_id: str) -> None:
        """The service was told to go on."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Backing:
    """What a channel stands on.

    Attributes:
        scheme: its name, e.g. ``telegram``.
        table: its table of the configuration, as it is written; the channel reads it strictly.
        folder: of the configuration file; names of files in the table are relative to it.
        machine: this machine's name, for people.
        key: 32 secret bytes of this installation for this channel, e.g. to sign controls with; the same after a
            restart, and on every broker of one store.
        clock: what time it is.
        requests: to look at.
        messages: what the channel has sent.
        memory: what it must not forget.
        log: the head of the audit log, as it is shown with messages (``Card.seen``).
        operations: asks about operations of the service; None where nothing can be asked so.
    """

    scheme: str
    table: Mapping[str, object]
    folder: Path
    machine: str
    key: bytes = field(repr=False)
    clock: Clock
    requests: Requests
    messages: Messages
    memory: Memory = field(default_factory=ShortMemory)
    log: Callable[[], str] = lambda: ""
    operations: Operations | None = None


class StoredMessages:
    """Implements ``Messages`` over the outbox."""

    def __init__(self, scheme: str, *, writer: Writer, reader: sa.Engine, clock: Clock) -> None:
        self._scheme = scheme
        self._writer = writer
        self._reader = reader
        self._clock = clock

    async def open(self) -> list[OpenMessage]:
        """See ``Messages``."""
        return await read(self._reader, lambda connection: messages.read_open(connection, self._scheme))

    async def refresh(self) -> None:
        """See ``Messages``."""
        now_ms = self._clock.now_ms()

        def work(connection: sa.Connection) -> None:
            messages.owe_updates_of(connection, messages.read_open(connection, self._scheme), now_ms)

        await self._writer.write(work)

    async def adopt(self, request_id: str, recipient: str, external_id: str) -> None:
        """See ``Messages``."""
        now_ms = self._clock.now_ms()
        await self._writer.write(
            lambda connection: messages.adopt(connection, request_id, recipient, external_id, now_ms, is_stale=False)
        )


class StoredMemory:
    """Implements ``Memory`` in the store."""

    def __init__(self, scheme: str, *, writer: Writer, reader: sa.Engine) -> None:
        self._scheme = scheme
        self._writer = writer
        self._reader = reader

    async def recall(self, key: str) -> str:
        """See ``Memory``."""
        return await read(self._reader, lambda connection: channel_memory.recall(connection, self._scheme, key))

    async def remember(self, key: str, value: str) -> None:
        """See ``Memory``."""

        def work(connection: sa.Connection) -> None:
            if value:
                channel_memory.remember(connection, self._scheme, key, value)
            else:
                channel_memory.forget(connection, self._scheme, key)

        await self._writer.write(work)


def channel_key(signer: GrantSigner, scheme: str) -> bytes:
    """``Backing.key``: made from the key that signs grants, whose signatures over one message are all the same.

    Ed25519 is deterministic (RFC 8032 §5.1.6), and no grant begins with this context.
    """
    return hashlib.sha256(signer.sign(b"askfirst-channel-key/v1\n" + scheme.encode())).digest()
