"""The shapes of the REST API, as pydantic models; ``shown`` fills them from the domain."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from askfirst.call import TOOL_NAME
from askfirst.errors import PROBLEM
from askfirst.host import OURS

NO_NUL = r"^[^\x00]*$"
"""Of what is looked up: PostgreSQL's text has no NUL, and none of these has a use for one."""


def _not_ours(host: str) -> str:
    if host.strip().casefold() == OURS:
        raise ValueError(f"the host {OURS!r} is the broker's own; name the program that asks")
    return host


_ID = Annotated[str, Field(max_length=200, pattern=NO_NUL)]
_HOST = Annotated[str, Field(min_length=1, max_length=100, pattern=NO_NUL), AfterValidator(_not_ours)]
_TEXT = Annotated[str, Field(max_length=10_000)]


class Wire(BaseModel):
    """A shape that takes no member that it does not know."""

    model_config = ConfigDict(extra="forbid")


class ClaimIn(Wire):
    """What the agent says about its request."""

    reason: _TEXT = ""
    impact: _TEXT = ""
    rollback_plan: _TEXT = ""
    confidence: Annotated[float, Field(ge=0, le=1, strict=True)] | None = None
    signals: Annotated[list[_TEXT], Field(max_length=50)] = []


_RECIPIENTS = Annotated[
    list[Annotated[str, Field(pattern=r"^[a-z][a-z0-9+.-]*:[^\s\x00][^\x00]*$", max_length=300)]], Field(max_length=20)
]


_ESCALATES: dict[str, JsonValue] = {"required": ["on_timeout"], "properties": {"on_timeout": {"const": "escalate"}}}
_TO_SOMEBODY: dict[str, JsonValue] = {"required": ["escalate_to"], "properties": {"escalate_to": {"minItems": 1}}}


class RouteIn(Wire):
    """What the requester wishes about who is told and how long people have (``askfirst.wishes``)."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"if": _ESCALATES, "then": _TO_SOMEBODY})

    recipients: _RECIPIENTS = []
    timeout_s: Annotated[int, Field(ge=1, le=2_592_000)] | None = None
    on_timeout: Literal["reject", "escalate", "approve"] | None = None
    escalate_to: _RECIPIENTS = []


_NO_QUESTION: dict[str, JsonValue] = {
    "question": {"maxLength": 0},
    "options": {"maxItems": 0},
    "answer_schema": {"type": "null"},
}
_A_COMMAND: dict[str, JsonValue] = {
    "title": "a shell command",
    "required": ["command"],
    "properties": {
        "command": {"type": "string"},
        "tool": {"type": "null"},
        "arguments": {"maxProperties": 0},
        **_NO_QUESTION,
    },
}
_A_CALL: dict[str, JsonValue] = {
    "title": "a call of a tool",
    "required": ["tool"],
    "properties": {"tool": {"type": "string"}, "command": {"type": "null"}, **_NO_QUESTION},
}
_A_QUESTION: dict[str, JsonValue] = {
    "title": "a question",
    "required": ["question"],
    "properties": {
        "question": {"minLength": 1},
        "command": {"type": "null"},
        "tool": {"type": "null"},
        "arguments": {"maxProperties": 0},
    },
}


class CreateIn(Wire):
    """A request for approval. Give ``command`` for a shell command, or ``tool`` and ``arguments``.

    A ``question`` asks for an answer instead: one of ``options``, JSON that fits ``answer_schema``, or free text.
    ``supersedes`` is the id of a pending request of the same session that this one replaces. ``sight`` is what another
    machine says of itself (``askfirst.sight``); a broker does not look at the disk of a machine that is not its own.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"oneOf": [_A_COMMAND, _A_CALL, _A_QUESTION]})

    command: Annotated[str, Field(min_length=1, max_length=262_144)] | None = None
    tool: Annotated[str, Field(min_length=1, max_length=200, pattern=TOOL_NAME)] | None = None
    arguments: dict[str, object] = {}
    cwd: Annotated[str, Field(max_length=4_096, pattern=NO_NUL)] = ""
    host: _HOST = "api"
    session: _ID = ""
    model: _ID = ""
    claim: ClaimIn = ClaimIn()
    question: _TEXT = ""
    options: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=200)]],
        Field(max_length=50, json_schema_extra={"uniqueItems": True}),
    ] = []
    answer_schema: dict[str, object] | None = None
    supersedes: _ID = ""
    route: RouteIn = RouteIn()
    sight: dict[str, object] | None = None


