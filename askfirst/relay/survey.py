"""Sights of this machine: what a broker elsewhere needs to know of one call, looked up where the call would run."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from askfirst import workspace
from askfirst.facts import UNKNOWN
from askfirst.policy.place import look_around, real_paths
from askfirst.policy.question import Question
from askfirst.policy.source import PROJECT_FILE
from askfirst.request import Claim
from askfirst.sight import PROJECT_MAX_BYTES, evidence_out

if TYPE_CHECKING:
    from askfirst.analyst import DiskAnalyst
    from askfirst.asking import Gatherer
    from askfirst.call import ToolCall
    from askfirst.effects import Classification
    from askfirst.host import Agent
    from askfirst.sight import Recorder

UNREADABLE = "this project's askfirst.toml cannot be read"
"""Stated in place of a policy that cannot be read: it is no policy, so everything that it would govern is denied."""


class Survey:
    """Looks at this machine.

    Args:
        analyst: classifies, and remembers what sessions have written.
        gatherer: finds out what a call would lose.
    """

    def __init__(self, analyst: DiskAnalyst, gatherer: Gatherer) -> None:
        self._analyst = analyst
        self._gatherer = gatherer

    async def of(self, call: ToolCall, agent: Agent, *, closely: bool) -> dict[str, object]:
        """The sight of this call, as JSON has it (``askfirst.sight``).

        Args:
            call: what is about to run.
            agent: who runs it.
            closely: with the evidence that people read.
        """
        found, sight = await asyncio.to_thread(self._look, call, agent)
        if closely:
            gathered = await self._gatherer.gather(call, found)
            sight["evidence"] = evidence_out(gathered.evidence)
        return sight

    def _look(self, call: ToolCall, agent: Agent) -> tuple[Classification, dict[str, object]]:
        found, recorder = self._analyst.survey(call)
        action = workspace.resolve(call, agent, found.scripts)
        question = Question(call=call, classification=found, agent=agent, at=datetime.now(UTC), claim=Claim())
        for path in real_paths(question):
            recorder.path(path)
        project = self._look_for_policy(action.cwd, recorder)
        return found, {
            "cwd": action.cwd,
            "head": action.head,
            "files": dict(action.files),
            "project": project,
            "facts": recorder.noted(),
        }

    def _look_for_policy(self, cwd: str, recorder: Recorder) -> str | None:
        """The text of the project's policy file, with the facts about the repository that policies ask for."""
        if not cwd:
            return None
        look_around(cwd, recorder)
        project = recorder.project(cwd)
        file = Path(cwd if project is UNKNOWN else project) / PROJECT_FILE
        text = recorder.read_script(str(file), PROJECT_MAX_BYTES)
        if text is None and not file.is_symlink():
            return None
        return UNREADABLE if not isinstance(text, bytes) else text.decode("utf-8", "replace")
