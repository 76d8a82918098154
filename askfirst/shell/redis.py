"""What a Redis command line would do: the commands in its operands, or one a line on standard input."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from askfirst.effects import Risk
from askfirst.shell.command import HOLE
from askfirst.shell.found import effect_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from askfirst.effects import Effect
    from askfirst.facts import Facts
    from askfirst.rules.book import RuleBook
    from askfirst.shell.command import Command

_VALUES = frozenset(
    [
        "-h",
        "-p",
        "-s",
        "-a",
        "-u",
        "-r",
        "-i",
        "-n",
        "-t",
        "--user",
        "--pass",
        "--cacert",
        "--cacertdir",
        "--cert",
        "--key",
        "--sni",
        "--tls-ciphers",
    ]
)
_SCRIPTS = frozenset({"EVAL", "EVALSHA", "FCALL", "SCRIPT", "FUNCTION", "MODULE"})
_WIPES = frozenset({"FLUSHALL", "FLUSHDB"})
_SERVER = frozenset({"SHUTDOWN", "DEBUG", "REPLICAOF", "SLAVEOF", "FAILOVER"})
_DELETES = frozenset({"DEL", "UNLINK", "GETDEL", "XTRIM", "LTRIM", "HDEL", "SREM", "ZREMRANGEBYRANK", "RENAME"})
_ALARMING = re.compile(r"flush|wipe|clear|clean|delete|purge|reset|drop", re.IGNORECASE)
_MAX_LINES = 2000


def redis_effects(command: Command, _facts: Facts, rules: RuleBook) -> Iterator[Effect]:
    """The effects of one ``redis-cli`` command line."""
    operands, options = _split(command)
    if options & {"--help", "--version"}:
        return
    if options & {"--eval", "--pipe"}:
        alarming = any(_ALARMING.search(word) for word in operands)
        risk = Risk.HIGH if alarming else Risk.MEDIUM
        yield effect_of(
            rules, "database.redis-opaque", command, target="a script or a raw stream of commands", risk=risk
        )
    if "--cluster" in options and {"del-node", "reshard", "fix"} & {word.lower() for word in operands}:
        yield effect_of(rules, "database.redis-server", command, target="the cluster")
        return
    if operands:
        yield from _redis_command(operands, command, rules)
    elif command.stdin.kind == "text":
        lines = command.stdin.text.splitlines()
        if len(lines) > _MAX_LINES:
            yield effect_of(rules, "database.redis-opaque", command, target="a long list of commands", risk=Risk.HIGH)
        for line in lines[:_MAX_LINES]:
            yield from _redis_command(_words(line), command, rules)
    elif command.stdin.kind != "none":
        alarming = command.stdin.kind in {"file", "network", "decoded"}
        risk = Risk.HIGH if alarming else Risk.MEDIUM
        yield effect_of(rules, "database.redis-opaque", command, target="commands from its input", risk=risk)


def raw_effects(command: Command, _facts: Facts, rules: RuleBook) -> Iterator[Effect]:
    """What is typed into a bare connection: the text protocols of Redis and memcached."""
    for line in command.stdin.text.splitlines()[:_MAX_LINES] if command.stdin.kind == "text" else ():
        name = line.split(maxsplit=1)[0].upper() if line.strip() else ""
        if name in _WIPES or name == "FLUSH_ALL":
            yield effect_of(rules, "database.redis-flush", command, target="every key")


def _split(command: Command) -> tuple[list[str], set[str]]:
    operands: list[str] = []
    options: set[str] = set()
    words = iter(command.args)
    for word in words:
        if operands or not word.text.startswith("-"):
            operands.append(word.text)
            continue
        options.add(word.text)
        if word.text in _VALUES:
            next(words, None)
    return operands, options


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


def _redis_command(words: list[str], command: Command, rules: RuleBook) -> Iterator[Effect]:
    if not words or words[0].startswith("#"):
        return
    name = words[0].upper()
    second = words[1].upper() if len(words) > 1 else ""
    if name == "MULTI" or HOLE in name:
        yield effect_of(rules, "database.redis-opaque", command, target="a computed command", risk=Risk.MEDIUM)
    elif name in _WIPES:
        yield effect_of(rules, "database.redis-flush", command, target="every key")
    elif name in _SERVER or (name, second) in _SUBCOMMANDS:
        yield effect_of(rules, "database.redis-server", command, target=f"{name} {second}".strip())
    elif name in _SCRIPTS and second not in {"LIST", "EXISTS", "LOAD", "STATS", "HELP"}:
        risk = Risk.HIGH if _script_is_alarming(words) else Risk.MEDIUM
        yield effect_of(rules, "database.redis-opaque", command, target=f"a server-side script ({name})", risk=risk)
    elif name in _DELETES:
        wide = len(words) > 10 or any(HOLE in word or "*" in word for word in words[1:])
        risk = Risk.HIGH if wide else Risk.MEDIUM
        yield effect_of(
            rules, "database.redis-delete", command, target=" ".join(words[1:4]).replace(HOLE, "…"), risk=risk
        )


_SUBCOMMANDS = frozenset(
    {
        ("CONFIG", "SET"),
        ("CONFIG", "REWRITE"),
        ("CONFIG", "RESETSTAT"),
        ("SCRIPT", "FLUSH"),
        ("FUNCTION", "FLUSH"),
        ("FUNCTION", "DELETE"),
        ("ACL", "DELUSER"),
        ("ACL", "SETUSER"),
        ("ACL", "LOAD"),
        ("CLUSTER", "RESET"),
        ("CLUSTER", "FORGET"),
        ("CLUSTER", "FAILOVER"),
        ("MODULE", "LOAD"),
        ("MODULE", "UNLOAD"),
    }
)


def _script_is_alarming(words: list[str]) -> bool:
    text = " ".join(words[1:]).upper()
    return any(bad in text for bad in ("FLUSH", "'DEL'", '"DEL"', "UNLINK", "SHUTDOWN", "CONFIG"))
