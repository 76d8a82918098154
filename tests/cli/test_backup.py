"""Backup and restore, on either kind of store: made online, put back whole, verified, never over a live store."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import typer
from typer.testing import CliRunner, Result

from askfirst.broker.server import broker_lock
from askfirst.cli import audit
from askfirst.cli import backup as command
from askfirst.cli.parts import Parts
from askfirst.paths import StatePaths, state_paths
from askfirst.request import Verdict
from askfirst.store import restored, schema
from askfirst.store.postgres import parse_url
from askfirst.store.restored import Restored
from askfirst.testing.bench import a_draft, a_review
from audit.keys import open_keys
from audit.offline import OfflineLog
from audit.testing_core import core


def run(*arguments: str) -> Result:
    app = typer.Typer()
    parts: Any = type("Parts", (), {"log": staticmethod(OfflineLog)})
    made: Parts = parts
    command.add(app, made)
    audit.add(app, made)
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def paths(tmp_path: Path, store_url: str, monkeypatch: pytest.MonkeyPatch) -> StatePaths:
    found = state_paths(tmp_path / "state")
    config = tmp_path / "config.toml"
    config.write_text(f"[store]\nurl = {json.dumps(store_url)}\n", encoding="utf-8")
    monkeypatch.setenv("ASKFIRST_CONFIG", str(config))
    monkeypatch.setenv("ASKFIRST_STATE_DIR", str(found.root))
    return found


def ask(paths: StatePaths, url: str, *keys: str, during: Callable[[], None] = lambda: None) -> None:
    """Run a broker's core that makes these requests."""
    keys_of = open_keys(paths.root)
    with core(paths.store, url, may_found=not keys_of.is_founded, signer=keys_of.log) as made:
        keys_of.publish()

        async def story() -> None:
            for key in keys:
                await made.desk.ask(a_draft(key=key, command=f"rm -rf {key}", now_ms=made.clock.now_ms()))
            during()

        asyncio.run(story())


def forget(paths: StatePaths, url: str, postgres: Any) -> None:
    """Lose the store, and nothing else."""
    if url:
        postgres.drop(url)
        postgres.create_again(url)
    for path in paths.root.glob("askfirst.db*"):
        path.unlink()


