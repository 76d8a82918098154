"""What programs see of the domain: one function for each shape of ``wire``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from askfirst.broker.wire import (
    ClaimIn,
    EffectOut,
    EndOut,
    EvidenceOut,
    GrantOut,
    OpenGrantOut,
    PreviewOut,
    RequestOut,
    ReviewOut,
    RunOut,
    ScopeOut,
    SectionOut,
    SignalOut,
    StageOut,
    StepOut,
    UndoOut,
)
from askfirst.card import opinion_rows
from askfirst.engine.quorum import approvers
from askfirst.engine.receipt import receipt_of
from askfirst.engine.scopes import key_of, offered
from askfirst.engine.undo import way_back, ways_back
from askfirst.evidence.claims import contradictions
from askfirst.evidence.words import certainty_of, impact_of, rollback_of, sections_of, signals_of
from askfirst.proposal import proposal_of

if TYPE_CHECKING:
    from askfirst.effects import Effect
    from askfirst.engine import Case, Step
    from askfirst.engine.undo import WayBack
    from askfirst.evidence.values import Evidence
    from askfirst.request import Claim, Grant, Request
    from askfirst.rescue import Preview, Promise


def request_out(request: Request, *, log: str = "") -> RequestOut:
    """A request without its reviews and grant; ``log`` is the head of the log, for people to keep."""
    return RequestOut(
        id=request.id,
        code=request.code,
        version=request.version,
        kind=request.kind.value,
        state=request.state.value,
        risk=request.risk.label,
        created_at_ms=request.created_at_ms,
        approval_expires_at_ms=request.terms.approval_expires_at_ms,
        on_timeout=request.terms.on_timeout,
        recipients=list(dict.fromkeys(told for stage in request.terms.stages for told in stage.recipients)),
        host=request.agent.host,
        session=request.agent.session,
        model=request.agent.model,
        tool=request.action.tool,
        arguments=dict(request.action.arguments),
        command=request.action.command,
        expanded=request.expanded,
        cwd=request.action.cwd,
        machine=request.action.machine,
        head=request.action.head,
        action_digest=request.action_digest,
        rule=request.terms.rule,
        effects=[_effect_out(each) for each in request.effects],
        claim=_claim_out(request.claim),
        question=request.question,
        options=list(request.options),
        answer_schema=request.answer_schema,
        changed_by=request.changed_by,
        notes=list(request.notes),
        scopes=[
            ScopeOut(key=key_of(each), kind=each.kind, amount=each.amount, pattern=each.pattern)
            for each in offered(request)
        ],
        supersedes=request.supersedes,
        end=_end_out(request),
        evidence=evidence_out(request.evidence, request.claim, request.promise),
        opinion=list(opinion_rows(request)),
        log=log,
    )


def _effect_out(effect: Effect) -> EffectOut:
    return EffectOut(
        rule=effect.rule,
        kind=effect.kind.value,
        risk=effect.risk.label,
        reversible=effect.reversible,
        target=effect.target,
        loss=effect.loss,
        suggestion=effect.suggestion,
        command=effect.command,
    )


def _claim_out(claim: Claim) -> ClaimIn:
    return ClaimIn(
        reason=claim.reason,
        impact=claim.impact,
        rollback_plan=claim.rollback_plan,
        confidence=claim.confidence,
        signals=list(claim.signals),
    )


def evidence_out(evidence: Evidence, claim: Claim, promise: Promise | None = None) -> EvidenceOut:
    """The evidence in words, and where the claim contradicts it."""
    return EvidenceOut(
        signals=[SignalOut(mark=each.mark.value, text=each.text) for each in signals_of(evidence)],
        impact=impact_of(evidence),
        sections=[
            SectionOut(title=each.title, rows=list(each.rows), more=each.more, text=each.text)
            for each in sections_of(evidence)
        ],
        certainty=certainty_of(evidence),
        rollback=list(rollback_of(evidence, promise)),
        contradictions=list(contradictions(claim, evidence)),
        state=dict(evidence.state),
        state_digest=evidence.state_digest,
    )


def case_out(case: Case, *, log: str = "") -> RequestOut:
    """A request with its reviews and grant; ``log`` as for ``request_out``."""
    asked, found = case.asked_back, way_back(case)
    return request_out(case.request, log=log).model_copy(
        update={
            "proposal": proposal_of(case),
            "undo": UndoOut(words=found.words, offer=found.offer, turn=found.turn),
            "receipt": receipt_of(case),
            "asked_back": asked.text if asked is not None else "",
            "stages": [
                StageOut(
                    name=each.name,
                    approvals=len(approvers(case, index)),
                    approvals_needed=each.approvals_needed,
                    reviewers=list(each.reviewers),
                )
                for index, each in enumerate(case.request.terms.stages)
            ],
            "reviews": [
                ReviewOut(
                    person=each.person,
                    channel=each.channel,
                    verdict=each.verdict.value,
                    text=each.text,
                    counted=each.counted,
                    note=each.note,
                    at_ms=each.at_ms,
                    version=each.version,
                    stage=each.stage,
                    scope=each.scope,
                    to=each.to,
                )
                for each in case.reviews
            ],
            "grant": None if case.grant is None else GrantOut(**_grant_members(case.grant)),
        }
    )


def open_grant_out(case: Case) -> OpenGrantOut:
    """The grant of a case with what it opens; there must be one."""
    assert case.grant is not None  # the caller has looked it up by its grant
    request = case.request
    return OpenGrantOut(
        **_grant_members(case.grant),
        request=request.id,
        code=request.code,
        session=request.agent.session,
        command=request.action.command,
        tool=request.action.tool,
    )


def _grant_members(grant: Grant) -> dict[str, Any]:
    return {
        "id": grant.id,
        "state": grant.state.value,
        "scope": grant.scope,
        "pattern": grant.pattern,
        "uses": len(grant.uses) + len(grant.passed_on),
        "uses_max": grant.uses_max,
        "expires_at_ms": grant.expires_at_ms,
        "outcome": grant.outcome,
        "detail": grant.detail,
        "token": grant.token,
    }


def preview_out(case: Case, preview: Preview, use: int) -> PreviewOut:
    """What an undo of one run would do."""
    found = way_back(case, use)
    return PreviewOut(
        use=found.use,
        turn=found.turn,
        restores=list(preview.restores),
        puts_aside=list(preview.puts_aside),
        problems=list(preview.problems),
        runs=[_run_out(case, each) for each in ways_back(case)],
    )


def _run_out(case: Case, found: WayBack) -> RunOut:
    assert case.grant is not None  # who has a way back has run
    use = case.grant.uses[found.use - 1]
    action = use.action or case.request.action
    return RunOut(
        use=found.use,
        at_ms=use.at_ms,
        command=action.command,
        offer=found.offer,
        turn=found.turn,
        words=found.words,
    )


def step_out(step: Step) -> StepOut:
    """The result of an act."""
    return StepOut(done=step.done, note=step.note, request=case_out(step.case))


def _end_out(request: Request) -> EndOut | None:
    end = request.end
    return (
        None if end is None else EndOut(at_ms=end.at_ms, by=end.by, channel=end.channel, text=end.text, stop=end.stop)
    )
