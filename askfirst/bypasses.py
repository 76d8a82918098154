"""What ran although the gate had refused it, or nobody had decided: its host passed the hook over, or gave up on it.

Hosts that report each call afterwards by the id that they asked about it with (Claude Code, Codex, Gemini CLI, Qwen
Code, opencode) cannot run one so unnoticed: it is an entry, and people are told.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from askfirst.entries import bypassed_entry, ran_refused_entry
from askfirst.recent import Recent
from askfirst.request import RequestKind, RequestState

if TYPE_CHECKING:
    from askfirst.alerts import Alerts
    from askfirst.asking import Look
    from askfirst.audit_port import Entry
    from askfirst.desk import Desk
    from askfirst.engine import Case
    from askfirst.host import AfterTool, BeforeTool

OWN_PROMPT = "the agent's program asks this at its own prompt, too: whoever answers first decides"
"""Note of a request that the host's own prompt stands beside."""
_KNOWN_MAX = 1024
_RECENT_MAX = 5
_SHOWN_CHARS = 200


class Bypasses:
    """Writes down and tells what ran unapproved.

    Args:
        desk: what was refused, and the log.
        alerts: tells people.
    """

    def __init__(self, *, desk: Desk, alerts: Alerts) -> None:
        self._desk = desk
        self._alerts = alerts
        self._by_policy: Recent[tuple[str, str], Look] = Recent(_KNOWN_MAX)
        self._recent = deque[str](maxlen=_RECENT_MAX)
        self._told: Recent[tuple[str, str], None] = Recent(_KNOWN_MAX)

    @property
    def recent(self) -> tuple[str, ...]:
        """The newest since the start, a sentence each."""
        return tuple(self._recent)

    def refused(self, event: BeforeTool, look: Look) -> None:
        """The policy denies this call, so that there is no request of it."""
        if event.tool_use_id:
            self._by_policy[_call_of(event)] = look

    async def ran(self, event: AfterTool) -> None:
        """A call has run of which nothing waits and nothing was released: was it refused?"""
        if not event.tool_use_id or _call_of(event) in self._told:
            return
        look = self._by_policy.pop(_call_of(event), None)
        if look is not None:
            await self._tell(
                event, ran_refused_entry(look, event), f"which the policy denies (rule {look.ruling.rule})"
            )
            return
        for case in await self._desk.refused_calls(event.agent.host, event.agent.session, event.tool_use_id):
            if _is_refusal(case):
                await self.ran_unapproved(case, event)

    async def ran_unapproved(self, case: Case, event: AfterTool) -> None:
        """This case's call has run, and nobody had approved it."""
        request = case.request
        await self._tell(
            event, bypassed_entry(case, event), f"although request {request.code} is {request.state.value}"
        )

    async def _tell(self, event: AfterTool, entry: Entry, but: str) -> None:
        self._told[_call_of(event)] = None
        await self._desk.note(entry)
        what = (event.call.command or event.call.tool)[:_SHOWN_CHARS]
        said = f"{event.agent.host} ran `{what}`, {but}: it passed our hook over"
        self._recent.append(said)
        await self._alerts.tell(
            f"{said}. `askfirst doctor` says how it stands.",
            key=f"bypassed {event.agent.host} {event.agent.session} {event.tool_use_id or entry.request}",
        )


def _is_refusal(case: Case) -> bool:
    """Whether the agent's host was told not to run it; what a host's own prompt stands beside, it may decide itself."""
    request = case.request
    if request.kind is RequestKind.QUESTION:
        return False
    return request.state is RequestState.DENIED or OWN_PROMPT not in request.notes


def _call_of(event: BeforeTool | AfterTool) -> tuple[str, str]:
    return event.agent.session, event.tool_use_id
