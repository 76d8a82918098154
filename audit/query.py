"""Finds entries in a store by who, what and when; reads only, and verifies nothing (that is ``audit.verify``)."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from askfirst.errors import InputError, LogError
from audit import tree as merkle
from audit.clock import rfc3339
from audit.entry import MAX_PAYLOAD_BYTES
from audit.payloads import payloads_of
from audit.source import connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Record = dict[str, Any]
"""An entry's members with its ``index``; bytes that are no entry come as ``{"index": …, "unreadable": text}``."""

_BATCH: Final = 500
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which entries are wanted; what is empty does not matter.

    Attributes:
        person: who acted, or decided, e.g. ``telegram:12345``.
        agent: name or session of the agent.
        session: of the agent, whatever its name is.
        rule: that decided, or that found something.
        decision: the verdict, e.g. ``denied``.
        request: id of the request, or the end of it.
        types: of entries, or their beginnings, e.g. ``gate.``.
        since: RFC 3339, inclusive; without an offset in UTC, and a date alone means its first moment.
        until: RFC 3339, exclusive.
    """

    person: str = ""
    agent: str = ""
    session: str = ""
    rule: str = ""
    decision: str = ""
    request: str = ""
    types: tuple[str, ...] = ()
    since: str = ""
    until: str = ""

    def __post_init__(self) -> None:
        for name in ("since", "until"):
            object.__setattr__(self, name, _moment(name, getattr(self, name)))

    def wants(self, entry: Record) -> bool:
        """Whether this entry is wanted."""
        agent, decision = _object(entry, "agent"), _object(entry, "decision")
        time = str(entry.get("t", ""))
        checks = (
            not self.types or str(entry.get("type", "")).startswith(self.types),
            not self.since or time >= self.since,
            not self.until or time < self.until,
            not self.request or str(entry.get("req", "")).lower().endswith(self.request.lower()),
            not self.decision or decision.get("verdict") == self.decision,
            not self.session or self.session == agent.get("session"),
            not self.agent or self.agent in {agent.get("name"), agent.get("session")},
            not self.person or self.person in _people(entry),
            not self.rule or self.rule in _rules(entry),
        )
        return all(checks)


def _moment(name: str, text: str) -> str:
    """The moment as entries write it, so that texts compare as times do; one without an offset is in UTC."""
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text.upper())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return rfc3339((moment - _EPOCH) // timedelta(microseconds=1))
    except (ValueError, LogError):
        raise InputError(f"{name} is {text!r}, expected e.g. 2026-11-25 or 2026-11-25T18:00:00Z", field=name) from None


def _object(entry: Record, name: str) -> Record:
    value = entry.get(name)
    return value if isinstance(value, dict) else {}


def _people(entry: Record) -> set[object]:
    by = _object(entry, "decision").get("by", ())
    return {_object(entry, "actor").get("id"), *(by if isinstance(by, list) else ())}


def _rules(entry: Record) -> set[object]:
    rules = _object(entry, "action").get("rules", ())
    return {_object(entry, "decision").get("rule"), *(rules if isinstance(rules, list) else ())}


def find(path: Path, wanted: Filter, *, limit: int, after: int = -1) -> list[Record]:
    """The newest entries that are wanted, oldest first; only those behind this index.

    Raises:
        LogError: the store cannot be read.
    """
    found = list[Record]()
    with closing(_open(path)) as connection:
        query = "select seq, body from audit where seq > ? order by seq desc"
        for index, body in _rows(path, connection, query, (after,)):
            if len(found) >= limit:
                break
            if wanted.wants(entry := entry_of(index, body)):
                found.append(entry)
    return found[::-1]


def scan(path: Path, wanted: Filter) -> Iterator[Record]:
    """All entries that are wanted, oldest first.

    Raises:
        LogError: the store cannot be read.
    """
    with closing(_open(path)) as connection:
        for index, body in _rows(path, connection, "select seq, body from audit order by seq"):
            if wanted.wants(entry := entry_of(index, body)):
                yield entry


def show(path: Path, index: int) -> Record:
    """One entry with its leaf hash and the payloads that stand apart from it.

    A payload that is gone comes as None; one that is no UTF-8 as hexadecimal under ``hex:``.

    Raises:
        InputError: there is no such entry.
        LogError: the store cannot be read.
    """
    with closing(_open(path)) as connection:
        rows = list(_rows(path, connection, "select seq, body from audit where seq = ?", (index,)))
        if not rows:
            raise InputError(f"there is no entry {index}", field="index")
        body = rows[0][1]
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_PAYLOAD_BYTES + (1 << 20))
        digests = payloads_of(body) if isinstance(body, bytes) else []
        payloads = {one.hex(): _payload(path, connection, one) for one in digests}
    leaf = merkle.leaf_hash(body).hex() if isinstance(body, bytes) else ""
    return {"entry": entry_of(index, body), "leaf": leaf, "payloads": payloads}


def _payload(path: Path, connection: sqlite3.Connection, sha256: bytes) -> str | None:
    rows = list(_rows(path, connection, "select 0, bytes from blob where sha256 = ?", (sha256,)))
    if not rows or not isinstance(rows[0][1], bytes):
        return None
    try:
        return rows[0][1].decode()
    except UnicodeDecodeError:
        return f"hex:{rows[0][1].hex()}"


def entry_of(index: object, body: object) -> Record:
    """The members of an entry with its index."""
    try:
        members = json.loads(body) if isinstance(body, bytes) else None
    except (ValueError, RecursionError):
        members = None
    if not isinstance(members, dict):
        text = body.decode(errors="backslashreplace") if isinstance(body, bytes) else str(body)
        return {"index": index, "unreadable": text}
    return {"index": index, **members}


def _open(path: Path) -> sqlite3.Connection:
    try:
        return connect(path)
    except sqlite3.Error as error:
        raise LogError(f"{path} cannot be read as a store: {error}") from error


def _rows(
    path: Path, connection: sqlite3.Connection, query: str, parameters: tuple[object, ...] = ()
) -> Iterator[tuple[Any, Any]]:
    try:
        cursor = connection.execute(query, parameters)
        while batch := cursor.fetchmany(_BATCH):
            yield from batch
    except sqlite3.Error as error:
        raise LogError(f"{path} cannot be read as a store: {error}") from error
