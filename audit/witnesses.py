"""The broker's side of witnessing: hands its heads to the configured witnesses, and keeps what they sign.

Rules kept here:
- Only committed heads leave the house.
- A cosignature is stored, with an entry that says so, only after it was verified.
- A witness that has seen more entries than there are, or others, is not argued with: the store was rolled back or
  rewritten. That is an entry, people are told, and until it cosigns nothing is, whatever the others say.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import httpx
import sqlalchemy as sa

from askfirst.audit_port import Entry, EntryType
from askfirst.errors import LogError, WitnessError
from askfirst.store import schema
from audit.note import MAX_NOTE_BYTES, NoteError, open_note, split_note
from audit.source import nodes_of
from audit.tree import consistency_proof
from audit.witness import SIZE_TYPE, Submission

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from askfirst.audit_port import TreeHead, Value
    from askfirst.audit_port import Witnesses as WitnessesPort
    from askfirst.store.writer import Writer
    from audit.log import StoredLog
    from audit.tree import NodeReader
    from audit.witness_policy import KnownWitness, WitnessPolicy

TIMEOUT_S: Final = 10.0
"""How long one witness may take for its whole answer, seconds."""
SPARE_S: Final = 2.0
"""How long the others are waited for once the quorum has cosigned, seconds."""
PERIOD_S: Final = 60.0
"""How often the head is shown to the witnesses when nothing waits for it, seconds."""
_LAST_S: Final = 253_402_300_799
"""The last second of the year 9999."""
_ATTEMPTS: Final = 3
"""A witness that knows another size is asked again with that one; another broker may be faster twice."""
_NOT_GROWN: Final = 422
"""Status of a head that continues nothing the witness has seen (https://c2sp.org/tlog-witness)."""

_log = logging.getLogger(__name__)


class ContradictionError(WitnessError):
    """A witness has seen another log than this one.

    Attributes:
        witness: which.
        size: how many entries it has seen, None where it does not say.
    """

    def __init__(self, message: str, *, witness: KnownWitness, size: int | None = None) -> None:
        super().__init__(message)
        self.witness = witness
        self.size = size


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cosigned:
    """A verified cosignature: by whom, its line, and when, POSIX seconds."""

    witness: KnownWitness
    line: str
    at_s: int


class Witnesses:
    """The configured witnesses of one log; implements ``askfirst.audit_port.Witnesses``.

    Args:
        policy: who they are, and how many are enough.
        log: whose heads they see.
        reader: a read-only engine of its store.
        writer: of the same store.
        tell: tells people a text; the same key tells once.
        http: what reaches them; ``None``: a client of our own.
    """

    def __init__(
        self,
        *,
        policy: WitnessPolicy,
        log: StoredLog,
        reader: sa.Engine,
        writer: Writer,
        tell: Callable[[str, str], Awaitable[object]],
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self._policy = policy
        self._log = log
        self._reader = reader
        self._writer = writer
        self._tell = tell
        self._http = http or httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False)
        self._turn = asyncio.Lock()
        self._known = dict[str, int]()
        self._cosigned = 0
        self._shown = 0
        """The size after the last round, with the entry that tells of it: nothing else happened while it stays so."""
        self._contradictions = dict[str, str]()
        self._told = set[tuple[str, int | None]]()

    @property
    def contradictions(self) -> tuple[str, ...]:
        """What each witness said last that does not fit this log, a sentence each; over when it cosigns."""
        return tuple(self._contradictions.values())

    async def cosign(self, size: int) -> None:
        """Return once enough witnesses have cosigned a head of at least this many entries.

        Raises:
            WitnessError: they have not.
        """
        async with self._turn:  # whoever waited for the round before may find its work done
            if self._cosigned >= size:
                return
            head = self._log.head
            if head.size < size:
                raise WitnessError(f"the log has {head.size} entries, expected at least {size} to be cosigned")
            await self._round(head)

    async def run(self) -> None:
        """Show every head to the witnesses, at most one a period; runs until cancelled."""
        while True:
            head = self._log.head
            if head.size > self._shown:
                try:
                    await self.cosign(head.size)
                except WitnessError as error:
                    _log.warning("not witnessed: %s", error)
            await asyncio.sleep(PERIOD_S)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _round(self, head: TreeHead) -> None:
        asked = [witness for witness in self._policy.witnesses if witness.url]
        results = await self._answers(asked, head)
        signed = [one for one in results if isinstance(one, _Cosigned)]
        causes = [str(one) for one in results if isinstance(one, LogError)]
        for one in results:
            if isinstance(one, Exception) and not isinstance(one, LogError):
                raise one
        if signed:
            await self._writer.write(lambda connection: self._store(connection, head, signed))
            self._shown = self._log.head.size
        for one in results:
            if isinstance(one, ContradictionError):
                await self._contradicted(one, head)
        if self._contradictions:  # no quorum outvotes one that remembers, even while it hangs
            raise WitnessError("; ".join(self._contradictions.values()))
        if not self._policy.is_met(one.witness.key for one in signed):
            raise WitnessError(
                f"{len(signed)} of {len(asked)} witnesses cosigned {head.size} entries, which is not the quorum "
                f"{self._policy.quorum!r}: {'; '.join(causes) or 'no witness has a URL'}"
            )
        self._cosigned = head.size

    async def _answers(self, asked: list[KnownWitness], head: TreeHead) -> list[_Cosigned | BaseException]:
        """What each witness says; once the quorum has cosigned, one that hangs is not waited for."""
        tasks = [asyncio.create_task(self._ask_in_time(witness, head)) for witness in asked]
        waiting = set(tasks)
        try:
            while waiting:
                signed = [task.result() for task in tasks if task.done() and task.exception() is None]
                spare = SPARE_S if self._policy.is_met(one.witness.key for one in signed) else None
                done, waiting = await asyncio.wait(waiting, timeout=spare, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    break
        finally:
            for task in waiting:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        return results

    async def _ask_in_time(self, witness: KnownWitness, head: TreeHead) -> _Cosigned:
        """The same as ``_ask``, of one that may hang, or answer byte by byte."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await self._ask(witness, head)
        except TimeoutError:
            raise WitnessError(f"{witness.name} has not answered within {TIMEOUT_S:.0f} s") from None

    async def _contradicted(self, error: ContradictionError, head: TreeHead) -> None:
        """Write down and tell what a witness says, once for each size."""
        name = error.witness.name
        self._contradictions[name] = str(error)
        if (name, error.size) in self._told:
            return
        self._told.add((name, error.size))
        data: dict[str, Value] = {
            "witness": error.witness.key.name,
            "size": head.size,
            "root": head.root.hex(),
            "cause": str(error),
            **({} if error.size is None else {"witnessed": error.size}),
        }
        entry = Entry(type=EntryType.LOG_CONTRADICTED, data=data)
        await self._writer.write(lambda connection: self._log.append(connection, entry))
        await self._tell(
            f"The audit log is not the one that was witnessed: {error}. What needs a witness is denied until the "
            "newest copy of the store is back. `askfirst doctor` says how it stands.",
            f"contradicted {name} {error.size}",
        )

    async def _ask(self, witness: KnownWitness, head: TreeHead) -> _Cosigned:
        """One witness's verified cosignature over this head; WitnessError when it gives none."""
        old = self._known.get(witness.name)
        if old is None:
            old = await asyncio.to_thread(self._last_size, witness)
        for _ in range(_ATTEMPTS):
            response = await self._post(witness, await asyncio.to_thread(self._submission, old, head))
            if response.status_code == 200:
                cosigned = _verified(witness, head, response.text)
                self._known[witness.name] = head.size
                self._contradictions.pop(witness.name, None)
                return cosigned
            if response.status_code == _NOT_GROWN:
                raise ContradictionError(
                    f"{witness.name} has witnessed other entries than the {head.size} that are there: this store was "
                    "rolled back or rewritten",
                    witness=witness,
                )
            known = _known_size(response)
            if known is None:
                raise WitnessError(f"{witness.name} answers {response.status_code}: {response.text[:200].strip()!r}")
            if known > head.size:
                there = await asyncio.to_thread(self._stored_size)
                if known <= there:
                    raise WitnessError(f"{witness.name} has witnessed what another broker wrote meanwhile; try again")
                raise ContradictionError(
                    f"{witness.name} has witnessed {known} entries, there are {there}: this store was rolled back",
                    witness=witness,
                    size=known,
                )
            old = known
        raise WitnessError(f"{witness.name} knows another size each time")

    async def _post(self, witness: KnownWitness, submission: Submission) -> httpx.Response:
        try:
            async with self._http.stream(
                "POST", f"{witness.url.rstrip('/')}/add-checkpoint", content=submission.body
            ) as response:
                content = bytearray()
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > MAX_NOTE_BYTES:
                        raise WitnessError(f"{witness.name} answers more than {MAX_NOTE_BYTES} bytes")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise WitnessError(f"{witness.name} cannot be reached: {str(error) or type(error).__name__}") from error
        kind = response.headers.get("content-type", "")
        return httpx.Response(response.status_code, headers={"content-type": kind}, content=bytes(content))

    def _submission(self, old: int, head: TreeHead) -> Submission:
        proof = list[bytes]()
        if 0 < old < head.size:
            with self._reader.connect() as connection:
                proof = consistency_proof(stored_nodes(connection), old, head.size)
        return Submission(old=min(old, head.size), proof=tuple(proof), note=head.checkpoint)

    def _stored_size(self) -> int:
        """How many entries are there; another broker may have written since our head."""
        with self._reader.connect() as connection:
            return int(connection.execute(sa.select(schema.tree.c.size)).scalar_one())

    def _last_size(self, witness: KnownWitness) -> int:
        """What this witness cosigned last, as far as we know."""
        cosignature = schema.cosignature.c
        with self._reader.connect() as connection:
            query = sa.select(sa.func.max(cosignature.size)).where(cosignature.name == witness.key.name)
            return connection.scalar(query) or 0

    def _store(self, connection: sa.Connection, head: TreeHead, signed: list[_Cosigned]) -> None:
        cosignature = schema.cosignature
        names = [one.witness.key.name for one in signed]
        connection.execute(cosignature.delete().where(cosignature.c.size == head.size, cosignature.c.name.in_(names)))
        rows = [{"size": head.size, "name": one.witness.key.name, "line": one.line} for one in signed]
        connection.execute(cosignature.insert(), rows)
        by: list[Value] = [{"name": one.witness.key.name, "time": one.at_s} for one in signed]
        data: dict[str, Value] = {"size": head.size, "root": head.root.hex(), "witnesses": by}
        self._log.append(connection, Entry(type=EntryType.LOG_CHECKPOINT_WITNESSED, data=data))


if TYPE_CHECKING:
    _implements: type[WitnessesPort] = Witnesses


def stored_nodes(connection: sa.Connection) -> NodeReader:
    """The hashes of complete subtrees in a store of any dialect."""
    tile, audit = schema.tile.c, schema.audit.c

    def full(level: int, n: int) -> bytes | None:
        found: bytes | None = connection.scalar(sa.select(tile.hashes).where(tile.level == level, tile.n == n))
        return found

    def leaves(first: int, count: int) -> list[bytes]:
        query = sa.select(audit.leaf).where(audit.seq >= first, audit.seq < first + count).order_by(audit.seq)
        return list(connection.scalars(query))

    return nodes_of(full, leaves)


def _verified(witness: KnownWitness, head: TreeHead, answer: str) -> _Cosigned:
    try:
        opened = open_note(head.checkpoint + answer, [witness.key])
        _, signatures = split_note(f"text\n\n{answer}")
    except NoteError as error:
        raise WitnessError(f"{witness.name} answers with no cosignature of its own: {error}") from error
    mine = (witness.key.name, witness.key.key_id)
    line = next(one.line for one in signatures if (one.name, one.key_id) == mine)
    at_s = opened.cosigned_at_s[0][1]
    if at_s > _LAST_S:  # which an entry could not hold either: the others' cosignatures would be lost with it
        raise WitnessError(f"{witness.name} has cosigned {at_s} s after 1970, which no calendar knows")
    return _Cosigned(witness=witness, line=line.strip(), at_s=at_s)


def _known_size(response: httpx.Response) -> int | None:
    """The size that a witness says it knows; None when it says something else."""
    text = response.text.removesuffix("\n")
    is_size = response.status_code == 409 and response.headers["content-type"].partition(";")[0] == SIZE_TYPE
    return int(text) if is_size and text.isascii() and text.isdigit() and len(text) < 20 else None
