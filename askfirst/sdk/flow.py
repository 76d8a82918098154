"""What asking a person takes, as conversations: create, wait, redeem, report.

Rules:

- A call that got no answer is sent again. Creating carries an idempotency key, redeeming an attempt id, so nothing
  happens twice and nothing is lost while a broker restarts.
- The grant is redeemed before the action runs, by an attempt id of this very call. Who cannot redeem does not run.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from askfirst.errors import ConflictError
from askfirst.sdk.outcomes import Answer, Approval, Decision, answered, decision, is_granted, unusable
from askfirst.sdk.steps import Flow, Pause, Reply, Send, persistently

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from askfirst.sdk.outcomes import AlreadyUsed, Cancelled, Denied, TimedOut

WAIT_S = 100
"""Longest wait in one call, seconds; the broker's own bound (``askfirst.broker.api.WAIT_MAX_S``)."""
PATIENCE_S = 60
"""How long a broker may be away before a request is there or after it should have ended, seconds."""
ASKED_BACK_PAUSE_S = 5.0
"""A reviewer has asked something back, so the broker no longer holds our call: how often we look again, seconds."""
ROUNDS_MAX = 20
"""How often an approval that others used up is asked for anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is asked.

    Attributes:
        body: as ``POST /v1/requests`` takes it.
        key: the idempotency key.
        is_own_key: the caller chose it to find this very request again, so it is never asked for anew.
        patience_s: how long a broker may be away, seconds.
    """

    body: Mapping[str, object]
    key: str
    is_own_key: bool = False
    patience_s: float = PATIENCE_S


def new_key() -> str:
    """A key that nobody else has."""
    return uuid.uuid4().hex


def permission(ask: Ask, attempt: str, now_ms: Callable[[], int]) -> Flow[Decision | AlreadyUsed]:
    """A person's decision; where it is an approval, the permission for one run is already ours.

    Somebody else's identical request is joined, and one of us uses the approval; the other asks anew.
    """
    for _ in range(ROUNDS_MAX):
        request = yield from _ended(ask, now_ms)
        made = decision(request, asked=_asked(ask))
        if not isinstance(made, Approval):
            return made
        step = yield from _redeem(ask, request, attempt, now_ms)
        if step["done"]:
            return made
        if ask.is_own_key:
            return unusable(step["request"])
        ask = replace(ask, key=new_key())
    return unusable(request)


def question(ask: Ask, now_ms: Callable[[], int]) -> Flow[Answer | Denied | TimedOut | Cancelled]:
    """A person's answer."""
    return answered((yield from _ended(ask, now_ms)))


def report(approval: Approval, outcome: str, detail: str, until_ms: int, now_ms: Callable[[], int]) -> Flow[None]:
    """Say how the action went: ``ok``, ``failed`` or ``unknown``."""
    body = {"action_digest": approval.action_digest, "outcome": outcome, "detail": detail[:200]}
    yield from persistently(_to(approval.request_id, "outcome", body), until_ms, now_ms)


def _ended(ask: Ask, now_ms: Callable[[], int]) -> Flow[Reply]:
    send = Send(method="POST", path="/v1/requests", body=ask.body, key=ask.key)
    request = yield from persistently(send, _patience_ms(ask, now_ms()), now_ms)
    _require_same(ask, request)
    while request["state"] == "pending":
        if request.get("asked_back"):
            yield Pause(seconds=ASKED_BACK_PAUSE_S)
        path = f"/v1/requests/{request['id']}/wait?timeout_s={WAIT_S}"
        until_ms = _patience_ms(ask, max(now_ms(), request["approval_expires_at_ms"]))
        request = yield from persistently(Send(method="GET", path=path, wait_s=WAIT_S), until_ms, now_ms)
    return request


def _redeem(ask: Ask, request: Reply, attempt: str, now_ms: Callable[[], int]) -> Flow[Reply]:
    if not is_granted(request):
        return {"done": False, "request": request}
    body = {"action_digest": request["action_digest"], "attempt": attempt}
    return (yield from persistently(_to(request["id"], "redeem", body), _patience_ms(ask, now_ms()), now_ms))


def _to(request_id: str, act: str, body: Mapping[str, object]) -> Send:
    return Send(method="POST", path=f"/v1/requests/{request_id}/{act}", body=body)


def _patience_ms(ask: Ask, from_ms: int) -> int:
    return from_ms + round(ask.patience_s * 1000)


def _asked(ask: Ask) -> Mapping[str, object] | None:
    arguments = ask.body.get("arguments")
    return arguments if isinstance(arguments, dict) else None


def _require_same(ask: Ask, request: Reply) -> None:
    """A key that found something else must not lend its approval to this call."""
    if request["tool"] != ask.body.get("tool", request["tool"]):
        raise ConflictError(
            f"this idempotency key belongs to request {request['id']}, which is about another action",
            state=request["state"],
        )
