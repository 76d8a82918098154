"""What SQL text is found to do: each dangerous statement beside its harmless twin."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askfirst.effects import Risk
from askfirst.rules.book import RuleBook
from askfirst.shell.sql_statements import inspect_sql

RULES = RuleBook.load().rules


def gating(text: str, dialect: str = "postgres") -> list[str]:
    found = inspect_sql(text, dialect)
    return [each.rule for each in found if (each.risk or RULES[each.rule].risk) >= Risk.HIGH]


@pytest.mark.parametrize(
    ("dangerous", "rule", "harmless"),
    [
        ("DROP TABLE users", "database.drop-object", "SELECT 'DROP TABLE users'"),
        ("drop\n/* x */ table\tusers", "database.drop-object", "-- drop table users\nselect 1"),
        ("select 1; DROP DATABASE shop", "database.drop-database", "select 1; select 'drop database shop'"),
        ("DROP MATERIALIZED VIEW v", "database.drop-object", "CREATE TEMP TABLE v (a int); DROP TABLE v"),
        ("TRUNCATE orders", "database.truncate", "SELECT truncate(1.2, 1)"),
        ("DELETE FROM users", "database.rows-all", "DELETE FROM users WHERE id = 3"),
        ("DELETE FROM users WHERE 1=1", "database.rows-all", "DELETE FROM users WHERE 1=2"),
        ("DELETE FROM users WHERE true OR id = 3", "database.rows-all", "DELETE FROM users WHERE true AND id = 3"),
        ("DELETE FROM users WHERE id = id", "database.rows-all", "DELETE FROM users WHERE id = parent"),
        ("DELETE FROM u WHERE a IS NULL OR a IS NOT NULL", "database.rows-all", "DELETE FROM u WHERE a IS NULL"),
        ("UPDATE users SET admin = true", "database.rows-all", "UPDATE users SET admin = true WHERE id = 3"),
        ("WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", "database.rows-all", "WITH x AS (SELECT 1) SELECT 1"),
        ("EXPLAIN ANALYZE DELETE FROM t", "database.rows-all", "EXPLAIN DELETE FROM t"),
        ("DO $$ BEGIN EXECUTE 'DROP TABLE t'; END $$", "database.drop-object", "SELECT $$ DROP TABLE t; $$"),
        ("ALTER TABLE t DROP COLUMN c", "database.alter-drop", "ALTER TABLE t ALTER COLUMN c DROP NOT NULL"),
        ("GRANT ALL ON t TO app", "database.grant-all", "GRANT SELECT ON t TO app"),
        ("COPY t FROM PROGRAM 'id'", "database.server-program", "COPY t FROM STDIN"),
        ("CREATE OR REPLACE TABLE t AS SELECT 1", "database.drop-object", "CREATE OR REPLACE VIEW v AS SELECT 1"),
        ("INSERT OVERWRITE t SELECT 1", "database.rows-all", "INSERT INTO t SELECT 1"),
        ("DROP OWNED BY app", "database.drop-account", "SELECT 1 -- '\n-- DROP OWNED BY app"),
    ],
)
def test_a_statement_that_loses_is_found_and_its_twin_is_not(dangerous: str, rule: str, harmless: str) -> None:
    assert rule in gating(dangerous)
    assert gating(harmless) == []


@pytest.mark.parametrize(
    ("text", "dialect"),
    [
        ("/*!40000 DROP TABLE users */", "mysql"),
        ("SELECT 'it\\'s'; DROP TABLE users", "mysql"),
        ("SELECT 'c:\\'; DROP TABLE users", "postgres"),
        ("SELECT [a;b]\nGO\nDROP TABLE users", "tsql"),
        ("DELETE FROM users WHERE CURRENT OF c; DELETE FROM users", "postgres"),
    ],
)
def test_dialects_quote_in_their_own_ways(text: str, dialect: str) -> None:
    assert gating(text, dialect) != []


def test_the_body_of_a_routine_does_not_run_when_it_is_defined() -> None:
    assert gating("CREATE PROCEDURE p() BEGIN DELETE FROM t; DROP TABLE t; END; SELECT 1", "mysql") == []


def test_text_that_is_too_long_is_an_effect_of_its_own() -> None:
    assert gating("select 1;" * 20_000) == ["database.sql-unread"]


@given(st.text(max_size=300), st.sampled_from(["", "postgres", "mysql", "tsql", "sqlite", "clickhouse"]))
@settings(max_examples=200)
def test_any_text_is_read_without_an_exception(text: str, dialect: str) -> None:
    inspect_sql("delete from " + text, dialect)
    inspect_sql(text, dialect)


@given(st.text(alphabet=st.characters(blacklist_characters="'\\\ufffc", codec="utf-8"), max_size=60))
@settings(max_examples=100)
def test_text_in_a_string_is_data(text: str) -> None:
    assert gating(f"SELECT 'DROP TABLE x; {text}; DELETE FROM y'") == []
