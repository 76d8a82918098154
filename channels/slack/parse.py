"""What one envelope of Socket Mode says; pure and total.

- People are team and user id. Bots, edited messages and messages in somebody else's name decide nothing.
- Free text is never a decision (I7): only a button, or a whole message of a verb and the code.
- A press is read as the request, version and act that it names; whether we made the button, ``vetting`` finds out.

From: https://docs.slack.dev/reference/interaction-payloads/block_actions-payload,
https://docs.slack.dev/reference/events/message
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from askfirst.errors import ChannelError
from askfirst.inbound import Decision, Ignored, Inbound, Instruction, Origin, Reference, Undo
from askfirst.request import Verdict
from channels.grammar import act_of, command_of
from channels.slack.blocks import shown
from channels.slack.controls import control_of

if TYPE_CHECKING:
    from collections.abc import Mapping


SCHEME = "slack"
ASSURANCE = 1
PRESS, WORDS = "press", "words"
_ID = re.compile(r"[A-Z0-9]{2,32}", re.ASCII)
_TS = re.compile(r"[0-9]{1,16}\.[0-9]{1,10}", re.ASCII)
_MENTION = re.compile(r"<@[A-Z0-9]+>\s+", re.ASCII)
_PRESSED: Mapping[str, Verdict] = {
    "approve": Verdict.APPROVE,
    "scope": Verdict.APPROVE,
    "deny": Verdict.DENY,
    "stop": Verdict.DENY,
    "option": Verdict.ANSWER,
}


def delivery_id(envelope: Mapping[str, Any]) -> str:
    """The id under which an envelope is kept: of what happened, since the envelope may come again as another."""
    payload = _object(envelope, "payload")
    if envelope.get("type") == "events_api" and isinstance(payload.get("event_id"), str):
        return str(payload["event_id"])[:200]
    action = _first(payload.get("actions"))
    parts = (
        _object(payload, "channel").get("id"),
        _object(payload, "container").get("message_ts"),
        action.get("action_ts"),
        _object(payload, "user").get("id"),
    )
    if all(isinstance(each, str) for each in parts):
        return "/".join(map(str, parts))[:200]
    return str(envelope.get("envelope_id", ""))[:200]


def parse_envelope(raw: bytes) -> tuple[Inbound, ...]:
    """What this envelope says.

    Raises:
        ChannelError: it is no envelope of Slack's.
    """
    try:
        envelope = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ChannelError("no envelope of Slack: it is not JSON") from error
    if not isinstance(envelope, dict) or not isinstance(envelope.get("payload"), dict):
        raise ChannelError("no envelope of Slack: it has no payload")
    delivery, payload = delivery_id(envelope), envelope["payload"]
    if envelope.get("type") == "interactive" and payload.get("type") == "block_actions":
        return (_press(delivery, payload),)
    event = _object(payload, "event")
    if envelope.get("type") == "events_api" and event.get("type") in {"message", "app_mention"}:
        return (_words(delivery, str(payload.get("team_id", "")), event),)
    return (Ignored(delivery=delivery, reason="a kind of envelope that nothing rests on"),)


def _press(delivery: str, payload: Mapping[str, Any]) -> Inbound:
    user, channel = _object(payload, "user"), _object(payload, "channel")
    ts = _object(payload, "container").get("message_ts")
    origin = _origin(
        str(_object(payload, "team").get("id") or user.get("team_id") or ""),
        str(user.get("id", "")),
        name=str(user.get("username") or user.get("name") or ""),
        channel=str(channel.get("id", "")),
        ts=str(ts or ""),
        kind=PRESS,
    )
    value = _first(payload.get("actions")).get("value")
    control = control_of(value) if isinstance(value, str) else None
    if origin is None or control is None:
        return Ignored(delivery=delivery, reason="a press on something that is not ours")
    reference = Reference(request_id=control.request_id, version=control.version, control=str(value))
    if control.act == "undo":
        return Undo(delivery=delivery, origin=origin, reference=reference, turn=control.place, assurance=ASSURANCE)
    return Decision(
        delivery=delivery,
        origin=origin,
        reference=reference,
        verdict=_PRESSED[control.act],
        stop=control.act == "stop",
        assurance=ASSURANCE,
        shown=shown(_object(payload, "message").get("blocks")),
    )


def _words(delivery: str, team: str, event: Mapping[str, Any]) -> Inbound:
    text = event.get("text")
    if event.get("subtype") or event.get("bot_id") or event.get("hidden") or not isinstance(text, str):
        return Ignored(delivery=delivery, reason="a bot's, edited or system message")
    origin = _origin(
        str(event.get("user_team") or event.get("team") or team),
        str(event.get("user", "")),
        name="",
        channel=str(event.get("channel", "")),
        ts=str(event.get("ts", "")),
        kind=WORDS,
    )
    if origin is None:
        return Ignored(delivery=delivery, reason="nobody in particular said it")
    said = _plain(text.strip())
    command = command_of(said[mention.end() :] if (mention := _MENTION.match(said)) else said, slash_required=False)
    if command is None:
        if event.get("channel_type") == "im":
            return Instruction(delivery=delivery, origin=origin, name="help")
        return Ignored(delivery=delivery, reason="chatter")
    if command.problem:
        return Instruction(delivery=delivery, origin=origin, name="usage", argument=command.verb)
    return act_of(command, delivery, origin, ASSURANCE)


def _origin(team: str, user: str, *, name: str, channel: str, ts: str, kind: str) -> Origin | None:
    if not all(map(_ID.fullmatch, (team, user, channel))) or not _TS.fullmatch(ts):
        return None
    return Origin(
        identity=f"{SCHEME}:{team}/{user}",
        name=name,
        recipient=f"{SCHEME}:{channel}",
        message=f"{kind}/{channel}/{ts}/{user}",
        replies_to=f"{channel}/{ts}" if kind == PRESS else "",
    )


def _plain(text: str) -> str:
    """Words as they were typed: the service escapes three characters."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _object(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _first(value: object) -> Mapping[str, Any]:
    return value[0] if isinstance(value, list) and value and isinstance(value[0], dict) else {}
