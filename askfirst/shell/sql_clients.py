r"""Which programs hand SQL to a database, and where on their command lines the SQL stands.

One row a client. Everything that differs between clients is data here: ``gather`` reads any of them. Meta commands of
the clients themselves (``\!``, ``.shell``, ``\i``, ``SOURCE``) are taken out of the text before it is read as SQL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from askfirst.shell.command import HOLE, Word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from askfirst.shell.command import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """How one database client reads its command line.

    Attributes:
        dialect: sqlglot's name of its SQL.
        inline: options whose value is SQL.
        files: options whose value is a file of SQL.
        values: further options that take the next word.
        sql_operand: index of the first operand that is SQL, ``None`` when none is.
        glued: single-letter options whose value may follow without a space (``-e"SELECT 1"``).
        read_only: options that make the session unable to write.
        local: the database is a file on this machine.
        under: the first operand has to be one of these words, which is then skipped (``bq query``); empty: none.
        reads: without SQL on its command line it takes it from standard input.
        meta: which meta commands the client knows: ``psql``, ``mysql``, ``sqlite``, ``sqlplus`` or ``""``.

    """

    dialect: str
    inline: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()
    sql_operand: int | None = None
    glued: str = ""
    read_only: frozenset[str] = frozenset()
    local: bool = False
    under: frozenset[str] = frozenset()
    reads: bool = True
    meta: str = ""


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PSQL = Client(
    dialect="postgres",
    inline=_set("-c --command"),
    files=_set("-f --file"),
    values=_set(
        "-d -h -p -U -v -o -L -F -P -R -T --dbname --host --port --username --set --variable --output --log-file "
        "--field-separator --pset --record-separator --table-attr"
    ),
    glued="cf",
    meta="psql",
)
_MYSQL = Client(
    dialect="mysql",
    inline=_set("-e --execute --init-command"),
    values=_set("-h -P -u -D -S --host --port --user --database --socket --defaults-file --defaults-extra-file"),
    glued="e",
    meta="mysql",
)
_SQLITE = Client(
    dialect="sqlite",
    inline=_set("-cmd --cmd"),
    files=_set("-init --init"),
    values=_set("-separator -newline -nullvalue -mmap -vfs -maxsize -heap -escape"),
    sql_operand=1,
    read_only=_set("-readonly --readonly"),
    local=True,
    meta="sqlite",
)
_DUCKDB = Client(
    dialect="duckdb",
    inline=_set("-c -s -cmd --cmd"),
    files=_set("-f -init"),
    values=_set("-separator -newline -nullvalue"),
    sql_operand=1,
    read_only=_set("-readonly --readonly"),
    local=True,
    meta="sqlite",
)
_CLICKHOUSE = Client(
    dialect="clickhouse",
    inline=_set("-q --query"),
    files=_set("--queries-file"),
    values=_set("-h --host --port -u --user --password -d --database -C --config-file"),
    under=_set("client local"),
)
_TRINO = Client(dialect="trino", inline=_set("--execute"), files=_set("-f --file"), values=_set("--server --catalog"))
_HIVE = Client(
    dialect="hive",
    inline=_set("-e --query -q"),
    files=_set("-f -i --file"),
    values=_set("-u -n -p -d --hiveconf --hivevar --database -S"),
)

CLIENTS: dict[str, Client] = {
    "psql": _PSQL,
    "pgcli": _PSQL,
    "usql": _PSQL,
    "ysqlsh": _PSQL,
    "gsql": _PSQL,
    "cockroach": Client(
        dialect="postgres",
        inline=_set("-e --execute"),
        files=_set("-f --file"),
        values=_set("--host --url --database -d -u --user --certs-dir"),
        under=_set("sql"),
    ),
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "mycli": _MYSQL,
    "mysqlsh": Client(
        dialect="mysql",
        inline=_set("-e --execute"),
        files=_set("-f --file"),
        values=_set("-h -P -u -D --host --port --user --database --uri"),
        meta="mysql",
    ),
    "sqlite3": _SQLITE,
    "sqlite": _SQLITE,
    "sqlcipher": _SQLITE,
    "litecli": Client(dialect="sqlite", inline=_set("-e --execute"), local=True, meta="sqlite"),
    "duckdb": _DUCKDB,
    "sqlcmd": Client(
        dialect="tsql",
        inline=_set("-Q -q --query --initial-query"),
        files=_set("-i --input-file"),
        values=_set("-S -U -P -d -o -l -t -h -s -w -a -E --server --user-name --database-name"),
        glued="Qqi",
    ),
    "mssql-cli": Client(dialect="tsql", inline=_set("-Q --query"), files=_set("-i"), values=_set("-S -U -P -d")),
    "clickhouse-client": Client(
        dialect="clickhouse", inline=_CLICKHOUSE.inline, files=_CLICKHOUSE.files, values=_CLICKHOUSE.values
    ),
    "clickhouse-local": Client(
        dialect="clickhouse", inline=_CLICKHOUSE.inline, files=_CLICKHOUSE.files, values=_CLICKHOUSE.values
    ),
    "clickhouse": _CLICKHOUSE,
    "cqlsh": Client(
        dialect="",
        inline=_set("-e --execute"),
        files=_set("-f --file"),
        values=_set("-u -p -k --username --cqlversion"),
    ),
    "bq": Client(
        dialect="bigquery",
        values=_set("--project_id --dataset_id --location --format --destination_table -n --max_rows --parameter"),
        sql_operand=0,
        under=_set("query"),
        read_only=_set("--dry_run"),
    ),
    "snowsql": Client(
        dialect="snowflake",
        inline=_set("-q --query"),
        files=_set("-f --filename"),
        values=_set("-a -u -d -s -r -w -c -h -o -D --accountname --username --dbname --schemaname"),
    ),
    "snow": Client(
        dialect="snowflake",
        inline=_set("-q --query"),
        files=_set("-f --filename"),
        values=_set("-c --connection"),
        under=_set("sql"),
    ),
    "influx": Client(
        dialect="",
        inline=_set("-execute --execute"),
        values=_set("-host --host -port --port -database --database -username -password"),
    ),
    "trino": _TRINO,
    "presto": _TRINO,
    "hive": _HIVE,
    "beeline": _HIVE,
    "spark-sql": _HIVE,
    "impala-shell": _HIVE,
    "sqlplus": Client(dialect="oracle", meta="sqlplus"),
    "db2": Client(dialect="", files=_set("-f -tvf -tf -vf"), sql_operand=0),
    "heroku": Client(
        dialect="postgres", inline=_set("-c --command"), values=_set("-a --app -r --remote"), under=_set("pg:psql")
    ),
    "turso": Client(dialect="sqlite", sql_operand=2, under=_set("db")),
    "wrangler": Client(dialect="sqlite", inline=_set("--command"), files=_set("--file"), under=_set("d1"), reads=False),
    "aws": Client(
        dialect="",
        inline=_set("--sql --query-string --query-statement"),
        under=_set("rds-data athena redshift-data timestream-query"),
        reads=False,
    ),
}


@dataclass(slots=True, kw_only=True)
class Input:
    """What a client would read.

    Attributes:
        sql: texts, a ``HOLE`` where unknown.
        files: paths of files of SQL.
        shell: shell commands that the client itself would start.
        database: its first operand: a file for local databases.
        read_only: it cannot write.
        restores: it overwrites the database with a backup (sqlite3 ``.restore``).
        operands: all words that are no options.
        shown: options that ask for help or the version.

    """

    sql: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    shell: list[str] = field(default_factory=list)
    database: str = ""
    read_only: bool = False
    restores: bool = False
    operands: list[Word] = field(default_factory=list)
    shown: list[Word] = field(default_factory=list)


def is_session(client: Client, command: Command) -> bool:
    """Whether the command line opens a session at all: ``wrangler d1 …``, not ``wrangler deploy``."""
    return not client.under or any(word.text in client.under for word in command.args[:_MAX_GLOBAL])


_SHOWS = frozenset({"--help", "--version"})
"""Options that every client answers before it connects, wherever they stand."""
_MAX_GLOBAL = 4
"""Words among which the subcommand stands."""


def gather(client: Client, command: Command) -> Input:
    """Everything that this command line hands to the database."""
    found = Input()
    words = iter(command.args)
    for word in words:
        _argument(client, word, words, found)
    if _only_shows(client, command, found):
        return Input()
    operands = found.operands
    if client.under:
        if not operands or operands[0].text not in client.under:
            return Input()
        del operands[0]
    if client.sql_operand is not None:
        found.sql += [word.text for word in operands[client.sql_operand :] if word.text]
    found.database = operands[0].text if operands else ""
    _standard_input(client, command, found)
    _meta_commands(client, found)
    return found


def _only_shows(client: Client, command: Command, found: Input) -> bool:
    """Whether it prints its help or version instead; a file's client runs its ``-cmd`` on the way there."""
    if not found.shown or (client.local and found.sql):
        return False
    return all(word.text != "--" for word in command.args)


