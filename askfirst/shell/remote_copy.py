"""Copies to another machine: ``rsync -a dist/ web:/var/www``, ``scp app.conf root@db:/etc/``.

Nothing can be looked up there, so the address tells. Over system trees, over what is served and over whatever is
called production a copy is a deployment, and asked about. Home folders, temporary folders and scratch disks pass: that
is how work is taken to a machine.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from askfirst.shell.found import effect_of
from askfirst.shell.options import read_options, syntax

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from askfirst.effects import Effect
    from askfirst.facts import Facts
    from askfirst.shell.command import Command, Word
    from askfirst.shell.ports import Rules

_SCP: Final = syntax("c/: D/: F/: i/: J/: l/: o/: P/: S/: X/: pw: 3/ r/ p/ q/ v/ C/ B/ A/ O/ R/ T/ h/")
_URL: Final = re.compile(r"(?:rsync|scp|sftp)://(?:([^@/]*)@)?(\[[^\]]*\]|[^/:]*)(?::\d+)?/?(.*)", re.DOTALL)
_ADDRESS: Final = re.compile(r"(?:([^@:/]*)@)?(\[[^\]]*\]|[^:/\\]+):(:?)(?!\\)(.*)", re.DOTALL)
"""Not ``C:\\x``, which is a drive."""
_SYSTEM: Final = re.compile(
    r"/*|/+(?:bin|boot|dev|etc|lib\w*|opt|proc|root|s?bin|srv|sys|usr|var/(?:lib|www|spool|backups?))(?:/.*)?"
    r"|(?:.*/)?\.ssh(?:/.*)?",
    re.DOTALL,
)
_SERVED: Final = frozenset("docroot htdocs httpdocs public_html webroot www wwwroot".split())
_LIVE: Final = frozenset("live prd prod production".split())
_ACCOUNTS: Final = frozenset({"deploy", "deployer", "www-data", "nginx", "apache"})
"""Accounts that exist to serve, or to put there what is served."""
_PIECES: Final = re.compile(r"[a-z0-9_]+")


class _Address(NamedTuple):
    account: str
    host: str
    path: str
    is_module: bool
    """The path begins with a module of a daemon, which says itself where that is."""


def scp_effects(command: Command, _facts: Facts, rules: Rules) -> Iterator[Effect]:
    """What ``scp`` copies to another machine."""
    options = read_options(command.args, _SCP)
    if not options.has("-h", "help"):
        yield from copied(options.words, command, rules)


def copied(words: Sequence[Word], command: Command, rules: Rules) -> Iterator[Effect]:
    """The effect of copying to the last of these words, where others depend on what is there."""
    address = _address(words[-1].text) if len(words) > 1 else None
    rule = address and _rule(address)
    if rule:
        yield effect_of(rules, rule, command, target=words[-1].shown or words[-1].text)


def is_elsewhere(text: str) -> bool:
    """Whether a word of rsync or scp names a place on another machine."""
    return _address(text) is not None


def _address(text: str) -> _Address | None:
    if match := _URL.fullmatch(text):
        return _Address(match[1] or "", match[2], match[3], is_module=text.startswith("rsync:"))
    match = _ADDRESS.fullmatch(text)
    return _Address(match[1] or "", match[2], match[4], is_module=bool(match[3])) if match else None


def _rule(address: _Address) -> str:
    if not address.is_module and address.path and _SYSTEM.fullmatch(address.path):
        return "remote-copy.system-tree"
    names = frozenset(_PIECES.findall(f"{address.host}/{address.path}".lower()))
    is_served = address.is_module or not _SERVED.isdisjoint(address.path.split("/"))
    if is_served or address.account in _ACCOUNTS or names & _LIVE:
        return "remote-copy.live"
    return ""
