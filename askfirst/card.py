r"""The card: what a person is shown of a request, the same on every channel.

Pure: a ``Card`` is built from a case, channels render it within their limits. Text from agents and files is made
visible first (I9; ``askfirst.visible``), so that what a reviewer reads is what would run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING

from askfirst.alerts import FROM_GATE
from askfirst.engine.quorum import progress
from askfirst.engine.receipt import receipt_of
from askfirst.engine.scopes import key_of, offered, words_of
from askfirst.engine.undo import WayBack, way_back
from askfirst.evidence.claims import contradictions
from askfirst.evidence.words import Section, Signal, certainty_of, impact_of, rollback_of, sections_of, signals_of
from askfirst.proposal import proposal_of
from askfirst.request import Claim
from askfirst.visible import visible, visible_line

if TYPE_CHECKING:
    from askfirst.effects import Risk
    from askfirst.engine import Case
    from askfirst.request import Request, RequestState

_NAME = re.compile(r"[\w.$-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One effect as shown: what is lost, by which rule, where in the command, and what would be safer."""

    risk: Risk
    loss: str
    rule: str
    offending: str
    suggestion: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Everything that a channel may show, already safe to print as plain text.

    Attributes:
        headline: severity, verb and what is lost, e.g. ``CRITICAL · discards 3 changed files``.
        command: the exact command (or tool and arguments as JSON), escaped, never cut.
        expanded: as the shell would run it, ``""`` when that says nothing new.
        where: ``repository@branch on machine`` or the folder.
        who: host, session and model.
        signals: what the gate found that speaks for (✓) or against (⚠), and what is not known (?), gravest first.
        impact: what is gone for good by that evidence, in one sentence; ``""`` where nothing was looked at.
        sections: details to the signals: commits, files, refs, the text of a script or a plan.
        elsewhere: the other machine whose own word the evidence is; ``""``: the broker has looked itself.
        certainty: how far the evidence goes, e.g. ``everything was looked at``.
        rollback: our own way back, step by step, and what has none; the agent's plan is part of its claim.
        opinion: what a language model says, ``said by`` first, to be shown apart and marked as an opinion that never
            counts.
        contradictions: where the agent's claim and the evidence do not go together, to be shown beside the claim.
        claim: what the agent says, to be shown apart and marked as its word.
        approvals: e.g. ``1 of 2 approvals`` while a quorum gathers, else ``""``.
        notes: warnings beside the effects, e.g. that something equivalent was denied before.
        asked_back: what a reviewer asked the agent, e.g. ``local:ann asks: on which branch?``; ``""`` for nothing.
        difference: what has changed since ``changed_since``, as (name, before, after).
        changed_since: the newest version before this one that somebody has reviewed, else the first: a change must not
            hide behind the next one. 0 for the first version.
        changed_by: who made the versions since then, one after the other: ``""`` for none, ``agent``, a person, or
            ``state`` where the same action would meet another state than was approved.
        scopes: how far an approval may reach: (key, words), ``once`` among them.
        options: the answers that a question offers, as they are to be given back.
        answer_schema: JSON Schema of the answer to a question, ``""`` for none.
        reviewers: who may decide, in the words of the rule, over all its stages; empty: everybody who is known.
        proposal: a rule to copy, where a reviewer chose that, else ``""``.
        ended: how it ended, e.g. ``denied by local:ann via web``; ``""`` while pending.
        history: one line an event, oldest first.
        undo: whether and how it can be taken back; a control that calls ``UndoDesk.undo`` stands where
            ``undo.offer`` is.
        is_from_gate: no agent asks, the gate itself tells something; there is nothing to approve.
        receipt: what came of it once it was released, e.g. ``ran exactly what was approved · ok``, else ``""``.
        seen: the log as it stands, e.g. ``log 1024:9f3a52c0417be6d8``, to be printed with every message: whoever keeps
            the message can prove later that the log was not rewritten since (``askfirst audit verify --seen``).
    """

    request_id: str
    version: int
    action_digest: str
    code: str
    kind: str
    state: RequestState
    risk: Risk
    headline: str
    tool: str
    command: str
    expanded: str
    where: str
    who: str
    findings: tuple[Finding, ...]
    claim: tuple[tuple[str, str], ...]
    created_at_ms: int
    deadline_ms: int
    on_timeout: str
    policy: str
    approvals: str
    ended: str
    history: tuple[str, ...]
    notes: tuple[str, ...] = ()
    asked_back: str = ""
    difference: tuple[tuple[str, str, str], ...] = ()
    changed_since: int = 0
    changed_by: str = ""
    scopes: tuple[tuple[str, str], ...] = ()
    options: tuple[str, ...] = ()
    answer_schema: str = ""
    reviewers: tuple[str, ...] = ()
    proposal: str = ""
    seen: str = ""
    signals: tuple[Signal, ...] = ()
    impact: str = ""
    sections: tuple[Section, ...] = ()
    elsewhere: str = ""
    certainty: str = ""
    rollback: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()
    opinion: tuple[tuple[str, str], ...] = ()
    undo: WayBack = field(default_factory=WayBack)
    receipt: str = ""
    is_from_gate: bool = False


def _on(request: Request, machine: str) -> str:
    """On which machine it would run, ``""`` where nobody says."""
    name = request.action.machine or machine
    return f" on {name}" if name else ""


def card_of(case: Case, *, machine: str = "", seen: str = "") -> Card:
    """What people are shown of this case; ``seen`` is the log's head (``TreeHead.seen``)."""
    request = case.request
    return Card(
        request_id=request.id,
        version=request.version,
        action_digest=request.action_digest,
        code=request.code,
        kind=request.kind.value,
        state=request.state,
        risk=request.risk,
        headline=f"{request.risk.label.upper()} · {loss_of(request)}",
        tool=visible_line(request.action.tool),
        command=visible(_command(request)),
        expanded=visible(request.expanded),
        where=visible_line(f"{request.action.cwd}{_on(request, machine)}"),
        who=visible_line(
            f"{request.agent.host} {request.agent.model} · session {request.agent.session[:8]}".replace("  ", " ")
        ),
        findings=_findings(request),
        claim=_claim(request),
        created_at_ms=request.created_at_ms,
        deadline_ms=request.terms.approval_expires_at_ms,
        on_timeout=request.terms.on_timeout,
        policy=f"{request.terms.policy} · {request.terms.rule}",
        approvals=progress(case),
        ended=visible_line(_ended(case)),
        history=tuple(visible_line(line) for line in _history(case)),
        notes=tuple(visible_line(each) for each in request.notes),
        asked_back=visible_line(f"{case.asked_back.person} asks: {case.asked_back.text}") if case.asked_back else "",
        difference=difference(case),
        changed_since=0 if (base := _base(case)) is None else base.version,
        changed_by=visible_line(_editors(case)),
        proposal=visible(proposal_of(case)),
        scopes=tuple((key_of(each), visible(words_of(each))) for each in offered(request)),
        undo=_undo(case),
        receipt=visible_line(receipt_of(case)),
        options=request.options,
        answer_schema=visible(request.answer_schema),
        reviewers=reviewers_of(request),
        seen=f"log {seen}" if seen else "",
        signals=tuple(replace(each, text=visible_line(each.text)) for each in signals_of(request.evidence)),
        impact=visible_line(impact_of(request.evidence)),
        sections=tuple(_shown(each) for each in sections_of(request.evidence)),
        elsewhere=visible_line(request.action.machine),
        certainty=certainty_of(request.evidence),
        is_from_gate=FROM_GATE in request.notes,
        rollback=tuple(visible_line(each) for each in rollback_of(request.evidence, request.promise)),
        contradictions=tuple(visible_line(each) for each in contradictions(request.claim, request.evidence)),
        opinion=opinion_rows(request),
    )


