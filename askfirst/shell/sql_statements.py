"""What SQL text would do to a database: the rule of each statement that changes data or access, and its target.

Every statement is judged on its own tokens (heads outside strings and comments); sqlglot then decides whether a
DELETE or UPDATE is bounded by a WHERE that is not always true, and finds those inside of common table expressions.
What sqlglot cannot parse is judged by the tokens alone. Strings that the server would run (DO blocks, EXECUTE,
PREPARE … FROM) are statements again.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from askfirst.effects import Risk
from askfirst.shell import sql_where
from askfirst.shell.sql_lexer import Statement, TooLargeError, statements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MAX_DEPTH = 4
_MAX_EXACT = 16
"""After so many findings in one text the rest is judged by tokens alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlFinding:
    """One thing that a statement does.

    Attributes:
        rule: id of the rule in the pack ``database``.
        target: what is hit, e.g. ``table users``.
        risk: where it differs from the rule's.
        shell: a shell command that the server or client would run, ``""`` for none.

    """

    rule: str
    target: str
    risk: Risk | None = None
    shell: str = ""


def inspect_sql(text: str, dialect: str = "", *, depth: int = 0) -> list[SqlFinding]:
    """Everything that ``text`` would change, in order; ``[]`` when it only reads.

    ``dialect`` is sqlglot's name of it (``postgres``, ``mysql`` …) or ``""`` when it is not known. Never raises.
    """
    return list(_inspected(text, dialect, depth))


@functools.lru_cache(maxsize=16)  # a client's text is looked at for shell commands, and again for effects
def _inspected(text: str, dialect: str, depth: int) -> tuple[SqlFinding, ...]:
    try:
        parts = statements(text, dialect)
    except TooLargeError:
        return (SqlFinding(rule="database.sql-unread", target="SQL of this size"),)
    found: list[SqlFinding] = []
    temporary: set[str] = set()
    for part in parts:
        temporary |= _temporary_table(part)
        exact = len(found) < _MAX_EXACT
        found += [each for each in _statement(part, dialect, depth, exact=exact) if each.target not in temporary]
    return tuple(found)


def _finding(rule: str, target: str, risk: Risk | None = None) -> SqlFinding:
    return SqlFinding(rule=f"database.{rule}", target=target, risk=risk)


def _temporary_table(part: Statement) -> set[str]:
    """The table that this statement creates for the session alone: dropping it later loses nothing."""
    words = part.words
    if words[:1] == ("CREATE",) and {"TEMP", "TEMPORARY"} & set(words[1:4]) and "TABLE" in words[2:5]:
        return {"table " + _name(part, words.index("TABLE") + 1)}
    return set()


_NO_NAME = frozenset({"IF", "EXISTS", "NOT", "ONLY", "TABLE", "CONCURRENTLY", "FROM", "ON", "LOW_PRIORITY", "IGNORE"})


def _name(part: Statement, start: int) -> str:
    """The dotted name that begins at token ``start`` or behind the filler words there."""
    index = start
    while index < len(part.tokens) and part.word(index) in _NO_NAME:
        index += 1
    pieces: list[str] = []
    for token in part.tokens[index:]:
        joins = token.text in {".", "-", "*"} and token.kind == "operator"
        if pieces and not joins and pieces[-1] != ".":
            break
        pieces.append(token.text)
    return "".join(pieces)[:100] or "?"


def _statement(part: Statement, dialect: str, depth: int, *, exact: bool) -> Iterator[SqlFinding]:
    part = _body_of_explain(part)
    head = part.word(0)
    rule = _HEADS.get(head)
    if rule is not None:
        yield from rule(part)
    if head in _PLAIN:
        suffix, risk = _PLAIN[head]
        yield _finding(suffix, _name(part, 1), risk)
    if head in {"DELETE", "UPDATE", "WITH", "MERGE"}:
        yield from _row_changes(part, dialect, exact=exact)
    if head in _RUNS_STRINGS and depth < _MAX_DEPTH:
        yield from _nested(part, dialect, depth)
    yield from _programs(part)
    yield from _calls(part)


_SERVER_CALLS = frozenset(
    """
    PG_TERMINATE_BACKEND PG_DROP_REPLICATION_SLOT PG_STAT_RESET PG_SWITCH_WAL PG_PROMOTE PG_REWIND PG_RELOAD_CONF
    LO_UNLINK PG_WAL_REPLAY_PAUSE SYS.KILL_SESSION DBLINK_EXEC CITUS_REMOVE_NODE DROP_HYPERTABLE DROP_CHUNKS
    """.split()
)


def _calls(part: Statement) -> Iterator[SqlFinding]:
    """Functions that act on the server, whatever statement calls them: ``SELECT pg_terminate_backend(pid)``."""
    for token, follows in itertools.pairwise(part.tokens[:_MAX_BLOCK]):
        if token.upper in _SERVER_CALLS and token.kind == "word" and follows.text == "(":
            yield _finding("server-control", f"{token.text.lower()}()")


