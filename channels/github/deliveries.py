"""What one stored delivery says; pure and total.

Stored is an envelope, the same for what GitHub sends and for what we look up, so that a comment heard on both ways is
one decision (its id is the comment's)::

    {"event": "issue_comment", "delivery": "72d3162e-…", "payload": {…}}       sent by GitHub
    {"event": "polled.comment", "delivery": "…", "conversation": "acme/api#12", "payload": {…}}
    {"event": "polled.review", …}  {"event": "polled.gone", …, "payload": {"comment": 998877}}
    {"event": "polled.reaction", …, "payload": {"comment": 998877, "reaction": {…}}}

Only what a comment said when it was made decides; whatever is edited or deleted takes back instead.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Literal

from askfirst.errors import ChannelError
from askfirst.inbound import Decision, Ignored, Origin, Reference, Retraction
from channels.github import wire
from channels.github.marker import is_ours, read_marker
from channels.github.place import SCHEME, Conversation, conversation_of, repository_of
from channels.grammar import CODE, VERDICTS, Command, act_of, command_of, spelled

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from askfirst.inbound import Inbound

COMMENT, REVIEW, GONE, REACTION = "polled.comment", "polled.review", "polled.gone", "polled.reaction"
_STATES = {"approved": "approve", "changes_requested": "deny"}
BUTTONS = {"approve": "Approve", "deny": "Deny"}
"""Identifiers of a check run's actions, and their labels (at most 20 characters)."""
_CHECK = re.compile(
    r"(?P<request>[0-9A-HJKMNP-TV-Z]{26}):(?P<version>[1-9][0-9]{0,8}):(?P<digest>[0-9a-f]{64}):(?P<number>[1-9][0-9]{0,9})",
    re.ASCII,
)
"""What a check run of ours is about, as ``external_id_of`` writes it."""
_ASSURANCE_COMMENT = 1
_ASSURANCE_BUTTON = 2
"""The API has no call that presses a button, so a token of the agent cannot (facts of channels, 3.2)."""


def envelope(event: str, delivery: str, payload: object, conversation: Conversation | None = None) -> bytes:
    """A delivery as it is stored."""
    where = {} if conversation is None else {"conversation": str(conversation)}
    value = {"event": event, "delivery": delivery, **where, "payload": payload}
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode("utf-8")


def says(raw: bytes, *, reviews: Literal["code", "alone", "off"] = "code") -> tuple[Inbound, ...]:
    """What a delivery says.

    Raises:
        ChannelError: it is no envelope.
    """
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ChannelError("a delivery of GitHub is no JSON", is_permanent=True) from error
    if not isinstance(value, dict) or not isinstance(value.get("event"), str):
        raise ChannelError("a delivery of GitHub is no envelope", is_permanent=True)
    delivery, event = str(value.get("delivery", ""))[:200], value["event"]
    reader = _READERS.get(event)
    if reader is None:
        return (Ignored(delivery=delivery, reason=f"{event[:50]} says nothing about decisions"),)
    try:
        found = reader(_Envelope(delivery, value))
    except ChannelError as error:
        return (Ignored(delivery=delivery, reason=str(error)),)
    kept = tuple(each for each in found if not _is_off(each, reviews))
    return kept or (Ignored(delivery=delivery, reason=f"{event[:50]} holds no decision"),)


def comment_says(comment: wire.Comment, conversation: Conversation) -> Inbound | None:
    """What an unedited comment says, None where it is no command."""
    return next(iter(_comment(comment, conversation, is_edited=False)), None)


def review_says(review: wire.Review, conversation: Conversation) -> Inbound | None:
    """What a review says, None where it decides nothing."""
    return next(iter(_review(review, conversation)), None)


class _Envelope:
    """A delivery taken apart."""

    def __init__(self, delivery: str, value: dict[str, object]) -> None:
        self.delivery = delivery
        self.payload = value.get("payload")
        self._value = value

    def conversation(self) -> Conversation:
        """Where a polled thing was found."""
        return conversation_of(str(self._value.get("conversation", "")))

    def field(self, name: str) -> object:
        """A member of the payload."""
        return self.payload.get(name) if isinstance(self.payload, dict) else None


