"""Headless runs that end while people decide, and are taken up again: pure, from output and arguments to the next step.

A Claude Code run whose call was deferred ends with exit code 0 and, as its last message, a result with
``"stop_reason": "tool_deferred"``; ``-p "" --resume SESSION`` takes it up with the very same call
(``hooks.claude_answers``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from askfirst.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PRINT = ("-p", "--print")
_FORMAT = "--output-format"
_ONCE = ("--resume", "-r", "--session-id")
"""Options of the first run that name its session; the next ones name it themselves."""
_ONCE_ALONE = ("--continue", "-c", "--fork-session")


@dataclass(frozen=True, slots=True, kw_only=True)
class Headless:
    """A headless run as it was asked for.

    Attributes:
        command: the program and its arguments, without the prompt and the output's format.
        prompt: what it is told, None when that comes on standard input.
        output: ``text``, ``json`` or ``stream-json``: what whoever called wants to read.
    """

    command: tuple[str, ...]
    prompt: str | None
    output: str

    def first(self) -> list[str]:
        """The arguments of the first run."""
        told = () if self.prompt is None else (self.prompt,)
        return [self.command[0], PRINT[0], *told, *self.command[1:], _FORMAT, "stream-json", "--verbose"]

    def next(self, session: str) -> list[str]:
        """The arguments that take a session up with its deferred call: a prompt would drop the call."""
        options = _without(self.command[1:])
        return [self.command[0], PRINT[0], "", *options, "--resume", session, _FORMAT, "stream-json", "--verbose"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """A call that waits for people, and the session that waits with it."""

    session: str
    tool_use_id: str


def headless(arguments: Sequence[str]) -> Headless:
    """The run in these arguments, e.g. ``claude -p "tidy up" --model x``.

    Raises:
        InputError: it is no headless run.
    """
    rest = list(arguments)
    at = next((index for index, each in enumerate(rest) if each in PRINT), None)
    if not rest or at is None or at == 0:
        raise InputError(
            'expected a headless run: askfirst run -- claude -p "PROMPT" [OPTIONS]; in an interactive session the gate '
            "waits by itself",
            field="command",
        )
    del rest[at]
    prompt = rest.pop(at) if at < len(rest) and not rest[at].startswith("-") else None
    output = "text"
    if _FORMAT in rest:
        place = rest.index(_FORMAT)
        if place + 1 >= len(rest):
            raise InputError(f"{_FORMAT} without a format", field="command")
        output = rest[place + 1]
        del rest[place : place + 2]
    return Headless(command=tuple(each for each in rest if each != "--verbose"), prompt=prompt, output=output)


def message_of(line: str) -> Mapping[str, object] | None:
    """The message in a line of ``stream-json``; None where there is none."""
    try:
        value: object = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def deferred(result: Mapping[str, object] | None) -> Deferred | None:
    """What a run's last message says was deferred."""
    call = None if result is None else result.get("deferred_tool_use")
    if result is None or result.get("stop_reason") != "tool_deferred" or not isinstance(call, dict):
        return None
    session, tool_use_id = result.get("session_id"), call.get("id")
    if not isinstance(session, str) or not isinstance(tool_use_id, str) or not session:
        return None
    return Deferred(session=session, tool_use_id=tool_use_id)


def _without(options: Sequence[str]) -> list[str]:
    """The options without those that named the first run's session."""
    kept, skip = [], False
    for each in options:
        if skip:
            skip = False
        elif each in _ONCE:
            skip = True
        elif each not in _ONCE_ALONE and not each.startswith(tuple(f"{name}=" for name in _ONCE)):
            kept.append(each)
    return kept
