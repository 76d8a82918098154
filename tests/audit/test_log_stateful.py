"""The log under any order of appends, savepoints, commits, rollbacks and restarts, against a list."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from audit import tree
from audit.testing import decided, found_store
from audit.verify import verify_store

if TYPE_CHECKING:
    from sqlalchemy import Connection


class LogMachine(RuleBasedStateMachine):
    """``stored`` is what must be on disk, ``pending`` what the open transaction has added, ``marks`` its savepoints."""

    @initialize()
    def found(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.store = found_store(Path(self.folder.name) / "store")
        self.stored, self.pending = ["founded"], list[str]()
        self.marks = list[tuple[object, int]]()
        self.connection: Connection | None = None
        self.number = 0

    def begin(self) -> Connection:
        if self.connection is None:
            self.connection = self.store.engine.connect()
            self.connection.begin()
        return self.connection

    def end(self) -> None:
        assert self.connection is not None
        self.connection.close()
        self.connection, self.pending, self.marks = None, [], []

    @rule(count=st.integers(1, 200))
    def append(self, count: int) -> None:
        connection = self.begin()
        for _ in range(count):
            self.number += 1
            index = self.store.log.append(connection, decided(self.number))
            self.pending.append(f"request-{self.number}")
            assert index == len(self.stored) + len(self.pending) - 1

    @precondition(lambda self: self.connection)
    @rule()
    def mark(self) -> None:
        self.marks.append((self.store.log.mark(), len(self.pending)))

    @precondition(lambda self: self.marks)
    @rule()
    def rewind(self) -> None:
        mark, length = self.marks.pop()
        self.store.log.rewind(mark)
        del self.pending[length:]

    @precondition(lambda self: self.connection)
    @rule()
    def seal(self) -> None:
        self.store.log.seal(self.begin())
        self.marks = []

    @precondition(lambda self: self.connection)
    @rule()
    def commit(self) -> None:
        self.store.log.seal(self.begin())
        self.begin().commit()
        self.store.log.committed()
        self.stored += self.pending
        self.end()

    @precondition(lambda self: self.connection)
    @rule()
    def roll_back(self) -> None:
        self.begin().rollback()
        self.store.log.rolled_back()
        self.end()

    @precondition(lambda self: not self.connection)
    @rule()
    def restart(self) -> None:
        before = self.store.log.head
        assert self.store.open().head == before

    @invariant()
    def what_is_committed_is_there_and_signed(self) -> None:
        if not hasattr(self, "stored") or self.connection:
            return
        bodies = self.store.bodies()
        assert [json.loads(body).get("req", "founded") for body in bodies] == self.stored
        grown, _ = tree.grow(tree.Tree(), [tree.leaf_hash(body) for body in bodies])
        assert (self.store.log.head.size, self.store.log.head.root) == (grown.size, grown.root())

    def teardown(self) -> None:
        if not hasattr(self, "stored"):
            return
        if self.connection:
            self.roll_back()
        assert verify_store(self.store.path).ok
        self.store.engine.dispose()
        self.folder.cleanup()


TestLog = LogMachine.TestCase
TestLog.settings = settings(max_examples=25, stateful_step_count=25)
