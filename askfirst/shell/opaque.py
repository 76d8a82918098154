"""What could not be followed becomes an effect: recorded at medium, asked about where something points to danger."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from askfirst.effects import Effect, EffectKind, Risk

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    "piped-script": _Meaning(
        "execution.unknown-script", EffectKind.OPAQUE, Risk.HIGH, "runs text that another program makes, unread"
    ),
    "unparsed": _Meaning("execution.unparsed", EffectKind.OPAQUE, Risk.MEDIUM, "is no shell text that can be parsed"),
}

_DESTRUCTIVE = re.compile(
    r"(?<![\w-])-[a-zA-Z]*(?:[rR][a-zA-Z]*f|f[a-zA-Z]*[rR])[a-zA-Z]*(?![\w-])"
    r"|(?<![\w-])--(?:force|hard|delete|purge|no-preserve-root|recursive|mirror|prune)(?![\w])"
    r"|\bof=/dev/|(?<!\S)(?:/|/\*|~|~/)(?!\S)"
    r"|\b(?:delete|destroy|drop|purge|wipe|truncate|terminate|mkfs|shred|FLUSHALL|FLUSHDB|DROP|TRUNCATE|DELETE)\b",
)
_PIECES = re.compile(r"[a-z0-9]+")
_ENDINGS = frozenset("sh bash zsh py rb pl js mjs cjs ts php ps1 bat cmd lua".split())
_DEEDS = frozenset(
    """
    decommission delete deploy destroy drop erase nuke publish purge release rollback teardown truncate undeploy
    uninstall wipe
    """.split()
)
_STORES = frozenset("data database databases db env prod production all".split())
_ONLY_LOOKS = frozenset(
    """
    build changelog check create dry example generate lint list local mock notes plan preview show simulate spec status
    test tests validate verify version
    """.split()
)
"""Words beside a deed that make it another one: ``release_notes.py``, ``test_delete.py``, ``deploy-dry-run.sh``."""
_ONLY_TELLS = frozenset("-h --help help --version --dry-run --dryrun -n --check --plan --list --status".split())
"""Arguments with which a script most likely changes nothing."""
_RAISED = frozenset({"computed-program", "unknown-script"})


def looks_destructive(text: str) -> bool:
    """Whether words of a command that is not understood point to a loss."""
    return _DESTRUCTIVE.search(text) is not None


def sounds_grave(path: str) -> bool:
    """Whether a script that could not be read is called by a deed: ``destroy-prod.sh``, ``reset_db.py``."""
    pieces = _PIECES.findall(posixpath.basename(path).lower())
    if len(pieces) > 1 and pieces[-1] in _ENDINGS:
        pieces = pieces[:-1]
    if not pieces or not _ONLY_LOOKS.isdisjoint(pieces):
        return False
    return not _DEEDS.isdisjoint({pieces[0], pieces[-1]}) or ("reset" in pieces and not _STORES.isdisjoint(pieces))


def only_tells(arguments: Iterable[str]) -> bool:
    """Whether a script or task is most likely told to change nothing."""
    return not _ONLY_TELLS.isdisjoint(arguments)


def effect(note: Note) -> Effect:
    """The effect that a note stands for."""
    meaning = _MEANINGS[note.code]
    risk = meaning.risk
    if (note.code in _RAISED and looks_destructive(note.command)) or (
        note.code == "unread-script" and sounds_grave(note.detail) and not only_tells(note.command.split())
    ):
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
