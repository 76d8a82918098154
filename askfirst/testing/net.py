"""A net that keeps nothing but a record of what it was asked: for tests of whoever offers an undo."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from askfirst.errors import RescueError
from askfirst.rescue import Preview, Promise, Rescue, Undoing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from askfirst.clock import Clock
    from askfirst.effects import Effect
    from askfirst.request import Action, Request
    from askfirst.rescue import Order


@dataclass
class MemoryNet:
    """Snapshots are names: ``snapshot-1`` and so on.

    Attributes:
        clock: dates the undoings.
        fails: with this sentence nothing can be kept or put back.
        kept: ids of the snapshots that are there.
        orders: what was put back, oldest first.
        waiting: orders whose end nobody has confirmed.
    """

    clock: Clock
    fails: str = ""
    kept: list[str] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    waiting: list[Order] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    _count: int = 0

    async def foresee(self, action: Action, effects: Sequence[Effect]) -> Promise:
        """Everything can be kept."""
        del action, effects
        return Promise(holds=True, words="2 files, 3 kB, can be undone")

    async def catch(self, request: Request, action: Action, effects: Sequence[Effect]) -> Rescue:
        """A new name, unless it is to fail."""
        del request, action, effects
        if self.fails:
            raise RescueError(self.fails)
        return Rescue(snapshot=self._made(), words="2 files, 3 kB, can be undone")

    async def drop(self, snapshot: str) -> None:
        """Take the name out."""
        self.kept.remove(snapshot)

    async def ran(self, snapshot: str) -> None:
        """Remember it."""
        self.seen.append(snapshot)

    async def preview(self, snapshot: str) -> Preview:
        """One line."""
        return Preview(restores=(f"everything in {snapshot}",), problems=(self.fails,) if self.fails else ())

    async def restore(self, order: Order) -> Undoing:
        """Record the order."""
        if self.fails:
            raise RescueError(self.fails)
        if order not in self.waiting:
            self.waiting.append(order)
        self.orders.append(order)
        return Undoing(
            at_ms=self.clock.now_ms(),
            by=order.by,
            channel=order.channel,
            snapshot=order.snapshot,
            aside=self._made(),
            words="put back 2 files",
        )

    async def settled(self, order: Order) -> None:
        """It no longer waits."""
        self.waiting.remove(order)

    async def unsettled(self) -> list[Order]:
        """Those that wait."""
        return list(self.waiting)

    def _made(self) -> str:
        self._count += 1
        self.kept.append(f"snapshot-{self._count}")
        return self.kept[-1]
