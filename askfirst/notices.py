"""News for people that nobody has to decide: an agent has stopped, is idle, or its program asks at a prompt of its own.

Off unless ``[hosts] tell`` names what is wanted. A phone is not flooded:

- There is one open message of news at a time, and at most one in ``tell_every_s``; what happens meanwhile is folded
  into the next: of each session its newest, with the number of those before.
- A session that goes on takes its news back: what was not told yet is dropped, and a message that says nothing else is
  withdrawn.
- What people were asked on a channel is not told as well.

The agent's words are marked as its own, without secrets, cut and quoted line by line. News offer one answer, that they
were seen; nothing can be approved by them. They are kept in memory until they are told: whatever waits for people is a
request of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from askfirst.clock import new_id
from askfirst.errors import Error
from askfirst.host import Notice, TurnEnded
from askfirst.pace import Bucket
from askfirst.ports import Rate
from askfirst.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.alerts import Alerts
    from askfirst.clock import Clock
    from askfirst.desk import Desk
    from askfirst.host import Agent
    from askfirst.host_config import HostsConfig

SAID_MAX_CHARS = 500
SESSIONS_MAX = 8
"""So many sessions are told of in one message; the others are counted."""
_WAITING_MAX = 256
"""So many sessions are remembered; beyond these the oldest news are dropped."""
_Session = tuple[str, str, str]
"""One of a host on a machine; its name alone is the word of whoever relays a hook."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """The newest of one session.

    Attributes:
        machine: where it runs, ``""``: on the broker's own.
        about: what has happened.
        before: how many news of this session came before it and were not told.
    """

    machine: str
    host: str
    session: str
    about: Literal["prompt", "idle", "stop"]
    said: str
    cwd: str
    before: int = 0

    @property
    def of(self) -> _Session:
        """Whose news they are."""
        return self.machine, self.host, self.session


@dataclass(slots=True)
class _Told:
    """The message that people have."""

    request_id: str = ""
    sessions: set[_Session] = field(default_factory=set)


class Notices:
    """Tells news.

    Args:
        alerts: words and sends messages.
        desk: knows what people were asked, and takes messages back.
        config: what is told, and how often.
        clock: measures the pauses.
        redact: takes secrets out of a text.
    """

    def __init__(
        self, *, alerts: Alerts, desk: Desk, config: HostsConfig, clock: Clock, redact: Callable[[str], str]
    ) -> None:
        self._alerts = alerts
        self._desk = desk
        self._config = config
        self._clock = clock
        self._redact = redact
        self._pace = Bucket(Rate(burst=1, per_s=1 / config.tell_every_s), clock.now_ms())
        self._news = dict[_Session, News]()
        self._told = _Told()
        self._changed = asyncio.Event()

    def heard(self, event: Notice | TurnEnded) -> None:
        """A host tells something; returns at once."""
        news = _news_of(event)
        if news is None or news.about not in self._config.tells:
            return
        known = self._news.pop(news.of, None)
        self._news[news.of] = news if known is None else replace(news, before=known.before + 1)
        while len(self._news) > _WAITING_MAX:
            del self._news[next(iter(self._news))]
        self._changed.set()

    def went_on(self, machine: str, agent: Agent) -> None:
        """This session works: what was to be said of it is over; returns at once."""
        session = (machine, agent.host, agent.session)
        self._news.pop(session, None)
        if session in self._told.sessions:
            self._told.sessions.discard(session)
            self._changed.set()

    async def run(self) -> None:
        """Tell what is to be told, until cancelled."""
        while True:
            try:
                wait_ms = await self.settle()
            except Error as error:  # nothing waits for news; the next ones try again
                _log.warning("news could not be settled: %s", error)
                wait_ms = 0
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), wait_ms / 1000 if wait_ms else None)
            self._changed.clear()

    async def settle(self) -> int:
        """Take back what is over and tell what may be told now; how long the rest has to wait, milliseconds."""
        if self._told.request_id and not self._told.sessions:
            await self._withdraw("the agent went on")
        if not self._news:
            return 0
        if wait_ms := self._pace.wait_ms(self._clock.now_ms()):
            return wait_ms
        news, self._news = self._news, {}
        kept = [each for each in news.values() if not await self._was_asked(each)]
        if kept:
            self._pace.take(self._clock.now_ms())
            await self._tell(kept)
        return 0

    async def _tell(self, news: list[News]) -> None:
        text = "\n\n".join(self._words(each) for each in news[-SESSIONS_MAX:])
        if len(news) > SESSIONS_MAX:
            text += f"\n\n… and {len(news) - SESSIONS_MAX} more sessions"
        request_id = await self._alerts.tell(text, key=new_id(), is_news=True)
        if self._told.request_id:
            await self._withdraw("there are newer news")
        self._told = _Told(request_id, {each.of for each in news})

    async def _withdraw(self, reason: str) -> None:
        told, self._told = self._told, _Told()
        await self._desk.cancel(told.request_id, reason)

    async def _was_asked(self, news: News) -> bool:
        """Whether people were asked what the host's own prompt asks."""
        return news.about == "prompt" and bool(await self._desk.waiting_calls(*news.of))

    def _words(self, news: News) -> str:
        machine = f" on {news.machine}" if news.machine else ""
        place = f" in {news.cwd}" if news.cwd else ""
        who = visible(f"{news.host}{machine} (session {news.session[:8]}){place}".replace("\n", " "))
        happened = {
            "prompt": "waits for an answer at its own prompt",
            "idle": "is idle and waits for its person",
            "stop": "has stopped",
        }[news.about]
        more = f" ({news.before} more before)" if news.before else ""
        said = visible(self._redact(news.said.strip()))
        if not said:
            return f"{who} {happened}{more}."
        speaker = "The agent's words, unchecked" if news.about == "stop" else "The program's words"
        said = said if len(said) <= SAID_MAX_CHARS else f"{said[: SAID_MAX_CHARS - 1]}…"
        quoted = "\n".join(f"> {line}" for line in said.split("\n"))
        return f"{who} {happened}{more}. {speaker}:\n{quoted}"


def _news_of(event: Notice | TurnEnded) -> News | None:
    machine, agent, cwd = event.machine, event.agent, event.cwd
    if isinstance(event, TurnEnded):
        return News(machine=machine, host=agent.host, session=agent.session, about="stop", said=event.said, cwd=cwd)
    if event.about == "other":
        return None
    return News(machine=machine, host=agent.host, session=agent.session, about=event.about, said=event.text, cwd=cwd)
