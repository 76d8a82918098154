"""The tool call that stands at the gate, normalised from whatever shape its host uses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from askfirst.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from askfirst.sight import Sight

TOOL_NAME = r"^[^\x00-\x1f\x7f]*$"
"""What a tool may be called, as hooks take it: no control characters."""
SHELLS = frozenset({"Bash", "Monitor"})
"""What Claude Code calls the tools that run ``command`` in a shell; newer versions call one of them Monitor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """What an agent is about to do.

    Attributes:
        tool: normalised tool name: ``Bash`` for every host's shell, ``Write``, ``Edit``, ``mcp__server__tool``, or the
            action name of another system.
        arguments: the tool's input, a JSON object; for ``Bash`` it has ``command``.
        cwd: working directory of the call, absolute, or ``""`` when the host did not say.
        session: the host's session id, ``""`` when unknown; files written earlier in it are remembered by it.
        sight: what the machine where it would run says of itself; None: that is this machine, which can be looked at.
    """

    tool: str
    arguments: Mapping[str, object] = field(default_factory=dict)
    cwd: str = ""
    session: str = ""
    sight: Sight | None = field(default=None, compare=False, repr=False)

    @property
    def command(self) -> str:
        """The shell command, ``""`` when the tool is not a shell or the command is no text."""
        command = self.arguments.get("command")
        return command if isinstance(command, str) else ""

    @property
    def machine(self) -> str:
        """Where it would run, ``""``: on this machine."""
        return "" if self.sight is None else self.sight.machine

    @property
    def acting_arguments(self) -> Mapping[str, object]:
        """The arguments that decide what happens: a shell's ``description`` is the agent's comment, and varies."""
        if self.tool != "Bash":
            return self.arguments
        return {name: value for name, value in self.arguments.items() if name != "description"}


def call_of(tool: str, arguments: Mapping[str, object], *, cwd: str = "", session: str = "") -> ToolCall:
    """The call that a program names, held to what a host's hook is held to.

    Raises:
        InputError: the shell's command is no text, so that nobody can tell what would run.
    """
    if tool in SHELLS:
        tool = "Bash"
        command = arguments.get("command")
        if not isinstance(command, str):
            found = "missing" if command is None else f"a JSON {type(command).__name__}"
            raise InputError(f"the command of {tool} is {found}, expected a text", field="command")
    return ToolCall(tool=tool, arguments=arguments, cwd=cwd, session=session)
