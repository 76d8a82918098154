"""How the channels stand: each is asked every minute, and the log says when one went down and when it came back."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from askfirst.audit_port import Actor, Entry, EntryType
from askfirst.ports import Health
from askfirst.visible import visible

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import sqlalchemy as sa

    from askfirst.audit_port import AuditLog
    from askfirst.clock import Clock
    from askfirst.ports import Channel
    from askfirst.store.writer import Writer

CHECK_S = 60.0
TIMEOUT_S = 20.0
_TEXT_MAX_CHARS = 500
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a channel stood when it was last asked.

    Attributes:
        since_ms: since when it is as well, or as unwell, as this.
        checked_at_ms: when it was asked.
    """

    ok: bool
    text: str
    since_ms: int
    checked_at_ms: int


class Heartbeat:
    """Asks channels how they are.

    Args:
        channels: by scheme.
        writer: what changes is written down by it.
        audit: the log.
        clock: for the times.
    """

    def __init__(self, *, channels: Mapping[str, Channel], writer: Writer, audit: AuditLog, clock: Clock) -> None:
        self._channels = channels
        self._writer = writer
        self._audit = audit
        self._clock = clock
        self._standings: dict[str, Standing] = {}

    @property
    def standings(self) -> Mapping[str, Standing]:
        """As of the last time; a channel that was not asked yet is not in it."""
        return self._standings

    async def run(self) -> None:
        """Ask again and again, until cancelled."""
        while True:
            await self.check()
            await asyncio.sleep(CHECK_S)

    async def check(self, schemes: Collection[str] = ()) -> None:
        """Ask these channels now, all of them where none is named."""
        wanted = [each for each in self._channels if not schemes or each in schemes]
        healths = await asyncio.gather(*(_health(self._channels[each]) for each in wanted))
        for scheme, health in zip(wanted, healths, strict=True):
            await self._stands(scheme, health)

    async def _stands(self, scheme: str, health: Health) -> None:
        now_ms, before = self._clock.now_ms(), self._standings.get(scheme)
        is_same = before is not None and before.ok == health.ok
        text = visible(health.text[:_TEXT_MAX_CHARS])
        since_ms = before.since_ms if before is not None and is_same else now_ms
        self._standings[scheme] = Standing(ok=health.ok, text=text, since_ms=since_ms, checked_at_ms=now_ms)
        if is_same or (before is None and health.ok):
            return
        actor = Actor(type="system", id="broker", channel=scheme)
        entry = Entry(type=EntryType.CHANNEL_HEALTH, actor=actor, data={"ok": health.ok, "text": text})

        def work(connection: sa.Connection) -> None:
            self._audit.append(connection, entry)

        await self._writer.write(work)


async def _health(channel: Channel) -> Health:
    """What it says; that it says nothing, or breaks, says enough."""
    try:
        return await asyncio.wait_for(channel.check(), TIMEOUT_S)
    except TimeoutError:
        return Health(ok=False, text=f"no answer within {TIMEOUT_S:.0f} s")
    except Exception as error:  # noqa: BLE001  # the contract says that it never raises; a bug is no reason to end
        _log.exception("%s could not be asked how it is", channel.scheme)
        return Health(ok=False, text=f"it broke: {type(error).__name__}")
