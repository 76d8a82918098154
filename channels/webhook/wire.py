"""What goes out and what comes in, as JSON; ``docs/channels.md`` shows both."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from askfirst.errors import ChannelError
from askfirst.inbound import Decision, Ignored, Linking, Origin, Reference, Retraction, Undo
from askfirst.misfit import misfit
from askfirst.request import RequestState, Verdict

if TYPE_CHECKING:
    from askfirst.card import Card
    from askfirst.inbound import Inbound, Outcome

BODY_MAX_BYTES = 64 * 1024
_SAID = "^[^\\s]{1,100}$"


class _Person(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    id: str = Field(pattern=_SAID)
    name: str = Field(default="", max_length=200)


class _Said(BaseModel):
    """``data`` of what comes in; members that the type has no use for are ignored."""

    model_config = ConfigDict(extra="ignore", strict=True)

    person: _Person
    recipient: str = Field(default="", max_length=200)
    message: str = Field(default="", max_length=200)
    code: str = Field(default="", max_length=40)
    request: str = Field(default="", max_length=40)
    version: int = Field(default=0, ge=0, le=1_000_000)
    digest: str = Field(default="", max_length=64)
    verdict: Literal["approve", "deny", "answer", "needs_info", "delegate"] | None = None
    text: str = Field(default="", max_length=16_000)
    scope: str = Field(default="", max_length=600)
    stop: bool = False
    to: str = Field(default="", max_length=200)
    typed_code: str = Field(default="", max_length=40)
    assurance: int = Field(default=1, ge=0, le=3)
    retracts: str = Field(default="", max_length=200)
    turn: int = Field(default=0, ge=0)
    link_code: str = Field(default="", max_length=100)


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    type: str
    data: dict[str, Any]


def shown(card: Card, kind: str, message: str, recipient: str, now_ms: int) -> str:
    """A card as it goes out; ``kind`` is ``request.created`` or ``request.updated``."""
    data = json.loads(json.dumps(asdict(card), default=str))
    offers = card.state is RequestState.PENDING
    return _body(kind, {"message": message, "recipient": recipient, "is_open": offers, "card": data}, now_ms)


def told(delivery: str, outcome: Outcome, now_ms: int) -> str:
    """What became of a decision, for the program that sent it."""
    return _body("decision.outcome", {"delivery": delivery, **asdict(outcome)}, now_ms)


def ping(now_ms: int) -> str:
    """A sign of life; any 2xx will do."""
    return _body("ping", {}, now_ms)


def kept(hook: str, id_: str, body: bytes) -> bytes:
    """A delivery as it is stored: from whom it is, under which id, and the very text that was signed."""
    return json.dumps({"hook": hook, "id": id_, "body": body.decode("utf-8")}).encode()


def parse(raw: bytes, scheme: str) -> tuple[Inbound, ...]:
    """What a stored delivery says.

    Raises:
        ChannelError: it is none of ours.
    """
    try:
        envelope = json.loads(raw)
        hook, id_, body = envelope["hook"], envelope["id"], envelope["body"]
        delivery = f"{hook}/{id_}"
        message = _Message.model_validate_json(body)
    except (ValueError, KeyError, TypeError, ValidationError, RecursionError) as error:
        raise ChannelError("no message of Standard Webhooks with a type and data") from error
    try:
        said = _Said.model_validate(message.data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return (Ignored(delivery=delivery, reason=f"{message.type}: {where}: {misfit(first)}"),)
    return (_inbound(message.type, said, delivery, _origin(hook, said, scheme)),)


def _inbound(kind: str, said: _Said, delivery: str, origin: Origin) -> Inbound:
    reference = Reference(
        code=said.code, request_id=said.request, version=said.version, action_digest=said.digest.lower()
    )
    match kind:
        case "decision" if said.verdict is not None:
            return Decision(
                delivery=delivery,
                origin=origin,
                reference=reference,
                verdict=Verdict(said.verdict),
                text=said.text,
                scope=said.scope,
                stop=said.stop,
                to=said.to,
                typed_code=said.typed_code,
                assurance=said.assurance,
            )
        case "retraction" if said.retracts:
            hook = delivery.partition("/")[0]
            reason = said.text or "it was taken back"
            return Retraction(delivery=delivery, origin=origin, retracted=f"{hook}/{said.retracts}", reason=reason)
        case "undo":
            return Undo(delivery=delivery, origin=origin, reference=reference, turn=said.turn, assurance=said.assurance)
        case "link" if said.link_code:
            return Linking(delivery=delivery, origin=origin, link_code=said.link_code)
    return Ignored(delivery=delivery, reason=f"a message of type {kind[:40]!r} that says nothing to act on")


def _origin(hook: str, said: _Said, scheme: str) -> Origin:
    """People of one program are strangers at another: its name is part of who they are."""
    return Origin(
        identity=f"{scheme}:{hook}/{said.person.id}",
        name=said.person.name,
        recipient=said.recipient if said.recipient.startswith(f"{scheme}:{hook}/") else f"{scheme}:{hook}",
        replies_to=said.message,
    )


def _body(kind: str, data: dict[str, Any], now_ms: int) -> str:
    return json.dumps({"type": kind, "timestamp_ms": now_ms, "data": data})
