r"""Effects of commands that talk to a database: SQL clients, Redis, MongoDB.

Handlers return the effects of one simple command. Shell commands that a client would start (psql ``\!``, COPY …
PROGRAM, sqlite3 ``.shell``) are not effects here: ``client_shell`` hands them to the engine.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from askfirst.effects import Risk
from askfirst.facts import UNKNOWN, Facts, Kind
from askfirst.shell.command import HOLE, Command
from askfirst.shell.found import effect_of
from askfirst.shell.mongo import mongo_effects
from askfirst.shell.redis import redis_effects
from askfirst.shell.sql_clients import CLIENTS, Input, gather
from askfirst.shell.sql_statements import SqlFinding, inspect_sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from askfirst.effects import Effect
    from askfirst.rules.book import RuleBook

ALARMING = re.compile(
    r"drop|delete|truncate|wipe|purge|clean|reset|destroy|rollback|teardown|prod|erase|flush|nuke|down\b", re.IGNORECASE
)
"""Words in the name of an unread file that point to danger."""

_CREATES = re.compile(
    r"(?:^|[/_.-])(?:schema|init|create|seed|setup|migrations?|fixtures?|insert|tables|views)|(?:^|/)[vV]?\d{2,}[_-]"
)
"""Names of files that build a database up: applying them is the everyday step of setting one up."""

_SCRATCH = ("/tmp/", "/var/tmp/", "/dev/shm/")  # noqa: S108  # recognised, never written


def sql_text_effects(text: str, dialect: str, command: Command, rules: RuleBook) -> Iterator[Effect]:
    """The effects of running ``text`` against a database that matters."""
    for finding in inspect_sql(text, dialect):
        yield _effect(finding, command, rules)


def client_shell(command: Command) -> tuple[str, ...]:
    """Shell commands that this database client, or its server, would start."""
    client = CLIENTS.get(command.program)
    if client is None:
        return ()
    given = gather(client, command)
    servers = (finding.shell for text in given.sql for finding in inspect_sql(text, client.dialect))
    return (*given.shell, *(shell for shell in servers if shell))


def client_files(command: Command) -> tuple[str, ...]:
    """Files whose SQL this database client would run, as written on its command line or fed to it."""
    client = CLIENTS.get(command.program)
    return tuple(gather(client, command).files) if client else ()


def sql_effects(command: Command, facts: Facts, rules: RuleBook) -> Iterator[Effect]:
    """The effects of one command line of a SQL client."""
    client = CLIENTS[command.program]
    given = gather(client, command)
    if given.read_only or (client.local and (_is_scratch(given) or _is_new(given, command, facts))):
        return
    for text in given.sql:
        if text.strip() == HOLE:
            yield _unread(command, rules, "SQL that is computed", alarming=command.stdin.kind in {"network", "decoded"})
        yield from sql_text_effects(text, client.dialect, command, rules)
    for path in given.files:
        alarming = bool(ALARMING.search(path)) or not (client.local or _CREATES.search(path))
        yield _unread(command, rules, f"SQL in {path.replace(HOLE, '…')}", alarming=alarming)
    if given.restores:
        yield effect_of(rules, "database.restore", command, target=f"database {given.database}")


_TYPED = frozenset({"DROP", "DELETE", "UPDATE", "ALTER", "GRANT", "TRUNCATE", "FLUSHALL", "FLUSHDB"})


def typed_effects(command: Command, _facts: Facts, rules: RuleBook) -> Iterator[Effect]:
    """The effect of a statement that stands where a shell command should: meant for a session that we do not see.

    Words like ``truncate`` are programs too, so in lower case the statement has to name what it is about.
    """
    head = command.program.upper()
    second = command.args[0].text.upper() if command.args else ""
    if head not in _TYPED or second.startswith("-"):
        return
    if head.startswith("FLUSH"):
        is_statement = not command.args or second in {"ASYNC", "SYNC"}
    else:
        is_statement = second in {"TABLE", "FROM"} or (head != "TRUNCATE" or command.program == head)
        text = " ".join(word.text for word in command.argv)
        is_statement = is_statement and any(
            each.risk != Risk.MEDIUM for each in inspect_sql(text) if "some" not in each.rule
        )
    if is_statement:
        yield effect_of(rules, "database.typed", command, target=command.shown[:120])


def _is_new(given: Input, command: Command, facts: Facts) -> bool:
    """A database file that does not exist yet, or is empty: there is nothing to lose."""
    if command.cwd is None or command.where or HOLE in given.database:
        return False
    found = facts.path(posixpath.normpath(posixpath.join(command.cwd, given.database)))
    return found is not UNKNOWN and (found.kind is Kind.MISSING or (found.kind is Kind.FILE and found.empty))


def _is_scratch(given: Input) -> bool:
    """A database in memory or in a temporary folder: nothing of it is missed."""
    name = given.database
    return name in {"", ":memory:", "file::memory:"} or (name.startswith(_SCRATCH) and "/../" not in name)


def _effect(finding: SqlFinding, command: Command, rules: RuleBook) -> Effect:
    return effect_of(rules, finding.rule, command, target=finding.target, risk=finding.risk)


def _unread(command: Command, rules: RuleBook, what: str, *, alarming: bool) -> Effect:
    risk = Risk.HIGH if alarming else Risk.MEDIUM
    return effect_of(rules, "database.sql-unread", command, target=what, risk=risk)


SQL_HANDLERS: dict[str, Callable[[Command, Facts, RuleBook], Iterable[Effect]]] = {
    **dict.fromkeys(CLIENTS, sql_effects),
    **dict.fromkeys(("redis-cli", "valkey-cli", "keydb-cli", "iredis"), redis_effects),
    **dict.fromkeys(("mongosh", "mongo"), mongo_effects),
}
