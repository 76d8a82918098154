r"""The words that decide, and nothing else (I7): a whole comment, one command, one code.

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

CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{6}-[0-9a-f]{8}", re.ASCII | re.IGNORECASE)
"""``Request.code``: the end of a ULID, a hyphen, the beginning of the digest."""
TEXT_MAX_CHARS = 4000
"""Of a reason or an answer; longer ones are refused, never cut."""
SCOPE = re.compile(r"(?:once|rule|session|uses:[1-9][0-9]{0,5}|duration:[1-9][0-9]{0,7})(?: \S.*)?", re.ASCII)
"""How an approval may reach further, as the card offers it; whether this one was offered, the engine knows."""

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


def command_of(body: str) -> Command | None:
    """The command that this comment is, or None; blanks and blank lines around it do not matter."""
    plain = body.replace("\r\n", "\n").strip(" \t\n")
    if match := _LINK.match(plain):
        return Command(verb="link", code=match["code"])
    match = _COMMAND.match(plain)
    if match is None:
        return None
    verb, text = match["verb"].lower(), (match["text"] or "").strip()
    return Command(verb=verb, code=spelled(match["code"]), text=text, problem=_problem(verb, text))


def spelled(code: str) -> str:
    """A typed code as ``Request.code`` spells it."""
    head, _, digest = code.partition("-")
    return f"{head.upper()}-{digest.lower()}"


def _problem(verb: str, text: str) -> str:
    if verb == "undo" and text and not re.fullmatch("[1-9][0-9]{0,3}", text, re.ASCII):
        return "`/undo CODE` takes no text behind the code but the number that was offered"
    if verb == "approve" and text and not SCOPE.fullmatch(text):
        return "`/approve CODE` takes no text behind the code but an offered scope: an approval with conditions is none"
    if verb in {"answer", "ask"} and not text:
        return f"`/{verb} CODE` needs a text behind the code"
    if len(text) > TEXT_MAX_CHARS:
        return f"the text has {len(text)} characters, {TEXT_MAX_CHARS} are read"
    return ""
