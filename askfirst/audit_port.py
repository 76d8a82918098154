"""What the domain appends to the audit log: the port that ``audit/`` implements.

Rules of the port:
- An entry is appended inside the transaction that makes the change it tells of, so neither exists without the other.
- ``append`` queues, ``seal`` writes everything queued and the signed tree head: call it once, right before the commit.
- After the transaction call ``committed`` or ``rolled_back``. Around a savepoint take a ``mark`` and ``rewind`` to it
  when the savepoint is rolled back.
- One thread, one transaction at a time.

The log adds version, id, times and boot id; everything else an entry says is here.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from askfirst.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection


class EntryType(enum.StrEnum):
    """What an entry tells of. A later version may add types; none is ever renamed."""

    GATE_PASSED = "gate.passed"
    """A harmless call, in a light form, so that rules can be tried on the past."""
    GATE_REQUESTED = "gate.requested"
    GATE_DECIDED = "gate.decided"
    GATE_TIMEOUT = "gate.timeout"
    GATE_REMINDED = "gate.reminded"
    GATE_ESCALATED = "gate.escalated"
    GATE_CANCELLED = "gate.cancelled"
    GATE_SUPERSEDED = "gate.superseded"
    """Another request of the same agent took its place."""
    GATE_AMENDED = "gate.amended"
    """A new version: what would run, or what the agent says about it, was changed."""
    GATE_JOINED = "gate.joined"
    """A second call of the very same action waits for the request that is open already."""
    GATE_REFUSED = "gate.refused"
    """A call was answered without asking a person: by the policy, an earlier denial, a stop, or a bound."""
    GATE_RELEASED = "gate.released"
    """A grant was redeemed: from here on the action may run."""
    GATE_EXECUTED = "gate.executed"
    GATE_BYPASSED = "gate.bypassed"
    """A host reports that a call has run which waits for people, or was denied."""
    GATE_UNDONE = "gate.undone"
    TRASH_PURGED = "trash.purged"
    """What was kept for an undo is gone for good: deleted by a person, too old, or in the way of newer ones."""
    OPINION_GIVEN = "opinion.given"
    """A language model has read a request; it decides nothing."""
    GRANT_ISSUED = "grant.issued"
    GRANT_LAPSED = "grant.lapsed"
    GRANT_REVOKED = "grant.revoked"
    CHANNEL_SENT = "channel.sent"
    CHANNEL_FAILED = "channel.failed"
    CHANNEL_HEALTH = "channel.health"
    """A channel went down, or came back."""
    CHANNEL_MALFORMED = "channel.malformed"
    """A delivery that its channel could not read was set apart."""
    CHANNEL_REFUSED = "channel.refused"
    """Somebody unknown acted, or somebody known on a request that is not there."""
    REVIEW_CAST = "review.cast"
    REVIEW_REJECTED = "review.rejected"
    REVIEW_LATE = "review.late"
    REVIEW_RETRACTED = "review.retracted"
    """An approval was edited or deleted where it had been made, before it was used."""
    QUESTION_ASKED = "question.asked"
    QUESTION_ANSWERED = "question.answered"
    PERSON_ADDED = "person.added"
    PERSON_CODE_ISSUED = "person.code_issued"
    PERSON_LINKED = "person.linked"
    """An identity of a channel belongs to somebody from now on."""
    PERSON_LINK_REFUSED = "person.link_refused"
    PERSON_REMOVED = "person.removed"
    POLICY_CHANGED = "policy.changed"
    CONFIG_CHANGED = "config.changed"
    CONFIG_TAMPER = "config.tamper"
    HOOK_INSTALLED = "hook.installed"
    HOOK_REMOVED = "hook.removed"
    """Taken out by our own command; ``hook.missing`` is when somebody else did."""
    HOOK_MISSING = "hook.missing"
    HOOK_HEARTBEAT = "hook.heartbeat"
    HOOK_SILENT = "hook.silent"
    CLOCK_JUMP = "clock.jump"
    BROKER_STARTED = "broker.started"
    BROKER_STOPPED = "broker.stopped"
    STORE_RESTORED = "store.restored"
    """The store was put back from a backup: the log goes on from an older head, and what was open is taken back."""
    LOG_FOUNDED = "log.founded"
    LOG_KEY_ROTATED = "log.key_rotated"
    LOG_CHECKPOINT_WITNESSED = "log.checkpoint_witnessed"
    LOG_CONTRADICTED = "log.contradicted"
    """A witness has seen another log than this one: more entries, or others."""
    BLOB_ERASED = "blob.erased"
    BREAK_GLASS_PREPARED = "break_glass.prepared"
    """A person has approved that somebody gets a code for an emergency."""
    BREAK_GLASS_USED = "break_glass.used"
    """A code has released a request, or opened a window; what it releases names its id."""
    BREAK_GLASS_REFUSED = "break_glass.refused"
    BREAK_GLASS_REVOKED = "break_glass.revoked"
    """A code was taken back, or its window closed early."""
    TOKEN_ISSUED = "token.issued"  # noqa: S105  # the name of a type
    TOKEN_REVOKED = "token.revoked"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Private:
    """A payload that may hold personal data or secrets, or is large.

    It may stand anywhere in an entry where text may. The entry then holds ``{"len": …, "sha256": …}``, a salted
    digest; the bytes lie beside the log and can be erased without breaking it.
    """

    payload: bytes = field(repr=False)

    @classmethod
    def text(cls, text: str) -> Private:
        r"""The payload of a text, UTF-8; what is no valid Unicode is kept as ``\\udcXX`` escapes."""
        return cls(text.encode("utf-8", "backslashreplace"))


Value: TypeAlias = "str | int | float | bool | Private | list[Value] | tuple[Value, ...] | Mapping[str, Value] | None"
"""A JSON value of an entry, in which payloads may stand apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who did what the entry tells of.

    Attributes:
        type: what it is; the requester is an ``agent``, a reviewer a ``human``, timers are the ``system``.
        id: immutable id, e.g. ``telegram:12345``.
        channel: by what it reached us, e.g. ``telegram``; ``""`` when by none.
        assurance: how sure the identity is, 0 to 3 (DESIGN §7); None where that has no meaning.
    """

    type: Literal["agent", "human", "policy", "system"]
    id: str
    channel: str = ""
    assurance: int | None = None


SYSTEM = Actor(type="system", id="broker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened. Members that are empty are left out of the stored bytes.

    Attributes:
        type: what happened.
        actor: who did it.
        request: id of the request it belongs to.
        agent: name, version, session, uid, host, cwd.
        action: tool, act (action digest), summary, input.
        decision: verdict, by (list), rule, policy_sha256, latency_ms, evidence, text.
        links: otel_trace, tool_use_id, mcp_session.
        data: whatever else this type needs.
    """

    type: EntryType
    actor: Actor = SYSTEM
    request: str = ""
    agent: Mapping[str, Value] = field(default_factory=dict)
    action: Mapping[str, Value] = field(default_factory=dict)
    decision: Mapping[str, Value] = field(default_factory=dict)
    links: Mapping[str, Value] = field(default_factory=dict)
    data: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeHead:
    """The state of the log after a transaction.

    Attributes:
        size: number of entries.
        root: Merkle tree hash over them, 32 bytes.
        checkpoint: both in a signed note.
    """

    size: int
    root: bytes
    checkpoint: str

    @property
    def seen(self) -> str:
        """Size and the first 16 hex digits of the root, e.g. ``1024:9f3a52c0417be6d8``, for messages to people."""
        return f"{self.size}:{self.root[:8].hex()}"


