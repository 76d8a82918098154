"""One agent's session at its host, and what the host's hook says of it: events for tests of the gate's host side."""

from __future__ import annotations

from dataclasses import replace

from askfirst.call import ToolCall
from askfirst.host import AfterTool, Agent, BeforeTool, PromptShown

AGENT = Agent(host="claude-code", session="session-1", interactive=True)
OTHER = replace(AGENT, session="session-2")
"""Another session of the same host."""
RESET = ToolCall(tool="Bash", arguments={"command": "git reset --hard"}, cwd="/srv/p", session="session-1")
"""A call that people are asked about."""
ECHO = ToolCall(tool="Bash", arguments={"command": "echo"}, cwd="/srv/p", session="session-1")
"""A call that needs nobody."""
BEFORE = BeforeTool(agent=AGENT, call=RESET, tool_use_id="toolu_1", can_rewrite=True, can_ask_here=True)
PROMPT = PromptShown(agent=AGENT, call=RESET, host_pid=7)
AFTER = AfterTool(agent=AGENT, call=RESET, tool_use_id="toolu_1", ok=True, can_ask_here=True)
