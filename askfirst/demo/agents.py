"""The two agents that can play the demo: the real client when it is installed, a stand-in when it is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from askfirst.demo import claude_client
from askfirst.demo.hook_protocol import settings
from askfirst.demo.parts import DemoError, Gate
from askfirst.demo.scripted_agent import ScriptedAgent
from askfirst.demo.scripted_model import ScriptedModel

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from askfirst.demo.script import Turn, Watch

MAX_SHOWN_CHARS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class RealAgent:
    """Claude Code itself, with a scripted model behind it."""

    executable: Path
    project: Path
    home: Path
    gate: Gate
    timeout_s: float
    title: str = "Claude Code, the released client, with a scripted model"

    def play(self, turns: Sequence[Turn], watch: Watch, stop: threading.Event) -> None:
        """Play the script to its end, or until ``stop``."""
        with ScriptedModel(turns) as model:
            session = claude_client.Session(
                executable=self.executable,
                project=self.project,
                home=self.home,
                model_url=model.url,
                settings=settings(self.gate.hooks),
                environ=self.gate.environ,
                timeout_s=self.timeout_s,
            )
            end = claude_client.run(session, watch, stop)
        if end.exit_code != 0 and not stop.is_set():
            why = "it took too long" if end.was_ended else end.stderr[-MAX_SHOWN_CHARS:]
            raise DemoError(f"Claude Code ended with code {end.exit_code}: {why}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StandInAgent:
    """The scripted agent, which calls the same hook command lines."""

    project: Path
    gate: Gate
    environ: Mapping[str, str]
    title: str = "a scripted stand-in that runs the same hook"

    def play(self, turns: Sequence[Turn], watch: Watch, stop: threading.Event) -> None:
        """Play the script to its end, or until ``stop``."""
        environ = {**claude_client.kept(self.environ), **self.gate.environ}
        ScriptedAgent(project=self.project, hooks=self.gate.hooks, environ=environ).play(turns, watch, stop)
