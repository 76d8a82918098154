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
from askfirst.errors import StoreError
from askfirst.host import Agent  # noqa: TC001  # pydantic reads the annotations


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
    """

    tool: str
    arguments: Mapping[str, object]
    cwd: str
    host: str
    session: str
    head: str = ""
    files: Mapping[str, str] = field(default_factory=dict)

    def digest(self) -> str:
        """SHA-256 (hex) over the RFC 8785 form of every member."""
        return digest(
            {
                "tool": self.tool,
                "arguments": dict(self.arguments),
                "cwd": self.cwd,
                "host": self.host,
                "session": self.session,
                "head": self.head,
                "files": dict(self.files),
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
class Terms:
    """What the policy decided about a request when it was made; frozen with it (I8).

    Attributes:
        policy: name of the policy.
        policy_digest: SHA-256 (hex) of all loaded layers.
        rule: the rule that decided.
        approvals_needed: how many distinct people must approve, >= 1.
        assurance_min: the least assurance (0..3) a review needs to count.
        approval_expires_at_ms: from then on nobody can approve any more.
        grant_ttl_ms: how long an approval may wait for its execution.
        late_grant_ttl_ms: the same for an approval that came after the deadline; 0 when none is given.
        on_timeout: what the deadline does.
        recipients: who is told, as ``scheme:address``.
    """

    policy: str
    policy_digest: str
    rule: str
    approvals_needed: int
    assurance_min: int
    approval_expires_at_ms: int
    grant_ttl_ms: int
    late_grant_ttl_ms: int
    on_timeout: str
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a request ended.

    Attributes:
        at_ms: when.
        by: the person, ``"agent"`` for a cancel, ``"deadline"`` for an expiry.
        channel: by which channel, ``""`` where none was involved.
        decision_id: of the review that decided, else ``""``.
        text: the reviewer's comment, answer or the reason of a cancel.
    """

    at_ms: int
    by: str
    channel: str = ""
    decision_id: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question to a person, with all that it rests on."""

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
    end: End | None = None

    @property
    def code(self) -> str:
        """The short name that people see and type: the id's last six characters, a hyphen, eight of the digest."""
        return f"{self.id[-6:]}-{self.action_digest[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What one person said about one version of a request.

    Attributes:
        decision_id: chosen by the caller, unique: the same id again is the same review.
        version: the version that the person was shown.
        action_digest: the digest that the person was shown.
        person: who, by their immutable name.
        assurance: 0 the agent could forge it … 3 signed over the digest.
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
    counted: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The single-use permission that an approval turned into.

    Attributes:
        attempt: the hook process that redeemed it: only that very process may hear "allow" a second time.
        tool_use_id: the host's id of the call that redeemed it, by which its outcome is recognised.
        outcome: ``ok``, ``failed`` or ``unknown`` once executed.
    """

    __pydantic_config__ = _FROZEN

    id: str
    request_id: str
    action_digest: str
    state: GrantState
    issued_at_ms: int
    expires_at_ms: int
    late: bool = False
    attempt: str = ""
    tool_use_id: str = ""
    redeemed_at_ms: int | None = None
    ended_at_ms: int | None = None
    outcome: str = ""
    detail: str = ""


_T = TypeVar("_T", Request, Review, Grant)


def _adapter(kind: type) -> TypeAdapter[Any]:
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


_adapters: dict[type, TypeAdapter[Any]] = {}  # built on first use: each costs milliseconds


def dump(value: Request | Review | Grant) -> str:
    """The value as JSON text."""
    return _adapter(type(value)).dump_json(value).decode("utf-8")


def load(kind: type[_T], text: str) -> _T:
    """The value in this JSON text.

    Raises:
        StoreError: it is no such value, e.g. because a newer release wrote it.
    """
    try:
        value: _T = _adapter(kind).validate_json(text)
    except ValidationError as error:
        raise StoreError(f"stored {kind.__name__.lower()} cannot be read: {error}") from error
    return value