_BOTH: dict[str, JsonValue] = {
    "required": ["command", "arguments"],
    "properties": {"command": {"type": "string"}, "arguments": {"type": "object"}},
}


class AmendIn(Wire):
    """A new version: another command, or other arguments (merged into those that were asked), or more to say.

    Of a question only the claim is amended; for another question, withdraw it and ask anew.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"not": _BOTH})

    command: Annotated[str, Field(min_length=1, max_length=262_144)] | None = None
    arguments: dict[str, object] | None = None
    claim: ClaimIn | None = None
    sight: dict[str, object] | None = None


class EffectOut(Wire):
    """One thing the action would do, as found by the gate."""

    rule: str
    kind: str
    risk: str
    reversible: bool
    target: str
    loss: str
    suggestion: str
    command: str


class SignalOut(Wire):
    """What speaks for (``✓``) or against (``⚠``) it, or is not known (``?``)."""

    mark: str
    text: str


class SectionOut(Wire):
    """Details: one row a thing, ``more`` are not listed; ``text`` is a script's or a plan's."""

    title: str
    rows: list[str]
    more: int
    text: str


class EvidenceOut(Wire):
    """What the gate found out itself; ``state_digest`` is what the decision rests on beside the action."""

    signals: list[SignalOut]
    impact: str
    sections: list[SectionOut]
    certainty: str
    rollback: list[str]
    contradictions: list[str]
    state: dict[str, str]
    state_digest: str


class EndOut(Wire):
    """How a request ended."""

    at_ms: int
    by: str
    channel: str
    text: str
    stop: bool


class ReviewOut(Wire):
    """One person's review."""

    person: str
    channel: str
    verdict: str
    text: str
    counted: bool
    note: str
    at_ms: int
    version: int
    stage: int
    scope: str
    to: str


class GrantOut(Wire):
    """The permission an approval turned into."""

    id: str
    state: str
    scope: str
    pattern: str
    uses: int
    uses_max: int
    expires_at_ms: int
    outcome: str
    detail: str
    token: str


class OpenGrantOut(GrantOut):
    """A grant with what it opens."""

    request: str
    code: str
    session: str
    command: str
    tool: str


class GrantsOut(Wire):
    """Grants, those that lapse first before the others."""

    grants: list[OpenGrantOut]


class StageOut(Wire):
    """One round of approvals."""

    name: str
    approvals: int
    approvals_needed: int
    reviewers: list[str]


class ScopeOut(Wire):
    """A reach that a reviewer may give to an approval; ``key`` is what a review names."""

    key: str
    kind: str
    amount: int
    pattern: str


class UndoOut(Wire):
    """How the action can be taken back.

    ``words`` say what is kept, or why there is no undo. ``offer`` is what an undo would do now: ``undo``, ``redo``
    (undo the undo) or ``""``; ``turn`` is the number to hand back with it.
    """

    words: str = ""
    offer: Literal["", "undo", "redo"] = ""
    turn: int = 0


class RequestOut(Wire):
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
    recipients: list[str]
    host: str
    session: str
    model: str
    tool: str
    arguments: dict[str, object]
    command: str
    expanded: str
    cwd: str
    machine: str = ""
    head: str
    action_digest: str
    rule: str
    effects: list[EffectOut]
    claim: ClaimIn
    question: str
    options: list[str]
    answer_schema: str
    changed_by: str
    notes: list[str]
    scopes: list[ScopeOut]
    supersedes: str
    end: EndOut | None
    evidence: EvidenceOut
    opinion: list[tuple[str, str]] = []
    asked_back: str = ""
    stages: list[StageOut] = []
    reviews: list[ReviewOut] = []
    grant: GrantOut | None = None
    proposal: str = ""
    undo: UndoOut = UndoOut()
    receipt: str = ""
    """What came of it once it was released."""
    log: str = ""
    """The audit log as it stands, ``size:root`` with 16 hex digits, to be kept with what was shown."""


