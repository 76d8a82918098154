"""The tool calls of all hosts, normalised: one name for every shell, one form of MCP names, the folder of the call."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from askfirst.call import ToolCall
from askfirst.errors import InputError
from askfirst.host import BeforeTool
from hooks.wire import MAX_CLAIM_CHARS, MAX_PATH_CHARS, cut, kind, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from askfirst.host import Agent

SHELL = "Bash"
"""What every host's shell tool is called behind the adapters."""


def arguments_of(data: Mapping[str, object], field: str) -> dict[str, object]:
    """A tool's input.

    Raises:
        InputError: it is no object.
    """
    arguments = data.get(field)
    if not isinstance(arguments, dict):
        raise InputError(f"{field} is {kind(arguments)}, expected an object", field=field)
    return arguments


def shell_call(arguments: Mapping[str, object], *, cwd: str, session: str, folder_field: str = "") -> ToolCall:
    """A call of a shell.

    Args:
        arguments: the tool's input; ``command`` is the text that runs.
        cwd: where the session works, absolute.
        session: the host's session id.
        folder_field: the argument by which the model names another folder, absolute or below ``cwd``.

    Raises:
        InputError: the command or the folder is no text.
    """
    command = arguments.get("command")
    if not isinstance(command, str):
        raise InputError(f"command is {kind(command)}, expected a text", field="command")
    folder = text(arguments, folder_field, default="", max_chars=MAX_PATH_CHARS) if folder_field else ""
    return ToolCall(
        tool=SHELL, arguments=arguments, cwd=posixpath.join(cwd, folder) if folder else cwd, session=session
    )


def mcp_name(server: str, tool: str) -> str:
    """``mcp__server__tool``."""
    return f"mcp__{server}__{tool}"


def before_tool(agent: Agent, call: ToolCall, tool_use_id: str, *, can_rewrite: bool) -> BeforeTool:
    """The event of a call that is about to run; what a shell's ``description`` says is the agent's claim."""
    claim = call.arguments.get("description", "") if call.tool == SHELL else ""
    return BeforeTool(
        agent=agent,
        call=call,
        tool_use_id=tool_use_id,
        justification=cut(claim, MAX_CLAIM_CHARS) if isinstance(claim, str) else "",
        can_rewrite=can_rewrite,
    )
