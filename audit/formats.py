"""The log in the shapes of others: one JSON object a line, each made of one entry or of one request's life.

- ``jsonl``: entries as they are, with their index.
- ``ocsf``: API Activity (class 6003) of the Open Cybersecurity Schema Framework 1.3.
- ``otel``: OTLP/JSON log records, one export request a line, as collectors read them from a file.
- ``agentack``: a trace (schema 2) of one session for AgentAck's rules.
- ``approvals``: the founding document's ``ApprovalRecord``.

Where a format has no place for something of ours it is left out or put under a name of our own, never bent.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import askfirst
from askfirst.errors import InputError
from audit.approvals import OPEN, Approval, approvals_of, ran_unasked
from audit.clock import wall_us

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from audit.query import Record

APPROVAL_COLUMNS: Final = (
    "action_id",
    "action_type",
    "requester",
    "approver",
    "decision",
    "reason",
    "timestamp",
    "context",
)


def jsonl(entries: Iterable[Record]) -> Iterator[Record]:
    """The entries as they are."""
    yield from entries


# -- the founding document's record ----------------------------------------------------------------------------------

_DECISIONS: Final = {"approved": "approved", "denied": "rejected"}


def approval_records(entries: Iterable[Record]) -> Iterator[Record]:
    """One ``ApprovalRecord`` a request that was decided."""
    for one in approvals_of(entries):
        if one.status == OPEN or not one.decided_at:
            continue
        yield {
            "action_id": one.id,
            "action_type": str(one.action.get("tool", "")),
            "requester": str(one.agent.get("session") or one.agent.get("name", "")),
            "approver": " ".join(one.by),
            "decision": _DECISIONS.get(one.status, one.status),
            "reason": one.reason,
            "timestamp": one.decided_at,
            "context": {"agent": one.agent, "action": one.action, "rule": one.rule, "channel": one.channel},
        }


_ALARMS: Final = frozenset({"gate.bypassed", "config.tamper", "hook.missing", "hook.silent", "log.contradicted"})
"""What people are told of at once: something went round the gate, or the log."""

# -- OCSF: https://schema.ocsf.io/1.3.0/classes/api_activity -----------------------------------------------------------

_SEVERITY: Final = {"low": 2, "medium": 3, "high": 4, "critical": 5}
_INFORMATIONAL, _HIGH = 1, 4
_UNMAPPED: Final = ("actor", "action", "decision", "links", "data")
"""What has no place of its own there, or not all of it: of an actor the channel and the assurance."""
_STATUS: Final = {"approved": 1, "answered": 1, "denied": 2, "expired": 2, "cancelled": 2}


def ocsf(entries: Iterable[Record]) -> Iterator[Record]:
    """One API Activity event an entry."""
    for entry in entries:
        if "unreadable" in entry:
            continue
        actor, agent, action, decision = (entry.get(name, {}) for name in ("actor", "agent", "action", "decision"))
        verdict = str(decision.get("verdict", ""))
        status = _STATUS.get(verdict, 0)
        least = _HIGH if entry["type"] in _ALARMS else _INFORMATIONAL
        yield {
            "activity_id": 99,
            "activity_name": entry["type"],
            "category_uid": 6,
            "class_uid": 6003,
            "type_uid": 600_399,
            "time": wall_us(entry["t"]) // 1000,
            "severity_id": max(least, _SEVERITY.get(str(action.get("risk", "")), least)),
            "status_id": status,
            **({"status": "Success" if status == 1 else "Failure", "status_detail": verdict} if status else {}),
            "metadata": {
                "version": "1.3.0",
                "uid": entry["id"],
                "sequence": entry["index"],
                "original_time": entry["t"],
                "product": {"name": "Askfirst", "vendor_name": "Askfirst", "version": askfirst.__version__},
            },
            "actor": {
                "user": {"uid": str(actor.get("id", "")), "name": str(actor.get("id", "")), "type": actor.get("type")},
                **({"session": {"uid": str(agent["session"])}} if agent.get("session") else {}),
                **({"app_name": str(agent["name"])} if agent.get("name") else {}),
            },
            "api": {
                "operation": str(action.get("tool") or entry["type"]),
                "service": {"name": "askfirst"},
                **({"request": {"uid": str(entry["req"])}} if entry.get("req") else {}),
            },
            "src_endpoint": {"name": str(agent.get("host") or "localhost")},
            **({"message": str(action["summary"])} if action.get("summary") else {}),
            "unmapped": {name: entry[name] for name in _UNMAPPED if entry.get(name)},
        }


# -- OpenTelemetry: https://opentelemetry.io/docs/specs/otel/logs/data-model/, semantic conventions gen_ai ------------

_TRACE_ID = re.compile(r"[0-9a-f]{32}\Z")
_LEVELS: Final = {"ERROR": 17, "WARN": 13, "INFO": 9}


def otel(entries: Iterable[Record]) -> Iterator[Record]:
    """One OTLP/JSON export request an entry, with one log record that is an event."""
    resource = {"attributes": _attributes({"service.name": "askfirst", "service.version": askfirst.__version__})}
    for entry in entries:
        if "unreadable" not in entry:
            scope = {"scope": {"name": "askfirst.audit"}, "logRecords": [_log_record(entry)]}
            yield {"resourceLogs": [{"resource": resource, "scopeLogs": [scope]}]}


def _log_record(entry: Record) -> Record:
    actor, agent, action, decision, links = (
        entry.get(name, {}) for name in ("actor", "agent", "action", "decision", "links")
    )
    nanoseconds = str(wall_us(entry["t"]) * 1000)  # 64-bit integers are strings in OTLP/JSON
    is_warning = decision.get("verdict") in {"denied", "expired"} or entry["type"] == "channel.failed"
    level = "ERROR" if entry["type"] in _ALARMS else "WARN" if is_warning else "INFO"
    trace = str(links.get("otel_trace", ""))
    attributes = {
        "gen_ai.tool.name": action.get("tool"),
        "gen_ai.tool.call.id": links.get("tool_use_id"),
        "gen_ai.conversation.id": agent.get("session"),
        "gen_ai.agent.name": agent.get("name"),
        "gen_ai.request.model": agent.get("model"),
        "mcp.session.id": links.get("mcp_session"),
        "askfirst.entry.index": entry["index"],
        "askfirst.entry.id": entry["id"],
        "askfirst.request.id": entry.get("req"),
        "askfirst.actor.type": actor.get("type"),
        "askfirst.actor.id": actor.get("id"),
        "askfirst.channel": actor.get("channel"),
        "askfirst.assurance": actor.get("assurance"),
        "askfirst.action.digest": action.get("act"),
        "askfirst.action.risk": action.get("risk"),
        "askfirst.decision.verdict": decision.get("verdict"),
        "askfirst.decision.rule": decision.get("rule"),
        "askfirst.decision.latency_ms": decision.get("latency_ms"),
    }
    return {
        "timeUnixNano": nanoseconds,
        "observedTimeUnixNano": nanoseconds,
        "severityNumber": _LEVELS[level],
        "severityText": level,
        "eventName": f"askfirst.{entry['type']}",
        "body": {"stringValue": str(action.get("summary") or entry["type"])},
        "attributes": _attributes(attributes),
        **({"traceId": trace} if _TRACE_ID.match(trace) else {}),
    }


def _attributes(values: dict[str, object]) -> list[Record]:
    return [{"key": key, "value": _any_value(value)} for key, value in values.items() if value not in (None, "")]


def _any_value(value: object) -> Record:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"stringValue": value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}


# -- AgentAck: https://pypi.org/project/agentack/, trace schema 2 ---------------------------------------------------


def agentack(entries: Iterable[Record]) -> Iterator[Record]:
    """The trace of the one session that the entries are of; it ends with the last of them.

    Raises:
        InputError: they are of several sessions, then ask for one; or of none.
    """
    kept = list(entries)
    approvals = [one for one in approvals_of(kept) if one.requested_at and one.agent.get("session")]
    unasked = [one for one in kept if ran_unasked(one) and one.get("agent", {}).get("session")]
    agents = [*(one.agent for one in approvals), *(one["agent"] for one in unasked)]
    sessions = sorted({str(each["session"]) for each in agents})
    if not sessions:
        raise InputError("nothing was asked in a session here; a trace is of what people were asked", field="agent")
    if len(sessions) > 1:
        raise InputError(f"a trace is of one session, found {len(sessions)}; name one with --agent", field="agent")
    told = [*(_events(one) for one in approvals), *map(_ran_refused, unasked)]
    events = sorted((event for each in told for event in each), key=lambda event: event["timestamp"])
    for event in events:
        yield {"schema_version": 2, "session_id": sessions[0], **event}
    if events:
        last = events[-1]["timestamp"]
        yield {"schema_version": 2, "session_id": sessions[0], "type": "session_end", "timestamp": last}


def _events(one: Approval) -> Iterator[Record]:
    """Proposed, presented, decided, then run or blocked; an action ran when its permission was used, or without one.

    The trace knows approvals for one run only. Each further use of one that reached farther is told as an action of its
    own, decided when people gave that reach.
    """
    digest = str(one.action.get("act", ""))
    action = _action(one.action, {"action_digest": digest})
    for number, released_at in enumerate(one.releases or [""], start=1):
        name = one.id if number == 1 else f"{one.id}#{number}"
        ids = {"action_id": name, "approval_id": name, "intent_id": digest or one.id}
        proposed = {member: value for member, value in ids.items() if member != "approval_id"}
        yield {"type": "action_proposed", "timestamp": one.requested_at, **proposed, "action": action}
        yield {"type": "approval_requested", "timestamp": one.requested_at, **ids, "action": action}
        yield from _decision(one, ids)
        if one.bypassed_at and number == 1:
            yield {"type": "action_executed", "timestamp": one.bypassed_at, **ids, "action": action}
        if released_at:
            is_known = one.as_approved or number < len(one.releases)
            ran = action if is_known else {**action, "parameters": {"action_digest": "another"}}
            yield {"type": "action_executed", "timestamp": released_at, **ids, "action": ran}


def _ran_refused(entry: Record) -> Iterator[Record]:
    """A call that the policy had denied, and that ran: an action of its own, asked of the gate and denied by it.

    Without a decision AgentAck would take what runs by a tool that it does not know for a call that needs none.
    """
    about, time = entry.get("action", {}), entry["t"]
    action = _action(about, {"input_sha256": about.get("input", {}).get("sha256", "")})
    proposed = {"action_id": entry["id"], "intent_id": entry["id"]}
    ids = {**proposed, "approval_id": entry["id"]}
    yield {"type": "action_proposed", "timestamp": time, **proposed, "action": action}
    yield {"type": "approval_requested", "timestamp": time, **ids, "action": action}
    yield {"type": "approval_decision", "timestamp": time, **ids, "decision": "deny"}
    yield {"type": "action_executed", "timestamp": time, **ids, "action": action}


def _action(about: Record, parameters: Record) -> Record:
    return {
        "tool": "shell" if about.get("tool") == "Bash" else str(about.get("tool", "unknown")),
        "operation": "execute",
        "resource": str(about.get("summary", "")),
        "parameters": parameters,
    }


def _decision(one: Approval, ids: Record) -> Iterator[Record]:
    if one.status == OPEN:
        return
    is_allowed = one.status == "approved"
    expiry = {"expires_at": _moment(one.expires_at_ms)} if is_allowed and one.expires_at_ms else {}
    decision = {"decision": "allow" if is_allowed else "deny", **expiry}
    yield {"type": "approval_decision", "timestamp": one.decided_at, **ids, **decision}
    if one.releases or one.bypassed_at:
        return
    if not is_allowed:
        yield {"type": "action_blocked", "timestamp": one.decided_at, **ids, "reason": one.status}
    elif one.closed_at:  # approved, and never run
        yield {"type": "action_blocked", "timestamp": one.closed_at, **ids, "reason": one.closed_as}


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).isoformat().replace("+00:00", "Z")


FORMATS: Final[dict[str, Callable[[Iterable[Record]], Iterator[Record]]]] = {
    "jsonl": jsonl,
    "ocsf": ocsf,
    "otel": otel,
    "agentack": agentack,
    "approvals": approval_records,
}
