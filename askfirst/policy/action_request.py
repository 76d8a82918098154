"""The form in which other systems ask: ``{action, confidence, context, requiresApproval}``.

Example::

    {"action": "delete_user", "confidence": 0.72, "context": {"user_id": "u_1"}, "requiresApproval": true}

``action`` is a tool's name, ``context`` its arguments; a shell command is ``{"action": "Bash", "context": {"command":
…}}``. ``confidence`` and ``requiresApproval`` are the agent's word: they can only make the ruling stricter, so
``requiresApproval: false`` changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from askfirst.call import ToolCall
from askfirst.errors import InputError
from askfirst.policy.question import Question
from askfirst.request import Claim

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from askfirst.effects import Classification
    from askfirst.host import Agent


class ActionRequest(BaseModel):
    """The wire form; the names are its own."""

    model_config = ConfigDict(extra="forbid", strict=True)

    action: str = Field(min_length=1, max_length=200)
    confidence: float | None = Field(default=None, ge=0, le=1)
    context: dict[str, Any] = Field(default_factory=dict)
    requiresApproval: bool = False  # noqa: N815  # the form's spelling


def read_action_request(body: object) -> ActionRequest:
    """The request in a JSON value.

    Raises:
        InputError: it is not of this form; the message names the field.
    """
    try:
        return ActionRequest.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{field or 'the body'}: {first['msg'][:1].lower()}{first['msg'][1:]}", field=field) from error


def question_of(
    asked: ActionRequest,
    *,
    classify: Callable[[ToolCall], Classification],
    agent: Agent,
    at: datetime,
    cwd: str = "",
) -> Question:
    """The policy's question for this request.

    Args:
        asked: the request.
        classify: our own analysis, which decides; the request's word only adds to it.
        agent: who asks.
        at: now, aware.
        cwd: where it would run.
    """
    call = ToolCall(tool=asked.action, arguments=asked.context, cwd=cwd, session=agent.session)
    return Question(
        call=call,
        classification=classify(call),
        agent=agent,
        at=at,
        claim=Claim(confidence=asked.confidence),
        requires_approval=asked.requiresApproval,
    )
