"""A log in a store of its own for tests, with a clock that stands still until it is told to move."""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Engine, create_engine, event

from askfirst.audit_port import Actor, Entry, EntryType, TreeHead
from askfirst.desk import Desk
from askfirst.hub import Hub
from askfirst.request import Verdict
from askfirst.store import schema
from askfirst.store.database import open_sqlite, open_sqlite_reader
from askfirst.store.writer import Writer
from askfirst.testing.bench import FakeClock as DeskClock
from askfirst.testing.bench import a_draft, a_review
from audit.clock import Reading
from audit.grants import GrantKey
from audit.keeper import Keeper
from audit.keys import Keys, open_keys
from audit.log import StoredLog, open_log, stored_vkeys
from audit.note import Signer
from audit.rotation import settle_key
from audit.verify import verify_store

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from askfirst.request import Request
    from audit.report import Report


@dataclass
class FakeClock:
    """A clock that moves only when it is told to; its machine booted at the start of 2026-11-25."""

    wall_us: int = 1_795_564_800_000_000
    boot_us: int = 0
    boot: str = "0c5d8a1e-0000-4000-8000-000000000001"

    def read(self) -> Reading:
        """Both clocks as they stand."""
        return Reading(wall_us=self.wall_us, boot_us=self.boot_us, boot=self.boot)

    def passes(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self.wall_us += int(seconds * 1_000_000)
        self.boot_us += int(seconds * 1_000_000)


@dataclass
class Store:
    """A store with a log, as the broker has it."""

    path: Path
    engine: Engine
    signer: Signer
    clock: FakeClock = field(default_factory=FakeClock)
    log: StoredLog = field(init=False)

    def open(self, *, may_found: bool = False, signer: Signer | None = None) -> StoredLog:
        """Open the log anew, as a broker that starts."""
        with self.engine.begin() as connection:
            self.log = open_log(connection, signer or self.signer, self.clock, may_found=may_found)
        self.log.committed()
        return self.log

    def write(self, *entries: Entry) -> TreeHead:
        """Write entries in one transaction; the head after it."""
        with self.engine.begin() as connection:
            for entry in entries:
                self.log.append(connection, entry)
            head = self.log.seal(connection)
        self.log.committed()
        return head

    def write_many(self, count: int, *, batch: int = 100) -> TreeHead:
        """Write numbered entries in several transactions, a second apart."""
        head = self.log.head
        for start in range(0, count, batch):
            self.clock.passes(1)
            head = self.write(*(decided(number) for number in range(start, min(start + batch, count))))
        return head

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> None:
        """Do to the file what an attacker with write access would do."""
        with self.engine.begin() as connection:
            connection.exec_driver_sql(statement, tuple(parameters))

    def bodies(self) -> list[bytes]:
        """The stored bytes of all entries, in order."""
        with self.engine.begin() as connection:
            return [row.body for row in connection.execute(schema.audit.select().order_by(schema.audit.c.seq))]


def decided(number: int, verdict: str = "deny") -> Entry:
    """An entry of a decision, told apart by its number."""
    return Entry(
        type=EntryType.GATE_DECIDED,
        actor=Actor(type="human", id="telegram:12345", channel="telegram", assurance=1),
        request=f"request-{number}",
        agent={"name": "claude-code", "session": "session-1", "cwd": "/home/someone/project"},
        action={"tool": "Bash", "act": "5f" * 32, "summary": "git push --force"},
        decision={"verdict": verdict, "by": ["telegram:12345"], "rule": "git.push-force"},
    )


def engine_of(path: Path) -> Engine:
    """The engine of a new or existing store at this path, set up as the broker does, with its tables."""
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def _pragmas(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("pragma journal_mode=wal")
        connection.execute("pragma synchronous=full")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("begin immediate")

    schema.metadata.create_all(engine)
    return engine


def signer_of(seed: int, name: str = "askfirst.local/log/0123456789abcdef") -> Signer:
    """A key that is the same every time."""
    return Signer(name=name, key=Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


def found_store(folder: Path, seed: int = 1) -> Store:
    """A store with a new log in a new folder, its vkey beside it."""
    folder.mkdir()
    store = Store(folder / "askfirst.db", engine_of(folder / "askfirst.db"), signer_of(seed))
    store.open(may_found=True)
    (folder / "log.vkey").write_text(f"{store.signer.verifier.vkey}\n", encoding="utf-8")
    return store


class Broker:
    """Store, log, desk and keeper as the broker has them, which can be stopped and started again."""

    def __init__(self, root: Path) -> None:
        root.mkdir(mode=0o700)
        self.root = root
        self.clock, self.audit_clock = DeskClock(), FakeClock(wall_us=1_800_000_000_000_000)
        self.start()

    def start(self) -> None:
        """Start as after a stop or a crash."""
        keys = open_keys(self.root)
        with ExitStack() as stack:
            engine = open_sqlite(self.root / "askfirst.db")
            stack.callback(engine.dispose)
            with engine.begin() as connection:
                self.keys: Keys = settle_key(keys, stored_vkeys(connection)[-1])
                self.log: StoredLog = open_log(
                    connection, self.keys.log, self.audit_clock, may_found=not self.keys.is_founded
                )
            stack.pop_all()
        self.log.committed()
        self.keys.publish()
        self.writer = Writer(engine, self.log)
        self.reader = open_sqlite_reader(self.root / "askfirst.db")
        self.keeper = Keeper(writer=self.writer, reader=self.reader, log=self.log, keys=self.keys, clock=self.clock)
        self.desk = Desk(
            writer=self.writer,
            reader=self.reader,
            audit=self.log,
            hub=Hub(),
            clock=self.clock,
            signer=GrantKey(self.keys.grants),
        )

    @contextmanager
    def opened(self) -> Iterator[Connection]:
        """The file as whoever may write it opens it, beside the broker."""
        engine = create_engine(f"sqlite:///{self.root / 'askfirst.db'}")
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()

    def stop(self) -> None:
        """Stop."""
        self.reader.dispose()
        self.writer.close()

    def passes(self, seconds: float) -> None:
        """Let time pass on every clock."""
        self.clock.advance(seconds)
        self.audit_clock.passes(seconds)

    def pass_days(self, days: float) -> None:
        """Let days pass."""
        self.passes(days * 86_400)

    def append(self, *entries: Entry) -> None:
        """Write entries."""
        for entry in entries:
            self._append(entry)

    def _append(self, entry: Entry) -> None:
        self.writer.submit(lambda connection: self.log.append(connection, entry)).result(5)

    def entries(self, *types: str) -> list[dict[str, Any]]:
        """What is in the log, of these types."""
        with self.reader.connect() as connection:
            bodies = connection.exec_driver_sql("select body from audit order by seq").scalars().all()
        entries = [json.loads(body) for body in bodies]
        return [entry for entry in entries if not types or entry["type"] in types]

    def payloads(self) -> int:
        """How many payloads stand apart."""
        with self.reader.connect() as connection:
            return int(connection.exec_driver_sql("select count(*) from blob").scalar_one())

    def verified(self) -> Report:
        """The log, verified."""
        return verify_store(self.root / "askfirst.db")

    async def ended_request(self, command: str) -> Request:
        """A request for this command that was denied."""
        case = await self.desk.ask(a_draft(command=command, now_ms=self.clock.now_ms()))
        await self.desk.review(a_review(case.request, Verdict.DENY))
        return case.request
