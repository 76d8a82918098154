"""Elicitation on one connection: what the client can show, what it was asked to show, and what came back."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from mcp_server import rpc

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp_server.elicitation import Offer

KEY = "person"
"""Of the one input that an answer of the modern era may require."""


class InputNeededError(Exception):
    """The call ends here; the client asks the person and makes it again (modern era)."""

    def __init__(self, params: dict[str, Any], state: str) -> None:
        super().__init__(state)
        self.params = params
        self.state = state


class Keyboard:
    """One client's.

    Args:
        send: sends a message to the client.
    """

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self._send = send
        self._modes: frozenset[str] = frozenset()
        self._asked: dict[str, Offer] = {}
        self._known: set[tuple[str, int]] = set()
        self._lock = threading.Lock()

    def take(self, message: object) -> tuple[Offer, object] | None:
        """An answer to one of ours; of ``initialize`` what the client can show is noted."""
        if not isinstance(message, dict):
            return None
        if message.get("method") == "initialize" and isinstance(message.get("params"), dict):
            from mcp_server.elicitation import modes_of  # noqa: PLC0415  # the tools are listed before this is loaded

            self._modes = modes_of(message["params"].get("capabilities"))
        if "method" in message:
            return None
        with self._lock:
            asked = self._asked.pop(str(message.get("id")), None)
        return None if asked is None else (asked, message.get("result"))

    def ways(self, call: rpc.Call) -> dict[str, Any]:
        """Members of a call's ``Context``."""
        if not call.is_modern:
            return {"modes": self._modes, "offer": self._ask, "withdraw": self._withdraw}
        from mcp_server.elicitation import modes_of  # noqa: PLC0415

        asked = _asked_before(call)
        return {
            "modes": frozenset() if asked else modes_of(call.meta.get(rpc.CAPABILITIES_KEY)),
            "offer": _require,
            "answers": ((asked, call.inputs.get(KEY)),) if asked else (),
        }

    def _ask(self, offer: Offer) -> None:
        """Ask about each version once; a client that shows it already keeps showing it."""
        name = f"askfirst-{offer.request}-{offer.version}"
        with self._lock:
            if (offer.request, offer.version) in self._known:
                return
            self._known.add((offer.request, offer.version))
            self._asked[name] = offer
        params = offer.params if offer.is_form else {**offer.params, "elicitationId": name}
        self._send(rpc.elicit(name, params))

    def _withdraw(self, request: str) -> None:
        """It waits no longer: the client may stop showing it."""
        with self._lock:
            gone = {name: each for name, each in self._asked.items() if each.request == request}
            self._asked = {name: each for name, each in self._asked.items() if name not in gone}
        for name in gone:
            self._send(rpc.notify("notifications/cancelled", requestId=name, reason="it was decided elsewhere"))


def _require(offer: Offer) -> None:
    form = "form" if offer.is_form else "url"
    raise InputNeededError(offer.params, f"{offer.request}:{offer.version}:{form}")


def _asked_before(call: rpc.Call) -> Offer | None:
    """What an earlier answer required, as the client hands it in again; it decides nothing by itself."""
    from mcp_server.elicitation import Offer  # noqa: PLC0415

    request, _, rest = call.state.partition(":")
    version, _, form = rest.partition(":")
    if not (request and version.isdigit() and len(version) < 9):
        return None
    return Offer(request, int(version), {"requestedSchema": {}} if form == "form" else {})
