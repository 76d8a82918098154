"""The gate's analyst over the real disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from askfirst import workspace
from askfirst.classify import classify
from askfirst.facts import NoFacts
from askfirst.rules.book import RuleBook

if TYPE_CHECKING:
    from collections.abc import Iterable

    from askfirst.call import ToolCall
    from askfirst.effects import Classification
    from askfirst.host import Agent
    from askfirst.request import Action


class DiskAnalyst:
    """Classifies with facts from the disk."""

    def __init__(self) -> None:
        self._book = RuleBook.load()
        self._home = str(Path.home())

    def classify(self, call: ToolCall) -> Classification:
        """The classification of this call."""
        return classify(call, NoFacts(), book=self._book, home=self._home)

    def resolve(self, call: ToolCall, agent: Agent, scripts: Iterable[str] = ()) -> Action:
        """The complete action of this call as the disk stands now."""
        return workspace.resolve(call, agent, scripts)
