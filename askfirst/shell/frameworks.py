"""Task runners of web frameworks: code and SQL on their command lines, and scripts that stand for a program.

``php artisan migrate:fresh`` and ``python manage.py flush`` run the program ``artisan`` or ``manage.py``: the rules of
the packs know these by name. ``rails runner CODE``, ``manage.py shell -c CODE``, ``artisan tinker --execute=CODE`` run
code; ``doctrine:query:sql`` and ``wp db query`` run SQL. A console runs what it is fed: ``flask shell < fix.py``,
``echo 'User.delete_all' | rails console``, ``dokku postgres:connect app < drop.sql``.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from askfirst.shell.findings import Code

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SCRIPTS = frozenset(
    {"artisan", "manage.py", "console", "rails", "rake", "django-admin", "django-admin.py", "drush", "magento", "wp"}
)
"""Scripts that an interpreter is given and that packs know as programs."""


class _Row(NamedTuple):
    """A subcommand that runs code or SQL: by an option, or as its first operand when there is no option."""

    programs: frozenset[str]
    subcommands: frozenset[str]
    language: str
    options: tuple[str, ...] = ()


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ROWS = (
    _Row(_set("rails"), _set("runner r"), "ruby"),
    _Row(_set("artisan"), _set("tinker"), "php", ("--execute",)),
    _Row(_set("manage.py django-admin django-admin.py"), _set("shell shell_plus"), "python", ("-c", "--command")),
    _Row(_set("mix"), _set("run"), "elixir", ("-e", "--eval")),
    _Row(_set("wp"), _set("eval"), "php"),
    _Row(_set("drush"), _set("php:eval eval ev php-eval"), "php"),
    _Row(_set("console"), _set("doctrine:query:sql dbal:run-sql"), "sql"),
    _Row(_set("drush"), _set("sql:query sqlq sql-query"), "sql"),
)
_CONSOLES: tuple[tuple[frozenset[str], tuple[str, ...], str], ...] = (
    (_set("rails"), ("console", "c", "runner -", "r -"), "ruby"),
    (_set("manage.py django-admin django-admin.py"), ("shell", "shell_plus"), "python"),
    (_set("flask"), ("shell",), "python"),
    (_set("artisan"), ("tinker",), "php"),
    (_set("wp"), ("shell", "eval-file -"), "php"),
    (_set("drush"), ("php", "php:cli", "core:cli"), "php"),
    (_set("manage.py django-admin django-admin.py"), ("dbshell",), "sql"),
    (_set("rails"), ("dbconsole", "db"), "sql"),
    (_set("wp"), ("db cli", "db query", "db import -"), "sql"),
    (_set("drush"), ("sql:cli", "sqlc", "sql-cli", "sql:query"), "sql"),
    (_set("dokku"), ("postgres:connect", "mysql:connect", "mariadb:connect"), "sql"),
    (_set("fly flyctl"), ("postgres connect", "pg connect", "mpg connect"), "sql"),
    (_set("gcloud"), ("sql connect", "beta sql connect"), "sql"),
    (_set("railway"), ("connect",), "sql"),
    (_set("pscale"), ("shell",), "sql"),
)
"""Programs, the words behind which a console opens, and the language of what it reads."""
_SCRIPT_ROWS = (
    (_set("rails"), _set("runner r"), "ruby"),
    (_set("wp"), _set("eval-file"), "php"),
    (_set("drush"), _set("php:script scr php-script"), "php"),
    (_set("mix"), _set("run"), "elixir"),
)
"""Programs, and the subcommands whose operand is a file of code."""
_FILES = (".rb", ".php", ".py", ".sql", ".exs", ".ex")
FRAMEWORKS = frozenset(name for row in (*_ROWS, *_CONSOLES, *_SCRIPT_ROWS) for name in row[0])
"""Programs that ``framework_code``, ``framework_script`` or ``console_language`` knows."""


def is_script(path: str) -> bool:
    """Whether the script that an interpreter is given is one that rules know by its name."""
    return posixpath.basename(path) in SCRIPTS


def framework_code(argv: Sequence[str]) -> Code | None:
    """The code (or SQL, as language ``sql``) that this command line of a framework's task runner runs."""
    program = posixpath.basename(argv[0])
    words = [word for word in argv[1:] if not word.startswith("-")]
    if program == "wp" and words[:2] == ["db", "query"] and len(words) > 2:
        return Code("sql", words[2])
    for row in _ROWS:
        if program not in row.programs or not row.subcommands & set(words[:1]):
            continue
        if row.options:
            return _of_option(argv, row)
        operand = next((word for word in words[1:] if " " in word or "." in word), "")
        return Code(row.language, operand) if operand and not operand.endswith(_FILES) else None
    return None


def framework_script(argv: Sequence[str]) -> Code | None:
    """The file of code that this command line runs within the framework: its language and its path."""
    program = posixpath.basename(argv[0])
    words = [word for word in argv[1:] if not word.startswith("-")]
    for programs, subcommands, language in _SCRIPT_ROWS:
        if program in programs and len(words) > 1 and words[0] in subcommands and words[1].endswith(_FILES):
            return Code(language, words[1])
    return None


def console_language(argv: Sequence[str]) -> str:
    """The language that this command line opens a console for (SQL as ``sql``), ``""`` when it opens none."""
    program = posixpath.basename(argv[0])
    words = [word for word in argv[1:] if not word.startswith("-") or word == "-"]
    return next(
        (language for programs, paths, language in _CONSOLES if program in programs and _opens(paths, words)), ""
    )


def _opens(paths: Iterable[str], words: list[str]) -> bool:
    """Whether the words begin with a path; values of options in front of it are passed over."""
    starts = range(min(len(words), _MAX_GLOBAL))
    return any(words[at : at + len(steps)] == steps for steps in map(str.split, paths) for at in starts)


_MAX_GLOBAL = 3
"""Words among which a path begins: ``flask --app shop shell``."""


def _of_option(argv: Sequence[str], row: _Row) -> Code | None:
    for index, word in enumerate(argv):
        name, equals, value = word.partition("=")
        if equals and name in row.options:
            return Code(row.language, value)
        if word in row.options and index + 1 < len(argv):
            return Code(row.language, argv[index + 1])
    return None


RUNNERS = frozenset({"yarn", "pnpm", "bun"})
"""Package managers that run a tool of the project by its bare name: ``pnpm rimraf dist``."""
_TOOLS = _set("del-cli nx premove rimraf shx")
"""Tools that code judges; those that packs know are found by the rule book itself."""


def tool_at(argv: Sequence[str], values: frozenset[str]) -> int | None:
    """Where in a runner's command line the tool begins that it runs by its name, ``None`` when there is none.

    ``values``: options that take the next word.
    """
    at = 1
    while at < len(argv) and (argv[at].startswith("-") or argv[at] == "run"):
        at += 2 if argv[at] in values else 1
    return at if at < len(argv) and argv[at] in _TOOLS else None
