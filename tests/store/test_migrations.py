"""Every released schema can be brought up in place, and what comes out is what ``schema.py`` says."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import askfirst.store
from askfirst.errors import StoreError
from askfirst.request import GrantState, RequestState
from askfirst.store import outbox, records
from askfirst.store.database import open_sqlite
from askfirst.store.schema import metadata

FOLDER = Path(askfirst.store.__file__).parent / "migrations"
REQUEST = "01K00000000000000000000001"
"""A request as release 0001 wrote it, approved and running."""
REQUEST_BODY = {
    "id": REQUEST,
    "version": 1,
    "kind": "approval",
    "state": "approved",
    "created_at_ms": 1_800_000_000_000,
    "agent": {"host": "claude-code", "session": "s", "subagent": "", "model": "", "mode": "", "interactive": False},
    "tool_use_id": "t",
    "action": {
        "tool": "Bash",
        "arguments": {"command": "rm -rf é"},
        "cwd": "/p",
        "host": "claude-code",
        "session": "s",
        "head": "",
        "files": {},
    },
    "action_digest": "a" * 64,
    "risk": 3,
    "effects": [],
    "expanded": "",
    "terms": {
        "policy": "built-in",
        "policy_digest": "0" * 64,
        "rule": "r",
        "approvals_needed": 2,
        "assurance_min": 0,
        "approval_expires_at_ms": 1_800_000_600_000,
        "grant_ttl_ms": 120_000,
        "late_grant_ttl_ms": 600_000,
        "on_timeout": "reject",
        "recipients": ["web:inbox"],
    },
    "claim": {"reason": "", "impact": "", "rollback_plan": "", "confidence": None, "signals": []},
    "question": "",
    "options": [],
    "end": {"at_ms": 1_800_000_001_000, "by": "local:ann", "channel": "web", "decision_id": "d", "text": ""},
}
GRANT_BODY = {
    "id": "G",
    "request_id": REQUEST,
    "action_digest": "a" * 64,
    "state": "redeemed",
    "issued_at_ms": 1_800_000_001_000,
    "expires_at_ms": 1_800_000_121_000,
    "late": False,
    "attempt": "attempt-1",
    "tool_use_id": "t",
    "redeemed_at_ms": 1_800_000_002_000,
    "ended_at_ms": None,
    "outcome": "",
    "detail": "",
}


def upgraded(path: Path, revision: str) -> sa.Engine:
    engine = sa.create_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return engine


def shape(path: Path) -> dict[str, object]:
    """Every table with its columns, keys and indexes, as the database sees them."""
    with closing(sqlite3.connect(path)) as database, database:
        names = [
            name
            for (name,) in database.execute("select name from sqlite_master where type = 'table'")
            if name not in {"alembic_version", "sqlite_sequence"}
        ]
        found: dict[str, object] = {}
        for name in names:
            columns = {row[1]: row[2:] for row in database.execute(f"pragma table_info({name})")}
            indexes = {
                row[1]: (row[2], [each[2] for each in database.execute(f"pragma index_info({row[1]})")])
                for row in database.execute(f"pragma index_list({name})")
                if not row[1].startswith("sqlite_")
            }
            where = {
                index: text.partition("WHERE")[2].strip()
                for index, text in database.execute(
                    "select name, sql from sqlite_master where type = 'index' and tbl_name = ? and sql is not null",
                    (name,),
                )
            }
            keys = sorted(row[2:5] for row in database.execute(f"pragma foreign_key_list({name})"))
            found[name] = (columns, indexes, where, keys)
        return found


def test_the_migrations_make_what_the_schema_says(tmp_path: Path) -> None:
    upgraded(tmp_path / "migrated.db", "head").dispose()
    declared = sa.create_engine(f"sqlite:///{tmp_path / 'declared.db'}")
    metadata.create_all(declared)
    declared.dispose()
    assert shape(tmp_path / "migrated.db") == shape(tmp_path / "declared.db")


def test_a_store_of_the_first_release_is_brought_up_with_all_that_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    upgraded(path, "0001").dispose()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "insert into request values (?, 'key', 1, 'approved', ?, 's', 1800000000000, 1800000121000, ?)",
            (REQUEST, "a" * 64, json.dumps(REQUEST_BODY)),
        )
        database.execute(
            "insert into grant_ values ('G', ?, ?, 'redeemed', 1800000121000, ?)",
            (REQUEST, "a" * 64, json.dumps(GRANT_BODY)),
        )
        for kind, done, message in (("send", 1, "/requests/1"), ("update", 0, None)):
            database.execute(
                "insert into outbox (request_id, channel, recipient, kind, next_at_ms, done, external_id) "
                "values (?, 'web', 'web:inbox', ?, 0, ?, ?)",
                (REQUEST, kind, done, message),
            )
    engine = open_sqlite(path)
    with engine.begin() as connection:
        case = records.read(connection, REQUEST)
        [released] = records.list_running(connection, "s")
        owed = outbox.due(connection, "web", 1, 10)
    engine.dispose()
    assert case.request.state is RequestState.APPROVED
    assert case.request.action.command == "rm -rf é"
    assert [(each.approvals_needed, each.recipients) for each in case.request.terms.stages] == [(2, ("web:inbox",))]
    assert case.grant is not None
    assert (case.grant.state, case.grant.uses[0].attempt) == (GrantState.REDEEMED, "attempt-1")
    assert released == case
    assert [(each.kind, each.message_id, each.external_id) for each in owed] == [("update", 1, "/requests/1")]


def test_whose_each_request_is_that_waits_is_read_from_it_on_the_way(tmp_path: Path) -> None:
    def body(**members: object) -> str:
        action = {**REQUEST_BODY["action"], "machine": members.pop("machine", "")}  # type: ignore[dict-item]  # it is a dict
        return json.dumps({**REQUEST_BODY, "action": action, **members})

    path = tmp_path / "old.db"
    upgraded(path, "0011").dispose()
    rows = {
        "its-own-users": ("pending", json.dumps(REQUEST_BODY), ""),
        "tokens": ("pending", body(caller="token:01K", machine="laptop"), "token:laptop"),
        "hooks-of-a-machine": ("pending", body(machine="laptop"), "token:laptop"),
        "other-users": ("pending", body(caller="uid:1001"), "uid:1001"),
        "unreadable": ("pending", "{", ""),
        "unknown": ("pending", "[]", ""),
        "ended": ("denied", body(caller="uid:1001"), ""),
    }
    with sqlite3.connect(path) as database:
        database.executemany(
            "insert into request values (?, ?, 1, ?, '', 's', 0, null, ?, 'claude-code', null)",
            [(name, name, state, text) for name, (state, text, _) in rows.items()],
        )
    database.close()
    upgraded(path, "head").dispose()
    with sqlite3.connect(path) as database:
        found = dict(database.execute("select id, counted_as from request"))
    database.close()
    assert found == {name: whose for name, (_, _, whose) in rows.items()}


def test_a_store_of_a_newer_release_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "newer.db"
    open_sqlite(path).dispose()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("update alembic_version set version_num = '9999'")
    with pytest.raises(StoreError, match="schema 9999, which this release does not know; upgrade askfirst"):
        open_sqlite(path)