def _comment_event(envelope: _Envelope) -> list[Inbound]:
    event = wire.read(wire.CommentEvent, envelope.payload)
    conversation = _conversation(event.repository, event.issue.number)
    if event.action == "created":
        return _comment(event.comment, conversation, is_edited=False)
    if event.action not in {"edited", "deleted"} or is_ours(event.comment.text):
        return []
    changes = envelope.field("changes")
    before = changes.get("body", {}) if isinstance(changes, dict) else {}
    earlier = before.get("from") if isinstance(before, dict) else None
    if not any(command_of(text) for text in (event.comment.text, earlier) if isinstance(text, str)):
        return []
    back = _back(envelope, conversation, event.sender, event.comment.id, f"{event.action} by {event.sender.login}")
    again = _comment(event.comment, conversation, is_edited=True) if event.action == "edited" else []
    return [back, *again]


def _polled_comment(envelope: _Envelope) -> list[Inbound]:
    comment = wire.read(wire.Comment, envelope.payload)
    conversation = envelope.conversation()
    if comment.created_at == comment.updated_at:
        return _comment(comment, conversation, is_edited=False)
    if comment.user is None or is_ours(comment.text):
        return []
    back = _back(envelope, conversation, comment.user, comment.id, "the comment was edited")
    return [back, *_comment(comment, conversation, is_edited=True)]


def _gone(envelope: _Envelope) -> list[Inbound]:
    comment = envelope.field("comment")
    if not isinstance(comment, int):
        return []
    nobody = wire.User(id=0, login="somebody")
    return [_back(envelope, envelope.conversation(), nobody, comment, "the comment was deleted")]


def _review_event(envelope: _Envelope) -> list[Inbound]:
    event = wire.read(wire.ReviewEvent, envelope.payload)
    conversation = _conversation(event.repository, event.pull_request.number)
    if event.action == "submitted":
        return _review(event.review, conversation)
    if event.action not in {"edited", "dismissed"}:
        return []
    reason = f"{event.action} by {event.sender.login}"
    return [_review_back(envelope, conversation, event.sender, event.review.id, reason)]


def _polled_review(envelope: _Envelope) -> list[Inbound]:
    review = wire.read(wire.Review, envelope.payload)
    conversation = envelope.conversation()
    if review.state.lower() == "dismissed" and review.user is not None:
        return [_review_back(envelope, conversation, review.user, review.id, "the review was dismissed")]
    return _review(review, conversation)


def _check_event(envelope: _Envelope) -> list[Inbound]:
    event = wire.read(wire.CheckRunEvent, envelope.payload)
    action = event.requested_action.identifier if event.requested_action else ""
    about = _CHECK.fullmatch(event.check_run.external_id or "")
    if event.action != "requested_action" or action not in BUTTONS or about is None:
        return []
    conversation = _conversation(event.repository, int(about["number"]))
    return [
        Decision(
            delivery=envelope.delivery,
            origin=_origin(event.sender, conversation, f"check_run:{event.check_run.id}"),
            reference=Reference(
                request_id=about["request"], version=int(about["version"]), action_digest=about["digest"]
            ),
            verdict=VERDICTS[action],
            assurance=_ASSURANCE_BUTTON,
        )
    ]


def _polled_reaction(envelope: _Envelope) -> list[Inbound]:
    reaction = wire.read(wire.Reaction, envelope.field("reaction"))
    verdict = {"+1": "approve", "-1": "deny"}.get(reaction.content)
    comment, body = envelope.field("comment"), envelope.field("body")
    marker = read_marker(body) if isinstance(body, str) else None
    if verdict is None or reaction.user is None or marker is None or not isinstance(comment, int):
        return []
    return [
        Decision(
            delivery=f"reaction:{reaction.id}",
            origin=_origin(
                reaction.user,
                envelope.conversation(),
                f"reaction:{comment}:{reaction.id}",
                _ms(reaction.created_at),
            ),
            reference=Reference(request_id=marker.req, version=marker.rev, action_digest=marker.digest),
            verdict=VERDICTS[verdict],
            assurance=0,
        )
    ]