class ActionFrom(Wire):
    """Who asks whether an action may be done, and where."""

    host: _HOST = "api"
    session: _ID = ""
    cwd: Annotated[str, Field(max_length=4_096, pattern=NO_NUL)] = ""


class ActionOut(Wire):
    """What may be done: ``allow``, ``deny``, or ``ask``, with the request that people see.

    ``band`` is what the agent's own confidence amounts to, ``none`` where it gave none.
    """

    decision: Literal["allow", "deny", "ask"]
    reason: str
    rule: str
    risk: str
    band: str
    request: RequestOut | None


class PageOut(Wire):
    """One page of requests, newest first; ``next_before``, given as ``before``, asks for the next page."""

    requests: list[RequestOut]
    next_before: str | None


class CancelIn(Wire):
    """Why the requester withdraws."""

    reason: _TEXT = ""


class ReviewIn(Wire):
    """A review. ``version`` and ``action_digest`` are those that were shown.

    ``decision_id`` is the caller's own name for it: sent again, the same review is answered as it was the first time.

    With ``approve``: ``scope`` is the key of an offer of the request, ``edit`` the arguments to run instead. With
    ``deny``: ``stop`` also tells the agent's session to stop, where it has one. With ``delegate``: ``to`` is the person
    it goes to. ``via`` says by what the person at this machine was asked.
    """

    decision_id: Annotated[str, Field(min_length=8, max_length=200)]
    version: Annotated[int, Field(ge=1, le=1_000_000)]
    action_digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    verdict: Literal["approve", "deny", "answer", "needs_info", "delegate"]
    text: _TEXT = ""
    scope: Annotated[str, Field(max_length=600)] = ""
    stop: bool = False
    to: _ID = ""
    edit: dict[str, object] | None = None
    via: Literal["terminal", "elicitation"] = "terminal"


class RedeemIn(Wire):
    """Use the grant: ``action_digest`` of what is about to run, ``attempt`` chosen by the process that runs it."""

    action_digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    attempt: Annotated[str, Field(min_length=8, max_length=200)]
    sight: dict[str, object] | None = None


class OutcomeIn(Wire):
    """How the released action went: ``action_digest`` of what really ran, ``detail`` one line."""

    action_digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    outcome: Literal["ok", "failed", "unknown"]
    detail: Annotated[str, Field(max_length=2_000)] = ""


class UndoIn(Wire):
    """Take it back: ``turn`` as it was shown, so that a second press does nothing; ``use`` from 1, 0 for the newest."""

    turn: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    use: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class RunOut(Wire):
    """One run under a grant, and how it can be taken back. Times are milliseconds since the Unix epoch."""

    use: int
    at_ms: int
    command: str
    offer: Literal["", "undo", "redo"]
    turn: int
    words: str


class PreviewOut(Wire):
    """What an undo would do now, and why it cannot be done, if it cannot, a line each; and all runs, oldest first."""

    use: int
    turn: int
    restores: list[str]
    puts_aside: list[str]
    problems: list[str]
    runs: list[RunOut]


class StepOut(Wire):
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


_PROBLEM: dict[str, Any] = {"content": {PROBLEM: {"schema": ProblemOut.model_json_schema()}}}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "Not done, and why: the caller's to mend.", **_PROBLEM},
    "422": {"description": "A member is missing or malformed.", **_PROBLEM},
    "5XX": {"description": "Not done, and why: not the caller's fault.", **_PROBLEM},
}
"""What every route may answer beside its result."""


class HealthOut(Wire):
    """What the broker says of itself."""

    status: Literal["ok"]
    version: str
    pid: int
    pending: int
    waiting: int
    terminal_decisions: bool
    inbox: str = ""
    """Address of the web inbox."""
