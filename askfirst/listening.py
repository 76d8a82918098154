"""Keeps a channel listening: its own receiving, and the handling of what it has received, side by side."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    receiving = asyncio.create_task(_receive(listener, reception))
    try:
        await reception.run(listener.scheme)
    finally:
        receiving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await receiving


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
