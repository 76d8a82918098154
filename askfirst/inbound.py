"""What comes in from a channel: values only, made by a channel's pure parser from one stored delivery.

Everything here is a claim of the delivery. Whether it counts is decided by ``askfirst.reception`` and the engine:
who the identity is, whether they may, whether the code or the signed reference still fits, whether it is late.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from askfirst.request import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where something came from.

    Attributes:
        identity: who acted, ``scheme:immutable id``, e.g. ``telegram:12345`` or ``github:583231``; never a name that
            can change hands.
        name: how the service shows them, for people to read; untrusted.
        recipient: the conversation it happened in, as a recipient, e.g. ``telegram:-100123/7``.
        message: the channel's id of the message that was sent or pressed, for acknowledging; ``""`` for none.
        replies_to: the external id of our own message that it presses or answers, ``""`` for none.
        at_ms: when they did it, as the service dates it, 0 where it does not say; None where the service hands nothing
            over again that we once confirmed. After a restore it tells what was decided before.
    """

    identity: str
    name: str
    recipient: str
    message: str = ""
    replies_to: str = ""
    at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Which request is meant: a code that was typed, or what a signed control carried.

    Attributes:
        code: ``Request.code`` as it was typed, ``""`` where the control names the request itself.
        request_id: ``""`` where only a code is known.
        version: the version that was shown, 0 where only a code is known (the code binds the digest).
        action_digest: hex, or the beginning of it (at least 8 digits) that the control carried.
        control: the signed control as it came in, for the channel's ``vet``, ``""`` for none.
    """

    code: str = ""
    request_id: str = ""
    version: int = 0
    action_digest: str = ""
    control: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A person decides, answers, asks back or hands over, by an offered control or the exact words with the code (I7).

    Attributes:
        delivery: the provider's id of the delivery; with ``part`` it makes the decision id, so a repetition is the
            same review.
        part: which of several decisions of one delivery.
        text: comment, reason or answer.
        typed_code: the confirm code that a critical request takes, as it was typed with the decision.
        assurance: 0 the agent could forge it … 3 signed over the digest; see DESIGN of the channel.
        shown: the text that the person had in front of them, as the service reports it; ``None``: not reported. The
            channel has compared it already where it can (``doubt``).
        doubt: why this must not count although it reads like a decision (edited, forwarded, text changed …),
            ``""`` for nothing; it is refused, answered and audited with these words.
    """

    delivery: str
    origin: Origin
    reference: Reference
    verdict: Verdict
    part: str = ""
    text: str = ""
    scope: str = ""
    stop: bool = False
    to: str = ""
    typed_code: str = ""
    assurance: int = 0
    shown: str | None = None
    doubt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retraction:
    """A counted decision was edited or deleted where it was made: before release it is taken back.

    Attributes:
        retracted: ``delivery`` of the decision that is taken back.
        retracted_part: its ``part``.
    """

    delivery: str
    origin: Origin
    retracted: str
    reason: str
    retracted_part: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """A person asks to take back what was run, or to take that back.

    Attributes:
        turn: how many undoings they were shown (``Card.undo.turn``), so that a second press does nothing.
        assurance: as in ``Decision``.
        doubt: as in ``Decision``.
    """

    delivery: str
    origin: Origin
    reference: Reference
    turn: int = 0
    assurance: int = 0
    doubt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Linking:
    """Somebody shows a one-time link code, to become known by this identity."""

    delivery: str
    origin: Origin
    link_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """Something else that the channel answers by itself: ``/pending``, ``/mute 1h``, a press on *More*.

    Attributes:
        name: without slash, e.g. ``pending``.
        argument: the rest, ``""`` for none.
    """

    delivery: str
    origin: Origin
    name: str
    argument: str = ""
    reference: Reference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Nothing to act on, and why: chatter, a foreign event, something that cannot be read."""

    delivery: str
    reason: str


Inbound = Decision | Retraction | Undo | Linking | Instruction | Ignored


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of something that came in, for the channel to tell the person.

    Attributes:
        counted: whether it entered the decision.
        text: a sentence, e.g. ``denied`` or ``already denied by ann via web 12 s ago``.
        request_id: the request it was about, ``""`` when none was found.
        is_stranger: the identity is linked to nobody.
    """

    counted: bool
    text: str
    request_id: str = ""
    is_stranger: bool = False
