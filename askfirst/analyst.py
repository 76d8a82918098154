"""The gate's analyst over the real disk.

Most calls need nothing from the disk. They are judged at once, on the event loop: handing them to a thread would cost
more than judging them. Only a call whose analysis asks for facts is judged again, in a thread, with the disk.
"""

from __future__ import annotations

import asyncio
import gc
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from askfirst import workspace
from askfirst.at_hand import AtHand
from askfirst.classify import classify, warm_up
from askfirst.disk import Disk
from askfirst.facts import UNKNOWN, Kind
from askfirst.rules.book import RuleBook
from askfirst.session_files import SessionFiles
from askfirst.shell.analysis import Analysis, analyse
from askfirst.sight import Recorder

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
        if call.sight is not None and len(call.command) <= AT_ONCE_MAX_CHARS:
            return self.classify(call)
        if len(call.command) <= AT_ONCE_MAX_CHARS and call.tool not in FILE_TOOLS:
            at_hand = AtHand()
            found = self._classify(call, at_hand, home=self._home)
            if not at_hand.asked:
                return found
        return await asyncio.to_thread(self.classify, call)

    def classify(self, call: ToolCall) -> Classification:
        """The classification of this call, by the disk that it would run on."""
        if call.sight is not None:
            return self._remembered(call, call.sight.facts, home="")
        return self._remembered(call, Disk(made_here=self._files.made_by(call.session)), home=self._home)

    def survey(self, call: ToolCall) -> tuple[Classification, Recorder]:
        """The classification of this call and every fact that it rests on, for a broker on another machine."""
        recorder = Recorder(Disk(made_here=self._files.made_by(call.session)))
        return self._remembered(call, recorder, home=""), recorder

    def _remembered(self, call: ToolCall, facts: Facts, *, home: str) -> Classification:
        """The classification; what a file tool writes is remembered for the session."""
        if call.tool in FILE_TOOLS:
            known = _known(call)
            self._files.remember(known, existed=_exists(self._files.path_of(known), facts))
        return self._classify(call, facts, home=home)

    def explain(self, command: str, cwd: str) -> Analysis:
        """The whole analysis of a shell command, for people to read."""
        return analyse(command, cwd=cwd, facts=Disk(), book=self._book, home=self._home)

    def resolve(self, call: ToolCall, agent: Agent, scripts: Iterable[str] = ()) -> Action:
        """The complete action of this call as the disk stands now."""
        return workspace.resolve(call, agent, scripts)

    def _classify(self, call: ToolCall, facts: Facts, *, home: str) -> Classification:
        session = _known(call).session
        found = classify(call, facts, book=self._book, written=self._files.of(session), home=home)
        for path, text in found.writes.items() if session else ():
            self._files.write(session, path, text, existed=_exists(path, facts))
        return found


def _known(call: ToolCall) -> ToolCall:
    """The call under the name by which its session's files are remembered: other machines' are not mixed with ours."""
    if call.sight is None or not call.session:
        return call
    return replace(call, session=f"{call.sight.machine}/{call.session}")


def _exists(path: str, facts: Facts) -> bool:
    """Whether something lies there; what cannot be found out is not the session's own."""
    found = facts.path(path) if path else UNKNOWN
    return found is UNKNOWN or found.kind is not Kind.MISSING
