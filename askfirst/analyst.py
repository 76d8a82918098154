"""The gate's analyst over the real disk.

Most calls need nothing from the disk. They are judged at once, on the event loop: handing them to a thread would cost
more than judging them. Only a call whose analysis asks for facts is judged again, in a thread, with the disk.
"""

from __future__ import annotations

import asyncio
import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING

from askfirst import workspace
from askfirst.at_hand import AtHand
from askfirst.classify import classify, warm_up
from askfirst.disk import Disk
from askfirst.rules.book import RuleBook
from askfirst.session_files import SessionFiles
from askfirst.shell.analysis import Analysis, analyse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from askfirst.call import ToolCall
    from askfirst.effects import Classification
    from askfirst.facts import Facts
    from askfirst.host import Agent
    from askfirst.request import Action

FILE_TOOLS = frozenset({"Write", "Edit", "MultiEdit", "NotebookEdit"})
AT_ONCE_MAX_CHARS = 2_000
"""Longer commands always go to a thread: their analysis may take milliseconds, which everybody else would wait for."""


class DiskAnalyst:
    """Classifies with facts from the disk, and remembers what each session has written."""

    def __init__(self) -> None:
        self._book = RuleBook.load()
        self._home = str(Path.home())
        self._files = SessionFiles()

    def warm(self) -> None:
        """Load what the first judgements would otherwise wait for, and take it out of the collector's rounds."""
        warm_up(self._book)
        gc.collect()
        gc.freeze()  # rules and grammars stay for good; looking through them again and again took up to 80 ms

    async def look(self, call: ToolCall) -> Classification:
        """The classification of this call, without holding up the event loop."""
        if len(call.command) <= AT_ONCE_MAX_CHARS and call.tool not in FILE_TOOLS:
            at_hand = AtHand()
            found = self._classify(call, at_hand)
            if not at_hand.asked:
                return found
        return await asyncio.to_thread(self.classify, call)

    def classify(self, call: ToolCall) -> Classification:
        """The classification of this call."""
        if call.tool in FILE_TOOLS:
            self._files.remember(call, existed=os.path.lexists(self._files.path_of(call)))
        return self._classify(call, Disk(made_here=self._files.made_by(call.session)))

    def explain(self, command: str, cwd: str) -> Analysis:
        """The whole analysis of a shell command, for people to read."""
        return analyse(command, cwd=cwd, facts=Disk(), book=self._book, home=self._home)

    def resolve(self, call: ToolCall, agent: Agent, scripts: Iterable[str] = ()) -> Action:
        """The complete action of this call as the disk stands now."""
        return workspace.resolve(call, agent, scripts)

    def _classify(self, call: ToolCall, facts: Facts) -> Classification:
        found = classify(call, facts, book=self._book, written=self._files.of(call.session), home=self._home)
        for path, text in found.writes.items() if call.session else ():
            self._files.write(call.session, path, text, existed=os.path.lexists(path))
        return found