def _body_of_explain(part: Statement) -> Statement:
    """What EXPLAIN really runs: nothing, or with ANALYZE the statement behind it."""
    words = part.words
    if words[:1] not in {("EXPLAIN",), ("DESCRIBE",), ("DESC",)}:
        return part
    start = next((i for i, word in enumerate(words[:20]) if word in _STARTS and i), len(words))
    if {"ANALYZE", "ANALYSE"} & set(words[:start]) and start < len(words):
        tokens = part.tokens[start:]
        return Statement(tokens=tokens, text=part.text[tokens[0].start - part.tokens[0].start :])
    return replace(part, tokens=part.tokens[:1])


_STARTS = frozenset({"SELECT", "DELETE", "UPDATE", "INSERT", "MERGE", "WITH", "CREATE", "EXECUTE", "REPLACE"})

# --- statement heads ------------------------------------------------------------------------------------------------

_CONTAINERS = frozenset({"DATABASE", "SCHEMA", "KEYSPACE", "CATALOG", "SHARE", "NAMESPACE", "BUCKET"})
_ACCOUNTS = frozenset({"USER", "ROLE", "LOGIN", "GROUP", "OWNED"})
_OBJECTS = (
    _CONTAINERS
    | _ACCOUNTS
    | frozenset(
        "TABLE VIEW INDEX COLUMN SEQUENCE TRIGGER FUNCTION PROCEDURE ROUTINE AGGREGATE OPERATOR TYPE DOMAIN "
        "EXTENSION SERVER "
        "PUBLICATION SUBSCRIPTION RULE COLLATION CONVERSION LANGUAGE TABLESPACE EVENT LOGFILE UNDO RESOURCE PARTITION "
        "CONSTRAINT SYNONYM PACKAGE DIRECTORY LINK CLUSTER PROFILE MEASUREMENT SERIES SHARD POLICY QUERY DICTIONARY "
        "QUOTA "
        "SETTINGS WAREHOUSE STAGE PIPE TASK STREAM FILE MASKING ROW INTEGRATION CONNECTION MODEL SNAPSHOT CAPACITY "
        "ASSIGNMENT RESERVATION SEARCH TRANSFORM TEXT ACCESS FOREIGN CREDENTIAL CERTIFICATE KEY ASYMMETRIC SYMMETRIC "
        "ASSEMBLY QUEUE SERVICE CONTRACT MESSAGE AVAILABILITY ENDPOINT MATERIALIZED UNIQUE FULLTEXT".split()
    )
)
_MODIFIERS = frozenset({"EXTERNAL", "FOREIGN", "MATERIALIZED", "UNIQUE", "DYNAMIC", "RETENTION", "CONTINUOUS", "IF"})


def _drop(part: Statement) -> Iterator[SqlFinding]:
    index = 1
    while part.word(index) in _MODIFIERS:
        index += 1
    what = part.word(index)
    if what not in _OBJECTS:
        return
    name = _name(part, index + 1)
    if what == "OWNED":
        name = _name(part, index + 2)
    rule = "drop-database" if what in _CONTAINERS else "drop-account" if what in _ACCOUNTS else "drop-object"
    yield _finding(rule, f"{what.lower()} {name}")


def _alter(part: Statement) -> Iterator[SqlFinding]:
    words = part.words
    target = f"{part.word(1).lower()} {_name(part, 2)}"
    drops = [i for i, word in enumerate(words) if word == "DROP"]
    if any(part.word(i + 1) not in {"DEFAULT", "NOT", "IDENTITY", "EXPRESSION"} for i in drops):
        yield _finding("alter-drop", target)
    elif part.word(1) == "SYSTEM":
        yield _finding("server-control", "the server's configuration")
    elif part.word(1) in {"USER", "ROLE", "LOGIN"}:
        yield _finding("alter-account", target, Risk.HIGH if "SUPERUSER" in words else None)
    elif "DELETE" in words or "UPDATE" in words:  # ClickHouse: mutations of rows
        yield _finding("rows-all" if sql_where.is_unbounded(part) else "rows-some", target)
    else:
        yield _finding("alter", target)


def _truncate(part: Statement) -> Iterator[SqlFinding]:
    first = part.tokens[1:2]
    if not first or (first[0].text == "(" and first[0].kind == "operator"):  # the function TRUNCATE(x, 2)
        return
    yield _finding("truncate", "table " + _name(part, 1))


def _grant(part: Statement) -> Iterator[SqlFinding]:
    wide = bool({"ALL", "SUPER", "SUPERUSER", "DBA", "OWNERSHIP"} & set(part.words[1:12]))
    target = _name(part, part.words.index("ON") + 1) if "ON" in part.words else "the server"
    yield _finding("grant-all" if wide else "grant", target)


