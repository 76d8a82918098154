"""What the handlers for data, code, secrets and persistence need of the rule book: one method.

A narrow port instead of the whole book keeps these modules testable with a few lines and free of import cycles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from askfirst.effects import Effect, Risk
    from askfirst.shell.command import Command


class Rules(Protocol):
    """Makes effects out of the rules of the packs; ``askfirst.rules.book.RuleBook`` is the real one."""

    def effect(  # mirrors the fields of an effect
        self,
        rule_id: str,
        command: Command,
        *,
        target: str,
        risk: Risk | None = None,
        reversible: bool | None = None,
        facts: tuple[str, ...] = (),
        suggestion: str | None = None,
        **values: str,
    ) -> Effect:
        """The effect of this rule on ``command``; KeyError for an unknown rule id."""
        ...