def _findings(request: Request) -> tuple[Finding, ...]:
    """What the action would do, gravest first."""
    return tuple(
        Finding(
            risk=effect.risk,
            loss=visible_line(effect.loss),
            rule=effect.rule,
            offending=visible(effect.command),
            suggestion=visible_line(effect.suggestion),
            facts=tuple(visible_line(fact) for fact in effect.facts),
        )
        for effect in sorted(request.effects, key=lambda effect: -effect.risk)
    )


def loss_of(request: Request) -> str:
    """The gravest loss in one clause, made visible; where nothing is lost, what is wanted."""
    gravest = max(request.effects, key=lambda effect: effect.risk, default=None)
    if gravest is not None:
        return visible_line(gravest.loss)
    if FROM_GATE in request.notes:
        return "tells you something"
    return "asks a question" if request.question else "asks for approval"


def opinion_rows(request: Request) -> tuple[tuple[str, str], ...]:
    """A language model's opinion as rows, made visible, with what the evidence breaks of it; empty without one."""
    opinion = request.opinion
    if opinion is None:
        return ()
    said = Claim(reason=opinion.summary, impact=opinion.impact, rollback_plan=opinion.rollback_plan)
    rows = [
        ("said by", opinion.model),
        ("summary", opinion.summary),
        ("impact", opinion.impact),
        ("rollback plan", opinion.rollback_plan),
        ("risk signals", "; ".join(opinion.signals)),
        ("confidence", "" if opinion.confidence is None else f"{opinion.confidence:.0%} by its own word"),
        ("contradicted", "; ".join(contradictions(said, request.evidence, who="it"))),
    ]
    return tuple((name, visible(text)) for name, text in rows if text)


