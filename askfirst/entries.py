"""From what the engine says happened to an entry of the audit log: everything that matters goes inside the hash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.audit_port import Actor, Entry, EntryType, Private
from askfirst.canonical import canonical

if TYPE_CHECKING:
    from askfirst.audit_port import Value
    from askfirst.engine import LogLine
    from askfirst.request import Request

_SUMMARY_CHARS = 200


def entry_of(request: Request, line: LogLine) -> Entry:
    """The entry for one line of a step on this request.

    The whole input stands apart, salted and erasable; the digest of the action binds to it all the same.
    """
    links: dict[str, Value] = {"tool_use_id": request.tool_use_id} if request.tool_use_id else {}
    return Entry(
        type=line.type,
        request=request.id,
        actor=Actor(type=line.actor_type, id=line.actor, channel=line.channel, assurance=line.assurance),
        agent=_agent(request),
        action=_action(request, whole=line.type is EntryType.GATE_REQUESTED),
        decision=line.decision,
        links=links,
    )


def _agent(request: Request) -> dict[str, Value]:
    agent = request.agent
    members: dict[str, Value] = {
        "name": agent.host,
        "session": agent.session,
        "cwd": request.action.cwd,
        "model": agent.model,
        "subagent": agent.subagent,
    }
    return {name: value for name, value in members.items() if value}


def _action(request: Request, *, whole: bool) -> dict[str, Value]:
    action = request.action
    summary = action.command or action.tool
    members: dict[str, Value] = {
        "tool": action.tool,
        "act": request.action_digest,
        "summary": summary if len(summary) <= _SUMMARY_CHARS else f"{summary[:_SUMMARY_CHARS]} …",
        "risk": request.risk.label,
        "rules": tuple(sorted({effect.rule for effect in request.effects})),
    }
    if whole:
        members["input"] = Private(canonical(dict(action.arguments)))
    return members
