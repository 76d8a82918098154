"""``askfirst check --stdin --json``: the gate's analysis for other programs, one payload a line.

In: one PreToolUse payload a line, of which ``tool_name``, ``tool_input``, ``cwd`` and ``session_id`` are read. Out: one
JSON object a line, in the same order, never a missing one. What cannot be read is gated.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from askfirst.call import call_of
from askfirst.cli.explain import effect_object
from askfirst.cli.output import EXIT_USAGE, fail, sentences
from askfirst.effects import Outcome
from askfirst.errors import InputError
from askfirst.unique_names import TwiceNamedError, read_json

if TYPE_CHECKING:
    from askfirst.analyst import DiskAnalyst
    from askfirst.call import ToolCall
    from askfirst.effects import Classification


def add(app: typer.Typer) -> None:
    """Register the command."""

    @app.command()
    def check(
        from_stdin: Annotated[bool, typer.Option("--stdin", help="Read one payload a line.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Write one JSON object a line.")] = False,
    ) -> None:
        """Classify PreToolUse payloads for another program: one a line in, one object a line out, in order."""
        if not (from_stdin and as_json):
            raise fail("check reads payloads and writes objects: give --stdin --json", EXIT_USAGE)
        from askfirst.analyst import DiskAnalyst  # noqa: PLC0415  # heavy, and other commands start without it

        with sentences():
            analyst = DiskAnalyst()
            for line in sys.stdin.buffer:
                sys.stdout.write(json.dumps(_checked(analyst, line)) + "\n")  # ASCII fits every locale
                sys.stdout.flush()


def _checked(analyst: DiskAnalyst, line: bytes) -> dict[str, Any]:
    """The object for one line; whatever happens there is one, and what cannot be judged is gated."""
    try:
        return _as_object(analyst.classify(_call(line)))
    except InputError as error:
        return _refused(str(error))
    except Exception as error:  # noqa: BLE001  # the outermost frame of one line
        return _refused(f"the analysis failed: {type(error).__name__}")


def _call(line: bytes) -> ToolCall:
    try:
        payload = read_json(line.decode("utf-8", "surrogatepass"))
    except TwiceNamedError as error:
        raise InputError(f"the payload {error}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}") from error
    if not isinstance(payload, dict) or not isinstance(payload.get("tool_input"), dict):
        raise InputError("expected an object with tool_name and tool_input")
    tool, cwd, session = (payload.get(name, "") for name in ("tool_name", "cwd", "session_id"))
    if not (isinstance(tool, str) and tool and isinstance(cwd, str) and isinstance(session, str)):
        raise InputError("expected texts in tool_name, cwd and session_id")
    return call_of(tool, payload["tool_input"], cwd=cwd, session=session)


def _as_object(found: Classification) -> dict[str, Any]:
    effects = sorted(found.effects, key=lambda effect: -effect.risk)
    reason = effects[0].loss if effects else ""
    return {
        "outcome": found.outcome.value,
        "risk": found.risk.label,
        "rules": sorted({effect.rule for effect in effects}),
        "reason": reason,
        "expanded": found.expanded,
        "effects": [effect_object(effect) for effect in effects],
    }


def _refused(reason: str) -> dict[str, Any]:
    return {
        "outcome": Outcome.GATE.value,
        "risk": "high",
        "rules": ["input.unreadable"],
        "reason": reason,
        "expanded": "",
        "effects": [],
    }
