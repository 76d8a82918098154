"""A desk to test against: real store, real writer, a clock and a log that tests can look into."""

from __future__ import annotations

import functools
import hashlib
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from askfirst.audit_port import TreeHead
from askfirst.desk import Desk
from askfirst.effects import Classification, Effect, EffectKind, Outcome, Risk
from askfirst.host import Agent
from askfirst.hub import Hub
from askfirst.intake import Draft, request_of
from askfirst.people import Directory
from askfirst.request import Action, Request, Verdict
from askfirst.review_draft import ReviewDraft
from askfirst.store.database import open_sqlite
from askfirst.store.open import open_store
from askfirst.store.writer import Writer
from askfirst.terms import Terms
from askfirst.testing.net import MemoryNet
from askfirst.undo_desk import UndoDesk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import sqlalchemy as sa

    from askfirst.audit_port import Entry
    from askfirst.engine import Case
    from askfirst.request import RequestState


class FakeClock:
    """A clock that moves only when told."""

    def __init__(self, now_ms: int = 1_800_000_000_000) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch."""
        return self._now_ms

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now_ms += round(seconds * 1000)


class FakeSigner:
    """A keyed hash in place of a signature: as good for a test,."""

    def sign(self, message: bytes) -> bytes:
        """32 bytes."""
        return hashlib.blake2b(message, key=b"test", digest_size=32).digest()

    def is_ours(self, message: bytes, signature: bytes) -> bool:
        """Whether ``sign`` made it."""
        return signature == self.sign(message)


class OneCase:
    """Requests to look at, as a channel is handed them (``askfirst.backing.Requests``): this one."""

    def __init__(self, case: Case) -> None:
        self._case = case

    async def case(self, _request_id: str) -> Case:
        """It."""
        return self._case

    async def coded(self, _id_end: str, _digest_start: str) -> list[Case]:
        """It."""
        return [self._case]

    async def pending(self) -> list[Request]:
        """Its request."""
        return [self._case.request]

    async def requests(
        self, *, states: Sequence[RequestState] = (), limit: int = 100, before: str = ""
    ) -> list[Request]:
        """Its request."""
        del states, limit, before
        return [self._case.request]


class MemoryAuditLog:
    """Keeps entries in a list; rolls back as the real log does, signs nothing."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._safe = 0

    def append(self, _connection: sa.Connection, entry: Entry) -> int:
        """Add one entry."""
        self.entries.append(entry)
        return len(self.entries) - 1

    @property
    def head(self) -> TreeHead:
        """A head without proof."""
        return TreeHead(size=len(self.entries), root=bytes(32), checkpoint="")

    def seal(self, _connection: sa.Connection) -> TreeHead:
        """Nothing to seal."""
        return self.head

    def mark(self) -> object:
        """The number of entries."""
        return len(self.entries)

    def rewind(self, mark: object) -> None:
        """Cut back to the mark."""
        assert isinstance(mark, int)
        del self.entries[mark:]

    def committed(self) -> None:
        """Everything so far is safe."""
        self._safe = len(self.entries)

    def rolled_back(self) -> None:
        """Cut back to the last commit."""
        del self.entries[self._safe :]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A desk with its parts."""

    desk: Desk
    undos: UndoDesk
    clock: FakeClock
    log: MemoryAuditLog
    hub: Hub
    path: Path
    writer: Writer
    reader: sa.Engine


@contextmanager
def bench(path: Path, url: str = "", **options: Any) -> Iterator[Bench]:
    """A desk over a SQLite store at ``path``, or over the database at ``url``, closed at the end.

    ``options`` are more of the desk's arguments.
    """
    log, clock, hub = MemoryAuditLog(), FakeClock(), Hub()
    if not url and not path.exists():
        path.write_bytes(_new_store())
        path.chmod(0o600)
    store = open_store(path, url)
    writer, reader = Writer(store.engine, log), store.reader
    desk = Desk(writer=writer, reader=reader, audit=log, hub=hub, clock=clock, signer=FakeSigner(), **options)
    people, net = options.get("people") or Directory(is_open=True), options.get("net") or MemoryNet(clock)
    try:
        yield Bench(
            desk=desk,
            undos=UndoDesk(desk=desk, people=people, net=net),
            clock=clock,
            log=log,
            hub=hub,
            path=path,
            writer=writer,
            reader=reader,
        )
    finally:
        writer.close()
        reader.dispose()


@functools.cache
def _new_store() -> bytes:
    """A store as it is after all migrations, which take most of a short test's time."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "new.db")
        open_sqlite(path).dispose()
        return path.read_bytes()


def a_draft(*, key: str = "key-1", command: str = "git reset --hard HEAD~2", now_ms: int = 1_800_000_000_000) -> Draft:
    """A request for one destructive command, with ten minutes to decide and two to run."""
    agent = Agent(host="claude-code", session="session-1", model="model-1")
    effect = Effect(
        rule="git.reset-hard",
        kind=EffectKind.DISCARDS_CHANGES,
        risk=Risk.HIGH,
        reversible=False,
        target=".",
        loss="discards 1 changed file and 2 unpushed commits",
        suggestion="git stash",
        command=command,
    )
    terms = Terms(
        policy="test",
        policy_digest="0" * 64,
        rule="ask.high",
        approval_expires_at_ms=now_ms + 600_000,
        grant_ttl_ms=120_000,
        late_grant_ttl_ms=600_000,
    )
    return Draft(
        key=key,
        agent=agent,
        tool_use_id="toolu_0001",
        action=Action(
            tool="Bash", arguments={"command": command}, cwd="/srv/project", host=agent.host, session=agent.session
        ),
        classification=Classification(outcome=Outcome.GATE, effects=(effect,)),
        terms=terms,
    )


def one_of_many(name: str, number: int, *, now_ms: int = 1_800_000_000_000) -> Draft:
    """One of many agents' requests, no two alike: forty in a session, a thousand on a host, as the bounds let wait."""
    key = f"{name}-{number}"
    draft = a_draft(key=key, command=f"git push --force origin {key}", now_ms=now_ms)
    agent = replace(draft.agent, session=f"session-{name}-{number // 40}", host=f"host-{name}-{number // 1000}")
    return replace(draft, agent=agent, action=replace(draft.action, session=agent.session, host=agent.host))


def a_request(draft: Draft, *, created_at_ms: int = 1_800_000_000_000) -> Request:
    """The pending request that this draft becomes."""
    return request_of(draft, created_at_ms)


def a_review(request: Request, verdict: Verdict, *, person: str = "local:ann", **changes: object) -> ReviewDraft:
    """A review of exactly this version of the request."""
    draft = ReviewDraft(
        decision_id=f"{request.id}-{person}-{verdict.value}",
        request_id=request.id,
        version=request.version,
        action_digest=request.action_digest,
        person=person,
        channel="web",
        verdict=verdict,
        assurance=1,
    )
    return replace(draft, **changes)  # type: ignore[arg-type]  # the caller names its fields