def test_a_backup_made_while_a_broker_writes_is_put_back_whole(
    paths: StatePaths, store_url: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    file = tmp_path / "backup"

    def during() -> None:
        assert run("backup", str(file)).exit_code == 0

    ask(paths, store_url, "a", "b", during=during)
    ask(paths, store_url, "c")
    assert file.stat().st_mode & 0o777 == 0o600
    refused = run("restore", str(file))
    assert refused.exit_code == 70
    assert "there is a store at" in refused.output or "holds a store already" in refused.output
    forget(paths, store_url, request.getfixturevalue("postgres") if store_url else None)
    done = run("restore", str(file), "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["entries"] == 3  # founded, a, b
    assert "the log verifies" in run("audit", "verify").output
    assert [each["type"] for each in json.loads(run("audit", "list", "--json").output)] == [
        "log.founded",
        "gate.requested",
        "gate.requested",
    ]
    ask(paths, store_url, "b", "d")  # b is there already
    assert len(json.loads(run("audit", "list", "--json").output)) == 4


def decide(paths: StatePaths, url: str, key: str) -> None:
    """Have a request approved."""
    keys = open_keys(paths.root)
    with core(paths.store, url, may_found=False, signer=keys.log) as made:

        async def story() -> None:
            case = await made.desk.ask(a_draft(key=key, command=f"rm -rf {key}", now_ms=made.clock.now_ms()))
            await made.desk.review(a_review(case.request, Verdict.APPROVE))

        asyncio.run(story())


def marked(paths: StatePaths, url: str) -> Restored | None:
    engine = sa.create_engine(parse_url(url) if url else f"sqlite:///{paths.store}")
    with engine.connect() as connection:
        found = restored.marked(connection)
    engine.dispose()
    return found


def test_a_restore_says_what_is_lost_by_the_store_that_was_lost_and_by_a_head_that_was_seen(
    paths: StatePaths, store_url: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    file, later = tmp_path / "backup", tmp_path / "later"
    ask(paths, store_url, "a")
    run("backup", str(file))
    decide(paths, store_url, "b")
    before = json.loads(run("audit", "list", "--json").output)
    seen = json.loads(run("audit", "verify", "--json").output)
    run("backup", str(later))
    forget(paths, store_url, request.getfixturevalue("postgres") if store_url else None)
    evidence = ("--seen", f"{seen['size']}:{seen['root'][:16]}", *(() if store_url else ("--old", str(later))))
    done = run("restore", str(file), "--json", *evidence)
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert (told["entries"], told["entries_lost"], told["backup_at"]) == (2, len(before) - 2, before[1]["t"])
    [decided] = [each for each in before if each["type"] == "gate.decided"]
    line = f"{decided['t']} gate.decided approved {decided['req']} by local:ann"
    assert told["lost"] == ([] if store_url else [line])
    at = before[1]["t"]
    assert marked(paths, store_url) == Restored(head=f"2:{told['root']}", at=at, lost=len(before) - 2)


@pytest.mark.parametrize("store_url", [""])
def test_a_restore_without_evidence_says_that_decisions_may_be_lost(paths: StatePaths, tmp_path: Path) -> None:
    ask(paths, "", "a")
    run("backup", str(tmp_path / "backup"))
    forget(paths, "", None)
    told = " ".join(run("restore", str(tmp_path / "backup")).output.split())
    assert "What was written after the backup is gone, decisions that people were told of, too" in told
    assert "a broker takes back every approval and break-glass code that is open in it" in told


def test_a_store_that_was_put_back_by_other_means_is_verified_and_marked(paths: StatePaths, store_url: str) -> None:
    ask(paths, store_url, "a")
    done = run("restore", "--in-place", "--json")
    assert (done.exit_code, json.loads(done.output)["entries"]) == (0, 2)
    found = marked(paths, store_url)
    assert found is not None
    assert found.head.startswith("2:")


def test_a_restore_names_what_waits_and_cannot_be_read(paths: StatePaths, store_url: str) -> None:
    ask(paths, store_url, "a", "b")
    decide(paths, store_url, "c")
    engine = sa.create_engine(parse_url(store_url) if store_url else f"sqlite:///{paths.store}")
    with engine.begin() as connection:
        a, _b, c = connection.scalars(sa.select(schema.request.c.id).order_by(schema.request.c.id)).all()
        for table, key in (
            (schema.request, schema.request.c.id == a),
            (schema.review, schema.review.c.request_id == c),
        ):
            connection.execute(table.update().where(key).values(body="{"))
    engine.dispose()
    told = json.loads(run("restore", "--in-place", "--json").stdout)
    assert (told["ok"], told["unreadable"]) == (True, [a, c])
    said = " ".join(run("restore", "--in-place").stderr.split())
    assert "2 of the requests that wait or are approved cannot be read, so they open nothing" in said
    assert f"{a}, {c}; an older backup may have them whole" in said
    with engine.begin() as connection:  # whose records have another form
        connection.execute(sa.text("update alembic_version set version_num = '0001'"))
    engine.dispose()
    assert json.loads(run("restore", "--in-place", "--json").stdout)["unreadable"] == []


def test_a_store_that_a_newer_release_has_upgraded_is_not_touched(paths: StatePaths, store_url: str) -> None:
    ask(paths, store_url, "a")
    engine = sa.create_engine(parse_url(store_url) if store_url else f"sqlite:///{paths.store}")
    with engine.begin() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    engine.dispose()
    done = run("restore", "--in-place")
    assert done.exit_code == 70
    assert "schema 9999, which this release does not know; upgrade askfirst" in " ".join(done.output.split())
    assert marked(paths, store_url) is None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "give either a file, or --in-place"),
        (("FILE", "--in-place"), "give either a file, or --in-place"),
        (("FILE", "--seen", "nonsense"), "is no head"),
        (("FILE", "--old", "OTHER"), "is not the store that this backup is of"),
    ],
)
@pytest.mark.parametrize("store_url", [""])
def test_a_restore_that_cannot_be_meant_leaves_nothing_behind(
    paths: StatePaths, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    file, other = tmp_path / "backup", tmp_path / "other.db"
    ask(paths, "", "a")
    run("backup", str(file))
    forget(paths, "", None)
    with core(other) as made:  # the log of another store
        for key in "bc":
            asyncio.run(made.desk.ask(a_draft(key=key, now_ms=made.clock.now_ms())))
    named = {"FILE": str(file), "OTHER": str(other)}
    refused = run("restore", *(named.get(each, each) for each in arguments))
    assert refused.exit_code != 0
    assert sentence in " ".join(refused.output.split())
    assert sorted(each.name for each in paths.root.glob("*.db")) == []


def test_a_backup_never_overwrites(paths: StatePaths, store_url: str, tmp_path: Path) -> None:
    ask(paths, store_url, "a")
    (tmp_path / "there").write_text("precious", encoding="utf-8")
    done = run("backup", str(tmp_path / "there"))
    assert done.exit_code == 70
    assert "exists already" in done.output
    assert (tmp_path / "there").read_text(encoding="utf-8") == "precious"
    assert [each.name for each in tmp_path.glob(".there*")] == []


@pytest.mark.parametrize("store_url", [""])
def test_nothing_is_restored_under_a_running_broker_or_from_what_is_no_sound_store(
    paths: StatePaths, tmp_path: Path
) -> None:
    ask(paths, "", "a")
    file = tmp_path / "backup"
    run("backup", str(file))
    forget(paths, "", None)
    with broker_lock(paths):
        assert run("restore", str(file)).exit_code == 69
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as database, database:
        database.execute("create table t (x)")
    assert "is no store of Askfirst" in run("restore", str(other)).output
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("update audit set body = cast('{}' as blob) where seq = 1")
    changed = run("restore", str(file))
    assert changed.exit_code == 1
    assert "was changed" in changed.output
    assert sorted(each.name for each in paths.root.glob("*.db")) == []


@pytest.mark.parametrize("store_url", [""])
@pytest.mark.parametrize("end", ["-wal", "-journal"])
def test_nothing_is_restored_beside_what_a_lost_store_left(paths: StatePaths, tmp_path: Path, end: str) -> None:
    """SQLite would play it into the restored store."""
    ask(paths, "", "a")
    file = tmp_path / "backup"
    run("backup", str(file))
    forget(paths, "", None)
    left = paths.root / f"askfirst.db{end}"
    left.write_bytes(b"frames of the store that is gone")
    refused = run("restore", str(file))
    assert refused.exit_code == 70
    assert f"{left} is left of the store that is gone" in refused.output
    assert [each.name for each in paths.root.glob("*.db*")] == [left.name]
    left.unlink()
    assert run("restore", str(file)).exit_code == 0


def test_what_a_newer_release_backed_up_is_not_called_restored(
    paths: StatePaths, store_url: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    ask(paths, store_url, "a")
    engine = sa.create_engine(parse_url(store_url) if store_url else f"sqlite:///{paths.store}")
    with engine.begin() as connection:
        connection.execute(sa.text("update alembic_version set version_num = 'from-the-future'"))
    engine.dispose()
    file = tmp_path / "backup"
    run("backup", str(file))
    forget(paths, store_url, request.getfixturevalue("postgres") if store_url else None)
    refused = run("restore", str(file))
    assert refused.exit_code == 70
    assert "schema from-the-future, which this release does not know; upgrade askfirst" in refused.output
    assert sorted(each.name for each in paths.root.glob("*.db")) == []


def test_a_program_that_is_missing_is_named(
    paths: StatePaths, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(paths, store_url, "a")
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run("backup", str(tmp_path / "backup"))
    assert done.exit_code == (70 if store_url else 0)
    assert ("pg_dump was not found; install" in done.output) == bool(store_url)
