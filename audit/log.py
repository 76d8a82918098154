"""The audit log in the store: entries, tiles and the signed tree head, written in the transaction they tell of.

Rules kept here:
- What is stored of an entry is what is hashed. Nothing is ever changed or removed, except payloads that stand apart.
- Secrets are taken out of an entry before that (``audit.redact``).
- One checkpoint is signed a transaction, over everything in it. The stored head must be the one we wrote last: two
  writers, or a store that was rolled back under us, end in an error, not in a fork.
- Where several brokers share a database they share the log and its key. The row of the head is then locked right before
  sealing, or before an entry whose index someone signs, until the commit; what others wrote meanwhile is read and
  must verify (docs/adr/0003-one-log-many-brokers.md).
- A log is founded once. A missing head, entry, tile or signature is an error and never a fresh start.

Who reads and verifies the log elsewhere uses ``audit.verify``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, func, insert, select, update

from askfirst.audit_port import Entry, EntryType, TreeHead
from askfirst.errors import LogError
from askfirst.store import schema
from askfirst.store.statement import Statement, inserted, is_shared, new, updated
from audit import tree as merkle
from audit.clock import MAX_DRIFT_US, Reading, drift_us, rfc3339
from audit.entry import Encoded, encode, reading_of
from audit.note import Checkpoint, NoteError, Signer, open_checkpoint, sign, split_note
from audit.redact import redact_entry
from audit.succession import ENDORSEMENT, endorse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from askfirst.audit_port import Actor, AuditLog, Value
    from audit.clock import Clock

ORIGIN_KEY = "log.origin"
VKEY_KEY = "log.vkey"
"""All keys that the log ever had, one vkey a line, oldest first."""

_ERASED_PER_ENTRY = 500

# Built once: making them anew costs more than running them.
_INSERT_ENTRY = inserted(schema.audit)
_INSERT_TILE = inserted(schema.tile)
_INSERT_BLOB = inserted(schema.blob)
_LOCK_HEAD = select(schema.tree).with_for_update()
_HOLD_HEAD = Statement(select(schema.tree.c.checkpoint).with_for_update())
_LEAVES = Statement(
    select(schema.audit.c.seq, schema.audit.c.leaf)
    .where(schema.audit.c.seq >= bindparam("start"))
    .order_by(schema.audit.c.seq)
)
_REPLACE_HEAD = updated(
    schema.tree,
    ("size", "frontier", "checkpoint"),
    schema.tree.c.one == 1,
    schema.tree.c.size == bindparam("old"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """The log between two seals.

    Attributes:
        tree: over all entries that are sealed.
        head: signed over it.
        reference: the reading that later ones are compared with.
        signers: who signs the next head; two when the key is being changed.
    """

    tree: merkle.Tree
    head: TreeHead
    reference: Reading
    signers: tuple[Signer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    seals: int
    is_held: bool
    queued: int
    reference: Reading
    signers: tuple[Signer, ...]


class StoredLog:
    """The log of one store, for its only writer; implements ``askfirst.audit_port.AuditLog``."""

    def __init__(self, clock: Clock, state: _State) -> None:
        self._clock = clock
        self._state = self._committed = state
        self._queue = list[Encoded]()
        self._seals = 0
        self._is_held = False

    @property
    def head(self) -> TreeHead:
        """The head of what is committed."""
        return self._committed.head

    def append(self, connection: Connection, entry: Entry) -> int:
        """Queue an entry and return its index; a clock that jumped gets an entry of its own before it.

        Where other brokers write this log, too, only the index of an issued grant, which is signed, is exact; others
        are the least that they can be.

        Raises:
            LogError: it is too large or no JSON, and nothing was queued; or what another broker wrote does not verify.
        """
        if entry.type is EntryType.GRANT_ISSUED:
            self._hold(connection)
        reading = self._clock.read()
        encoded = encode(redact_entry(entry), reading)
        self._follow_clock(reading)
        self._queue.append(encoded)
        return self._state.tree.size + len(self._queue) - 1

    def _follow_clock(self, reading: Reading) -> None:
        """Queue an entry when the clock has jumped since the last reading."""
        before = self._state.reference
        drift = drift_us(before, reading)
        if abs(drift) > MAX_DRIFT_US:
            self._queue.append(encode(_clock_jump(before, drift), reading))
        if abs(drift) > MAX_DRIFT_US or before.boot != reading.boot:
            self._state = replace(self._state, reference=reading)

    def erase(self, connection: Connection, sha256: bytes, actor: Actor, *, request: str = "", reason: str = "") -> int:
        """Remove the payload with this salted digest, and say so in the log; its entry stays and still verifies.

        Raises:
            LogError: there is no such payload.
        """
        if connection.execute(delete(schema.blob).where(schema.blob.c.sha256 == sha256)).rowcount != 1:
            raise LogError(f"no payload with the digest {sha256.hex()}")
        data: dict[str, Value] = {"sha256": sha256.hex(), **({"reason": reason} if reason else {})}
        return self.append(connection, Entry(type=EntryType.BLOB_ERASED, actor=actor, request=request, data=data))

    def erase_expired(self, connection: Connection, digests: Sequence[bytes], *, days: int) -> int:
        """Remove those of these payloads that are still there, with one entry for up to 500; how many they were."""
        there = list[bytes]()
        for start in range(0, len(digests), _ERASED_PER_ENTRY):
            chosen = schema.blob.c.sha256.in_(digests[start : start + _ERASED_PER_ENTRY])
            found = list(connection.scalars(select(schema.blob.c.sha256).where(chosen)))
            if found:
                connection.execute(delete(schema.blob).where(chosen))
                data: dict[str, Value] = {"sha256": [one.hex() for one in found], "reason": f"older than {days} days"}
                self.append(connection, Entry(type=EntryType.BLOB_ERASED, data=data))
                there += found
        return len(there)

    def rotate(self, connection: Connection, new: Signer) -> int:
        """Change the log's key: an entry names both, the next head is signed by both, later ones by the new key alone.

        The entry holds the old key's word for the new one (``audit.succession``), so that whoever knows the old one can
        tell the new one at any later time.

        The store's list of keys gets the new one; publish it to everyone who verifies, beside the old one.

        Raises:
            LogError: the new key has another name, which would make it another log's; or what another broker wrote does
                not verify.
        """
        self._hold(connection)  # what others wrote is signed by the old key, and nothing comes between it and the new
        old = self._state.signers[-1]
        if new.name != old.name:
            raise LogError(f"the new key is named {new.name!r}, expected {old.name!r}")
        reading = self._clock.read()
        self._follow_clock(reading)  # first, because the old key signs the place of the entry
        before, _ = merkle.grow(self._state.tree, [merkle.leaf_hash(one.body) for one in self._queue])
        data: dict[str, Value] = {
            "old": old.verifier.vkey,
            "new": new.verifier.vkey,
            ENDORSEMENT: endorse(old, new.verifier, before),
        }
        self._queue.append(encode(Entry(type=EntryType.LOG_KEY_ROTATED, data=data), reading))
        known = connection.execute(select(schema.meta.c.value).where(schema.meta.c.key == VKEY_KEY)).scalar_one()
        connection.execute(
            update(schema.meta).where(schema.meta.c.key == VKEY_KEY).values(value=f"{known}\n{new.verifier.vkey}")
        )
        self._state = replace(self._state, signers=(old, new))
        return before.size

    def seal(self, connection: Connection) -> TreeHead:
        """Write what is queued and the signed head over it; the head as it is when nothing is queued.

        Raises:
            LogError: the stored head is not the one we wrote last; the transaction must be rolled back.
        """
        if not self._queue:
            return self._state.head
        self._hold(connection)
        before = self._state.tree
        leaves = [merkle.leaf_hash(one.body) for one in self._queue]
        tree, tiles = merkle.grow(before, leaves)
        head = _signed_head(self._state.signers, tree)
        _replace_head(connection, before.size, tree, head)
        _insert_entries(connection, before.size, leaves, self._queue)
        rows = [{"level": one.level, "n": one.n, "hashes": one.hashes} for one in tiles]
        _INSERT_TILE.change_many(connection, rows)
        self._queue.clear()
        self._seals += 1
        self._state = replace(self._state, tree=tree, head=head, signers=self._state.signers[-1:])
        return head

    def mark(self) -> object:
        """A place to ``rewind`` to, before a savepoint is opened."""
        state = self._state
        return _Mark(
            seals=self._seals,
            is_held=self._is_held,
            queued=len(self._queue),
            reference=state.reference,
            signers=state.signers,
        )

    def rewind(self, mark: object) -> None:
        """Forget what was appended since the mark: its savepoint was rolled back.

        Raises:
            LogError: the log was sealed since.
        """
        if not isinstance(mark, _Mark) or mark.seals != self._seals or mark.queued > len(self._queue):
            raise LogError("the log cannot be rewound to before it was sealed")
        del self._queue[mark.queued :]
        self._is_held = mark.is_held  # a savepoint that is rolled back gives its locks away
        self._state = replace(self._state, reference=mark.reference, signers=mark.signers)

    def committed(self) -> None:
        """The transaction is on disk.

        Raises:
            LogError: entries were queued and not sealed, so they are lost.
        """
        if self._queue:
            raise LogError(f"{len(self._queue)} entries were committed without being sealed")
        self._committed = self._state
        self._is_held = False

    def rolled_back(self) -> None:
        """The transaction never happened; forget what was appended in it."""
        self._queue.clear()
        self._state = self._committed
        self._is_held = False

    def _hold(self, connection: Connection) -> None:
        """Keep other brokers from the log until the commit, and read what they have written; alone, do nothing."""
        if self._is_held or not is_shared(connection):
            return
        state = self._state
        checkpoint = _HOLD_HEAD.scalar(connection)
        if checkpoint is None:
            raise LogError("the tree head is missing from the store; restore the store from a backup")
        if checkpoint != state.head.checkpoint:
            tree, head = _follow(connection, state, checkpoint)
            self._state = replace(state, tree=tree, head=head)
        self._is_held = True


if TYPE_CHECKING:
    _implements: type[AuditLog] = StoredLog


def open_log(connection: Connection, signer: Signer, clock: Clock, *, may_found: bool) -> StoredLog:
    """The log of this store, its head and its last tile verified; call ``committed`` after the transaction.

    Args:
        connection: in a transaction, because the log may be founded in it.
        signer: the log key.
        clock: times the entries.
        may_found: whether a log may be founded here, because none ever was (``Keys.is_founded``).

    Raises:
        LogError: the log does not verify or is another key's, or there is none and none may be founded.
    """
    row = connection.execute(_LOCK_HEAD).one_or_none()
    if row is None:
        return _found(connection, signer, clock, may_found=may_found)
    try:
        checkpoint = open_checkpoint(row.checkpoint, [signer.verifier])
    except NoteError as error:
        raise LogError(f"the stored tree head is not ours: {error}") from error
    if signer.verifier.vkey != (known := stored_vkeys(connection))[-1]:
        raise LogError(f"the log's key is {known[-1]!r}, the key file holds {signer.verifier.vkey!r}; restore it")
    tree = _restore(connection, row.size)
    if (checkpoint.origin, checkpoint.size) != (signer.name, row.size):
        raise LogError(f"the tree head of {row.size} entries is signed for {checkpoint.size} of {checkpoint.origin!r}")
    if tree.root() != checkpoint.root or b"".join(tree.frontier) != row.frontier:
        raise LogError("the last entries of the log are not those that were signed; run `askfirst audit verify`")
    last = connection.execute(select(schema.audit.c.body).where(schema.audit.c.seq == row.size - 1)).scalar_one()
    head = TreeHead(size=row.size, root=checkpoint.root, checkpoint=row.checkpoint)
    return StoredLog(clock, _State(tree=tree, head=head, reference=reading_of(last), signers=(signer,)))


def stored_vkeys(connection: Connection) -> list[str]:
    """All keys that the log of this store ever had, oldest first; ``[""]`` when there is no log."""
    text = connection.execute(select(schema.meta.c.value).where(schema.meta.c.key == VKEY_KEY)).scalar()
    return (text or "").split("\n")


def _found(connection: Connection, signer: Signer, clock: Clock, *, may_found: bool) -> StoredLog:
    origin = connection.execute(select(schema.meta.c.value).where(schema.meta.c.key == ORIGIN_KEY)).scalar()
    if origin is not None or connection.execute(select(func.max(schema.audit.c.seq))).scalar() is not None:
        raise LogError("the tree head is missing from the store; restore the store from a backup")
    if not may_found:
        raise LogError(
            f"the store holds no log, but {signer.name} was founded here: the store was deleted or replaced; restore "
            "it, or move the key files away to begin a new log that everyone can tell from the old one"
        )
    vkey = signer.verifier.vkey
    connection.execute(
        insert(schema.meta), [{"key": ORIGIN_KEY, "value": signer.name}, {"key": VKEY_KEY, "value": vkey}]
    )
    tree = merkle.Tree()
    head = _signed_head((signer,), tree)
    connection.execute(insert(schema.tree).values(one=1, size=0, frontier=b"", checkpoint=head.checkpoint))
    log = StoredLog(clock, _State(tree=tree, head=head, reference=clock.read(), signers=(signer,)))
    log.append(connection, Entry(type=EntryType.LOG_FOUNDED, data={"origin": signer.name, "vkey": vkey}))
    log.seal(connection)
    return log


def _follow(connection: Connection, state: _State, checkpoint: str) -> tuple[merkle.Tree, TreeHead]:
    """The tree and head after what other brokers have appended since; we hold the head's lock.

    Raises:
        LogError: it is no continuation of what we knew, or our key does not sign it any more.
    """
    ours = state.signers[-1].verifier
    try:
        found = open_checkpoint(checkpoint, [ours])
    except NoteError as error:
        raise LogError(f"another broker has signed the log with another key: {error}; restart with that key") from error
    if split_note(checkpoint)[1][-1].key_id != ours.key_id:  # the head of a change, which ours signs for the last time
        raise LogError("another broker has changed the log's key; copy its log.key to this state folder, and restart")
    rows = _LEAVES.rows(connection, start=state.tree.size)
    tree, _ = merkle.grow(state.tree, [leaf for _, leaf in rows])
    is_whole = [seq for seq, _ in rows] == list(range(state.tree.size, found.size))
    if not is_whole or found.origin != ours.name or tree.root() != found.root:
        raise LogError("what another broker wrote does not continue the log; run `askfirst audit verify`")
    return tree, TreeHead(size=found.size, root=found.root, checkpoint=checkpoint)


def _restore(connection: Connection, size: int) -> merkle.Tree:
    """The tree of the stored entries, its unfinished tiles computed from what lies below them."""
    start = size - size % merkle.TILE_WIDTH
    audit = schema.audit.c
    rows = connection.execute(select(audit.seq, audit.leaf, audit.body).where(audit.seq >= start).order_by(audit.seq))
    edge = list[bytes]()
    for seq, leaf, body in rows:
        if seq != start + len(edge) or merkle.leaf_hash(body) != leaf:
            raise LogError(f"entry {start + len(edge)} is missing or was changed; run `askfirst audit verify`")
        edge.append(leaf)
    if start + len(edge) != size:
        raise LogError(f"{size} entries were signed, {start + len(edge)} are there; run `askfirst audit verify`")
    edges, level = [edge], 1
    while size >> 8 * level:
        edges.append(_tile_roots(connection, level - 1, (size >> 8 * (level + 1)) << 8, size >> 8 * level))
        level += 1
    return merkle.from_edges(size, edges)


def _tile_roots(connection: Connection, level: int, start: int, end: int) -> list[bytes]:
    """The roots of the full tiles of a level with numbers from ``start`` to before ``end``."""
    tile = schema.tile.c
    rows = connection.execute(
        select(tile.n, tile.hashes).where(tile.level == level, tile.n >= start, tile.n < end).order_by(tile.n)
    ).all()
    if [row.n for row in rows] != list(range(start, end)) or any(len(row.hashes) != 8192 for row in rows):
        raise LogError(f"tiles of level {level} are missing or damaged; run `askfirst audit verify`")
    return [merkle.complete_root(merkle.split_hashes(row.hashes)) for row in rows]


def _signed_head(signers: tuple[Signer, ...], tree: merkle.Tree) -> TreeHead:
    checkpoint = Checkpoint(origin=signers[0].name, size=tree.size, root=tree.root())
    return TreeHead(size=tree.size, root=checkpoint.root, checkpoint=sign(checkpoint.text, *signers))


def _replace_head(connection: Connection, old_size: int, tree: merkle.Tree, head: TreeHead) -> None:
    values = {"size": tree.size, "frontier": b"".join(tree.frontier), "checkpoint": head.checkpoint}
    problem = f"the stored tree head is no longer that of {old_size} entries: someone else writes this log"
    _REPLACE_HEAD.require(connection, lambda: LogError(problem), old=old_size, **new(values))


def _insert_entries(connection: Connection, start: int, leaves: list[bytes], queue: list[Encoded]) -> None:
    """Write entries from this index on, with what stands apart from them."""
    rows = [
        {"seq": seq, "leaf": leaf, "body": one.body}
        for seq, (leaf, one) in enumerate(zip(leaves, queue, strict=True), start)
    ]
    _INSERT_ENTRY.change_many(connection, rows)
    blobs = [{"sha256": blob.sha256, "salt": blob.salt, "bytes": blob.payload} for one in queue for blob in one.blobs]
    _INSERT_BLOB.change_many(connection, blobs)


def _clock_jump(before: Reading, drift: int) -> Entry:
    """The entry that says that the wall clock was moved, and against what."""
    reference: dict[str, Value] = {"boot": before.boot, "bt": before.boot_us, "t": rfc3339(before.wall_us)}
    return Entry(type=EntryType.CLOCK_JUMP, data={"drift_ms": drift // 1000, "reference": reference})
