"""What ran although the gate had refused it, or nobody had decided: its host passed the hook over, or gave up on it.

A host tells what it has run. A call that was asked about or denied, and never released, is known by its id, or where
the host gives none by what it runs: then the newest answer of the gate counts. It is an entry, and people are told.
What was denied or has expired is found by its id after a restart, too.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from askfirst.canonical import digest
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
        self._gated: Recent[str, str | Look] = Recent(_KNOWN_MAX)
        self._recent = deque[str](maxlen=_RECENT_MAX)
        self._told: Recent[str, None] = Recent(_KNOWN_MAX)

    @property
    def recent(self) -> tuple[str, ...]:
        """The newest since the start, a sentence each."""
        return tuple(self._recent)

    def refused(self, event: BeforeTool, look: Look) -> None:
        """The policy denies this call, so that there is no request of it."""
        self._keep(event, look)

    def asked(self, event: BeforeTool, case: Case) -> None:
        """People are asked about this call, or have answered."""
        self._keep(event, case.request.id)

    def forget(self, event: BeforeTool) -> None:
        """The call is judged anew, or released."""
        for name in _names(event) if self._gated else ():
            self._gated.pop(name, None)

    async def ran(self, event: AfterTool) -> list[Case]:
        """A call has run of which nothing waits and nothing was released: the cases about it, if it was gated.

        One that the policy had denied is written down and told here.
        """
        if not self._gated and not event.tool_use_id:
            return []
        by_id, by_what = _names(event)
        if by_id in self._told and event.tool_use_id:
            return []
        gated = self._gated.pop(by_id if event.tool_use_id else by_what, None)
        if isinstance(gated, str):
            return [await self._desk.case(gated)]
        if gated is not None:
            but = f"which the policy denies (rule {gated.ruling.rule})"
            await self._tell(event, ran_refused_entry(gated, event), but)
        if gated is not None or not event.tool_use_id:
            return []
        found = await self._desk.refused_calls(event.agent.host, event.agent.session, event.tool_use_id)
        return [case for case in found if _is_refusal(case) and case.request.action.machine == event.call.machine]

    async def ran_unapproved(self, case: Case, event: AfterTool) -> None:
        """This case's call has run, and nobody had approved it."""
        request = case.request
        await self._tell(
            event, bypassed_entry(case, event), f"although request {request.code} is {request.state.value}"
        )

    async def _tell(self, event: AfterTool, entry: Entry, but: str) -> None:
        self._told[_names(event)[0]] = None
        await self._desk.note(entry)
        what = (event.call.command or event.call.tool)[:_SHOWN_CHARS]
        place = f" on {event.call.machine}" if event.call.machine else ""
        said = f"{event.agent.host}{place} ran `{what}`, {but}: it passed our hook over"
        self._recent.append(said)
        await self._alerts.tell(
            f"{said}. `askfirst doctor` says how it stands.",
            key=f"bypassed {digest([*_place(event), event.tool_use_id or entry.request])}",
        )

    def _keep(self, event: BeforeTool, gated: str | Look) -> None:
        for name in _names(event):
            self._gated[name] = gated


def _is_refusal(case: Case) -> bool:
    """Whether the agent's host was told not to run it; what a host's own prompt stands beside, it may decide itself."""
    request = case.request
    if request.kind is RequestKind.QUESTION:
        return False
    return request.state is RequestState.DENIED or OWN_PROMPT not in request.notes


def _names(event: BeforeTool | AfterTool) -> tuple[str, str]:
    """A call by its id, and by what it runs."""
    place, call = _place(event), event.call
    return digest([*place, event.tool_use_id]), digest([*place, call.tool, dict(call.acting_arguments)])


def _place(event: BeforeTool | AfterTool) -> list[str]:
    return [event.agent.host, event.agent.session, event.call.machine]