def _revoke(part: Statement) -> Iterator[SqlFinding]:
    """Taking every right away stops whoever works with them; single rights are recorded."""
    wide = "ALL" in part.words[1:3] and "ON" in part.words
    yield _finding("grant", _name(part, 1), Risk.HIGH if wide else None)


def _reset(part: Statement) -> Iterator[SqlFinding]:
    if part.word(1) in {"MASTER", "SLAVE", "REPLICA", "BINARY", "PERSIST"}:
        yield _finding("server-control", f"{part.word(1).lower()} state of the server")


def _purge(_: Statement) -> Iterator[SqlFinding]:
    yield _finding("server-control", "logs or trash of the server")


def _create(part: Statement) -> Iterator[SqlFinding]:
    words = part.words
    if words[1:3] == ("OR", "REPLACE") and "TABLE" in words[3:6]:
        yield _finding("drop-object", "table " + _name(part, words.index("TABLE") + 1))
    elif part.word(1) in {"USER", "ROLE", "LOGIN"}:
        yield _finding("alter-account", f"{part.word(1).lower()} {_name(part, 2)}")


def _insert(part: Statement) -> Iterator[SqlFinding]:
    if part.word(1) == "OVERWRITE":
        yield _finding("rows-all", "table " + _name(part, 2))


def _system(part: Statement) -> Iterator[SqlFinding]:
    if part.word(1) in {"DROP", "SHUTDOWN", "KILL", "STOP"} and "CACHE" not in part.words:
        yield _finding("server-control", f"the server ({part.word(1).lower()})")


def _shutdown(part: Statement) -> Iterator[SqlFinding]:
    if len(part.tokens) <= 3:
        yield _finding("server-control", "the server")


def _detach(part: Statement) -> Iterator[SqlFinding]:
    if "PERMANENTLY" in part.words:
        yield _finding("drop-object", f"{part.word(1).lower()} {_name(part, 2)}")


def _reassign(part: Statement) -> Iterator[SqlFinding]:
    yield _finding("alter-account", "role " + _name(part, 3), Risk.HIGH)


_HEADS: dict[str, Callable[[Statement], Iterator[SqlFinding]]] = {
    "DROP": _drop,
    "ALTER": _alter,
    "TRUNCATE": _truncate,
    "GRANT": _grant,
    "REVOKE": _revoke,
    "RESET": _reset,
    "PURGE": _purge,
    "CREATE": _create,
    "INSERT": _insert,
    "SYSTEM": _system,
    "SHUTDOWN": _shutdown,
    "DETACH": _detach,
    "REASSIGN": _reassign,
}
_PLAIN: dict[str, tuple[str, Risk | None]] = {
    "RENAME": ("alter", None),
    "KILL": ("alter", None),
    "REPLACE": ("rows-some", None),
    "LOAD": ("rows-some", None),
}
_RUNS_STRINGS = frozenset({"DO", "EXECUTE", "EXEC", "PREPARE", "BEGIN", "DECLARE", "SET", "CALL", "IF"})


def _nested(part: Statement, dialect: str, depth: int) -> Iterator[SqlFinding]:
    """Statements in the strings of a statement that runs strings, and in the body of an anonymous block."""
    for token in part.tokens[1:]:
        if token.kind == "string":
            yield from inspect_sql(token.text, dialect, depth=depth + 1)
    for index, token in enumerate(part.tokens[1:_MAX_BLOCK], 1):
        opens = part.word(index - 1) in {"BEGIN", "THEN", "ELSE", "LOOP"} or part.tokens[index - 1].text == ";"
        if opens and token.upper in _BLOCK_HEADS:
            start = token.start - part.tokens[0].start
            end = part.text.find(";", start)
            yield from inspect_sql(part.text[start : end if end >= 0 else None], dialect, depth=_MAX_DEPTH)


_MAX_BLOCK = 2_000
_BLOCK_HEADS = frozenset({"DROP", "TRUNCATE", "DELETE", "UPDATE", "ALTER", "GRANT", "EXECUTE"})


def _row_changes(part: Statement, dialect: str, *, exact: bool) -> Iterator[SqlFinding]:
    for change in sql_where.row_changes(part, dialect) if exact else sql_where.by_tokens(part):
        rule = "rows-all" if change.every_row else "rows-some"
        yield _finding(rule, f"table {change.table}")


def _programs(part: Statement) -> Iterator[SqlFinding]:
    """Commands that the server runs: COPY … PROGRAM, xp_cmdshell, sys_exec."""
    for index, token in enumerate(part.tokens):
        if token.upper not in {"PROGRAM", "XP_CMDSHELL", "SYS_EXEC", "SYS_EVAL"}:
            continue
        follow = next((t for t in part.tokens[index + 1 : index + 4] if t.kind == "string"), None)
        if follow is not None:
            finding = _finding("server-program", f"the server's shell: {follow.text[:80]}")
            yield replace(finding, shell=follow.text)
