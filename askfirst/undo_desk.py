"""Taking back what ran: what people may do with what was kept before it.

- Whoever may deny a request may undo what it released, once for each time that they were shown how it stands.
- An order is on disk before anything is touched: what a crash has cut short is carried out at the next start.
- That it was done is an entry of the log, in the transaction that notes it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from askfirst.engine import Step, Undo
from askfirst.engine.undo import nothing_to_undo, refusal, way_back
from askfirst.errors import RescueError
from askfirst.rescue import Order, Preview

if TYPE_CHECKING:
    from askfirst.desk import Desk
    from askfirst.people import People
    from askfirst.rescue import Net

_log = logging.getLogger(__name__)


class UndoDesk:
    """Shows what an undo would do, and carries it out.

    Args:
        desk: where requests are read, and what was undone is recorded.
        people: who may decide.
        net: the desk's own, which has kept what was destroyed.
    """

    def __init__(self, *, desk: Desk, people: People, net: Net) -> None:
        self._desk = desk
        self._people = people
        self._net = net
        self._locks: dict[str, asyncio.Lock] = {}

    async def preview(self, request_id: str, *, use: int = 0) -> Preview:
        """What an undo (or the undo of an undo) would do now; ``problems`` say why it would be refused.

        Args:
            request_id: the request.
            use: which of its runs, from 1, the oldest; 0 for the newest.
        """
        case = await self._desk.case(request_id)
        why = nothing_to_undo(case, use)
        if why:
            return Preview(problems=(why,))
        return await self._net.preview(way_back(case, use).snapshot)

    async def undo(
        self, request_id: str, *, turn: int, by: str, channel: str, assurance: int = 0, use: int = 0
    ) -> Step:
        """Put back what was kept before the request's action ran; another undo takes that back again.

        Args:
            request_id: the request.
            turn: how many undoings the person was shown (``Card.undo.turn``): a second press does nothing.
            by: the person: whoever may deny the request, never its requester.
            channel: by which channel.
            assurance: how sure their identity is, 0 to 3.
            use: which of its runs, from 1, the oldest; 0 for the newest.

        Raises:
            RescueError: it cannot be put back now; nothing was changed.
        """
        lock = self._locks.setdefault(request_id, asyncio.Lock())
        try:
            async with lock:
                case = await self._desk.case(request_id)
                why = refusal(case, by, turn, self._people.electorate(case.request.agent), use=use)
                if why:
                    return Step(case=case, done=False, note=why)
                order = Order(
                    request_id=request_id,
                    snapshot=way_back(case, use).snapshot,
                    turn=turn,
                    by=by,
                    channel=channel,
                    assurance=assurance,
                )
                return await self._carry_out(order)
        finally:
            if not lock.locked():
                self._locks.pop(request_id, None)

    async def finish(self) -> None:
        """Carry out what was ordered before a crash; an order that cannot be carried out is left for the next start."""
        for order in await self._net.unsettled():
            try:
                await self._carry_out(order)
            except RescueError:
                _log.exception("an undo that was under way when the broker ended cannot be finished yet")

    async def _carry_out(self, order: Order) -> Step:
        done = await self._net.restore(order)
        step = await self._desk.undone(order.request_id, Undo(done=done, turn=order.turn, assurance=order.assurance))
        await self._net.settled(order)
        return step
