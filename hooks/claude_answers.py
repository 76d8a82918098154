"""What Claude Code is answered, event by event: pure functions from verdicts to the bytes that it understands.

Measured with 2.1.197, 2.1.330 and 2.1.332 against a scripted model:

- Deny is JSON on standard output with exit 0. Every version blocks on it in every permission mode, and the model reads
  the bare reason. Exit 2 blocks as surely, but shows the model the hook's whole command line before the reason.
  The price of JSON is that noise around it, or a missing ``hookEventName``, lets the command run: so standard output is
  written once and whole by the clients, or not at all, and the shape is built here from one table.
- What could not be read is exit 2 with a sentence on standard error and an empty standard output: we do not know which
  event it is, and on 2.1.197 an exit 2 with JSON of the wrong shape lets the command run. At a prompt it is no answer,
  so the prompt stays; a changed configuration is kept out by it.
- Allow hands the approved input back as ``updatedInput``. Claude Code lets the last of several hooks rewrite the input,
  so without it another hook's rewrite of an approved command would run instead. At a prompt it is not handed back: it
  is what the prompt shows, and with it 2.1.332 asks its rules once more, which is a denial in headless runs.
- ``ask`` shows the prompt in interactive sessions, whatever rules allow, and is a denial in headless ones.
- ``defer`` ends a headless run with exit code 0 and ``"stop_reason": "tool_deferred"``. In interactive sessions, and
  after the fallback to answers that do not stream, it is ignored: the adapter says when it may be sent.
- An idle interactive session is woken by exit 2 of a ``Stop`` hook that is ``asyncRewake``; the model reads standard
  error.
- No opinion is exit 0 and silence. ``continue: false`` is never sent: with it the tool still runs.

From: https://code.claude.com/docs/en/hooks
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypedDict

from askfirst.host import (
    Allow,
    Answered,
    AskHere,
    BeforeTool,
    Defer,
    Deny,
    HookAnswer,
    NoOpinion,
    PromptShown,
    QuestionsShown,
    SessionStarted,
    Tell,
    TurnEnded,
    Wake,
)
from hooks.wire import cut, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from askfirst.host import HookEvent, Verdict

MAX_REASON_CHARS = 9_000
"""Claude Code cuts a hook's strings at 10,000 characters."""


class PromptDecision(TypedDict, total=False):
    """``decision`` of our answer to a prompt; ``behavior`` is ``allow`` or ``deny``."""

    behavior: str
    message: str
    updatedInput: Mapping[str, object]


class Output(TypedDict, total=False):
    """``hookSpecificOutput`` of our answer."""

    hookEventName: str
    permissionDecision: str
    permissionDecisionReason: str
    updatedInput: Mapping[str, object]
    decision: PromptDecision
    additionalContext: str


def answer(event: HookEvent | None, verdict: Verdict) -> HookAnswer:
    """The answer to ``event``, as the module's docstring says."""
    if isinstance(verdict, NoOpinion):
        return HookAnswer()
    output = _output(event, verdict)
    if output is not None:
        text = json.dumps({"hookSpecificOutput": output}, separators=(",", ":"))
        return HookAnswer(stdout=text.encode("ascii") + b"\n")
    if isinstance(verdict, Wake) and isinstance(event, TurnEnded):
        return HookAnswer(exit_code=3, stderr=_words(verdict.reason).encode("utf-8", "backslashreplace") + b"\n")
    if isinstance(verdict, Deny):
        return refusal(verdict.reason, MAX_REASON_CHARS)
    return refusal(f"askfirst: {verdict.tag} is no answer to this event; this is a bug of askfirst")


def _output(event: HookEvent | None, verdict: Verdict) -> Output | None:
    match event, verdict:
        case BeforeTool(), _:
            return _before(verdict)
        case PromptShown() | QuestionsShown(), _:
            decision = _at_prompt(event, verdict)
            return Output(hookEventName="PermissionRequest", decision=decision) if decision else None
        case SessionStarted(), Tell():
            return Output(hookEventName="SessionStart", additionalContext=_words(verdict.reason))
        case _:
            return None


def _before(verdict: Verdict) -> Output | None:
    output = Output(hookEventName="PreToolUse")
    match verdict:
        case Allow():
            output |= Output(permissionDecision="allow", updatedInput=verdict.arguments)
        case Deny():
            output |= Output(permissionDecision="deny")
        case AskHere():
            output |= Output(permissionDecision="ask")
        case Defer():
            return output | Output(permissionDecision="defer")
        case _:
            return None
    return output | Output(permissionDecisionReason=_words(verdict.reason))


def _at_prompt(event: PromptShown | QuestionsShown, verdict: Verdict) -> PromptDecision | None:
    match verdict:
        case Allow():
            return {"behavior": "allow"}
        case Answered():
            return {"behavior": "allow", "updatedInput": {**event.call.arguments, "answers": dict(verdict.answers)}}
        case Deny():
            return {"behavior": "deny", "message": _words(verdict.reason)}
        case _:
            return None


def _words(text: str) -> str:
    return cut(text, MAX_REASON_CHARS) or "askfirst"
