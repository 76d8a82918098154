"""A broker in memory with scripted reviewers, for tests of programs that ask.

    def test_an_approved_user_is_deleted() -> None:
        with MemoryBroker(approve("fine")) as broker:
            delete_user("u1")
        assert broker.requests[0]["arguments"] == {"user_id": "u1"}

- Inside the ``with`` everything that names no broker of its own uses this one.
- Reviewers decide in the order of the script, one request each; the last one decides on all that follow. A reviewer may
  be a function: it is given the request and returns what to do, or None to look the other way.
- Its clock stands still but for waiting: a wait of an hour takes no time, and a request that nobody decides expires.
- ``fail`` and ``lose_answers`` play a broker that is away, and a network that loses what it answered.
- Requests survive ``restart``, as they do in the real one.

It speaks the same REST ``/v1`` as the real broker; the same tests run over both.
"""

from __future__ import annotations

import copy
import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

from askfirst.canonical import digest
from askfirst.errors import BrokerUnavailableError, ConflictError, InputError, NotAllowedError, RequestNotFoundError
from askfirst.sdk.link import install

if TYPE_CHECKING:
    from collections.abc import Collection

    from askfirst.sdk.steps import Reply, Send

GRANT_TTL_MS = 120_000
APPROVAL_TIMEOUT_MS = 600_000
_ASKED = re.compile(r"/v1/requests/([^/]+)(?:/(\w+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What a reviewer does.

    Attributes:
        verdict: ``approve``, ``deny`` or ``answer``.
        text: the comment, or the answer.
        by: who.
        after_s: seconds after they were asked.
        edit: with an approval: arguments to run instead.
    """

    verdict: str
    text: str = ""
    by: str = "local:ann"
    after_s: float = 0.0
    edit: Mapping[str, object] | None = None


def approve(text: str = "", *, by: str = "local:ann", after_s: float = 0.0) -> Act:
    """Say yes."""
    return Act(verdict="approve", text=text, by=by, after_s=after_s)


def approve_with(arguments: Mapping[str, object], text: str = "", *, by: str = "local:ann") -> Act:
    """Say yes to other arguments."""
    return Act(verdict="approve", text=text, by=by, edit=arguments)


def deny(text: str = "", *, by: str = "local:ann", after_s: float = 0.0) -> Act:
    """Say no."""
    return Act(verdict="deny", text=text, by=by, after_s=after_s)


def answer(text: str, *, by: str = "local:ann", after_s: float = 0.0) -> Act:
    """Answer a question; JSON where it has a schema."""
    return Act(verdict="answer", text=text, by=by, after_s=after_s)


Reviewer = Act | Callable[[Mapping[str, Any]], Act | None] | None
"""Somebody who decides; None never does."""


@dataclass(slots=True)
class _Kept:
    """One request with what the wire does not show."""

    shown: dict[str, Any]
    key: str
    reviewer: Reviewer
    grant_attempt: str = ""
    escalate_to: list[str] = field(default_factory=list)
    timeout_ms: int = APPROVAL_TIMEOUT_MS


class MemoryBroker:
    """See the module's docstring.

    Args:
        reviewers: the script; without any, nobody ever decides.
        schemes: channels that exist; None: all.
        may_auto_approve: whether a rule lets a deadline approve.

    Attributes:
        sent: what was asked of it.
        sighting: which agent's hook has seen the next MCP calls; nobody's by default.
    """

    def __init__(
        self, *reviewers: Reviewer, schemes: Collection[str] | None = None, may_auto_approve: bool = False
    ) -> None:
        self._reviewers = list(reviewers) or [None]
        self._schemes = schemes
        self._may_auto_approve = may_auto_approve
        self._lock = threading.RLock()
        self._kept: dict[str, _Kept] = {}
        self._failures = 0
        self._losses = 0
        self._now_ms = 1_800_000_000_000
        self._undo: list[Callable[[], None]] = []
        self.sent: list[Send] = []
        self.sighting: Mapping[str, str] = {"host": "", "session": "", "model": "", "cwd": ""}

    def __enter__(self) -> Self:
        self._undo.append(install(self))
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.pop()()

    # -- for tests ------------------------------------------------------------------------------------------------

    @property
    def requests(self) -> list[dict[str, Any]]:
        """All requests as the API shows them, oldest first."""
        with self._lock:
            return [copy.deepcopy(each.shown) for each in self._kept.values()]

    def fail(self, times: int = 1) -> None:
        """The next calls are answered 503, as while the broker restarts; nothing is done."""
        self._failures += times

    def lose_answers(self, times: int = 1) -> None:
        """The next calls are done, and their answers are lost on the way."""
        self._losses += times

    def restart(self) -> None:
        """Go away for the next call, with everything kept."""
        self.fail()

    def review(self, request_id: str, act: Act) -> bool:
        """Let somebody act now; whether it counted."""
        with self._lock:
            return self._review(self._find(request_id), act)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self._now_ms += round(seconds * 1000)
            for each in self._kept.values():
                self._expire(each)

    # -- the transport --------------------------------------------------------------------------------------------

    def send(self, send: Send) -> Reply:
        """Do one call of the API."""
        with self._lock:
            self.sent.append(send)
            if self._failures:
                self._failures -= 1
                raise BrokerUnavailableError("503: the broker is restarting")
            reply: Reply = json.loads(json.dumps(self._do(send)))
            if self._losses:
                self._losses -= 1
                raise BrokerUnavailableError("the connection was reset")
            return reply

    async def send_async(self, send: Send) -> Reply:
        """The same."""
        return self.send(send)

    def pause(self, seconds: float) -> None:
        """Move the clock."""
        self.advance(seconds)

    async def pause_async(self, seconds: float) -> None:
        """Move the clock."""
        self.advance(seconds)

    def now_ms(self) -> int:
        """The clock."""
        return self._now_ms

    # -- the API --------------------------------------------------------------------------------------------------

    def _do(self, send: Send) -> Mapping[str, Any]:
        url = urlsplit(send.path)
        body = json.loads(json.dumps(send.body or {}))
        if (send.method, url.path) == ("POST", "/v1/requests"):
            return self._create(body, send.key).shown
        if (send.method, url.path) == ("POST", "/v1/sightings"):
            return self.sighting
        found = _ASKED.fullmatch(url.path)
        if found is None:
            raise RequestNotFoundError(f"nothing at {url.path}")
        kept, act = self._find(found[1]), found[2]
        self._expire(kept)
        match send.method, act:
            case "GET", None:
                return kept.shown
            case "GET", "wait":
                return self._wait(kept, float(parse_qs(url.query).get("timeout_s", ["100"])[0]))
            case "POST", "redeem":
                return self._step(kept, done=self._redeem(kept, body))
            case "POST", "outcome":
                return self._step(kept, done=self._outcome(kept, body))
            case "POST", "cancel":
                return self._step(kept, done=self._end(kept, "cancelled", "agent", body.get("reason", "")))
            case _:
                raise RequestNotFoundError(f"nothing at {send.method} {url.path}")

    def _find(self, request_id: str) -> _Kept:
        kept = self._kept.get(request_id)
        if kept is None:
            raise RequestNotFoundError(f"there is no request {request_id!r}")
        return kept

    def _create(self, body: dict[str, Any], key: str) -> _Kept:
        known = next((each for each in self._kept.values() if key and each.key == key), None)
        act = _digest(body)
        if known is not None:
            if known.shown["action_digest"] != act:
                raise ConflictError(f"this idempotency key belongs to request {known.shown['id']}")
            return known
        route = body.get("route", {})
        self._require_route(route)
        reviewer = self._reviewers.pop(0) if len(self._reviewers) > 1 else self._reviewers[0]
        kept = _Kept(shown=self._shown(body, act, route), key=key, reviewer=reviewer)
        kept.escalate_to = list(route.get("escalate_to", []))
        kept.timeout_ms = route.get("timeout_s", APPROVAL_TIMEOUT_MS // 1000) * 1000
        self._kept[kept.shown["id"]] = kept
        return kept

    def _require_route(self, route: Mapping[str, Any]) -> None:
        for each in [*route.get("recipients", []), *route.get("escalate_to", [])]:
            if self._schemes is not None and each.partition(":")[0] not in self._schemes:
                raise InputError(f"there is no channel for {each}; known: {', '.join(sorted(self._schemes))}")
        if route.get("on_timeout") == "approve" and not self._may_auto_approve:
            raise NotAllowedError("no rule lets a deadline approve this")

    def _shown(self, body: Mapping[str, Any], act: str, route: Mapping[str, Any]) -> dict[str, Any]:
        number = f"01MEMORY{len(self._kept):018}"
        timeout_s = route.get("timeout_s", APPROVAL_TIMEOUT_MS // 1000)
        return {
            "id": number,
            "code": f"{number[-6:]}-{act[:8]}",
            "version": 1,
            "kind": "question" if body.get("question") else "approval",
            "state": "pending",
            "risk": "low",
            "created_at_ms": self._now_ms,
            "approval_expires_at_ms": self._now_ms + timeout_s * 1000,
            "on_timeout": route.get("on_timeout", "reject"),
            "recipients": list(route.get("recipients", [])),
            "host": body.get("host", "api"),
            "session": body.get("session", ""),
            "tool": body.get("tool") or ("question" if body.get("question") else "Bash"),
            "arguments": body.get("arguments") or _implied(body),
            "command": body.get("command", ""),
            "action_digest": act,
            "claim": body.get("claim", {}),
            "question": body.get("question", ""),
            "options": body.get("options", []),
            "answer_schema": json.dumps(body["answer_schema"]) if body.get("answer_schema") else "",
            "changed_by": "",
            "end": None,
            "reviews": [],
            "grant": None,
        }

    def _wait(self, kept: _Kept, timeout_s: float) -> Mapping[str, Any]:
        """Let the reviewer act if it is their time within the wait; else let the time pass."""
        until_ms = self._now_ms + round(timeout_s * 1000)
        act = self._act(kept)
        if act is not None:
            at_ms = kept.shown["created_at_ms"] + round(act.after_s * 1000)
            if at_ms <= min(until_ms, kept.shown["approval_expires_at_ms"] - 1):
                self._now_ms = max(self._now_ms, at_ms)
                self._review(kept, act)
                return kept.shown
        self._now_ms = min(until_ms, max(self._now_ms, kept.shown["approval_expires_at_ms"]))
        self._expire(kept)
        return kept.shown

    def _act(self, kept: _Kept) -> Act | None:
        if kept.shown["state"] != "pending" or kept.reviewer is None:
            return None
        if isinstance(kept.reviewer, Act):
            return kept.reviewer
        return kept.reviewer(copy.deepcopy(kept.shown))

    def _review(self, kept: _Kept, act: Act) -> bool:
        shown = kept.shown
        self._expire(kept)
        is_late = shown["state"] == "expired" and act.verdict == "approve" and shown["grant"] is None
        counted = shown["state"] == "pending" or is_late
        review = {"person": act.by, "channel": "memory", "verdict": act.verdict, "text": act.text, "counted": counted}
        shown["reviews"].append(review)
        if not counted:
            return False
        if act.edit is not None:
            shown["arguments"] = dict(act.edit)
            shown["action_digest"] = digest([shown["action_digest"], act.edit])
            shown["changed_by"] = act.by
            shown["version"] += 1
        if act.verdict == "approve":
            shown["grant"] = self._grant()
        if not is_late:
            states = {"approve": "approved", "deny": "denied", "answer": "answered"}
            self._end(kept, states[act.verdict], act.by, act.text)
        return True

    def _grant(self) -> dict[str, Any]:
        return {"state": "issued", "expires_at_ms": self._now_ms + GRANT_TTL_MS, "outcome": "", "detail": ""}

    def _end(self, kept: _Kept, state: str, by: str, text: str) -> bool:
        if kept.shown["state"] != "pending":
            return False
        channel = "" if by in {"agent", "deadline"} else "memory"
        kept.shown["state"] = state
        kept.shown["end"] = {"at_ms": self._now_ms, "by": by, "channel": channel, "text": text}
        return True

    def _expire(self, kept: _Kept) -> None:
        shown, grant = kept.shown, kept.shown["grant"]
        if grant is not None and grant["state"] == "issued" and self._now_ms >= grant["expires_at_ms"]:
            grant["state"] = "lapsed"
        if shown["state"] != "pending" or self._now_ms < shown["approval_expires_at_ms"]:
            return
        if kept.escalate_to:
            shown["recipients"] += kept.escalate_to
            kept.escalate_to = []
            shown["approval_expires_at_ms"] += kept.timeout_ms
            self._expire(kept)
            return
        if shown["on_timeout"] == "approve":
            shown["grant"] = self._grant()
            self._end(kept, "approved", "deadline", "")
        self._end(kept, "expired", "deadline", "")

    def _redeem(self, kept: _Kept, body: Mapping[str, Any]) -> bool:
        grant = kept.shown["grant"]
        if grant is None or body["action_digest"] != kept.shown["action_digest"]:
            return False
        if grant["state"] == "redeemed":
            return bool(kept.grant_attempt == body["attempt"])
        if grant["state"] != "issued":
            return False
        grant["state"], kept.grant_attempt = "redeemed", body["attempt"]
        return True

    def _outcome(self, kept: _Kept, body: Mapping[str, Any]) -> bool:
        grant = kept.shown["grant"]
        if grant is None or grant["state"] != "redeemed":
            return False
        grant.update(state="executed", outcome=body["outcome"], detail=body.get("detail", ""))
        return True

    def _step(self, kept: _Kept, *, done: bool) -> Mapping[str, Any]:
        return {"done": done, "note": "", "request": kept.shown}


def _implied(body: Mapping[str, Any]) -> dict[str, Any]:
    if body.get("question"):
        return {
            "question": body["question"],
            "options": body.get("options", []),
            "schema": body.get("answer_schema"),
        }
    return {"command": body["command"]} if body.get("command") else {}


def _digest(body: Mapping[str, Any]) -> str:
    named = ("tool", "command", "cwd", "host", "session")
    return digest([body.get("arguments") or _implied(body), *(body.get(name, "") for name in named)])
