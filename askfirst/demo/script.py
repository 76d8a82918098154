"""What a scripted agent does: turns made of words and tool calls, and what happened to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Words of the model; as a turn's only block they end the agent's run."""

    text: str
    tag: Literal["say"] = "say"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A tool call of the model.

    Attributes:
        id: the tool use id, e.g. ``toolu_0001``; unique in the script.
        tool: the tool's name as the host knows it, e.g. ``Bash``.
        arguments: the tool's input, a JSON object.
    """

    id: str
    tool: str
    arguments: Mapping[str, object]
    tag: Literal["call"] = "call"


Turn = tuple[Say | Call, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What the agent was told about one of its calls."""

    id: str
    text: str
    is_error: bool
    tag: Literal["result"] = "result"


def result_text(content: object) -> str:
    """The text of a tool result's content, which the wire allows as a string or as blocks."""
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    return "\n".join(str(block["text"]) for block in blocks if isinstance(block, dict) and "text" in block)


AgentEvent = Say | Call | ToolResult
"""One step of a run, as it happens."""

Watch = Callable[[AgentEvent], None]
"""Is told every step of a run, in order, from the thread that runs the agent."""


def bash(id: str, command: str, description: str = "") -> Call:  # noqa: A002  # the wire's own name
    """A call of the shell tool."""
    extra = {"description": description} if description else {}
    return Call(id=id, tool="Bash", arguments={"command": command, **extra})