_SEEN = re.compile(r"(0|[1-9][0-9]{0,18}):((?:[0-9a-f]{2}){8,32})\Z")


def parse_seen(text: str) -> tuple[int, bytes]:
    """Size and the first bytes of the root (8 to 32) in such a text, e.g. ``1024:9f3a52c0417be6d8``.

    Raises:
        InputError: it is none: a slip of the pen says nothing about the log.
    """
    match = _SEEN.match(text)
    if match is None:
        raise InputError(
            f"{text[:100]!r} is no head, expected SIZE:ROOT with 16 to 64 hexadecimal digits, "
            "e.g. 1024:9f3a52c0417be6d8",
            field="seen",
        )
    return int(match[1]), bytes.fromhex(match[2])


class AuditLog(Protocol):
    """The log as the store's writer sees it; the module docstring has the rules."""

    @property
    def head(self) -> TreeHead:
        """The head of what is committed."""

    def append(self, connection: Connection, entry: Entry) -> int:
        """Queue an entry and return its index; ``seal`` writes it.

        Raises:
            LogError: it is too large or no JSON; nothing was queued.
        """

    def seal(self, connection: Connection) -> TreeHead:
        """Write what is queued, with the new tree head; the head as it is when nothing is queued.

        Before the commit is on disk nobody outside may see this head: after a rollback the log signs another one of
        the same size, and two such heads in the world are proof of a forged log.

        Raises:
            LogError: the stored head is not the one we wrote last; the transaction must be rolled back.
        """

    def mark(self) -> object:
        """A place to ``rewind`` to, before a savepoint is opened."""

    def rewind(self, mark: object) -> None:
        """Forget what was appended since the mark: its savepoint was rolled back."""

    def committed(self) -> None:
        """The transaction is on disk."""

    def rolled_back(self) -> None:
        """The transaction never happened; forget what was appended in it."""


class Witnesses(Protocol):
    """Others who vouch that this log only ever grew."""

    async def cosign(self, size: int) -> None:
        """Return once enough witnesses have cosigned a head of at least this many entries.

        A rule with ``witness_required`` awaits this before its action is released: from then on not even we can take
        the decision back unseen.

        Raises:
            WitnessError: they have not, in time; the action must not run.
        """
