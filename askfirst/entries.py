"""From what the engine says happened to an entry of the audit log: everything that matters goes inside the hash."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from askfirst.audit_port import Actor, Entry, EntryType, Private
from askfirst.canonical import canonical
from askfirst.engine.case import LogLine
from askfirst.request import Claim

if TYPE_CHECKING:
    from collections.abc import Mapping

    from askfirst.asking import Look
    from askfirst.audit_port import Value
    from askfirst.engine import Case
    from askfirst.host import AfterTool
    from askfirst.request import Request

_SUMMARY_CHARS = 200
_SAID_NOTHING = Claim()
_WHOLE = frozenset({EntryType.GATE_REQUESTED, EntryType.GATE_AMENDED, EntryType.QUESTION_ASKED})


def entry_of(request: Request, line: LogLine) -> Entry:
    """The entry for one line of a step on this request.

    The whole input stands apart, salted and erasable; the digest of the action binds to it all the same. So does what
    the agent says about it, which people were shown.
    """
    links: dict[str, Value] = {"tool_use_id": request.tool_use_id} if request.tool_use_id else {}
    return Entry(
        type=line.type,
        request=request.id,
        actor=Actor(type=line.actor_type, id=line.actor, channel=line.channel, assurance=line.assurance),
        agent=_agent(request),
        action=_action(request, whole=line.type in _WHOLE),
        decision=line.decision,
        links=links,
    )


def passed_entry(look: Look) -> Entry:
    """A call that ran unasked where a shadow rule would have had it otherwise."""
    return _unasked(EntryType.GATE_PASSED, look, {"verdict": "allowed"})


def refused_entry(look: Look, *, reason: str = "") -> Entry:
    """A call that was denied without asking anybody: by the policy's word, or for the reason given."""
    details: dict[str, Value] = {"verdict": "denied", "reason": reason or look.ruling.reason}
    return _unasked(EntryType.GATE_REFUSED, look, details)


def bypassed_entry(case: Case, event: AfterTool) -> Entry:
    """A gated call ran although nobody had approved it: its hook was passed over."""
    line = LogLine(
        type=EntryType.GATE_BYPASSED,
        actor=event.agent.session,
        actor_type="agent",
        decision={"state": case.request.state.value, "outcome": outcome_of(event)},
    )
    return entry_of(case.request, line)


def ran_refused_entry(look: Look, event: AfterTool) -> Entry:
    """A call ran that the policy had denied."""
    return _unasked(EntryType.GATE_BYPASSED, look, {"state": "denied", "outcome": outcome_of(event)})


def unused_entry(request: Request, reason: str) -> Entry:
    """An approval that was not used: what it rests on is another now, or what has to come before its use did not."""
    details: dict[str, Value] = {"verdict": "denied", "reason": reason}
    line = LogLine(type=EntryType.GATE_REFUSED, actor="gate", actor_type="system", decision=details)
    return entry_of(request, line)


def _unasked(entry_type: EntryType, look: Look, decision: Mapping[str, Value]) -> Entry:
    ruling, agent = look.ruling, look.agent
    about: dict[str, Value] = {
        "name": agent.host,
        "session": agent.session,
        "cwd": look.call.cwd,
        "machine": look.call.machine,
        "model": agent.model,
    }
    return Entry(
        type=entry_type,
        actor=Actor(type="policy", id=ruling.rule),
        agent={name: value for name, value in about.items() if value},
        action={
            "tool": look.call.tool,
            "risk": ruling.risk.label,
            "rules": tuple(sorted({effect.rule for effect in look.found.effects})),
            "input": Private(canonical(dict(look.call.acting_arguments))),
        },
        decision={
            "rule": ruling.rule,
            "policy_sha256": ruling.policy_digest,
            **({"shadowed_by": ruling.shadowed_by} if ruling.shadowed_by else {}),
            **decision,
        },
    )


def outcome_of(event: AfterTool) -> str:
    """How a call went, as far as its host tells."""
    return "unknown" if event.ok is None else "ok" if event.ok else "failed"


def _agent(request: Request) -> dict[str, Value]:
    agent = request.agent
    members: dict[str, Value] = {
        "name": agent.host,
        "session": agent.session,
        "cwd": request.action.cwd,
        "machine": request.action.machine,
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
    if whole and request.evidence.exhibits:
        members["evidence"] = request.evidence.digests()
    if request.evidence.state:
        members["state"] = request.evidence.state_digest
    if whole:
        members["input"] = Private(canonical(dict(action.arguments)))
        if request.claim != _SAID_NOTHING:
            said = {name: value for name, value in asdict(request.claim).items() if value not in {"", None, ()}}
            members["claim"] = Private(canonical(said))
    return members
