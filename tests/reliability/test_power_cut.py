"""The power fails at any moment: what was acknowledged is on disk, because every commit waits for its sync.

A SQLite VFS records how the store's file and its WAL are written, truncated and synced. A cut is a random place in
that record: what precedes a file's last sync is safe; of what follows each write is lost, torn or kept, by chance. The
image is opened by the plain VFS and must hold every acknowledged row. The pragmas are those of the store; with
``synchronous=OFF`` the same method must find losses, or it could find none.

Limit: files that are made or removed count as durable.
"""

from __future__ import annotations

import random
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
import pytest

from askfirst.store.database import write_pragmas

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
SECTOR = 512


@dataclass
class Record:
    """What happened, in order: (file, what, offset or size, bytes); and how long it was at each acknowledgement."""

    events: list[tuple[str, str, int, bytes]] = field(default_factory=list)
    acks: list[int] = field(default_factory=list)


class Recorder(apsw.VFS):
    def __init__(self, name: str, record: Record) -> None:
        self.record = record
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: Any) -> Any:  # noqa: N802  # as SQLite names it
        return RecordedFile(self.record, name, flags)


class RecordedFile(apsw.VFSFile):
    def __init__(self, record: Record, name: Any, flags: Any) -> None:
        self.record = record
        self.name = Path(name.filename() if isinstance(name, apsw.URIFilename) else name or "").name
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802  # as SQLite names it
        super().xWrite(data, offset)
        self.record.events.append((self.name, "write", offset, bytes(data)))

    def xTruncate(self, size: int) -> None:  # noqa: N802  # as SQLite names it
        super().xTruncate(size)
        self.record.events.append((self.name, "truncate", size, b""))

    def xSync(self, flags: int) -> None:  # noqa: N802  # as SQLite names it
        super().xSync(flags)
        self.record.events.append((self.name, "sync", 0, b""))


def recorded(path: Path, chance: random.Random, synchronous: str | None) -> Record:
    """Commits of random size, as the store's writer makes them."""
    record = Record()
    vfs = Recorder(f"recorder-{path.name}", record)  # SQLite finds it by its name
    connection = apsw.Connection(str(path), vfs=f"recorder-{path.name}")
    write_pragmas(connection)
    connection.execute("pragma wal_autocheckpoint=8")
    if synchronous is not None:
        connection.execute(f"pragma synchronous={synchronous}")
    connection.execute("create table audit (seq integer primary key, body blob not null) strict")
    record.acks.append(len(record.events))
    for seq in range(chance.randrange(5, 40)):
        connection.execute("begin immediate")
        connection.execute("insert into audit values (?, ?)", (seq, chance.randbytes(chance.randrange(50, 3000))))
        connection.execute("commit")
        record.acks.append(len(record.events))
    record.events.append(("", "end", 0, b""))
    connection.close()
    vfs.unregister()
    return record


def image(record: Record, cut: int, chance: random.Random) -> dict[str, bytearray]:
    """What is on disk after a cut at this place."""
    files: dict[str, bytearray] = {}
    synced = {name: at for at, (name, what, _, _) in enumerate(record.events[:cut]) if what == "sync"}
    for at, (name, what, offset, data) in enumerate(record.events[:cut]):
        content = files.setdefault(name, bytearray())
        kept = at < synced.get(name, -1)
        if what == "truncate" and (kept or chance.random() < 0.5):
            del content[offset:]
        if what != "write":
            continue
        fate = 1.0 if kept else chance.random()
        if fate < 0.4:
            continue
        part = data[: SECTOR * chance.randrange(len(data) // SECTOR + 1)] if fate < 0.6 else data
        content.extend(bytes(max(0, offset + len(part) - len(content))))
        content[offset : offset + len(part)] = part
    return files


def losses(folder: Path, trials: int, synchronous: str | None) -> int:
    """In how many trials an acknowledged row, or the whole store, was lost."""
    lost = 0
    for trial in range(trials):
        chance = random.Random(trial)
        record = recorded(folder / f"{trial}.db", chance, synchronous)
        cut = chance.randrange(record.acks[0], len(record.events))
        acknowledged = sum(at <= cut for at in record.acks) - 1
        target = folder / f"{trial}-after.db"
        for name, content in image(record, cut, chance).items():
            if name in {f"{trial}.db", f"{trial}.db-wal"}:
                (folder / name.replace(f"{trial}.db", target.name)).write_bytes(content)
        lost += not survives(target, acknowledged)
    return lost


def survives(path: Path, acknowledged: int) -> bool:
    connection = sqlite3.connect(path)
    try:
        found = [seq for (seq,) in connection.execute("select seq from audit order by seq")]
        sound = connection.execute("pragma integrity_check").fetchone() == ("ok",)
    except sqlite3.DatabaseError:
        return False
    finally:
        connection.close()
    return sound and found == list(range(len(found))) and len(found) >= acknowledged


@pytest.mark.parametrize("trials", [300, pytest.param(3_000, marks=pytest.mark.soak)])
def test_nothing_that_was_acknowledged_is_lost(tmp_path: Path, trials: int) -> None:
    assert losses(tmp_path, trials, None) == 0


def test_the_method_finds_losses_where_nothing_is_synced(tmp_path: Path) -> None:
    assert losses(tmp_path, 20, "off") > 0
