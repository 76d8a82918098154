"""What a person is asked, what they answer, and the permission that comes of it: values only.

Everything here is frozen. Times are integer milliseconds since the Unix epoch (``*_ms``). ``dump`` and ``load`` are
exact inverses; ``load`` refuses unknown members, so that a record written by a newer release is never half understood.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping  # noqa: TC003  # pydantic reads the annotations
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from askfirst.canonical import digest
from askfirst.effects import Effect, Risk  # noqa: TC001  # pydantic reads the annotations
from askfirst.errors import UnreadableError
from askfirst.evidence.values import Evidence
from askfirst.host import Agent  # noqa: TC001  # pydantic reads the annotations
from askfirst.opinion import Opinion  # noqa: TC001  # pydantic reads the annotations
from askfirst.rescue import Promise, Rescue, Undoing
from askfirst.terms import Terms  # noqa: TC001  # pydantic reads the annotations


class RequestState(enum.StrEnum):
    """Where a request stands; every state but ``PENDING`` is final, except that a deny may overtake an approval."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    ANSWERED = "answered"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


class GrantState(enum.StrEnum):
    """Where a grant stands."""

    ISSUED = "issued"
    REDEEMED = "redeemed"
    EXECUTED = "executed"
    UNDONE = "undone"
    LAPSED = "lapsed"
    REVOKED = "revoked"


class RequestKind(enum.StrEnum):
    """Whether a permission or an answer is wanted."""

    APPROVAL = "approval"
    QUESTION = "question"


class Verdict(enum.StrEnum):
    """What a reviewer says."""

    APPROVE = "approve"
    DENY = "deny"
    ANSWER = "answer"
    NEEDS_INFO = "needs_info"
    """The reviewer asks the agent back; the request stays pending.

    Whoever needs no answer may decide all the same, also whoever has asked: then, or with the agent's new version, the
    question is closed.
    """
    DELEGATE = "delegate"
    """The reviewer hands their part to another person."""


