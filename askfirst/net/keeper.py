"""``askfirst.rescue.Net`` over a trash: foresees, keeps, puts back. The work is done in threads."""

from __future__ import annotations

import asyncio
import logging
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from askfirst.errors import RescueError
from askfirst.net.folder import Folder
from askfirst.net.gather import Catcher, holding_words
from askfirst.net.manifest import Holding, Journal
from askfirst.net.plan import differences, plan
from askfirst.net.pouch import Pouch, in_words
from askfirst.net.revert import put_back, revert
from askfirst.net.scope import scope_of
from askfirst.rescue import Preview, Promise, Rescue, Undoing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from askfirst.clock import Clock
    from askfirst.effects import Effect
    from askfirst.net.manifest import About, After
    from askfirst.net.plan import Plan
    from askfirst.net.scope import Scope
    from askfirst.net.trash import Trash
    from askfirst.request import Action, Request
    from askfirst.rescue import Order
    from askfirst.undo_config import UndoConfig

_FORESIGHT_S: Final = 3.0
_DAY_MS: Final = 86_400_000
_SWEEP_PAUSE_S: Final = 3600.0
_TOLD_MAX: Final = 3
_CANNOT: Final = (RescueError, OSError, ValueError, RecursionError)
"""What a hostile tree can come to: a NUL in a path, a name that no encoding takes, folders without an end."""
_log = logging.getLogger(__name__)


class _NothingHeldError(Exception):
    """Nothing is there that the action would destroy; never leaves this module."""


