"""The shapes of the REST API: pydantic models, one function each from the domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from askfirst.engine import Case, Step
    from askfirst.request import Request

_ID = Annotated[str, Field(max_length=200)]
_TEXT = Annotated[str, Field(max_length=10_000)]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ClaimIn(_Wire):
    """What the agent says about its request."""

    reason: _TEXT = ""
    impact: _TEXT = ""
    rollback_plan: _TEXT = ""
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    signals: Annotated[list[_TEXT], Field(max_length=50)] = []


class CreateIn(_Wire):
    """A request for approval. Give ``command`` for a shell command, or ``tool`` and ``arguments``."""

    command: Annotated[str, Field(min_length=1, max_length=262_144)] | None = None
    tool: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    arguments: dict[str, object] = {}
    cwd: Annotated[str, Field(max_length=4_096)] = ""
    host: Annotated[str, Field(min_length=1, max_length=100)] = "api"
    session: _ID = ""
    model: _ID = ""
    claim: ClaimIn = ClaimIn()


class EffectOut(_Wire):
    """One thing the action would do, as found by the gate."""

    rule: str
    kind: str
    risk: str
    reversible: bool
    target: str
    loss: str
    suggestion: str
    command: str


class EndOut(_Wire):
    """How a request ended."""

    at_ms: int
    by: str
    channel: str
    text: str


class ReviewOut(_Wire):
    """One person's review."""

    person: str
    channel: str
    verdict: str
    text: str
    counted: bool
    note: str
    at_ms: int


class GrantOut(_Wire):
    """The permission an approval turned into."""

    state: str
    expires_at_ms: int
    outcome: str
    detail: str


class RequestOut(_Wire):
    """A request as programs see it. Times are milliseconds since the Unix epoch."""

    id: str
    code: str
    version: int
    kind: str
    state: str
    risk: str
    created_at_ms: int
    approval_expires_at_ms: int
    on_timeout: str
    host: str
    session: str
    model: str
    tool: str
    arguments: dict[str, object]
    command: str
    expanded: str
    cwd: str
    head: str
    action_digest: str
    rule: str
    effects: list[EffectOut]
    claim: ClaimIn
    end: EndOut | None
    reviews: list[ReviewOut] = []
    grant: GrantOut | None = None
    log: str = ""
    """The audit log as it stands, ``size:root`` with 16 hex digits, to be kept with what was shown."""


class PageOut(_Wire):
    """One page of requests, newest first; ``next_before_ms`` asks for the next page."""

    requests: list[RequestOut]
    next_before_ms: int | None


class CancelIn(_Wire):
    """Why the requester withdraws."""

    reason: _TEXT = ""


class ReviewIn(_Wire):
    """A review made at this machine's terminal. ``version`` and ``action_digest`` are those that were shown."""

    decision_id: Annotated[str, Field(min_length=8, max_length=200)]
    version: Annotated[int, Field(ge=1)]
    action_digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    verdict: Literal["approve", "deny", "answer"]
    text: _TEXT = ""


class RedeemIn(_Wire):
    """Use the grant: ``action_digest`` of what is about to run, ``attempt`` chosen by the process that runs it."""

    action_digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    attempt: Annotated[str, Field(min_length=8, max_length=200)]


class StepOut(_Wire):
    """Whether the act succeeded, one sentence about it, and the request afterwards."""

    done: bool
    note: str
    request: RequestOut


class ProblemOut(BaseModel):
    """RFC 9457 problem details."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


class HealthOut(_Wire):
    """What the broker says of itself."""

    status: Literal["ok"]
    version: str
    pid: int
    pending: int
    waiting: int
    terminal_decisions: bool


def request_out(request: Request) -> RequestOut:
    """A request without its reviews and grant."""
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
        host=request.agent.host,
        session=request.agent.session,
        model=request.agent.model,
        tool=request.action.tool,
        arguments=dict(request.action.arguments),
        command=request.action.command,
        expanded=request.expanded,
        cwd=request.action.cwd,
        head=request.action.head,
        action_digest=request.action_digest,
        rule=request.terms.rule,
        effects=[
            EffectOut(
                rule=effect.rule,
                kind=effect.kind.value,
                risk=effect.risk.label,
                reversible=effect.reversible,
                target=effect.target,
                loss=effect.loss,
                suggestion=effect.suggestion,
                command=effect.command,
            )
            for effect in request.effects
        ],
        claim=ClaimIn(
            reason=request.claim.reason,
            impact=request.claim.impact,
            rollback_plan=request.claim.rollback_plan,
            confidence=request.claim.confidence,
            signals=list(request.claim.signals),
        ),
        end=_end_out(request),
    )


def case_out(case: Case) -> RequestOut:
    """A request with its reviews and grant."""
    grant = case.grant
    return request_out(case.request).model_copy(
        update={
            "reviews": [
                ReviewOut(
                    person=each.person,
                    channel=each.channel,
                    verdict=each.verdict.value,
                    text=each.text,
                    counted=each.counted,
                    note=each.note,
                    at_ms=each.at_ms,
                )
                for each in case.reviews
            ],
            "grant": None
            if grant is None
            else GrantOut(
                state=grant.state.value,
                expires_at_ms=grant.expires_at_ms,
                outcome=grant.outcome,
                detail=grant.detail,
            ),
        }
    )


def step_out(step: Step) -> StepOut:
    """The result of an act."""
    return StepOut(done=step.done, note=step.note, request=case_out(step.case))


def _end_out(request: Request) -> EndOut | None:
    end = request.end
    return None if end is None else EndOut(at_ms=end.at_ms, by=end.by, channel=end.channel, text=end.text)
