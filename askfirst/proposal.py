"""A rule that a person may copy into their policy after approving with that scope; nothing activates it by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from askfirst.engine.scopes import proposed_commands

if TYPE_CHECKING:
    from askfirst.engine import Case


def proposal_of(case: Case) -> str:
    """The rule as TOML for ``policy.toml``, or ``""`` where no rule was chosen or none would say the same.

    For example::

        [[rule]]
        name = "from-3f2a9c01"
        match = { tool = "Bash", rule = ["git.push-force"], command = ["git push --force origin topic"] }
        outcome = "allow"
        reason = "proposed from request 7K3Q2M-3f2a9c01"
    """
    grant, request = case.grant, case.request
    commands = proposed_commands(request, grant.pattern) if grant is not None and grant.scope == "rule" else []
    if not commands:
        return ""
    rules = sorted({effect.rule for effect in request.effects})
    match = f"tool = {_text(request.action.tool)}, rule = {_texts(rules)}, command = {_texts(commands)}"
    return "\n".join(
        (
            "[[rule]]",
            f"name = {_text(f'from-{request.action_digest[:8]}')}",
            f"match = {{ {match} }}",
            'outcome = "allow"',
            f"reason = {_text(f'proposed from request {request.code}')}",
            "",
        )
    )


def _text(value: str) -> str:
    """A TOML basic string: JSON's escapes are TOML's (https://toml.io/en/v1.0.0#string), but for DEL."""
    return json.dumps(value).replace("\x7f", "\\u007f")


def _texts(values: list[str]) -> str:
    return f"[{', '.join(_text(each) for each in values)}]"
