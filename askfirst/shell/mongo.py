"""What a MongoDB shell command line would do: the JavaScript in ``--eval`` or on standard input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.effects import Risk
from askfirst.shell.code_lexer import CodeToken, CodeTooLongError, code_tokens
from askfirst.shell.found import effect_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from askfirst.effects import Effect
    from askfirst.facts import Facts
    from askfirst.rules.book import RuleBook
    from askfirst.shell.command import Command

_VALUES = frozenset(
    [
        "--host",
        "--port",
        "-u",
        "--username",
        "-p",
        "--password",
        "--authenticationDatabase",
        "--tlsCAFile",
        "--tlsCertificateKeyFile",
    ]
)
_DROPS = frozenset(
    {"dropDatabase", "drop", "dropUser", "dropAllUsersFromDatabase", "dropRole", "dropAllRolesFromDatabase"}
)
_INDEXES = frozenset({"dropIndex", "dropIndexes", "dropSearchIndex"})
_BULK = frozenset({"deleteMany", "remove", "updateMany"})
_SERVER = frozenset(
    {
        "stepDown",
        "reconfig",
        "reconfigForPSASet",
        "removeShard",
        "killSessions",
        "killAllSessions",
        "shutdownServer",
        "fsyncLock",
        "resetErrorLog",
        "repairDatabase",
    }
)
_ADMIN = frozenset({"dropDatabase", "drop", "shutdown", "dropIndexes", "dropUser", "dropAllUsersFromDatabase"})


def mongo_effects(command: Command, _facts: Facts, rules: RuleBook) -> Iterator[Effect]:
    """The effects of one ``mongosh`` or ``mongo`` command line."""
    if any(word.text in {"--help", "--version"} for word in command.args):
        return
    scripts, files = _inputs(command)
    for script in scripts:
        yield from javascript_effects(script, command, rules)
    for path in files:
        yield effect_of(rules, "database.sql-unread", command, target=f"script {path}", risk=Risk.HIGH)


def _inputs(command: Command) -> tuple[list[str], list[str]]:
    scripts: list[str] = []
    files: list[str] = []
    words = iter(command.args)
    for word in words:
        name, equals, value = word.text.partition("=")
        if name == "--eval":
            following = None if equals else next(words, None)
            scripts.append(value if equals else following.text if following else "")
        elif word.text in {"-f", "--file"}:
            following = next(words, None)
            files += [following.text] if following else []
        elif word.text in _VALUES:
            next(words, None)
        elif word.text.endswith((".js", ".mongodb")):
            files.append(word.text)
    if command.stdin.kind == "text" and not scripts:
        scripts.append(command.stdin.text)
    elif command.stdin.kind == "file" and not scripts:
        files.append(command.stdin.text)
    return scripts, files


def javascript_effects(text: str, command: Command, rules: RuleBook) -> Iterator[Effect]:
    """The effects of JavaScript run in the MongoDB shell."""
    try:
        tokens = code_tokens(text, "javascript")
    except CodeTooLongError:
        yield effect_of(rules, "database.sql-unread", command, target="a script of this size", risk=Risk.HIGH)
        return
    for index, token in enumerate(tokens):
        call = tokens[index + 1].text if index + 1 < len(tokens) else ""
        if token.kind != "word" or call not in {"(", ":"}:
            continue
        target = _receiver(tokens, index)
        if call == ":":
            if token.text in _ADMIN and _is_admin_command(tokens, index):
                yield effect_of(rules, "database.mongo-drop", command, target=token.text)
        elif token.text in _DROPS | _INDEXES:
            yield effect_of(rules, "database.mongo-drop", command, target=target)
        elif token.text in _SERVER:
            yield effect_of(rules, "database.mongo-server", command, target="the server")
        elif token.text in _BULK:
            risk = Risk.HIGH if _is_unfiltered(tokens, index) else Risk.MEDIUM
            yield effect_of(rules, "database.mongo-delete", command, target=target, risk=risk)


def _receiver(tokens: list[CodeToken], index: int) -> str:
    start = index
    while start >= 2 and tokens[start - 1].text == "." and tokens[start - 2].kind == "word":
        start -= 2
    return "".join(token.text for token in tokens[start:index]).removesuffix(".") or "the database"


def _is_unfiltered(tokens: list[CodeToken], index: int) -> bool:
    """Whether the first argument is missing, ``{}`` or unknown."""
    inside = [token.text for token in tokens[index + 2 : index + 4]]
    return inside[:1] == [")"] or inside == ["{", "}"]


def _is_admin_command(tokens: list[CodeToken], index: int) -> bool:
    return any(token.text in {"runCommand", "adminCommand"} for token in tokens[max(0, index - 4) : index])
