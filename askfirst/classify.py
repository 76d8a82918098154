"""One question for every tool call: what would it do?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from askfirst.effects import Classification, Outcome, Risk
from askfirst.facts import Facts, NoFacts
from askfirst.rules.book import RuleBook
from askfirst.shell import sql_where
from askfirst.shell.analysis import Analysis, analyse
from askfirst.tools import classify_tool, is_unread_shell, powershell_text, shell_text, typed_commands

if TYPE_CHECKING:
    from collections.abc import Mapping

    from askfirst.call import ToolCall
    from askfirst.effects import Effect


def classify(
    call: ToolCall,
    facts: Facts | None = None,
    *,
    book: RuleBook | None = None,
    written: Mapping[str, str] | None = None,
    home: str = "",
) -> Classification:
    """What a tool call would do, whatever tool it is.

    Args:
        call: the normalised call.
        facts: what may be asked about this machine; nothing by default.
        book: the rules; the ones that come with the program by default.
        written: absolute path -> content of files that the session wrote earlier.
        home: home directory; asked from ``facts`` when empty.
    """
    rules = RuleBook.load() if book is None else book
    facts = facts or NoFacts()
    text = shell_text(call)
    if is_unread_shell(call) or (not text and call.tool != "Bash"):
        found = classify_tool(call, rules)
    else:
        found = classification_of(analyse(text, cwd=call.cwd, facts=facts, book=rules, written=written, home=home))
    typed = [*typed_commands(call), *powershell_text(call)]
    more = [one for each in typed for one in _gated(each, call, facts, rules, home)]
    return _joined(found, more) if more else found


def classification_of(found: Analysis) -> Classification:
    """The part of an analysis that the gate goes by."""
    return Classification(
        outcome=found.outcome,
        effects=found.effects,
        expanded=found.expanded,
        scripts=found.scripts,
        writes=found.writes,
        parsed=found.commands,
        commands=tuple(dict.fromkeys(command.shown for command in found.commands)),
    )


_OF_ANOTHER_SHELL = ("execution.", "filesystem.", "persistence.", "secrets.")
"""Packs whose rules depend on how a POSIX shell reads a line, and of which PowerShell has its own."""


def _gated(text: str, call: ToolCall, facts: Facts, rules: RuleBook, home: str) -> list[Effect]:
    """The effects to ask about in a text that is most likely run by a shell."""
    found = analyse(text, cwd=call.cwd, facts=facts, book=rules, home=home)
    is_other = call.tool.lower() in {"powershell", "pwsh"}
    return [
        one
        for one in found.effects
        if one.risk >= Risk.HIGH and not (is_other and one.rule.startswith(_OF_ANOTHER_SHELL))
    ]


def _joined(found: Classification, more: list[Effect]) -> Classification:
    effects = sorted(dict.fromkeys((*found.effects, *more)), key=lambda effect: -effect.risk)
    return replace(found, outcome=Outcome.GATE, effects=tuple(effects))


def warm_up(book: RuleBook | None = None) -> None:
    """Load and compile what the first analyses would: a long-running process calls this before its first question."""
    sql_where.warm_up()
    rules = RuleBook.load() if book is None else book
    for text in ("git status; docker ps; aws s3 ls; kubectl get pods", "python3 -c 'print(1)'", "psql -c 'SELECT 1'"):
        analyse(text, cwd="/", facts=NoFacts(), book=rules)
