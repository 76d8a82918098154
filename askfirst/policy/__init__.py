"""What needs a person, and on which terms: a pure function from what was found to what happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.effects import Classification, Outcome

if TYPE_CHECKING:
    from askfirst.config import Config


def needs_person(found: Classification, config: Config) -> bool:
    """Whether a person is asked before this runs."""
    if found.outcome is Outcome.PASS:
        return config.strict
    return any(effect.risk >= config.ask_from for effect in found.effects)
