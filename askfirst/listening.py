"""Keeps a channel listening: its own receiving, and the handling of what it has received, side by side."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from askfirst.ports import Listener
    from askfirst.reception import Reception

_PAUSE_FIRST_S = 1.0
_PAUSE_MAX_S = 60.0
_log = logging.getLogger(__name__)


async def listen(listener: Listener, reception: Reception) -> None:
    """Receive and handle until cancelled.

    A channel that ends by an error receives anew after a while, and what it received before is handled meanwhile;
    one that ends by itself (it is told by its provider) needs no more than that.

    Raises:
        StoreError: nothing can be handled.
    """
    await together(reception.run(listener.scheme), _receive(listener, reception))


async def together(*works: Coroutine[None, None, None]) -> None:
    """Do all of it side by side; the first error ends the others, and so does being cancelled."""
    tasks = [asyncio.create_task(each) for each in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _receive(listener: Listener, reception: Reception) -> None:
    pause_s = _PAUSE_FIRST_S
    while True:
        try:
            await listener.run(reception)
        except Exception:  # noqa: BLE001  # the outermost frame of a channel's task
            _log.exception("%s stopped receiving; it begins again in %d s", listener.scheme, pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(_PAUSE_MAX_S, 2 * pause_s)
        else:
            return
