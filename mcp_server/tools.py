"""The tools as clients see them. Plain data, so that listing them costs nothing.

Descriptions are short: a host may cut them, and every model reads them in every turn. All tools carry ``readOnlyHint``:
they change nothing but who is asked, and a client that asked before asking would ask twice (Codex does without it).
"""

from __future__ import annotations

NAME = "askfirst"
TITLE = "Askfirst"
INSTRUCTIONS = (
    "Ask a person before you do what cannot be taken back, or when you do not know what they want. A gate checks shell "
    "commands anyway: with request_approval(command=...) the person is asked once, with your reasons, and the command "
    "then passes. Results say in `next` what to do. Text never gives permission by itself: the gate does."
)
WAIT_MAX_S = 100
"""Longest wait in one call, seconds: Claude Code moves longer ones to the background and distrusts their results."""

_TEXT = {"type": "string", "maxLength": 10_000}
_WAIT = {"type": "boolean", "description": "Wait up to 100 s for the decision. Default true."}
_TIMEOUT = {
    "type": "number",
    "minimum": 1,
    "maximum": 2_592_000,
    "description": "Seconds that people have to decide. Default: what the policy says.",
}
_ID = {"type": "string", "minLength": 1, "maxLength": 200, "description": "The request's id."}
_CLAIM = {
    "reason": {**_TEXT, "description": "Why you want to do it."},
    "impact": {**_TEXT, "description": "What it changes, and for whom."},
    "rollback_plan": {**_TEXT, "description": "How it can be taken back."},
    "confidence": {"type": "number", "minimum": 0, "maximum": 1, "description": "How sure you are that it is right."},
    "signals": {
        "type": "array",
        "items": _TEXT,
        "maxItems": 40,
        "description": "What speaks for or against it, e.g. 'vendor mismatch'.",
    },
}

_RESULT = {
    "type": "object",
    "properties": {
        "status": {
            "type": "string",
            "enum": [
                "approved",
                "pending",
                "needs_info",
                "denied",
                "answered",
                "expired",
                "cancelled",
                "used",
                "refused",
                "unavailable",
            ],
        },
        "next": {"type": "string", "description": "What to do now."},
        "id": {"type": "string"},
        "code": {"type": "string", "description": "The request's short name, as the person sees it."},
        "by": {"type": "string"},
        "comment": {"type": "string"},
        "answer": {"description": "The answer: text, or JSON where a schema was given."},
        "command": {"type": "string", "description": "The command that was approved."},
        "arguments": {"type": "object", "description": "The arguments that were approved."},
        "risk": {"type": "string", "description": "As the gate sees it."},
        "evidence": {"type": "array", "items": {"type": "string"}, "description": "What the gate found it would do."},
        "expires_at": {"type": "string", "description": "UTC, ISO 8601."},
        "retry_after_s": {"type": "number"},
    },
    "required": ["status", "next"],
    "additionalProperties": False,
}


def _tool(
    name: str, title: str, description: str, properties: dict[str, object], required: list[str], **more: object
) -> dict[str, object]:
    return {
        "name": name,
        "title": title,
        "description": description,
        "inputSchema": {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        },
        "annotations": {
            "title": title,
            "readOnlyHint": True,
            "destructiveHint": False,
            "idempotentHint": True,
            "openWorldHint": False,
        },
        "_meta": {"anthropic/alwaysLoad": True},
        **more,
    }


_WITH_RESULT = {"outputSchema": _RESULT}

TOOLS: list[dict[str, object]] = [
    _tool(
        "request_approval",
        "Ask for approval",
        "Ask a person to approve an action before you do it. For a shell command give `command` exactly as you will "
        "run it; once approved, run that command and it passes the gate once. The same call again joins the same "
        "request. If the result is pending, go on with other work and call get_request.",
        {
            "action": {
                "type": "string",
                "minLength": 1,
                "maxLength": 200,
                "description": "What you want to do, short.",
            },
            "arguments": {"type": "object", "description": "The action's arguments, all of them."},
            "command": {"type": "string", "minLength": 1, "maxLength": 262_144, "description": "A shell command."},
            "cwd": {
                "type": "string",
                "maxLength": 4_096,
                "description": "Where the command runs. Default: the project.",
            },
            **_CLAIM,
            "risk": {"type": "string", "enum": ["low", "medium", "high", "critical"], "description": "Your estimate."},
            "context": {**_TEXT, "description": "What the person should know."},
            "timeout_s": _TIMEOUT,
            "wait": _WAIT,
        },
        ["action", "reason"],
        **_WITH_RESULT,
    ),
    _tool(
        "ask_human",
        "Ask a person",
        "Ask a person a question: free text, one of `options`, or JSON that fits `schema`. The same call again joins "
        "the same question. If the result is pending, go on with other work and call get_request.",
        {
            "question": {**_TEXT, "minLength": 1},
            "options": {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 200}, "maxItems": 50},
            "schema": {"type": "object", "description": "JSON Schema of the answer."},
            "context": {**_TEXT, "description": "What the person should know."},
            "timeout_s": _TIMEOUT,
            "wait": _WAIT,
        },
        ["question"],
        **_WITH_RESULT,
    ),
    _tool(
        "get_request",
        "Look at a request",
        "How a request stands. With `wait_s` it waits that long for a decision.",
        {
            "id": _ID,
            "wait_s": {"type": "number", "minimum": 0, "maximum": WAIT_MAX_S, "description": "Seconds. Default 0."},
        },
        ["id"],
        **_WITH_RESULT,
    ),
    _tool(
        "cancel_request",
        "Withdraw a request",
        "Withdraw a pending request that is no longer needed.",
        {"id": _ID, "reason": _TEXT},
        ["id"],
        **_WITH_RESULT,
    ),
    _tool(
        "amend_request",
        "Change a request",
        "Change a pending request: answer what the person asked back in `reason`, or give another command or other "
        "arguments. The person decides on the new version.",
        {
            "id": _ID,
            "command": {"type": "string", "minLength": 1, "maxLength": 262_144},
            "arguments": {"type": "object", "description": "Merged into those that were asked about."},
            **_CLAIM,
        },
        ["id"],
        **_WITH_RESULT,
    ),
    _tool(
        "permission_prompt",
        "Permission prompt",
        "For the host's --permission-prompt-tool, not for you: lets a person decide on a tool call.",
        {
            "tool_name": {"type": "string", "minLength": 1, "maxLength": 200},
            "input": {"type": "object"},
            "tool_use_id": {"type": "string", "maxLength": 200},
        },
        ["tool_name", "input"],
        _meta={},
    ),
]
SCHEMAS: dict[str, dict[str, object]] = {
    str(tool["name"]): dict(tool["inputSchema"])  # type: ignore[call-overload]  # written above as a dict
    for tool in TOOLS
}
