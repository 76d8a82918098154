"""Receives by long polling: what came is on disk before the service is told that it arrived.

- The offset, which confirms all below it, moves in the commit that stores the updates; a crash repeats, never loses.
- Each update is kept as it is. One that nobody can read blocks no other.
- The service keeps a press for 150 s. After a longer time away, what still waits is shown again, with the reason.
- A bot has one poller. Where another program polls it, or a webhook is set, we say so and wait; we steal nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from askfirst.errors import ChannelError
from channels.telegram.api import ConflictError, TokenError
from channels.telegram.instructions import COMMANDS
from channels.telegram.parse import SCHEME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from askfirst.backing import Backing
    from askfirst.ports import Reception
    from channels.telegram.api import Api
    from channels.telegram.outbound import Outbound
    from channels.telegram.webhook import Webhook

POLL_S = 50
GAP_S = 150
QUIET_S = 6 * 86_400
"""After a week without updates their numbers begin anywhere, perhaps below the offset, which would drop them.
From: https://core.telegram.org/bots/api#update"""
AGAIN_MAX = 5
"""Of each chat, so many are shown again one by one; the rest is counted."""
_PAUSE_FIRST_S, _PAUSE_MAX_S = 1.0, 60.0
_CONFLICT_S = 30.0
_LOOK_S = 60.0
"""How often a webhook is looked after, seconds; less than ``GAP_S``."""
_MALFORMED_PAUSE_S = 5.0
_log = logging.getLogger(__name__)


class Poller:
    """The one poller of a bot.

    Args:
        poll_s: how long the service holds a poll open, seconds.

    Attributes:
        problem: why nothing is heard now, a sentence; ``""`` while all is well.
    """

    def __init__(self, api: Api, backing: Backing, outbound: Outbound, webhook: Webhook, poll_s: int = POLL_S) -> None:
        self.problem = ""
        self._api = api
        self._backing = backing
        self._outbound = outbound
        self._webhook = webhook
        self._poll_s = poll_s
        self._pause_s = _PAUSE_FIRST_S
        self._at: tuple[int, int, int] | None = None

    async def introduce(self) -> str:
        """The bot's user name, once the service answers; its menu is set meanwhile."""
        while True:
            try:
                _, name = await self._api.me()
                await self._api.name_commands(COMMANDS)
            except ChannelError as error:
                await self._wait_out(error)
            else:
                self._pause_s = _PAUSE_FIRST_S
                return name

    async def run(self, reception: Reception) -> None:
        """Receive until cancelled."""
        while True:
            try:
                if self._webhook.is_wanted:
                    await self.keep_webhook(reception)
                    await asyncio.sleep(_LOOK_S)
                    continue
                await self._webhook.require_none()
                while True:
                    await self.receive(reception)
            except ChannelError as error:
                await self._wait_out(error)

    async def keep_webhook(self, reception: Reception) -> None:
        """See to it that we are told; the time of it is kept, so that a time away is noticed here, too.

        Raises:
            ChannelError: we are not.
        """
        await self._webhook.look()
        self.problem, self._pause_s = "", _PAUSE_FIRST_S
        offset, heard_s, new_s = self._at or read_cursor(await reception.cursor(SCHEME))
        self._at = (offset, self._now_s(), new_s)
        await reception.take(SCHEME, [], cursor=f"{offset} {self._at[1]} {new_s}")
        if heard_s and self._at[1] - heard_s > GAP_S:
            await self._show_again(heard_s, self._at[1])

    async def receive(self, reception: Reception) -> None:
        """One poll: what came is on disk when this returns.

        Raises:
            ChannelError: the service does not answer, or not us.
            StoreError: nothing was stored, and nothing is confirmed.
        """
        offset, heard_s, new_s = self._at or read_cursor(await reception.cursor(SCHEME))
        if self._now_s() - new_s > QUIET_S:
            offset = 0  # nothing waits that was not confirmed long ago, and the next number may be any
        was_away = bool(heard_s) and self._now_s() - heard_s > GAP_S
        updates = await self._api.poll(offset, 0 if was_away else self._poll_s)
        self.problem, self._pause_s = "", _PAUSE_FIRST_S
        after, now_s = next_offset(updates, offset), self._now_s()
        new_s = now_s if updates else new_s
        await reception.take(SCHEME, deliveries(updates), cursor=f"{after} {now_s} {new_s}")
        self._at = (after, now_s, new_s)
        if was_away or (heard_s and now_s - heard_s > GAP_S):
            await self._show_again(heard_s, now_s)
        if updates and after == offset:  # nothing of it can be confirmed, so it will come again
            await asyncio.sleep(_MALFORMED_PAUSE_S)

    async def _show_again(self, from_s: int, to_s: int) -> None:
        """What still waits, since presses of that time may be lost."""
        note = f"⚠️ I was away {_span(from_s, to_s)}; presses in that time were lost. Please press again:"
        counts: dict[str, int] = {}
        seen: set[tuple[str, str]] = set()
        for each in reversed(await self._backing.messages.open()):
            key = (each.recipient, each.request_id)
            if key in seen or counts.get(each.recipient, 0) >= AGAIN_MAX:
                continue
            seen.add(key)
            counts[each.recipient] = counts.get(each.recipient, 0) + 1
            try:
                await self._outbound.show_again(each.request_id, each.recipient, note)
            except ChannelError as error:
                _log.warning("a card could not be shown again in %s: %s", each.recipient, error)

    def _now_s(self) -> int:
        return self._backing.clock.now_ms() // 1000

    async def _wait_out(self, error: ChannelError) -> None:
        self.problem = _explained(error)
        pause_s = max(error.retry_after_s, self._pause_s)
        if isinstance(error, ConflictError | TokenError):
            pause_s = max(pause_s, _CONFLICT_S)
        self._pause_s = min(_PAUSE_MAX_S, 2 * self._pause_s)
        _log.warning("Telegram is not heard, again in %.0f s: %s", pause_s, self.problem)
        await asyncio.sleep(pause_s)


def deliveries(updates: Sequence[Any]) -> list[tuple[str, bytes]]:
    """Each update by its number, as it came; what has none, by its content."""
    found = []
    for update in updates:
        raw = json.dumps(update, ensure_ascii=True).encode("ascii")
        number = _number(update)
        found.append((str(number) if number is not None else f"sha256:{hashlib.sha256(raw).hexdigest()}", raw))
    return found


def next_offset(updates: Sequence[Any], offset: int) -> int:
    """What confirms all of these."""
    return max([offset, *(number + 1 for each in updates if (number := _number(each)) is not None)])


def read_cursor(cursor: str) -> tuple[int, int, int]:
    """Offset, when the service answered last, when an update came last (seconds since the epoch); zeros for none."""
    words = cursor.split(" ")
    if len(words) != 3 or not all(each.isascii() and each.isdecimal() for each in words):
        return 0, 0, 0
    return int(words[0]), int(words[1]), int(words[2])


def _number(update: Any) -> int | None:
    found = update.get("update_id") if isinstance(update, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None


def _explained(error: ChannelError) -> str:
    if isinstance(error, ConflictError):
        return f"{error}. A bot has one listener: end the other program, or give one of them a bot of its own"
    return str(error)


def _span(from_s: int, to_s: int) -> str:
    start, end = datetime.fromtimestamp(from_s, UTC), datetime.fromtimestamp(to_s, UTC)
    day = "" if start.date() == end.date() else f"{start:%d %b} "
    return f"{day}{start:%H:%M}–{end:%H:%M} UTC"