def _argument(client: Client, word: Word, words: Iterator[Word], found: Input) -> None:
    name, equals, value = word.text.partition("=")
    if not word.text.startswith("-") or word.text == "-":
        found.operands.append(word)
    elif word.text in client.read_only:
        found.read_only = True
    elif word.text in _SHOWS:
        found.shown.append(word)
    elif equals and name in client.inline | client.files:
        _option(client, name, value, found)
    elif word.text in client.inline | client.files | client.values:
        following = next(words, None)
        if following is not None:
            _given(client, word.text, following, found)
    elif not word.text.startswith("--"):
        _cluster(client, word.text, words, found)


def _cluster(client: Client, text: str, words: Iterator[Word], found: Input) -> None:
    """A cluster of short options, e.g. ``-Atc SQL`` or ``-e"SQL"``."""
    for index, letter in enumerate(text[1:], 1):
        option = f"-{letter}"
        if option in client.inline | client.files and (letter in client.glued or index == len(text) - 1):
            rest = text[index + 1 :]
            following = Word(text=rest) if rest else next(words, None)
            if following is not None:
                _given(client, option, following, found)
            return
        if option in client.values:
            return


def _given(client: Client, name: str, value: Word, found: Input) -> None:
    """What an option is given as a word; SQL that is the content of a file, ``-c "$(cat x.sql)"``, is that file."""
    if name in client.inline and value.content_of:
        found.files.append(value.content_of)
    else:
        _option(client, name, value.text, found)


