"""What a restored store does not know any more, as far as the lost one or a head of it can still tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from askfirst.audit_port import parse_seen
from askfirst.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from askfirst.cli.parts import Parts

_TOLD = ("gate.decided", "question.answered", "gate.released", "grant.revoked", "token.revoked", "person.removed")
"""What somebody was told of, or rests on."""
_TOLD_MAX = 1000


class Evidence(NamedTuple):
    """Of the log that was lost: its store, and heads ``size:root`` that somebody has seen."""

    old: Path | None
    seen: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What came after the backup.

    Attributes:
        backup_at: when its last entry was made, RFC 3339.
        entries_lost: how many came after it, at least; None: nothing tells.
        lost: what of it somebody was told of, a line each.
    """

    backup_at: str = ""
    entries_lost: int | None = None
    lost: tuple[str, ...] = ()

    def told(self, size: int) -> Iterator[str]:
        """What to say about it, lines."""
        yield f"restored; the log verifies: {size} entries, the last one of {self.backup_at}"
        if self.entries_lost is None:
            yield (
                "What was written after the backup is gone, decisions that people were told of, too. To hear how much: "
                "--old STORE or --seen SIZE:ROOT; compare with `askfirst audit verify --seen SIZE:ROOT`"
            )
        else:
            yield f"{self.entries_lost} entries that came after it are lost{':' if self.lost else ''}"
        yield from (f"  {each}" for each in self.lost)
        yield (
            "At its next start a broker takes back every approval and break-glass code that is open in it. Tokens and "
            "people that were removed after the backup are back: `askfirst tokens list`, `askfirst people list`"
        )


def loss_of(parts: Parts, log: Path, size: int, evidence: Evidence) -> Loss:
    """What came after the first ``size`` entries, which are those in ``log``.

    Raises:
        InputError: a head is none, or the lost store is another log's.
        LogError: the lost store cannot be read.
    """
    last = parts.log(log).show(size - 1)
    sizes = [parse_seen(each)[0] for each in evidence.seen]
    lost: list[str] = []
    if evidence.old is not None:
        before = parts.log(evidence.old)
        newest = before.find({}, 1)
        sizes.append(newest[-1]["index"] + 1 if newest else 0)
        if sizes[-1] >= size and before.show(size - 1)["leaf"] != last["leaf"]:
            raise InputError(f"{evidence.old} is not the store that this backup is of", field="old")
        found = before.find({"types": _TOLD}, _TOLD_MAX)
        lost = [_line(each) for each in found if each["index"] >= size]
    known = max(sizes, default=None)
    return Loss(
        backup_at=str(last["entry"]["t"]),
        entries_lost=None if known is None else max(0, known - size),
        lost=tuple(lost),
    )


def _line(entry: dict[str, Any]) -> str:
    decision = entry.get("decision", {})
    by = ", ".join(decision.get("by", [])) or entry.get("actor", {}).get("id", "")
    what = " ".join(each for each in (entry["type"], str(decision.get("verdict", "")), entry.get("req", "")) if each)
    return f"{entry['t']} {what}{f' by {by}' if by else ''}"
