"""The form in which other systems ask becomes a question, and its word only adds to our own analysis."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from askfirst.classify import classify
from askfirst.host import Agent
from askfirst.policy.action_request import ActionRequest
from askfirst.policy.question import Question
from askfirst.policy.ruling import Outcome, Ruling

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.policy.policy import Policy


def _ruling(policy: Policy, body: dict[str, object]) -> Ruling:
    asked = ActionRequest.model_validate(body)
    call = asked.call(session="s")
    question = Question(
        call=call,
        classification=classify(call),
        agent=Agent(host="remote", session="s"),
        at=datetime(2026, 11, 25, tzinfo=UTC),
        claim=asked.claim,
        requires_approval=asked.requiresApproval,
    )
    return policy.rule_on(question)


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({"action": "Bash", "confidence": 0.99, "context": {"command": "ls"}, "requiresApproval": False}, "allow"),
        ({"action": "Bash", "confidence": 0.99, "context": {"command": "ls"}, "requiresApproval": True}, "ask"),
        ({"action": "Bash", "confidence": 0.5, "context": {"command": "ls"}}, "ask"),
        ({"action": "Bash", "confidence": 1.0, "context": {"command": "rm -rf /"}, "requiresApproval": False}, "ask"),
        ({"action": "delete_user", "confidence": 1, "context": {"user_id": "u_1"}}, "ask"),
    ],
)
def test_the_word_of_the_request_only_adds_to_the_analysis(
    body: dict[str, object], outcome: str, policy_of: Callable[..., Policy]
) -> None:
    assert _ruling(policy_of(), body).outcome is Outcome(outcome)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"confidence": 0.5}, "action"),
        ({"action": "x", "confidence": 1.5}, "confidence"),
        ({"action": "x", "confidence": "high"}, "confidence"),
        ({"action": "x", "requiresApproval": "no"}, "requiresApproval"),
        ({"action": "x", "approved": True}, "approved"),
        ([], ""),
    ],
)
def test_what_is_not_of_the_form_is_refused_by_its_field(body: object, field: str) -> None:
    with pytest.raises(ValidationError) as told:
        ActionRequest.model_validate(body)

    assert ".".join(map(str, told.value.errors()[0]["loc"])) == field
