"""What program code on a command line, in a here-document or in a script file would do.

``inspect_code`` is pure. Python is read by its syntax tree; when it does not parse, and for every other language, the
tokens are looked at. Strings and comments are data: only what is handed to an API that deletes, runs or sends counts.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from askfirst.shell.code_calls import inspect_tokens
from askfirst.shell.code_lexer import LANGUAGES
from askfirst.shell.code_python import inspect_python
from askfirst.shell.command import HOLE
from askfirst.shell.findings import Findings
from askfirst.shell.found import effect_of
from askfirst.shell.persistence import written_effects
from askfirst.shell.sql import sql_text_effects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from askfirst.effects import Effect
    from askfirst.rules.book import RuleBook
    from askfirst.shell.command import Command

_MAX_CHARS = 256_000
_MAX_TREE_CHARS = 20_000
"""Longer Python is read by its tokens: a syntax tree costs up to 2 ms for every 1,000 characters."""
_MAX_DEPTH = 4


def inspect_code(language: str, text: str, *, home: str = "") -> Findings:
    """What ``text`` would do when it is run by an interpreter of ``language``; nested code is followed.

    Args:
        language: a value of ``INTERPRETERS``; anything else yields an opaque finding.
        text: the program; unknown parts are ``HOLE``s.
        home: the home folder, absolute, ``""`` when unknown.

    """
    return _inspect(language, text, home, 0)


def _inspect(language: str, text: str, home: str, depth: int) -> Findings:
    if len(text) > _MAX_CHARS or depth > _MAX_DEPTH:
        return Findings(unread=True)
    if language not in LANGUAGES:
        return Findings(opaque=(f"{language} code",))
    found = _python(text, home) if language == "python" else inspect_tokens(language, text)
    for code in found.code:
        found |= _inspect(code.language, code.text, home, depth + 1)
    return found


def _python(text: str, home: str) -> Findings:
    if len(text) > _MAX_TREE_CHARS:
        return inspect_tokens("python", text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in the agent's code are not our warnings
            return inspect_python(text, home=home)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return inspect_tokens("python", text)


def code_effects(found: Findings, command: Command, rules: RuleBook) -> Iterator[Effect]:
    """The effects of code that are no commands of their own.

    Foreign and opaque code, reverse shells, losses and deleted rows by libraries, SQL, and writes to files that start
    something or guard the agent. Secrets are ``secrets.code_secret_effects``.
    """
    for what in found.foreign:
        yield effect_of(rules, "execution.foreign-code", command, target=what)
    for what in found.opaque:
        yield effect_of(rules, "execution.opaque-code", command, target=what)
    for what in found.rows:
        yield effect_of(rules, "database.code-rows", command, target=what)
    for what in found.losses:
        yield effect_of(rules, "database.code-loss", command, target=what)
    if found.unread:
        yield effect_of(rules, "execution.unread-code", command, target="too long or too tangled")
    if found.remote_shell:
        yield effect_of(rules, "execution.reverse-shell", command, target="a network connection")
    for text in found.sql:
        yield from sql_text_effects(text, "", command, rules)
    for path in found.writes:
        yield from written_effects(path, "write", HOLE * 2, command, rules)
