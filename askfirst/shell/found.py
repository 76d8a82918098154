"""An effect whose rule names one thing in braces, ``{what}``: the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.shell.command import HOLE

if TYPE_CHECKING:
    from askfirst.effects import Effect, Risk
    from askfirst.shell.command import Command
    from askfirst.shell.ports import Rules


def effect_of(rules: Rules, rule_id: str, command: Command, *, target: str, risk: Risk | None = None) -> Effect:
    """The effect of a rule of the packs for data, code, secrets and persistence; unknown parts are shown as ``…``."""
    shown = target.replace(HOLE, "…")
    return rules.effect(rule_id, command, target=shown, risk=risk, what=shown)