_FROZEN = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What would be run, completely: a decision is bound to the digest of exactly this.

    Attributes:
        tool: normalised tool name.
        arguments: the tool's input as a JSON object.
        cwd: the real working directory (symlinks resolved), ``""`` when there is none.
        host: the host's registry name.
        session: the host's session id.
        head: commit id of the repository's HEAD, ``""`` outside a repository.
        files: absolute path to SHA-256 (hex) of each script file whose text the command runs.
        machine: where it would run, ``""``: on the broker's own.
    """

    tool: str
    arguments: Mapping[str, object]
    cwd: str
    host: str
    session: str
    head: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    machine: str = ""

    def digest(self) -> str:
        """SHA-256 (hex) over the RFC 8785 form of every member; ``machine`` is one where it is another machine."""
        return digest(
            {
                "tool": self.tool,
                "arguments": dict(self.arguments),
                "cwd": self.cwd,
                "host": self.host,
                "session": self.session,
                "head": self.head,
                "files": dict(self.files),
                **({"machine": self.machine} if self.machine else {}),
            }
        )

    @property
    def command(self) -> str:
        """The shell command, or ``""`` where the tool is no shell."""
        command = self.arguments.get("command")
        return command if isinstance(command, str) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What the agent says about its request. Untrusted, and always shown as such."""

    reason: str = ""
    impact: str = ""
    rollback_plan: str = ""
    confidence: float | None = None
    signals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a request ended.

    Attributes:
        at_ms: when.
        by: the person, ``"agent"`` for a cancel, ``"deadline"`` for an expiry or an approval by the rule.
        channel: by which channel, ``""`` where none was involved.
        decision_id: of the review that decided, else ``""``.
        text: the reviewer's comment, answer or the reason of a cancel.
        stop: whether the reviewer also told the agent's session to stop.
    """

    at_ms: int
    by: str
    channel: str = ""
    decision_id: str = ""
    text: str = ""
    stop: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """One reviewer's part in a stage, handed to another person."""

    stage: int
    by: str
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question to a person, with all that it rests on.

    Attributes:
        version: counts up whenever what would run, or what the agent says about it, changes.
        changed_by: who made this version: ``""`` for the first, ``"agent"``, the person who edited the arguments, or
            ``"state"`` where the same action would meet another state than was approved.
        action_digest: what reviews and grants of this version are bound to.
        evidence: what the gate found out about this version.
        opinion: what a language model says about this version; it decides nothing.
        notes: what people should know beside the effects, e.g. that something equivalent was denied before.
        options: the answers that a question offers; empty: free text, or what ``answer_schema`` describes.
        answer_schema: JSON Schema (text) of the answer to a question, ``""`` for none.
        reminded: how many reminders are behind it.
        escalated: how many escalation steps are behind it.
        handovers: delegations, oldest first.
        supersedes: id of the request that this one replaced.
        caller: who asked by the API (``askfirst.access.Caller``), ``""`` for the broker's own user and for hooks.
        promise: whether it can be taken back, as people were told.
    """

    __pydantic_config__ = _FROZEN

    id: str
    version: int
    kind: RequestKind
    state: RequestState
    created_at_ms: int
    agent: Agent
    tool_use_id: str
    action: Action
    action_digest: str
    risk: Risk
    effects: tuple[Effect, ...]
    expanded: str
    terms: Terms
    claim: Claim = field(default_factory=Claim)
    question: str = ""
    options: tuple[str, ...] = ()
    answer_schema: str = ""
    changed_by: str = ""
    evidence: Evidence = field(default_factory=Evidence)
    opinion: Opinion | None = None
    notes: tuple[str, ...] = ()
    reminded: int = 0
    escalated: int = 0
    handovers: tuple[Handover, ...] = ()
    supersedes: str = ""
    caller: str = ""
    promise: Promise = field(default_factory=Promise)
    end: End | None = None

    @property
    def is_edited(self) -> bool:
        """Whether a person changed what would run."""
        return self.changed_by not in {"", "agent", "state"}

    @property
    def code(self) -> str:
        """The short name that people see and type: the id's last six characters, a hyphen, eight of the digest."""
        return f"{self.id[-6:]}-{self.action_digest[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What one person said about one version of a request.

    Attributes:
        decision_id: chosen by the caller, unique: the same id again is the same review.
        version: the version that the person was shown; of an approval with edits, the version that these made.
        action_digest: the digest that goes with it.
        person: who, by their immutable name.
        assurance: 0 the agent could forge it … 3 signed over the digest.
        by_program: whether a program (an LLM) speaks: an opinion that never counts.
        scope: the offer that was chosen, by its key, ``""`` for once.
        stop: with a deny: the agent's session is told to stop.
        to: with a delegation: the person it goes to.
        stage: the stage that it counted for.
        counted: whether it entered the decision.
        note: why it did not count, or what it changed, for the person to read.
    """

    __pydantic_config__ = _FROZEN

    decision_id: str
    request_id: str
    version: int
    action_digest: str
    person: str
    channel: str
    verdict: Verdict
    text: str
    assurance: int
    at_ms: int
    by_program: bool = False
    scope: str = ""
    stop: bool = False
    to: str = ""
    stage: int = 0
    counted: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What came of an action that ran.

    Attributes:
        as_approved: whether exactly the approved action ran (its digest is the same); None while nothing is known.
        exit_code: of the command, None where the host does not say.
        duration_ms: how long it ran, None where the host does not say.
        head: commit id of the repository's HEAD afterwards, ``""`` outside a repository.
    """

    as_approved: bool | None = None
    exit_code: int | None = None
    duration_ms: int | None = None
    head: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One redemption of a grant.

    Attributes:
        attempt: the hook process that redeemed it: only that very process may hear "allow" a second time.
        tool_use_id: the host's id of the call, by which its outcome is recognised.
        action: what was released, where it is not the request's own action (a grant for a pattern).
        outcome: ``ok``, ``failed`` or ``unknown`` once it ran, ``""`` before.
        rescue: what was kept before it was released.
        receipt: what the host reported once it ran.
    """

    attempt: str
    tool_use_id: str
    action_digest: str
    at_ms: int
    action: Action | None = None
    outcome: str = ""
    detail: str = ""
    ended_at_ms: int | None = None
    rescue: Rescue = field(default_factory=Rescue)
    receipt: Receipt = field(default_factory=Receipt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The permission that an approval turned into: for one run, or as often as its scope says.

    Attributes:
        scope: key of the offer that the reviewers chose.
        pattern: the command pattern that later calls must match, ``""``: this very action only.
        uses_max: how often it may be redeemed.
        state_digest: of the state that people were shown (``Evidence.state_digest``); ``""`` where it is bound to none.
        uses: redemptions, oldest first.
        passed_on: ids of further requests that it approved, each a use, too (a grant for a pattern).
        under: id of the grant that it was passed on from, ``""`` for none.
        outcome: of the last use that has one.
        undoings: of all its uses, oldest first (``askfirst.engine.undo`` tells them apart by their snapshots).
        token: the signed form (``askfirst.grant_token``); a grant whose token does not fit is worth nothing.
    """

    __pydantic_config__ = _FROZEN

    id: str
    request_id: str
    action_digest: str
    state: GrantState
    issued_at_ms: int
    expires_at_ms: int
    late: bool = False
    scope: str = "once"
    pattern: str = ""
    uses_max: int = 1
    state_digest: str = ""
    uses: tuple[Use, ...] = ()
    passed_on: tuple[str, ...] = ()
    under: str = ""
    ended_at_ms: int | None = None
    outcome: str = ""
    detail: str = ""
    token: str = ""
    undoings: tuple[Undoing, ...] = ()


def counted_as(action: Action, caller: str) -> str:
    """Whose what it lets wait is: of another machine, its token's (by name), hooks with it; else the caller's."""
    return f"token:{action.machine}" if action.machine else caller


_T = TypeVar("_T", Request, Review, Grant)


def _adapter(kind: type) -> TypeAdapter[Any]:
    """What reads and writes this kind; its own methods take a dozen options each time, its parts' none."""
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


_adapters: dict[type, TypeAdapter[Any]] = {}  # built on first use: each costs milliseconds


def dump(value: Request | Review | Grant) -> str:
    """The value as JSON text."""
    return _adapter(type(value)).serializer.to_json(value).decode("utf-8")


def load(kind: type[_T], text: str) -> _T:
    """The value in this JSON text.

    Raises:
        UnreadableError: it is no such value, e.g. because a newer release wrote it.
    """
    try:
        value: _T = _adapter(kind).validator.validate_json(text)
    except ValidationError as error:
        raise UnreadableError(f"stored {kind.__name__.lower()} cannot be read: {error}") from error
    return value