_READERS: dict[str, Callable[[_Envelope], list[Inbound]]] = {
    "issue_comment": _comment_event,
    "pull_request_review": _review_event,
    "check_run": _check_event,
    COMMENT: _polled_comment,
    REVIEW: _polled_review,
    GONE: _gone,
    REACTION: _polled_reaction,
}
EVENTS = frozenset(name for name in _READERS if not name.startswith("polled."))
"""What GitHub has to send us."""


def _comment(comment: wire.Comment, conversation: Conversation, *, is_edited: bool) -> list[Inbound]:
    command = None if is_ours(comment.text) else command_of(comment.text)
    if command is None or comment.user is None:
        return []
    origin = _origin(comment.user, conversation, f"comment:{comment.id}", _ms(comment.created_at))
    name = f"comment:{comment.id}"
    if is_edited:
        name += f":{comment.updated_at.isoformat()}"
        command = _doubted(command, "your comment was edited, and only what is written at once counts: write a new one")
    return [act_of(command, name, origin, _ASSURANCE_COMMENT)]


def _review(review: wire.Review, conversation: Conversation) -> list[Inbound]:
    """A review decides by its state together with the command that it holds, or alone where that is switched on."""
    verb = _STATES.get(review.state.lower())
    if verb is None or review.user is None:
        return []
    command = command_of(review.text)
    if command is None:
        found = [each.group() for each in CODE.finditer(review.text)] if verb == "deny" else []
        if verb == "deny" and len(set(found)) != 1:
            return []
        command = Command(verb=verb, code=spelled(found[0]) if found else "", text=review.text.strip() if found else "")
    if command.verb != verb:
        command = _doubted(command, f"the review says {review.state.lower()}, and its text /{command.verb}")
    origin = _origin(review.user, conversation, f"review:{review.id}", _ms(review.submitted_at))
    return [act_of(command, f"review:{review.id}", origin, _ASSURANCE_COMMENT)]


def _doubted(command: Command, problem: str) -> Command:
    return Command(verb=command.verb, code=command.code, text=command.text, problem=command.problem or problem)


def _is_off(inbound: Inbound, reviews: str) -> bool:
    """Whether the configuration does not take it: reviews at all, or approving ones without a code."""
    if not isinstance(inbound, Decision) or not inbound.origin.message.startswith("review:"):
        return False
    return reviews == "off" or (reviews == "code" and not inbound.reference.code)


def _back(envelope: _Envelope, conversation: Conversation, by: wire.User, comment_id: int, reason: str) -> Retraction:
    message = f"comment:{comment_id}"
    origin = _origin(by, conversation, message)
    return Retraction(delivery=envelope.delivery, origin=origin, retracted=message, reason=reason)


def _review_back(
    envelope: _Envelope, conversation: Conversation, by: wire.User, review_id: int, reason: str
) -> Retraction:
    message = f"review:{review_id}"
    origin = _origin(by, conversation, message)
    return Retraction(delivery=envelope.delivery, origin=origin, retracted=message, reason=reason)


def _conversation(repository: wire.RepositoryName, number: int) -> Conversation:
    found = repository_of(repository.full_name)
    if found is None:
        raise ChannelError(f"the event names no repository: {repository.full_name[:100]!r}")
    return Conversation(repository=found, number=number)


def _origin(user: wire.User, conversation: Conversation, message: str, at_ms: int | None = None) -> Origin:
    return Origin(
        identity=f"{SCHEME}:{user.id}",
        name=user.login,
        recipient=conversation.recipient,
        message=message,
        at_ms=at_ms,
    )


def _ms(at: datetime | None) -> int:
    """Milliseconds since the epoch of what a look finds again; 0 where GitHub does not date it."""
    return 0 if at is None else round(at.timestamp() * 1000)
