r"""The words that decide, and nothing else (I7): a whole message, one command, one code; and what they say.

::

    /approve 9F2C1A-1b2c3d4e
    /deny 9F2C1A-1b2c3d4e two commits are not pushed
    /answer 9F2C1A-1b2c3d4e main
    /ask 9F2C1A-1b2c3d4e which commits are lost?
    /approve 9F2C1A-1b2c3d4e uses:5
    /undo 9F2C1A-1b2c3d4e
    /undo 9F2C1A-1b2c3d4e 1
    /link ABCD-EFGH

A quoted command, a command inside a sentence or behind other text, and a code without a command say nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from askfirst.inbound import Decision, Linking, Reference, Undo
from askfirst.request import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from askfirst.inbound import Origin

CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{6}-[0-9a-f]{8}", re.ASCII | re.IGNORECASE)
"""``Request.code``: the end of a ULID, a hyphen, the beginning of the digest."""
TEXT_MAX_CHARS = 4000
"""Of a reason or an answer; longer ones are refused, never cut."""
SCOPE = re.compile(r"(?:once|rule|session|uses:[1-9][0-9]{0,5}|duration:[1-9][0-9]{0,7})(?: \S.*)?", re.ASCII)
"""How an approval may reach further, as the card offers it; whether this one was offered, the engine knows."""

VERDICTS: Mapping[str, Verdict] = {
    "approve": Verdict.APPROVE,
    "deny": Verdict.DENY,
    "answer": Verdict.ANSWER,
    "ask": Verdict.NEEDS_INFO,
}
_COMMAND = re.compile(
    rf"\A/(?P<verb>approve|deny|answer|ask|undo)[ \t]+(?P<code>{CODE.pattern})(?:[ \t\n]+(?P<text>\S[\s\S]*))?\Z",
    re.ASCII | re.IGNORECASE,
)
_LINK = re.compile(r"\A/link[ \t]+(?P<code>[A-Za-z0-9-]{6,64})\Z", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command.

    Attributes:
        verb: ``approve``, ``deny``, ``answer``, ``ask``, ``undo`` or ``link``.
        code: in the spelling of ``Request.code``; of ``link``, the link code as it was typed.
        text: the reason, the answer or the scope of an approval, stripped.
        problem: why it must not count although it is a command, ``""`` for nothing.
    """

    verb: str
    code: str
    text: str = ""
    problem: str = ""


def command_of(body: str, *, slash_required: bool = True) -> Command | None:
    """The command that this message is, or None; blanks and blank lines around it do not matter.

    Args:
        body: the message.
        slash_required: whether ``approve CODE`` without its slash is chatter.
    """
    plain = body.replace("\r\n", "\n").strip(" \t\n")
    if not slash_required and not plain.startswith("/"):
        plain = f"/{plain}"
    if match := _LINK.match(plain):
        return Command(verb="link", code=match["code"])
    match = _COMMAND.match(plain)
    if match is None:
        return None
    verb, text = match["verb"].lower(), (match["text"] or "").strip()
    return Command(verb=verb, code=spelled(match["code"]), text=text, problem=_problem(verb, text))


def act_of(command: Command, delivery: str, origin: Origin, assurance: int) -> Decision | Undo | Linking:
    """What comes in by this command."""
    if command.verb == "link":
        return Linking(delivery=delivery, origin=origin, link_code=command.code)
    reference = Reference(code=command.code)
    if command.verb == "undo":
        turn = int(command.text) if command.text.isdecimal() and not command.problem else 0
        return Undo(
            delivery=delivery,
            origin=origin,
            reference=reference,
            turn=turn,
            assurance=assurance,
            doubt=command.problem,
        )
    is_approval = command.verb == "approve"
    return Decision(
        delivery=delivery,
        origin=origin,
        reference=reference,
        verdict=VERDICTS[command.verb],
        text="" if is_approval else command.text,
        scope=command.text if is_approval and not command.problem else "",
        typed_code=command.code,
        assurance=assurance,
        doubt=command.problem,
    )


def spelled(code: str) -> str:
    """A typed code as ``Request.code`` spells it."""
    head, _, digest = code.partition("-")
    return f"{head.upper()}-{digest.lower()}"


def _problem(verb: str, text: str) -> str:
    if verb == "undo" and text and not re.fullmatch("[1-9][0-9]{0,3}", text, re.ASCII):
        return "`undo CODE` takes no text behind the code but the number that was offered"
    if verb == "approve" and text and not SCOPE.fullmatch(text):
        return "`approve CODE` takes no text behind the code but an offered scope: an approval with conditions is none"
    if verb in {"answer", "ask"} and not text:
        return f"`{verb} CODE` needs a text behind the code"
    if len(text) > TEXT_MAX_CHARS:
        return f"the text has {len(text)} characters, {TEXT_MAX_CHARS} are read"
    return ""
