"""Ways back: what is kept before an approved action runs, and what restores it. Values and the port to whoever does it.

A request carries a ``Promise``: what could be taken back, found out when it was asked, and so part of what people
approve. A released use carries its ``Rescue``: what was really kept. Each time that is put back, or that is undone
again, is an ``Undoing``. ``askfirst.net`` keeps and restores; the engine only knows these values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from askfirst.effects import Effect
    from askfirst.request import Action, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """Whether the action can be taken back, as foreseen when it was asked.

    Attributes:
        holds: everything that it touches on this machine will be kept; where it is not, the action is not released.
        words: what will be kept and what that costs, or why there is no undo; ``""`` where nothing is to be kept.
    """

    holds: bool = False
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescue:
    """What was kept before one use was released.

    Attributes:
        snapshot: its id, ``""`` where nothing was kept.
        words: what it holds and what that cost, or why there is none.
    """

    snapshot: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoing:
    """One time that a snapshot was put back.

    Attributes:
        at_ms: when it was done.
        by: the person.
        channel: by which channel.
        snapshot: what was put back.
        aside: snapshot of what was there until then, by which this can itself be undone; ``""`` for none.
        words: what was restored, and what was put aside.
    """

    at_ms: int
    by: str
    channel: str
    snapshot: str
    aside: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What putting a snapshot back would do, for people to read before they say yes.

    Attributes:
        restores: what comes back, a line each.
        puts_aside: what is there now and would be kept in a snapshot of its own, a line each.
        problems: why it cannot be done now; empty: it can.
    """

    restores: tuple[str, ...] = ()
    puts_aside: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A restoration that somebody asked for; it is on disk before anything is touched, so that a crash loses no order.

    Attributes:
        request_id: whose snapshot it is.
        snapshot: what to put back.
        turn: how many undoings of the request there were before.
        by: the person.
        channel: by which channel.
        assurance: how sure the identity is, 0 to 3.
    """

    request_id: str
    snapshot: str
    turn: int
    by: str
    channel: str
    assurance: int = 0


class Net(Protocol):
    """Keeps what an action would destroy, and puts it back."""

    async def foresee(self, action: Action, effects: Sequence[Effect]) -> Promise:
        """What could be kept; looks at the disk for a bounded time, and never raises for what it finds there."""
        ...

    async def catch(self, request: Request, action: Action, effects: Sequence[Effect]) -> Rescue:
        """Keep everything that this action, which is about to run, would destroy.

        Raises:
            RescueError: what the request promised cannot be kept now; the action must not run.
        """
        ...

    async def drop(self, snapshot: str) -> None:
        """Forget a snapshot whose action was not released after all."""
        ...

    async def ran(self, snapshot: str) -> None:
        """The action has run: note how things stand now, so that what comes later is known to be newer work."""
        ...

    async def preview(self, snapshot: str) -> Preview:
        """What putting it back would do now."""
        ...

    async def restore(self, order: Order) -> Undoing:
        """Put a snapshot back, after keeping what is there now.

        Raises:
            RescueError: it was not done; what is there is as it was, or the order is carried out at the next start.
        """
        ...

    async def settled(self, order: Order) -> None:
        """The restoration is in the store: its order can be forgotten."""
        ...

    async def unsettled(self) -> list[Order]:
        """Orders that a crash has left behind, oldest first."""
        ...
