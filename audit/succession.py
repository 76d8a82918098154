"""The old key's word for the new one, which a change of the log's key leaves in the log for good.

The entry ``log.key_rotated`` holds it: the last head that the old key signs, over all entries before that one, with the
key that follows as its one extension line (https://c2sp.org/tlog-checkpoint)::

    askfirst.local/log/0123456789abcdef
    1024
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
    next askfirst.local/log/0123456789abcdef+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq…

    — askfirst.local/log/0123456789abcdef Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5…

Rules kept here:
- A key is followed only by the word of one that is known already; it cannot vouch for itself.
- A word is for one place in one log: the size in it is the index of its entry, the root must be that of the entries.
- Each change begins with the key that the one before ended with, and no key comes back.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from audit.note import ED25519, Checkpoint, NoteError, Verifier, open_checkpoint, parse_vkey, sign

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from audit.note import Signer
    from audit.tree import Tree

ENDORSEMENT: Final = "endorsement"
"""The member of the entry's data that holds the word."""


def endorse(old: Signer, new: Verifier, tree: Tree) -> str:
    """The old key's word for the new one, a signed note; ``tree`` is over all entries before the one that holds it."""
    head = Checkpoint(origin=old.name, size=tree.size, root=tree.root(), extensions=(_next(new),))
    return sign(head.text, old)


def _next(key: Verifier) -> str:
    return f"next {key.vkey}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of the key, as its entry tells it.

    Attributes:
        index: of the entry.
        old: the key until then.
        new: the key since then.
        head: the last one of the old key, with its word; None where an earlier version has left none.
    """

    index: int
    old: Verifier
    new: Verifier
    head: Checkpoint | None


def read_change(index: int, body: bytes) -> Change:
    """The change that the entry with these bytes tells of.

    Raises:
        NoteError: it names no two keys of one log, or the old one's word in it is not that.
    """
    try:
        data = json.loads(body)["data"]
        old, new, word = parse_vkey(data["old"]), parse_vkey(data["new"]), data.get(ENDORSEMENT)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise NoteError("it does not name both keys") from None
    if (old.name, old.kind, new.kind) != (new.name, ED25519, ED25519) or old == new:
        raise NoteError("it does not name two keys of one log")
    if word is None:
        return Change(index=index, old=old, new=new, head=None)
    if not isinstance(word, str):
        raise NoteError("the old key's word is no text")
    head = open_checkpoint(word, [old])
    if head.size != index or head.extensions != (_next(new),):
        raise NoteError(f"the old key's word is for another place or another key than {new.vkey!r}")
    return Change(index=index, old=old, new=new, head=head)


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """The keys of a log, from those that a verifier knows.

    Attributes:
        keys: these, and each that a known one has given its place to.
        followed: the changes that led to those.
        wordless: indexes of the entries of earlier versions, which hold no word.
        fault: what is wrong with the first change that cannot be followed, ``""`` when nothing is.
        fault_index: of its entry.
        fault_body: its stored bytes.
    """

    keys: Sequence[Verifier]
    followed: Sequence[Change] = ()
    wordless: Sequence[int] = ()
    fault: str = ""
    fault_index: int = 0
    fault_body: bytes = b""

    def retired_at(self, size: int) -> set[Verifier]:
        """The keys that had given their place away before the log had so many entries."""
        return {change.old for change in self.followed if change.index < size}


def follow(changes: Iterable[tuple[int, bytes]], known: Sequence[Verifier]) -> Succession:
    """Follow the changes of a log's key, given as index and stored bytes in order; the first faulty one ends it."""
    keys, followed, wordless, chain = list(known), list[Change](), list[int](), list[Verifier]()
    for index, body in changes:
        try:
            change = read_change(index, body)
            _require_continued(chain, change)
        except NoteError as error:
            fault = f"entry {index} changes the log's key, and cannot be followed: {error}"
            return Succession(
                keys=keys, followed=followed, wordless=wordless, fault=fault, fault_index=index, fault_body=body
            )
        chain += [change.new] if chain else [change.old, change.new]
        if change.head is None:
            wordless.append(index)
        elif change.old in keys:
            keys += [] if change.new in keys else [change.new]
            followed.append(change)
    return Succession(keys=keys, followed=followed, wordless=wordless)


def _require_continued(chain: Sequence[Verifier], change: Change) -> None:
    """The keys until now go on with this change; NoteError otherwise."""
    if chain and change.old != chain[-1]:
        raise NoteError(f"it changes the key {change.old.vkey!r}, but the log had {chain[-1].vkey!r}")
    if change.new in chain:
        raise NoteError(f"the key {change.new.vkey!r} was the log's before, and is not taken back")