class Keeper:
    """The net of one broker.

    Args:
        trash: where snapshots are.
        config: how much, how long, and what happens where it fails.
        clock: dates undoings.
        state: our own folder, which is never kept.
        purged: told of each snapshot that the limits let go, in a thread.
    """

    def __init__(
        self,
        trash: Trash,
        config: UndoConfig,
        clock: Clock,
        *,
        state: str,
        purged: Callable[[About], None] = lambda _about: None,
    ) -> None:
        self._purged = purged
        self.trash = trash
        self._config = config
        self._clock = clock
        self._catcher = Catcher(state=state, ignored_max_bytes=config.ignored_max_bytes)
        self._restoring = asyncio.Lock()

    # -- keeping --------------------------------------------------------------------------------------------------

    async def foresee(self, action: Action, effects: Sequence[Effect]) -> Promise:
        """What could be kept now; never raises for what it finds on the disk."""
        if action.machine:
            return Promise(words=f"no undo: it would run on {action.machine}, whose files cannot be kept here")
        return await asyncio.to_thread(self._foresee, action, effects)

    def _foresee(self, action: Action, effects: Sequence[Effect]) -> Promise:
        scope = scope_of(action, effects)
        if scope.is_empty:
            return Promise(words=f"no undo: {scope.gaps[0]}" if scope.gaps else "")
        pouch = Pouch(
            None,
            max_bytes=self._config.snapshot_max_bytes,
            max_entries=self._config.entries_max,
            seconds=_FORESIGHT_S,
            device=os.stat(self.trash.root).st_dev,
        )
        try:
            holding, gaps = self._catcher.catch(scope, pouch, "")
        except _CANNOT as error:
            return Promise(words=f"no undo: {error}")
        if not _is_anything(holding):
            return Promise(words=f"no undo: {gaps[0]}" if gaps else "")
        return Promise(holds=True, words=self._words(holding, gaps, cost=in_words(pouch.size_bytes)))

    async def catch(self, request: Request, action: Action, effects: Sequence[Effect]) -> Rescue:
        """Keep everything that this action would destroy.

        Raises:
            RescueError: what the request promised cannot be kept now.
        """
        scope = scope_of(action, effects)
        if scope.is_empty or action.machine:
            return Rescue(words=request.promise.words)
        try:
            about = await asyncio.to_thread(self._catch, request, action, scope)
        except _CANNOT as error:
            if request.promise.holds and self._config.denies:
                raise error if isinstance(error, RescueError) else RescueError(str(error)) from error
            return Rescue(words=f"no undo: {error}")
        return Rescue(snapshot=about.id if about else "", words=about.words if about else request.promise.words)

    def _catch(self, request: Request, action: Action, scope: Scope) -> About | None:
        if not self._catcher.may_find(scope):
            return None
        self._age()

        def build(pouch: Pouch, made_id: str) -> tuple[Holding, str]:
            holding, gaps = self._catcher.catch(scope, pouch, f"{request.id}/{made_id}")
            if not _is_anything(holding):
                raise _NothingHeldError  # before anything is written down, which takes the disk some milliseconds
            return holding, self._words(holding, gaps, cost=in_words(pouch.size_bytes))

        try:
            return self.trash.make(build, request_id=request.id, what=action.command or action.tool)
        except _NothingHeldError:
            return None

    def _words(self, holding: Holding, gaps: Sequence[str], *, cost: str) -> str:
        days = self._config.keep_ms // _DAY_MS
        but = f"; but {'; '.join(gaps[:_TOLD_MAX])}" if gaps else ""
        part = "in part " if gaps else ""
        return f"can be undone {part}for {days} days: keeps {holding_words(holding)}; {cost}{but}"

    def _age(self) -> None:
        for each in self.trash.age():
            self._purged(each)

    async def drop(self, snapshot: str) -> None:
        """Forget a snapshot whose action was not released after all."""
        await asyncio.to_thread(self.trash.purge, snapshot)

    async def ran(self, snapshot: str) -> None:
        """The action has run: note what it did."""
        try:
            await asyncio.to_thread(self._note_after, snapshot)
        except _CANNOT:
            _log.warning("what a command did could not be noted; its undo puts back all that differs", exc_info=True)

    def _note_after(self, snapshot: str) -> None:
        if self.trash.after(snapshot) is None:
            now = differences(self.trash.holding(snapshot), self.trash.content(snapshot))
            self.trash.note_after(snapshot, now)

    # -- putting back ---------------------------------------------------------------------------------------------

    async def preview(self, snapshot: str) -> Preview:
        """What putting it back would do now."""
        try:
            found = await asyncio.to_thread(self._plan, snapshot)
        except _CANNOT as error:
            return Preview(problems=(str(error),))
        if not found.restores:
            return Preview(problems=("nothing differs from what was there before it ran",))
        return Preview(restores=found.restores, puts_aside=found.newer)

    def _plan(self, snapshot: str) -> Plan:
        holding = self.trash.holding(snapshot)
        now = differences(holding, self.trash.content(snapshot))
        return plan(holding, now, self.trash.after(snapshot))

    async def restore(self, order: Order) -> Undoing:
        """Put a snapshot back, after keeping what is there now.

        Raises:
            RescueError: it was not done; what was begun goes on when it is ordered again, or at the next start.
        """
        async with self._restoring:
            try:
                journal = await asyncio.to_thread(self._restore, order)
            except (OSError, ValueError, RecursionError) as error:
                raise RescueError(f"it could not be put back to the end ({error}); undo again to go on") from error
        return Undoing(
            at_ms=self._clock.now_ms(),
            by=order.by,
            channel=order.channel,
            snapshot=order.snapshot,
            aside=journal.aside,
            words=journal.words,
        )

    def _restore(self, order: Order) -> Journal:
        journal = self.trash.journal(order.snapshot)
        if journal is None or journal.order.turn != order.turn:
            journal = self._begin(order)
            problems = self._carry_out(journal, journal.now)
        else:  # some of it is done already
            now = differences(self.trash.holding(order.snapshot), self.trash.content(order.snapshot))
            problems = self._carry_out(journal, now.among(journal.now))
        if os.path.isdir(self.trash.root / journal.aside):
            self._note_after(journal.aside)
        if not problems:
            return journal
        return replace(journal, words=f"{journal.words}; not put back: {'; '.join(problems[:_TOLD_MAX])}")

    def _begin(self, order: Order) -> Journal:
        found = self._plan(order.snapshot)
        if not found.restores:
            raise RescueError("nothing differs from what was there before it ran")
        holding = self.trash.holding(order.snapshot)

        def build(pouch: Pouch, made_id: str) -> tuple[Holding, str]:
            aside = self._catcher.again(holding, pouch, f"{order.request_id}/{made_id}")
            return aside, self._words(aside, (), cost=in_words(pouch.size_bytes))

        try:
            about = self.trash.make(build, request_id=order.request_id, aside_of=order.snapshot, what="an undo")
        except RescueError as error:
            raise RescueError(f"nothing was changed: what is there now cannot be put aside first: {error}") from error
        words = f"put back {_listed(found.restores)}"
        words += f"; newer work was put aside: {_listed(found.newer)}" if found.newer else ""
        journal = Journal(order=order, aside=about.id, now=found.now, made=found.made, words=words)
        self.trash.note_journal(journal)
        return journal

    def _carry_out(self, journal: Journal, todo: After) -> list[str]:
        """Files first: a repository may be among them."""
        snapshot = journal.order.snapshot
        holding, path = self.trash.holding(snapshot), self.trash.content(snapshot)
        problems: list[str] = []
        for tree, now, made in zip(holding.trees, todo.trees, journal.made.trees, strict=True):
            os.makedirs(tree.root, exist_ok=True)
            kept = tree.by_name()
            with Folder(tree.root) as folder:
                put_back(folder, kept, [name for name in now if name in kept or name in made], path, empties=True)
        for shot, now, made in zip(holding.every_shot, todo.shots, journal.made.shots, strict=True):
            if now:
                problems += revert(shot, now, path, made=made)
        return problems

    async def settled(self, order: Order) -> None:
        """The restoration is in the store: its order can be forgotten."""
        await asyncio.to_thread(self.trash.forget_journal, order.snapshot)

    async def unsettled(self) -> list[Order]:
        """Orders that a crash has left behind, oldest first; half-made snapshots go."""
        await asyncio.to_thread(self.trash.clear)
        return [each.order for each in await asyncio.to_thread(self.trash.journals)]

    async def keep_limits(self) -> None:
        """Let what is too old go; runs until cancelled."""
        while True:
            await asyncio.to_thread(self._age)
            await asyncio.sleep(_SWEEP_PAUSE_S)


def _is_anything(holding: Holding) -> bool:
    return bool(holding.shots or holding.trees)


def _listed(lines: Sequence[str]) -> str:
    more = f" and {len(lines) - _TOLD_MAX} more" if len(lines) > _TOLD_MAX else ""
    return ", ".join(lines[:_TOLD_MAX]) + more
