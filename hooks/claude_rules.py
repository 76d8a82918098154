"""Permission rules of Claude Code's own, made from our rule packs: the second line, which needs no hook.

They hold when a hook is dead, in ``bypassPermissions`` mode, and, in managed settings, with ``--bare``. An ``ask`` rule
is a denial in headless runs without our hooks. With them, what people have approved passes: the host asks at its prompt
once more, and our hook answers. Headless runs below 2.1.295 have no such prompt and deny it, which is why the rules are
written only on demand.

From: https://code.claude.com/docs/en/permissions; measured with 2.1.197 and 2.1.332.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.effects import Risk
from askfirst.rules.load import packs, sources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from askfirst.rules.schema import Rule

PROGRAMS = frozenset(
    {"gh", "terraform", "pulumi", "kubectl", "aws", "gcloud", "az", "npm", "cargo", "twine", "zfs", "zpool", "docker"}
)
"""Those most used: a settings file is read by people, too."""
_BY_HAND = ("git push --force", "git push -f", "git push --mirror")
"""Critical by what code finds out; no prefix of a command says it of every case."""


def ask_rules() -> list[str]:
    """A rule for each command that is critical whatever follows, e.g. ``Bash(gh repo delete:*)``; sorted."""
    prefixes = {*_BY_HAND}
    for pack in packs(sources()):
        for rule in pack.rules:
            prefixes.update(_prefixes(rule))
    return [f"Bash({each}:*)" for each in sorted(prefixes)]


def _prefixes(rule: Rule) -> Iterator[str]:
    conditions = (rule.operands, rule.any_operand, rule.not_operand, rule.options_any, rule.options_all, rule.stdin)
    is_simple = not any(conditions) and not rule.options_none
    if rule.risk < Risk.CRITICAL or rule.reversible or rule.program not in PROGRAMS or not is_simple:
        return
    for path in rule.subcommand:
        if not any(char in path for char in "*?<"):
            yield from _spelled(rule.program, path.split())


def _spelled(start: str, words: list[str]) -> Iterator[str]:
    if not words:
        yield start
        return
    for word in words[0].split("|"):
        yield from _spelled(f"{start} {word}", words[1:])
