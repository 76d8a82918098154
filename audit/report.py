"""What verifying a log found: what is wrong, what was shown, what that proves against whom, and what was not shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from audit.scan import MAX_PROBLEMS, Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

_NO_PIN: Final = "the key was taken from beside the log; give the vkey that you know to rule out another log"
_NO_ANCHOR: Final = (
    "nothing from outside was compared: whoever holds the log key could have rewritten the log, and an older copy of "
    "everything would verify; give a checkpoint, a receipt, a witness's key or size:root from a message"
)
_NO_WORD: Final = (
    "the key was changed at entry {}, by an earlier version that left no word of the old key for the new one: what "
    "came after takes the new key to verify"
)
_NO_PAYLOADS: Final = (
    "an export holds no payloads, so that none was compared with its digest; verify the store for that"
)
_NO_NEWEST: Final = (
    "the cosignatures were read from the store, and an older copy of everything has older ones and would verify; let "
    "the witness say what it cosigned last"
)
_MEANINGS: Final = {
    "head": "the signed head proves that nobody without the log's key changed, removed or reordered anything",
    "key": "the key that you gave proves that this is its log, not another that was put in its place",
    "succession": "the old key's word proves that the new one is this log's, and that whoever has only the new one did "
    "not rewrite what was before it; if the old one has leaked, give the new one alone",
    "checkpoint": "a checkpoint that you kept proves, even against the key's owner, that nothing before it was changed",
    "seen": "a head from a message proves the same for all that was logged before the message was sent",
    "receipt": "a receipt proves that this one entry was logged, byte for byte, under a head that the log signed",
    "witness": "a witness's cosignature proves that it saw this tree at that time and had only ever seen the log grow: "
    "to rewrite it takes the witness's key, too",
    "newest": "what a witness itself says it cosigned last proves that this is no older copy of the log: nothing that "
    "it had seen by then was taken out",
    "git": "a git ref proves what a kept checkpoint proves, as far as the repository is not the attacker's own",
    "timestamp": "a timestamp proves, by the authority's word, that the log held these entries by that time",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What verifying found.

    Attributes:
        path: what was verified.
        origin: whose log it says it is.
        size: entries that are there.
        root: Merkle tree hash over them, hexadecimal.
        problems: what is wrong, gravest cause first; empty when the log verifies.
        proofs: what was shown, one sentence each.
        meanings: what each kind of evidence that held proves, and against whom.
        limits: what was not shown, and what would show it.
    """

    path: str
    origin: str = ""
    size: int = 0
    root: str = ""
    problems: tuple[Problem, ...] = ()
    proofs: tuple[str, ...] = ()
    meanings: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def meanings_of(kinds: Iterable[str]) -> tuple[str, ...]:
    """What each of these kinds of evidence proves, now that it held."""
    return tuple(_MEANINGS[kind] for kind in kinds)


def limits_of(
    kinds: Collection[str], *, is_pinned: bool, wordless: Sequence[int], has_payloads: bool, knows_newest: bool
) -> tuple[str, ...]:
    """What was not shown, and what would show it.

    Args:
        kinds: of evidence that held.
        is_pinned: whether the verifier brought the log's key.
        wordless: indexes of the entries that changed the key without the old one's word.
        has_payloads: whether there were payloads to compare.
        knows_newest: whether a cosignature was not read from the store alone.
    """
    told = [] if is_pinned else [_NO_PIN]
    told += map(_NO_WORD.format, wordless[:MAX_PROBLEMS])
    if not set(kinds) - {"head", "key", "succession"}:
        told.append(_NO_ANCHOR)
    if not has_payloads:
        told.append(_NO_PAYLOADS)
    if "witness" in kinds and not knows_newest:
        told.append(_NO_NEWEST)
    return tuple(told)
