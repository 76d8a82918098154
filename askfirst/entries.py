"""From what the engine says happened to an entry of the audit log: everything that matters goes inside the hash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.audit_port import Entry

if TYPE_CHECKING:
    from askfirst.engine import LogLine
    from askfirst.request import Request


def entry_of(request: Request, line: LogLine) -> Entry:
    """The entry for one line of a step on this request."""
    actor: dict[str, object] = {"type": line.actor_type, "id": line.actor}
    if line.channel:
        actor["channel"] = line.channel
    return Entry(
        type=line.type,
        request_id=request.id,
        actor=actor,
        agent={
            "host": request.agent.host,
            "session": request.agent.session,
            "cwd": request.action.cwd,
            **({"subagent": request.agent.subagent} if request.agent.subagent else {}),
            **({"model": request.agent.model} if request.agent.model else {}),
        },
        action={
            "tool": request.action.tool,
            "act": request.action_digest,
            "summary": request.action.command or request.action.tool,
            "risk": request.risk.label,
            "rules": sorted({effect.rule for effect in request.effects}),
            **({"input": dict(request.action.arguments)} if line.type == "gate.requested" else {}),
        },
        decision=dict(line.decision),
        links={"tool_use_id": request.tool_use_id} if request.tool_use_id else {},
    )