def _option(client: Client, name: str, value: str, found: Input) -> None:
    if name in client.inline:
        found.sql.append(value)
    elif name in client.files:
        found.files.append(value)


def _standard_input(client: Client, command: Command, found: Input) -> None:
    stdin = command.stdin
    asked = client.reads and not found.sql and not found.files
    if stdin.kind == "text" and (asked or "-" in found.files or "/dev/stdin" in found.files):
        found.sql.append(stdin.text)
        found.files = [name for name in found.files if name not in {"-", "/dev/stdin"}]
    elif stdin.kind == "file" and asked:
        found.files.append(stdin.text)
    elif stdin.kind in {"network", "decoded", "unknown"} and asked:
        found.sql.append(HOLE)


_META: dict[str, re.Pattern[str]] = {
    "psql": re.compile(r"\\(!|ir?|include(?:_relative)?|o|w|g|copy)(?![\w])[ \t]*([^\n\\]*)"),
    "mysql": re.compile(r"(?:^|(?<=\n))[ \t]*(?:\\([!.])|(system|source)(?=\s))[ \t]*([^\n]*)", re.IGNORECASE),
    "sqlite": re.compile(
        r"(?:^|(?<=\n))[ \t]*\.(shell|system|sh|sy\w*|read|output|once|restore|excel)\b[ \t]*([^\n]*)"
    ),
    "sqlplus": re.compile(r"(?:^|(?<=\n))[ \t]*(!|@@?|host\s|start\s)[ \t]*([^\n]*)", re.IGNORECASE),
}
_SHELL_META = frozenset({"!", "shell", "system", "sh", "host"})
_FILE_META = frozenset({"i", "ir", "include", "include_relative", ".", "source", "read", "@", "@@", "start"})


def _meta_commands(client: Client, found: Input) -> None:
    pattern = _META.get(client.meta)
    if pattern is None:
        return
    for index, text in enumerate(found.sql):
        for match in pattern.finditer(text):
            name, argument = (part for part in match.groups() if part is not None)
            _meta(name.strip().lower(), argument.strip(), found)
        found.sql[index] = pattern.sub(" ", text)


def _meta(name: str, argument: str, found: Input) -> None:
    if name in _SHELL_META or name.startswith("sy"):
        found.shell.append(argument)
    elif argument.startswith("|"):
        found.shell.append(argument[1:])
    elif name in _FILE_META and argument:
        found.files.append(argument.split(maxsplit=1)[0].strip("'\""))
    elif name == "restore":
        found.restores = True
    elif name == "copy":
        program = re.search(r"\bprogram\s+'([^']*)'", argument, re.IGNORECASE)
        found.shell += [program.group(1)] if program else []
