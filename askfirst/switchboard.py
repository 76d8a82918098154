"""All channels of one broker: what they send, what they hear, and which of several brokers hears it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from askfirst.dispatch import Dispatcher
from askfirst.hearing import Hearing
from askfirst.heartbeat import Heartbeat
from askfirst.listening import listen, together
from askfirst.ports import Exposed, Listener
from askfirst.reception import Reception

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    import sqlalchemy as sa
    from starlette.types import ASGIApp

    from askfirst.audit_port import AuditLog
    from askfirst.clock import Clock
    from askfirst.desk import Desk
    from askfirst.hearing import Linker
    from askfirst.people import People
    from askfirst.ports import Channel
    from askfirst.store.leases import Leases
    from askfirst.store.writer import Writer
    from askfirst.undo_desk import UndoDesk


class Switchboard:
    """Delivers and hears by these channels.

    Args:
        channels: by scheme.
        desk: where reviews are handed in.
        people: whom identities belong to.
        leases: of brokers that share a store, one at a time polls a channel and handles what it heard.
        linker: links identities to people.
        undos: what takes back what ran.
        machine: this machine's name, for people.
    """

    def __init__(
        self,
        *,
        channels: Mapping[str, Channel],
        desk: Desk,
        people: People,
        writer: Writer,
        reader: sa.Engine,
        audit: AuditLog,
        clock: Clock,
        leases: Leases,
        linker: Linker,
        undos: UndoDesk,
        machine: str,
    ) -> None:
        self._listeners = {scheme: each for scheme, each in channels.items() if isinstance(each, Listener)}
        self._leases = leases
        self._channels = channels
        self.heartbeat = Heartbeat(channels=channels, writer=writer, audit=audit, clock=clock)
        self._dispatcher = Dispatcher(
            writer=writer,
            reader=reader,
            audit=audit,
            clock=clock,
            channels=channels,
            machine=machine,
            on_unreachable=desk.unreachable,
        )
        self._reception = Reception(
            writer=writer,
            reader=reader,
            audit=audit,
            clock=clock,
            hearing=Hearing(desk=desk, people=people, clock=clock, linker=linker, undos=undos),
            listeners=self._listeners,
        )

    def wake(self) -> None:
        """Something new is owed."""
        self._dispatcher.wake()

    def workers(self) -> list[Callable[[], Awaitable[None]]]:
        """What runs beside the listeners of HTTP.

        Of several brokers one delivers and hears by a channel, so that its rates hold and its messages are edited in
        order; by one that reaches nobody outside, each does.
        """
        own = [partial(self._dispatcher.run, each) for each in self._channels if each not in self._listeners]
        leased = [partial(self._serve, each) for each in self._listeners.values()]
        return [*own, *leased, self._dispatcher.run_unserved, self.heartbeat.run]

    def hooks(self) -> Mapping[str, ASGIApp]:
        """Applications that providers reach at ``/hooks/<scheme>``."""
        exposed = {scheme: each for scheme, each in self._listeners.items() if isinstance(each, Exposed)}
        return {scheme: each.app(self._reception) for scheme, each in exposed.items()}

    async def _serve(self, listener: Listener) -> None:
        async def serve() -> None:
            await together(self._dispatcher.run(listener.scheme), listen(listener, self._reception))

        await self._leases.run(f"channel {listener.scheme}", serve)
