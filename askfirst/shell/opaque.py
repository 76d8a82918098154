"""What could not be followed becomes an effect: recorded at medium, asked about where something points to danger."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from askfirst.effects import Effect, EffectKind, Risk

if TYPE_CHECKING:
    from askfirst.shell.job import Note


@dataclass(frozen=True, slots=True)
class _Meaning:
    rule: str
    kind: EffectKind
    risk: Risk
    loss: str


_MEANINGS = {
    "remote-code": _Meaning(
        "execution.remote-code", EffectKind.RUNS_FOREIGN_CODE, Risk.HIGH, "runs code that is downloaded at that moment"
    ),
    "decoded-code": _Meaning(
        "execution.decoded-code",
        EffectKind.RUNS_FOREIGN_CODE,
        Risk.HIGH,
        "runs code that comes out of a decoder unread",
    ),
    "fork-bomb": _Meaning(
        "execution.fork-bomb", EffectKind.DISRUPTS, Risk.CRITICAL, "starts itself without end until the machine stalls"
    ),
    "limits": _Meaning("execution.limits", EffectKind.OPAQUE, Risk.HIGH, "cannot be analysed"),
    "computed-program": _Meaning(
        "execution.computed-program",
        EffectKind.OPAQUE,
        Risk.MEDIUM,
        "runs a program whose name is not known beforehand",
    ),
    "computed-prefix": _Meaning(
        "execution.computed-program", EffectKind.OPAQUE, Risk.MEDIUM, "puts something unknown in front of a command"
    ),
    "unread-script": _Meaning(
        "execution.unread-script", EffectKind.OPAQUE, Risk.MEDIUM, "runs a script that could not be read"
    ),
    "unknown-script": _Meaning(
        "execution.unknown-script", EffectKind.OPAQUE, Risk.MEDIUM, "runs text that is not known beforehand"
    ),
    "unparsed": _Meaning("execution.unparsed", EffectKind.OPAQUE, Risk.MEDIUM, "is no shell text that can be parsed"),
}

_DESTRUCTIVE = re.compile(
    r"(?<![\w-])-[a-zA-Z]*(?:[rR][a-zA-Z]*f|f[a-zA-Z]*[rR])[a-zA-Z]*(?![\w-])"
    r"|(?<![\w-])--(?:force|hard|delete|purge|no-preserve-root|recursive|mirror|prune)(?![\w])"
    r"|\bof=/dev/|(?<!\S)(?:/|/\*|~|~/)(?!\S)"
    r"|\b(?:delete|destroy|drop|purge|wipe|truncate|terminate|mkfs|shred|FLUSHALL|FLUSHDB|DROP|TRUNCATE|DELETE)\b",
)
_RAISED = frozenset({"computed-program", "unknown-script"})


def looks_destructive(text: str) -> bool:
    """Whether words of a command that is not understood point to a loss."""
    return _DESTRUCTIVE.search(text) is not None


def effect(note: Note) -> Effect:
    """The effect that a note stands for."""
    meaning = _MEANINGS[note.code]
    risk = meaning.risk
    if note.code in _RAISED and looks_destructive(note.command):
        risk = Risk.HIGH
    detail = f": {note.detail}" if note.code == "limits" and note.detail else ""
    return Effect(
        rule=meaning.rule,
        kind=meaning.kind,
        risk=risk,
        reversible=False,
        target=note.detail or note.command,
        loss=meaning.loss + detail,
        span=note.span,
        command=note.command,
        via=note.via,
    )
