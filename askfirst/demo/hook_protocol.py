"""How Claude Code calls a PreToolUse hook and what it makes of the answer, as a pure function.

The scripted agent obeys it, so that a gate that fails open there would fail open in the real client too. Measured
with 2.1.330 (``claude -p``, an allow rule for the tool in place); where older releases differ they are laxer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from askfirst.demo.process_group import Finished

BLOCK_EXIT = 2
"""The one exit code that blocks by itself."""

DEFAULT_TIMEOUT_S = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class HookCommand:
    """A hook as the settings name it.

    Attributes:
        line: the command line, run by ``sh -c``; the model is shown it when the hook blocks by its exit code.
        timeout_s: seconds until the host ends it.
        on_failure: what a hook means that fails instead of answering (Claude Code >= 2.1.295; older ones allow).
    """

    line: str
    timeout_s: int = DEFAULT_TIMEOUT_S
    on_failure: Literal["allow", "block"] = "block"


HookCommands = dict[str, HookCommand]
"""One hook for each event, e.g. ``PreToolUse``."""


def settings(hooks: HookCommands, tool: str = "Bash") -> dict[str, object]:
    """A settings file with these hooks and a rule that allows the tool, so that a hook without effect shows."""
    return {
        "permissions": {"allow": [tool]},
        "hooks": {event: [{"matcher": tool, "hooks": [_entry(hook)]}] for event, hook in hooks.items()},
    }


def _entry(hook: HookCommand) -> dict[str, object]:
    entry: dict[str, object] = {"type": "command", "command": hook.line, "timeout": hook.timeout_s}
    return {**entry, "onFailure": "block"} if hook.on_failure == "block" else entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What the host does after a PreToolUse hook.

    Attributes:
        runs: whether the tool runs now.
        reason: what the model is told instead of a result, when it does not run.
        arguments: the input that replaces the model's, None to keep it.
        context: text that the model gets beside the result.
        ends_run: whether the agent stops afterwards.
    """

    runs: bool
    reason: str = ""
    arguments: Mapping[str, object] | None = None
    context: str = ""
    ends_run: bool = False


class _SchemaError(Exception):
    """The JSON is no answer of a PreToolUse hook."""


def rule(hook: HookCommand, tool: str, done: Finished) -> Ruling:
    """What the host makes of a hook that ended like this."""
    label = f"PreToolUse:{tool} hook error"
    if done.was_ended:
        return _failed(hook, f"{label}: timed out")
    if done.exit_code == BLOCK_EXIT:
        return Ruling(runs=False, reason=f"{label}: [{hook.line}]: {done.stderr or 'No stderr output'}")
    answer = _json_object(done.stdout)
    if answer is not None:
        try:
            return _answered(answer, tool)
        except _SchemaError as error:
            return _failed(hook, f"{label}: {error}")
    if done.exit_code != 0:
        return _failed(hook, f"{label}: exit code {done.exit_code}: {done.stderr.strip()}")
    return Ruling(runs=True)


def _failed(hook: HookCommand, reason: str) -> Ruling:
    blocks = hook.on_failure == "block"
    return Ruling(runs=not blocks, reason=reason if blocks else "")


def _json_object(stdout: str) -> Mapping[str, object] | None:
    """The answer, None for text that is no single JSON object: the host takes that for no opinion."""
    try:
        answer: object = json.loads(stdout)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    decision: str
    reason: str = ""
    arguments: Mapping[str, object] | None = None
    context: str = ""
    rest: Mapping[str, object] = field(default_factory=dict)


def _answered(answer: Mapping[str, object], tool: str) -> Ruling:
    found = _specific(answer) or _legacy(answer)
    context = f"PreToolUse:{tool} hook additional context: {found.context}" if found.context else ""
    goes_on = answer.get("continue") is not False
    match found.decision:
        case "deny":
            text = (
                f"PreToolUse:{tool} hook error: {found.reason}"
                if found.reason
                else f"Hook PreToolUse:{tool} denied this tool"
            )
            return Ruling(runs=False, reason=text, context=context, ends_run=not goes_on)
        case "ask":
            return Ruling(
                runs=False, reason=found.reason or f"Hook PreToolUse:{tool} requires confirmation", context=context
            )
        case "defer":
            return Ruling(runs=False, context=context, ends_run=True)
        case _:
            return Ruling(runs=True, arguments=found.arguments, context=context, ends_run=not goes_on)


def _specific(answer: Mapping[str, object]) -> _Answer | None:
    if "hookSpecificOutput" not in answer:
        return None
    output = answer["hookSpecificOutput"]
    if not isinstance(output, dict) or output.get("hookEventName") != "PreToolUse":
        raise _SchemaError("hookSpecificOutput names no PreToolUse event")
    arguments = output.get("updatedInput")
    if arguments is not None and not isinstance(arguments, dict):
        raise _SchemaError("updatedInput is no object")
    return _Answer(
        decision=_word(output, "permissionDecision", ("allow", "deny", "ask", "defer")),
        reason=str(output.get("permissionDecisionReason") or ""),
        arguments=arguments,
        context=str(output.get("additionalContext") or ""),
    )


def _legacy(answer: Mapping[str, object]) -> _Answer:
    word = _word(answer, "decision", ("approve", "block"))
    return _Answer(decision="deny" if word == "block" else "allow", reason=str(answer.get("reason") or ""))


def _word(fields: Mapping[str, object], name: str, words: tuple[str, ...]) -> str:
    """The decision, ``""`` when there is none."""
    word = fields.get(name)
    if word is None:
        return ""
    if not isinstance(word, str) or word not in words:
        raise _SchemaError(f"{name} is {word!r}, expected {', '.join(words)}")
    return word
