"""No rule takes more than linear time for a text: one that did would run into the limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from audit.redact import without_secrets
from audit.secret_rule import Rules
from audit.secret_rules import RULES

if TYPE_CHECKING:
    from audit.secret_rule import Rule

CHARS: Final = 20_000
BETWEEN: Final = (" ", "=", '"', "'", ":", "-", ".", "_", "\\", " -p ", '"," x | ', "\n")


@pytest.mark.timeout(10)
@pytest.mark.parametrize("rule", [pytest.param(rule, id=f"{at} {rule.name}") for at, rule in enumerate(RULES.all)])
def test_a_hostile_text_is_searched_in_short_time(rule: Rule) -> None:
    """What the rule looks for, over and over, and once before much of what it may go over."""
    rules = Rules([rule])
    for sign in (*rule.marks, *rule.words)[:6]:
        for glue in BETWEEN:
            for text in (f"{sign}{glue}" * (CHARS // len(sign + glue)), f"{sign} {glue * (CHARS // len(glue))}"):
                assert isinstance(without_secrets(text, rules), str)
