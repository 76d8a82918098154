"""The demo from beginning to end: an agent is stopped, a person decides, the log proves it.

It works in a temporary folder, ends by itself and leaves nothing running and nothing behind.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from askfirst.demo import scratch_repository, story
from askfirst.demo.agents import RealAgent, StandInAgent
from askfirst.demo.parts import DemoError
from askfirst.demo.script import AgentEvent, Call, ToolResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    from askfirst.demo.parts import DemoAgent, DemoBroker, Gate, Person
    from askfirst.demo.scratch_repository import ScratchRepository
    from askfirst.demo.screen import Screen


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who plays.

    Attributes:
        broker: the gate's keeper; started and stopped by the demo.
        person: who decides.
        client: the real client's executable, None for the stand-in.
        timeout_s: seconds that the agent's whole run may take; covers the person's thinking.
    """

    broker: DemoBroker
    person: Person
    client: Path | None
    timeout_s: float = 600.0


def run_demo(cast: Cast, screen: Screen) -> bool:
    """Tell the story on the screen; True when everything came out as it should.

    Raises:
        Error: something is missing or broke off; everything that was started has been stopped.
    """
    with tempfile.TemporaryDirectory(prefix="askfirst-demo-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        repository = scratch_repository.make(folder)
        screen.title("Askfirst: a coding agent, a gate, a person, a log")
        screen.line("ready", f"a repository with {len(repository.unpushed())} unpushed commits and uncommitted work")
        with _running(cast.broker) as gate:
            screen.line("ready", "a broker with its own state folder; the agent's hook is in place")
            screen.link(gate.link)
            if cast.person.decides is None:
                screen.line("", "open it in a browser, log in, and decide what the agent asks for")
            witness = _act(cast, screen, repository, gate)
            screen.title("What the log says")
            for shown in cast.broker.report():
                screen.shown(shown)
    return _conclude(screen, witness)


@contextlib.contextmanager
def _running(broker: DemoBroker) -> Iterator[Gate]:
    try:
        yield broker.start()
    finally:
        broker.stop()


def _act(cast: Cast, screen: Screen, repository: ScratchRepository, gate: Gate) -> story.Witness:
    agent = _agent(cast, repository, gate)
    witness = story.Witness(repository)
    stop = threading.Event()
    reasons: list[str] = []

    def give_up(reason: str) -> None:
        reasons.append(reason)
        stop.set()

    def watch(event: AgentEvent) -> None:
        screen.step(event)
        screen.wait_for(_waits_for(event))
        if isinstance(event, ToolResult) and (seen := witness.look(event)):
            screen.line("git", seen, "green")

    screen.title(f"The agent: {agent.title}")
    with screen.waiting(), cast.person.at_inbox(gate.link, give_up):
        agent.play(story.TURNS, watch, stop)
    if reasons:
        raise DemoError(f"nobody decided: {reasons[0]}")
    witness.close(cast.person.decides)
    return witness


def _agent(cast: Cast, repository: ScratchRepository, gate: Gate) -> DemoAgent:
    if cast.client is None:
        return StandInAgent(project=repository.path, gate=gate, environ=os.environ)
    home = repository.path.parent / "home"
    home.mkdir()
    return RealAgent(executable=cast.client, project=repository.path, home=home, gate=gate, timeout_s=cast.timeout_s)


def _waits_for(event: AgentEvent) -> str:
    if isinstance(event, Call) and event.arguments.get("command") == story.RESET:
        return "the gate waits for a person: decide in the inbox (the link is above)"
    return "the agent is at work"


def _conclude(screen: Screen, witness: story.Witness) -> bool:
    screen.title("The end")
    for complaint in witness.complaints:
        screen.line("wrong", complaint, "bold red")
    if not witness.complaints:
        screen.line("right", "what people decided is what happened, and the log proves it", "bold green")
    return not witness.complaints