def _shown(section: Section) -> Section:
    """A section made visible; a name with a newline in it stays one row."""
    rows = tuple(visible_line(row) for row in section.rows)
    return replace(section, title=visible_line(section.title), rows=rows, text=visible(section.text))


def reviewers_of(request: Request) -> tuple[str, ...]:
    """Whom this version's terms name, each once, sorted; escalation included, so that it holds while time passes."""
    staged = {name for each in request.terms.stages for name in each.reviewers}
    escalated = {name for each in request.terms.escalation for name in each.reviewers}
    return tuple(sorted(staged | escalated))


def difference(case: Case) -> tuple[tuple[str, str, str], ...]:
    """What this version says otherwise than the one that people have seen, made visible."""
    base = _base(case)
    if base is None:
        return ()
    before, after = _told(base), _told(case.request)
    names = dict.fromkeys((*before, *after))
    return tuple(
        (name, before.get(name, ""), after.get(name, ""))
        for name in names
        if before.get(name, "") != after.get(name, "")
    )


def _base(case: Case) -> Request | None:
    """The newest earlier version with a review that counted, else the first; None where there is no earlier one."""
    reviewed = {each.version for each in case.reviews if each.counted}
    first = next(iter(case.earlier), None)
    return next((each for each in reversed(case.earlier) if each.version in reviewed), first)


def _editors(case: Case) -> str:
    base = _base(case)
    newer = [each for each in (*case.earlier, case.request) if base is not None and each.version > base.version]
    return ", then ".join(each for each, _ in groupby(one.changed_by for one in newer))


def _told(request: Request) -> dict[str, str]:
    told = {
        "command": visible(_command(request)),
        "risk": request.risk.label,
        "effects": "; ".join(visible_line(effect.loss) for effect in request.effects),
    }
    found = {"impact": visible_line(impact_of(request.evidence))} if request.evidence.exhibits else {}
    state = {visible_line(name): visible_line(value) for name, value in request.evidence.state.items()}
    return {**told, **found, **state, **{f"agent's {name}": text for name, text in _claim(request)}}


def _command(request: Request) -> str:
    if request.question:
        return request.question
    if request.action.command:
        return request.action.command
    arguments = "\n".join(f"{_argument_name(key)} = {value!r}" for key, value in request.action.arguments.items())
    return f"{request.action.tool}\n{arguments}".rstrip()


def _argument_name(key: str) -> str:
    """A name as it is, or quoted where it could be read as more than a name."""
    return key if _NAME.fullmatch(key) else repr(key)


def _claim(request: Request) -> tuple[tuple[str, str], ...]:
    claim = request.claim
    rows = [
        ("reason", claim.reason),
        ("impact", claim.impact),
        ("rollback plan", claim.rollback_plan),
        ("confidence", "" if claim.confidence is None else f"{claim.confidence:.0%}"),
        ("signals", "; ".join(claim.signals)),
    ]
    return tuple((name, visible(text)) for name, text in rows if text)


def _undo(case: Case) -> WayBack:
    found = way_back(case)
    return replace(found, words=visible_line(found.words))


def _ended(case: Case) -> str:
    end = case.request.end
    if end is None:
        return ""
    by = "" if end.by == "deadline" else f" by {end.by}"
    via = f" via {end.channel}" if end.channel else ""
    text = f": {end.text}" if end.text else ""
    return f"{case.request.state.value}{by}{via}{text}"


def _history(case: Case) -> list[str]:
    lines = [
        f"{each.person} via {each.channel}: {each.verdict.value}{f' to {each.to}' if each.to else ''}"
        + (f" — {each.text}" if each.text else "")
        + (f" ({each.note})" if each.note else "")
        for each in case.reviews
    ]
    if case.grant is not None:
        outcome = f": {case.grant.outcome}" if case.grant.outcome else ""
        detail = f" ({case.grant.detail})" if case.grant.detail else ""
        lines.append(f"grant {case.grant.state.value}{outcome}{detail}")
        lines += [f"{each.by} via {each.channel}: {each.words}" for each in case.grant.undoings]
    return lines
