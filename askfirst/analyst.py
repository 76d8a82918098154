"""The gate's analyst over the real disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from askfirst import workspace
from askfirst.classify import classify
from askfirst.facts import NoFacts
from askfirst.rules.book import RuleBook
from askfirst.session_files import SessionFiles
from askfirst.shell.analysis import Analysis, analyse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from askfirst.call import ToolCall
    from askfirst.effects import Classification
    from askfirst.host import Agent
    from askfirst.request import Action

FILE_TOOLS = frozenset({"Write", "Edit", "MultiEdit", "NotebookEdit"})


class DiskAnalyst:
    """Classifies with facts from the disk, and remembers what each session has written."""

    def __init__(self) -> None:
        self._book = RuleBook.load()
        self._home = str(Path.home())
        self._files = SessionFiles()

    def classify(self, call: ToolCall) -> Classification:
        """The classification of this call."""
        if call.tool in FILE_TOOLS:
            self._files.remember(call)
        return classify(call, NoFacts(), book=self._book, written=self._files.of(call.session), home=self._home)

    def explain(self, command: str, cwd: str) -> Analysis:
        """The whole analysis of a shell command, for people to read."""
        return analyse(command, cwd=cwd, facts=NoFacts(), book=self._book, home=self._home)

    def resolve(self, call: ToolCall, agent: Agent, scripts: Iterable[str] = ()) -> Action:
        """The complete action of this call as the disk stands now."""
        return workspace.resolve(call, agent, scripts)
