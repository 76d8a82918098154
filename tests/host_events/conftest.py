"""The door that all hosts come to, over a real desk, with the host's process and settings as a test says they are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

from askfirst.alerts import Alerts
from askfirst.asking import Asking
from askfirst.bypasses import Bypasses
from askfirst.call import ToolCall
from askfirst.config import Config, parse_config
from askfirst.effects import Classification, Effect, EffectKind, Outcome, Risk
from askfirst.gate import Attempt, Gate
from askfirst.host import Agent
from askfirst.host_events import AtThisMachine, HostEvents, HostWaits
from askfirst.host_prompts import HostPrompts
from askfirst.notices import Notices
from askfirst.people import Directory
from askfirst.request import Action, Request, Verdict
from askfirst.settings_watch import SettingsWatch
from askfirst.testing.bench import Bench, a_review
from askfirst.testing.ladder_policy import ConfiguredPolicy
from askfirst.wakes import Wakes

T = TypeVar("T")


class FakeAnalyst:
    async def look(self, call: ToolCall) -> Classification:
        if call.command != "git reset --hard":
            return Classification(outcome=Outcome.ALLOW, effects=())
        effect = Effect(
            rule="git.reset-hard",
            kind=EffectKind.DISCARDS_CHANGES,
            risk=Risk.HIGH,
            reversible=False,
            target=".",
            loss="discards 3 changed files",
        )
        return Classification(outcome=Outcome.GATE, effects=(effect,))

    def resolve(self, call: ToolCall, agent: Agent, scripts: Iterable[str] = ()) -> Action:
        del scripts
        arguments = call.acting_arguments
        return Action(
            tool=call.tool,
            arguments=arguments,
            cwd=call.cwd,
            host=agent.host,
            session=agent.session,
            machine=call.machine,
        )


class FakeInspector:
    """Settings files as a test says they are."""

    def __init__(self) -> None:
        self.ours = "f" * 64
        self.switched_off = False

    def fingerprint(self, host: str, path: Path) -> str:
        del host, path
        return self.ours

    def obstacles(self, host: str, path: Path) -> tuple[str, ...]:
        del host
        return (f"{path} has disableAllHooks, so no hook runs",) if self.switched_off else ()


class Scene:
    """A whole host door; the host's process is alive until a test says otherwise."""

    def __init__(self, bench: Bench, text: str = "", *, terminal: bool = True) -> None:
        self.bench, self.desk = bench, bench.desk
        self.config: Config = parse_config(text.encode(), source="test")
        self.alive = True
        self.terminal = terminal
        self.inspector = FakeInspector()
        self.restart()

    def restart(self) -> None:
        """Another broker over the same store: nothing that was kept in memory is left."""
        ruler = ConfiguredPolicy(config=self.config)
        self.asking = asking = Asking(analyst=FakeAnalyst(), ruler=ruler, clock=self.bench.clock)
        here = AtThisMachine(
            person="local:ann", people=Directory(is_open=True), terminal_decisions=lambda: self.terminal
        )
        self.bypasses = Bypasses(desk=self.desk, alerts=Alerts(desk=self.desk, asking=asking))
        self.prompts = HostPrompts(
            desk=self.desk,
            asking=asking,
            here=here,
            config=self.config.hosts,
            is_alive=lambda _pid: self.alive,
            bypasses=self.bypasses,
        )
        self.wakes = wakes = Wakes(desk=self.desk, hub=self.bench.hub)
        waits = HostWaits(
            here=here, config=self.config.hosts, prompts=self.prompts, wakes=wakes, bypasses=self.bypasses
        )
        settings = SettingsWatch(
            inspector=self.inspector,
            watched=self._watched,
            desk=self.desk,
            alerts=(alerts := Alerts(desk=self.desk, asking=asking)),
        )
        self.notices = Notices(
            alerts=alerts,
            desk=self.desk,
            config=self.config.hosts,
            clock=self.bench.clock,
            redact=lambda said: said.replace("hunter2", "[password]"),
        )
        gate = Gate(desk=self.desk, asking=asking, waits=waits)
        self.events = HostEvents(gate=gate, prompts=self.prompts, wakes=wakes, settings=settings, notices=self.notices)

    async def _watched(self) -> Mapping[str, str]:
        return {"/s.json": "f" * 64}

    def attempt(self, name: str = "attempt-1", wait_s: float = 5.0) -> Attempt:
        return Attempt(id=name, until_s=asyncio.get_running_loop().time() + wait_s)

    async def answer(self, event: Any, name: str = "attempt-1", wait_s: float = 5.0) -> Any:
        return await self.events.answer(event, self.attempt(name, wait_s))

    async def asked(self, count: int = 1) -> list[Request]:
        async with asyncio.timeout(5):
            while len(pending := await self.desk.pending()) < count:
                await asyncio.to_thread(lambda: None)
        return pending

    async def decide(self, verdict: Verdict, **changes: object) -> None:
        [request] = await self.asked()
        await self.desk.review(a_review(request, verdict, **changes))

    async def watched(self) -> None:
        """Returns when a stopped agent's hook waits."""
        async with asyncio.timeout(5):
            while not self.bench.hub.following or not any(self.wakes._owed.values()):
                await asyncio.to_thread(lambda: None)

    @property
    def types(self) -> list[str]:
        return [entry.type for entry in self.bench.log.entries]

    def run(self, story: Callable[[], Awaitable[T]]) -> T:
        """What comes of a story, which ends within ten seconds."""

        async def bounded() -> T:
            async with asyncio.timeout(10):
                return await story()

        return asyncio.run(bounded())


@pytest.fixture
def scene_over(desk_bench: Bench) -> Callable[..., Scene]:
    """Makes a scene with this configuration, and with or without decisions at the terminal."""
    return partial(Scene, desk_bench)


@pytest.fixture
def scene(desk_bench: Bench) -> Scene:
    return Scene(desk_bench)
